#include "lib.h"
#include "array.h"
#include "istream.h"
#include "str.h"
#include "message-header-parser.h"
#include "received-line.h"
#include "received-header.h"

/* No server has more hops in itself, and none of its lines is longer. */
#define LINES_MAX 30
#define VALUE_MAX 4096

/* How a mail comes that doesn't come from elsewhere: the beginning of "with". */
static const char *const inside_protocols[] = {
	"lmtp", "local", "pipe", "mapi", "http", "pop", "apop", "imap",
	"spamassassin",
};

/* Machines between which these services hand mails around. */
static const char *const inside_names[] = {
	".prod.outlook.com", ".prod.protection.outlook.com",
};

static const char *const loopback_networks[] = { "127.0.0.0/8", "::1/128" };

/* RFC 1918, RFC 6598, RFC 4193, and link-local ones */
static const char *const private_networks[] = {
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
	"169.254.0.0/16", "fc00::/7", "fe80::/10",
};

/* First that is there counts; the lower rows only for want of the upper. */
enum trace {
	TRACE_RETURN_PATH,
	TRACE_ORIGINAL_TO,
	TRACE_ENVELOPE_TO,
	TRACE_DELIVERED_TO,
	TRACE_COUNT
};

static const char *const trace_names[TRACE_COUNT] = {
	[TRACE_RETURN_PATH] = "Return-Path",
	[TRACE_ORIGINAL_TO] = "X-Original-To",
	[TRACE_ENVELOPE_TO] = "Envelope-To",
	[TRACE_DELIVERED_TO] = "Delivered-To",
};

struct headers {
	pool_t pool;
	string_t *value;
	/* where the value goes that is being read; NULL: nowhere */
	const char **trace;
	bool is_received;

	/* NULL when not there */
	const char *traces[TRACE_COUNT];
	ARRAY_TYPE(const_string) lines;
};

static void header_begin(struct headers *headers, const char *name)
{
	str_truncate(headers->value, 0);
	headers->is_received = strcasecmp(name, "Received") == 0 &&
		array_count(&headers->lines) < LINES_MAX;
	headers->trace = NULL;
	for (unsigned int i = 0; i < TRACE_COUNT; i++) {
		if (headers->traces[i] == NULL &&
		    strcasecmp(name, trace_names[i]) == 0)
			headers->trace = &headers->traces[i];
	}
}

static void header_end(struct headers *headers)
{
	const char *value;

	if (headers->trace == NULL && !headers->is_received)
		return;
	/* up to a NUL, if there is one */
	value = p_strndup(headers->pool, str_data(headers->value),
			  str_len(headers->value));
	if (headers->is_received)
		array_push_back(&headers->lines, &value);
	else
		*headers->trace = value;
}

static void
header_more(struct headers *headers, const struct message_header_line *hdr)
{
	size_t room;

	if (!hdr->continued)
		header_begin(headers, hdr->name);
	room = VALUE_MAX - str_len(headers->value);
	str_append_data(headers->value, hdr->value,
			I_MIN(hdr->value_len, room));
	if (!hdr->continues)
		header_end(headers);
}

static void headers_read(struct headers *headers, struct istream *input)
{
	struct message_header_parser_ctx *parser =
		message_parse_header_init(input, NULL, 0);
	struct message_header_line *hdr;

	while (message_parse_header_next(parser, &hdr) > 0 && !hdr->eoh)
		header_more(headers, hdr);
	message_parse_header_deinit(&parser);
}

static bool
in_networks(const struct ip_addr *ip, const char *const *networks,
	    unsigned int count)
{
	struct ip_addr net;
	unsigned int bits;

	for (unsigned int i = 0; i < count; i++) {
		if (net_parse_range(networks[i], &net, &bits) < 0)
			i_unreached();
		if (net_is_in_network(ip, &net, bits))
			return TRUE;
	}
	return FALSE;
}

static bool is_inside_protocol(const char *with)
{
	for (unsigned int i = 0; i < N_ELEMENTS(inside_protocols); i++) {
		if (strncasecmp(with, inside_protocols[i],
				strlen(inside_protocols[i])) == 0)
			return TRUE;
	}
	return FALSE;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcasecmp(name + len - end_len, end) == 0;
}

static bool is_inside_name(const char *name)
{
	for (unsigned int i = 0; i < N_ELEMENTS(inside_names); i++) {
		if (ends_with(name, inside_names[i]))
			return TRUE;
	}
	return FALSE;
}

