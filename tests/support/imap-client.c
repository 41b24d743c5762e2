#include "imap-client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_CAPABILITIES 8192

/* The answer to a command that nobody waited for yet. */
struct answer {
	struct answer *next;
	unsigned int tag;
	struct imap_response *resp;
};

struct raw {
	char *data;
	size_t used, size;
};

struct imap_client {
	struct net_line *conn;
	unsigned int last_tag;
	char capabilities[MAX_CAPABILITIES];

	struct imap_response *first, **last;
	struct answer *answers;
	/* What imap_reply() points into. */
	struct imap_response *replied;
	struct imap_reply reply;
	bool lost, continued, idling;
	unsigned int idle_tag;
	uint32_t exists;
	char bye[256];

	imap_untagged_t *callback;
	void *callback_context;
	imap_body_sink_t *sink;
	uint64_t sink_min;
	void *sink_context;
	/* A command was refused in the middle. */
	bool refused;
};

static enum imap_status lose(struct imap_client *client)
{
	client->lost = true;
	client->reply.status = IMAP_LOST;
	client->reply.code = NULL;
	client->reply.text = net_line_error(client->conn);
	return IMAP_LOST;
}

/*
 * Reading
 */

static int raw_reserve(struct raw *raw, size_t more)
{
	size_t size = raw->size == 0 ? 512 : raw->size;
	char *data;

	if (raw->size - raw->used > more)
		return 0;
	while (size - raw->used <= more)
		size *= 2;
	data = realloc(raw->data, size);
	if (data == NULL)
		return -1;
	raw->data = data;
	raw->size = size;
	return 0;
}

static int raw_add(struct raw *raw, const void *data, size_t size)
{
	if (raw_reserve(raw, size + 1) < 0)
		return -1;
	memcpy(raw->data + raw->used, data, size);
	raw->used += size;
	raw->data[raw->used] = '\0';
	return 0;
}

static void raw_sink(void *context, const void *data, size_t size)
{
	struct raw *raw = context;

	/* reserved by the caller */
	memcpy(raw->data + raw->used, data, size);
	raw->used += size;
}

static void body_sink(void *context, const void *data, size_t size)
{
	struct imap_client *client = context;

	client->sink(client->sink_context, false, data, size);
}

static int
read_literal(struct imap_client *client, struct raw *raw, uint64_t size,
	     bool to_sink)
{
	if (to_sink) {
		/* what stays is an empty literal */
		while (raw->data[raw->used - 1] != '{')
			raw->used--;
		if (raw_add(raw, "0}\r\n\0", 5) < 0)
			return net_line_fail(client->conn, "out of memory");
		client->sink(client->sink_context, true, NULL, size);
		return net_line_read_bytes(client->conn, (size_t)size,
					   body_sink, client);
	}
	if (size > IMAP_MAX_LITERAL)
		return net_line_fail(client->conn, "literal too large");
	if (raw_add(raw, "\r\n", 2) < 0 ||
	    raw_reserve(raw, (size_t)size + 1) < 0)
		return net_line_fail(client->conn, "out of memory");
	if (net_line_read_bytes(client->conn, (size_t)size, raw_sink, raw) < 0)
		return -1;
	raw->data[raw->used++] = '\0';
	return 0;
}

static int
read_raw(struct imap_client *client, struct raw *raw, bool *sunk_r)
{
	const char *line;
	size_t size, start;
	uint64_t literal;
	bool body, to_sink;

	*sunk_r = false;
	for (;;) {
		if (net_line_read(client->conn, &line, &size) < 0)
			return -1;
		start = raw->used;
		if (raw_add(raw, line, size) < 0)
			return net_line_fail(client->conn, "out of memory");
		/* human text may end like a literal; data may not */
		if (raw->data[0] != '*' ||
		    !imap_line_literal(raw->data + start, raw->used - start,
				       &literal, &body))
			return 0;
		to_sink = body && client->sink != NULL &&
			literal >= client->sink_min;
		if (to_sink)
			*sunk_r = true;
		if (read_literal(client, raw, literal, to_sink) < 0)
			return -1;
	}
}

static int
read_response(struct imap_client *client, struct imap_response **resp_r)
{
	struct raw raw = { .data = NULL };
	const char *error;
	bool sunk;

	if (client->lost || read_raw(client, &raw, &sunk) < 0) {
		free(raw.data);
		return -1;
	}
	if (imap_response_parse(raw.data, raw.used, resp_r, &error) < 0)
		return net_line_fail(client->conn, "bad response: %s", error);
	(*resp_r)->sunk = sunk;
	return 0;
}

static void
set_capabilities(struct imap_client *client, const struct imap_arg *arg)
{
	size_t used = 0;

	client->capabilities[0] = '\0';
	for (; arg != NULL; arg = arg->next) {
		if (arg->type != IMAP_ARG_ATOM ||
		    used + arg->size + 2 > sizeof(client->capabilities))
			continue;
		used += (size_t)sprintf(client->capabilities + used, " %s",
					arg->data);
	}
}

static void
set_capability_code(struct imap_client *client, const char *code)
{
	if (code != NULL && strncasecmp(code, "CAPABILITY ", 11) == 0) {
		snprintf(client->capabilities, sizeof(client->capabilities),
			 " %s", code + 11);
	}
}

static void
handle_untagged(struct imap_client *client, struct imap_response *resp)
{
	if (strcmp(resp->name, "EXISTS") == 0)
		client->exists = resp->number;
	else if (strcmp(resp->name, "EXPUNGE") == 0 && client->exists > 0)
		client->exists--;
	else if (strcmp(resp->name, "CAPABILITY") == 0)
		set_capabilities(client, resp->args);
	else if (strcmp(resp->name, "BYE") == 0)
		snprintf(client->bye, sizeof(client->bye), "%s", resp->text);
	set_capability_code(client, resp->code);

	if (client->callback != NULL) {
		client->callback(client->callback_context, resp);
		imap_response_free(&resp);
	} else {
		*client->last = resp;
		client->last = &resp->next;
	}
}

static int
handle_tagged(struct imap_client *client, struct imap_response *resp)
{
	struct answer *answer;
	uint64_t tag;

	if (resp->tag[0] != 'A' ||
	    !imap_parse_number(resp->tag + 1, client->last_tag, &tag)) {
		net_line_fail(client->conn, "unknown tag %.40s", resp->tag);
		imap_response_free(&resp);
		return -1;
	}
	set_capability_code(client, resp->code);
	answer = calloc(1, sizeof(*answer));
	if (answer == NULL)
		abort();
	answer->tag = (unsigned int)tag;
	answer->resp = resp;
	answer->next = client->answers;
	client->answers = answer;
	return 0;
}

/* Reads and files one response. */
static int read_one(struct imap_client *client)
{
	struct imap_response *resp;

	if (read_response(client, &resp) < 0) {
		lose(client);
		return -1;
	}
	switch (resp->kind) {
	case IMAP_UNTAGGED:
		handle_untagged(client, resp);
		return 0;
	case IMAP_CONTINUE:
		client->continued = true;
		imap_response_free(&resp);
		return 0;
	case IMAP_TAGGED:
		if (handle_tagged(client, resp) < 0) {
			lose(client);
			return -1;
		}
		return 0;
	}
	return -1;
}

static struct answer **
find_answer(struct imap_client *client, unsigned int tag)
{
	struct answer **answer;

	for (answer = &client->answers; *answer != NULL;
	     answer = &(*answer)->next) {
		if ((*answer)->tag == tag)
			return answer;
	}
	return NULL;
}

static enum imap_status
take_answer(struct imap_client *client, struct answer **_answer)
{
	struct answer *answer = *_answer;
	const char *name = answer->resp->name;

	*_answer = answer->next;
	imap_response_free(&client->replied);
	client->replied = answer->resp;
	free(answer);
	client->reply.code = client->replied->code;
	client->reply.text = client->replied->text;
	client->reply.status = strcmp(name, "OK") == 0 ? IMAP_OK :
		strcmp(name, "NO") == 0 ? IMAP_NO : IMAP_BAD;
	return client->reply.status;
}

/*
 * Connection
 */

static struct imap_client *client_new(struct net_line *conn)
{
	struct imap_client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		abort();
	client->conn = conn;
	client->last = &client->first;
	client->reply.text = "";
	return client;
}

void imap_free(struct imap_client **_client)
{
	struct imap_client *client = *_client;

	*_client = NULL;
	if (client == NULL)
		return;
	imap_clear(client);
	while (client->answers != NULL)
		take_answer(client, &client->answers);
	imap_response_free(&client->replied);
	net_line_close(&client->conn);
	free(client);
}

void imap_logout(struct imap_client **client)
{
	if (*client != NULL && !(*client)->lost)
		(void)imap_run(*client, "LOGOUT");
	imap_free(client);
}