static bool is_same_host(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

static bool is_this_host(const char *name)
{
	return is_same_host(name, "localhost") ||
		strncmp(name, "127.", 4) == 0 || strncmp(name, "[127.", 5) == 0;
}

/* mx1.example.com and store.example.com are; a.example and b.example aren't. */
static bool is_same_domain(const char *a, const char *b)
{
	const char *domain_a = strchr(a, '.'), *domain_b = strchr(b, '.');

	if (is_same_host(a, b))
		return TRUE;
	return domain_a != NULL && domain_b != NULL &&
		strchr(domain_a + 1, '.') != NULL &&
		strcasecmp(domain_a, domain_b) == 0;
}

/* below: the next line, NULL when there is none */
static bool
is_inside(const struct received_line *line, const struct received_line *below)
{
	if (!line->has_from || is_inside_protocol(line->with))
		return TRUE;
	if (below == NULL)
		return FALSE;
	if (is_inside_name(line->name))
		return TRUE;
	/* a local user, or a filter's name for itself */
	if (line->client.family == 0 && *line->by != '\0' &&
	    is_same_host(line->by, below->by))
		return TRUE;
	if (in_networks(&line->client, loopback_networks,
			N_ELEMENTS(loopback_networks))) {
		return is_this_host(line->by) ||
			is_same_host(line->by, below->by) ||
			is_this_host(below->by) ||
			is_inside_protocol(below->with);
	}
	return in_networks(&line->client, private_networks,
			   N_ELEMENTS(private_networks)) &&
		is_same_domain(line->by, below->by);
}

/* Of the line by which the mail came to the server. */
static void
choose_line(const struct headers *headers, struct received_line *line_r)
{
	unsigned int count = array_count(&headers->lines);
	struct received_line *lines;

	i_zero(line_r);
	line_r->name = line_r->by = line_r->sender = line_r->recipient = "";
	if (count == 0)
		return;
	lines = t_new(struct received_line, count);
	for (unsigned int i = 0; i < count; i++)
		received_line_parse(array_idx_elem(&headers->lines, i),
				    &lines[i]);
	for (unsigned int i = 0; i < count; i++) {
		if (!is_inside(&lines[i], i + 1 < count ? &lines[i + 1] : NULL)) {
			*line_r = lines[i];
			return;
		}
	}
	*line_r = lines[0];
	i_zero(&line_r->client);
	line_r->name = "";
	line_r->verified = FALSE;
}

static const char *address_of(const char *value)
{
	const char *start = strchr(value, '<'), *end = strrchr(value, '>');

	if (start != NULL && end != NULL && start < end)
		return t_strdup_until(start + 1, end);
	return t_str_trim(value, " \t");
}

static const char *recipient_of(const struct headers *headers)
{
	for (unsigned int i = TRACE_ORIGINAL_TO; i < TRACE_COUNT; i++) {
		if (headers->traces[i] != NULL)
			return address_of(headers->traces[i]);
	}
	return NULL;
}

static void
evaluate(const struct headers *headers, struct received_header *received_r)
{
	const char *return_path = headers->traces[TRACE_RETURN_PATH];
	const char *recipient = recipient_of(headers);
	struct received_line line;

	choose_line(headers, &line);
	received_r->client = p_strdup(headers->pool, net_ip2addr(&line.client));
	received_r->name = p_strdup(headers->pool, line.name);
	received_r->verified = line.verified;
	received_r->by = p_strdup(headers->pool, line.by);
	received_r->received = line.date;
	received_r->return_path = p_strdup(headers->pool,
		return_path == NULL ? line.sender : address_of(return_path));
	received_r->recipient = p_strdup(headers->pool,
		recipient == NULL ? line.recipient : recipient);
}

int received_header_get(struct istream *input, pool_t pool,
			struct received_header *received_r,
			const char **error_r)
{
	struct headers headers = { .pool = pool };

	i_zero(received_r);
	/* in the caller's stack frame: the pool may be that */
	headers.value = t_str_new(256);
	t_array_init(&headers.lines, 8);
	headers_read(&headers, input);
	evaluate(&headers, received_r);
	if (input->stream_errno != 0) {
		*error_r = t_strdup_printf("read(%s) failed: %s",
					   i_stream_get_name(input),
					   i_stream_get_error(input));
		return -1;
	}
	return 0;
}