static int greet(struct imap_client *client, const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];
	const char *name;

	if (read_one(client) < 0) {
		snprintf(error, sizeof(error), "%s", imap_error(client));
	} else if (client->first == NULL) {
		snprintf(error, sizeof(error), "no greeting");
	} else {
		name = client->first->name;
		if (strcmp(name, "OK") == 0 || strcmp(name, "PREAUTH") == 0) {
			if (client->capabilities[0] != '\0' ||
			    imap_capability(client) == IMAP_OK)
				return 0;
		}
		snprintf(error, sizeof(error), "greeting: %s %s", name,
			 client->first->text == NULL ? "" :
			 client->first->text);
	}
	*error_r = error;
	return -1;
}

int imap_connect(const char *hostport, unsigned int timeout_ms,
		 struct imap_client **client_r, const char **error_r)
{
	struct net_line *conn;

	*client_r = NULL;
	if (net_line_connect(hostport, timeout_ms, &conn, error_r) < 0)
		return -1;
	*client_r = client_new(conn);
	if (greet(*client_r, error_r) < 0) {
		imap_free(client_r);
		return -1;
	}
	imap_clear(*client_r);
	return 0;
}

int imap_open(const char *hostport, const char *user, const char *password,
	      unsigned int timeout_ms, struct imap_client **client_r,
	      const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];

	if (imap_connect(hostport, timeout_ms, client_r, error_r) < 0)
		return -1;
	if (imap_login(*client_r, user, password) == IMAP_OK)
		return 0;
	snprintf(error, sizeof(error), "login as %s: %s", user,
		 imap_error(*client_r));
	*error_r = error;
	imap_free(client_r);
	return -1;
}

enum imap_status imap_capability(struct imap_client *client)
{
	return imap_run(client, "CAPABILITY");
}

bool imap_has(const struct imap_client *client, const char *capability)
{
	size_t len = strlen(capability);
	const char *p = client->capabilities;

	while ((p = strcasestr(p, capability)) != NULL) {
		if (p[-1] == ' ' && (p[len] == ' ' || p[len] == '\0'))
			return true;
		p += len;
	}
	return false;
}

enum imap_status imap_login(struct imap_client *client, const char *user,
			    const char *password)
{
	unsigned int tag = imap_start(client);
	enum imap_status status;

	client->capabilities[0] = '\0';
	imap_text(client, "LOGIN ");
	imap_string(client, user, strlen(user));
	imap_text(client, " ");
	imap_string(client, password, strlen(password));
	imap_end(client);
	status = imap_wait(client, tag);
	if (status == IMAP_OK && client->capabilities[0] == '\0')
		status = imap_capability(client);
	return status;
}

/*
 * Commands
 */

static void send_text(struct imap_client *client, const char *fmt,
		      va_list args)
{
	char buf[1024], *text = buf;
	va_list copy;
	int len;

	va_copy(copy, args);
	len = vsnprintf(buf, sizeof(buf), fmt, args);
	if (len >= (int)sizeof(buf)) {
		len = vasprintf(&text, fmt, copy);
		if (len < 0)
			abort();
	}
	va_end(copy);
	(void)net_line_write(client->conn, text, (size_t)len);
	if (text != buf)
		free(text);
}

unsigned int imap_start(struct imap_client *client)
{
	client->refused = false;
	client->last_tag++;
	imap_text(client, "A%u ", client->last_tag);
	return client->last_tag;
}

void imap_text(struct imap_client *client, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	send_text(client, fmt, args);
	va_end(args);
}

void imap_end(struct imap_client *client)
{
	if (!client->refused)
		(void)net_line_write(client->conn, "\r\n", 2);
}

unsigned int imap_send(struct imap_client *client, const char *fmt, ...)
{
	unsigned int tag = imap_start(client);
	va_list args;

	va_start(args, fmt);
	send_text(client, fmt, args);
	va_end(args);
	imap_end(client);
	return tag;
}

void imap_string(struct imap_client *client, const void *data, size_t size)
{
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i < size; i++) {
		if (p[i] < 0x20 || p[i] >= 0x7f)
			break;
	}
	if (i < size || size > 2000) {
		(void)imap_literal(client, data, size);
		return;
	}
	(void)net_line_write(client->conn, "\"", 1);
	for (i = 0; i < size; i++) {
		if (p[i] == '"' || p[i] == '\\')
			(void)net_line_write(client->conn, "\\", 1);
		(void)net_line_write(client->conn, p + i, 1);
	}
	(void)net_line_write(client->conn, "\"", 1);
}

void imap_mailbox(struct imap_client *client, const char *name)
{
	imap_string(client, name, strlen(name));
}

/* True when the server says "go on", false when it answered the command. */
static bool wait_continue(struct imap_client *client)
{
	if (net_line_flush(client->conn) < 0) {
		lose(client);
		return false;
	}
	client->continued = false;
	while (!client->continued) {
		if (read_one(client) < 0 ||
		    (client->answers != NULL &&
		     client->answers->tag == client->last_tag))
			return false;
	}
	return true;
}

bool imap_literal(struct imap_client *client, const void *data, size_t size)
{
	bool plus;

	if (client->refused)
		return false;
	plus = imap_has(client, "LITERAL+") ||
		(size <= 4096 && imap_has(client, "LITERAL-"));
	imap_text(client, plus ? "{%zu+}\r\n" : "{%zu}\r\n", size);
	if (!plus && !wait_continue(client)) {
		client->refused = true;
		return false;
	}
	return net_line_write(client->conn, data, size) == 0;
}

enum imap_status imap_flush(struct imap_client *client)
{
	return net_line_flush(client->conn) < 0 ? lose(client) : IMAP_OK;
}

enum imap_status imap_wait(struct imap_client *client, unsigned int tag)
{
	struct answer **answer;

	/* what the server said before it hung up still counts */
	(void)net_line_flush(client->conn);
	answer = find_answer(client, tag);
	while (answer == NULL) {
		if (read_one(client) < 0)
			return IMAP_LOST;
		/* a new one comes first */
		if (client->answers != NULL && client->answers->tag == tag)
			answer = &client->answers;
	}
	return take_answer(client, answer);
}

enum imap_status imap_run(struct imap_client *client, const char *fmt, ...)
{
	unsigned int tag = imap_start(client);
	va_list args;

	va_start(args, fmt);
	send_text(client, fmt, args);
	va_end(args);
	imap_end(client);
	return imap_wait(client, tag);
}

const struct imap_reply *imap_reply(const struct imap_client *client)
{
	return &client->reply;
}

const char *imap_error(const struct imap_client *client)
{
	if (client->lost && client->bye[0] != '\0')
		return client->bye;
	return client->reply.text;
}

const struct imap_response *imap_untagged(const struct imap_client *client)
{
	return client->first;
}

const struct imap_response *
imap_find(const struct imap_response *from, const char *name)
{
	while (from != NULL && strcmp(from->name, name) != 0)
		from = from->next;
	return from;
}

void imap_clear(struct imap_client *client)
{
	struct imap_response *resp, *next;

	for (resp = client->first; resp != NULL; resp = next) {
		next = resp->next;
		imap_response_free(&resp);
	}
	client->first = NULL;
	client->last = &client->first;
}

void imap_set_untagged(struct imap_client *client, imap_untagged_t *callback,
		       void *context)
{
	client->callback = callback;
	client->callback_context = context;
}

void imap_set_sink(struct imap_client *client, imap_body_sink_t *sink,
		   uint64_t min_size, void *context)
{
	client->sink = sink;
	client->sink_min = min_size;
	client->sink_context = context;
}

uint32_t imap_exists(const struct imap_client *client)
{
	return client->exists;
}

struct net_line *imap_conn(struct imap_client *client)
{
	return client->conn;
}

bool imap_is_lost(const struct imap_client *client)
{
	return client->lost;
}

/*
 * IDLE (RFC 2177)
 */

enum imap_status imap_idle_start(struct imap_client *client)
{
	client->idle_tag = imap_send(client, "IDLE");
	if (wait_continue(client)) {
		client->idling = true;
		return IMAP_OK;
	}
	return imap_wait(client, client->idle_tag);
}

int imap_idle_poll(struct imap_client *client, unsigned int timeout_ms)
{
	int ret;

	ret = net_line_wait_input(client->conn, timeout_ms);
	if (ret > 0)
		ret = read_one(client) < 0 ? -1 : 1;
	else if (ret < 0)
		lose(client);
	return ret;
}

enum imap_status imap_idle_stop(struct imap_client *client)
{
	if (!client->idling)
		return client->reply.status;
	client->idling = false;
	(void)net_line_write(client->conn, "DONE\r\n", 6);
	return imap_wait(client, client->idle_tag);
}
