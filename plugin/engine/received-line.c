#include "lib.h"
#include "message-date.h"
#include "received-line.h"

/* What is before the first of these words; "from" and the like begin a clause. */
enum clause {
	CLAUSE_NONE,
	CLAUSE_FROM,
	CLAUSE_BY,
	CLAUSE_WITH,
	CLAUSE_FOR,
	CLAUSE_OTHER,
};

static const struct {
	const char *word;
	enum clause clause;
} clause_words[] = {
	{ "from", CLAUSE_FROM },
	{ "by", CLAUSE_BY },
	{ "with", CLAUSE_WITH },
	{ "for", CLAUSE_FOR },
	{ "via", CLAUSE_OTHER },
	{ "id", CLAUSE_OTHER },
};

struct parser {
	const char *p;
	struct received_line *line;
	enum clause clause;
	/* words of this clause so far */
	unsigned int words;
	/* of the "from" clause: its first word; the name in a comment, which is
	   from DNS; what the client said */
	const char *first, *dns, *helo;
	bool forged;
	/* how good the address is that we have */
	enum {
		ADDRESS_NONE,
		/* the first word may be what the client said */
		ADDRESS_FIRST,
		ADDRESS_BARE,
		ADDRESS_BRACKETS,
	} address;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static unsigned int count_chars(const char *text, char c)
{
	unsigned int count = 0;

	for (; *text != '\0'; text++)
		count += *text == c ? 1 : 0;
	return count;
}

static bool address_parse(const char *text, struct ip_addr *ip_r)
{
	struct ip_addr v4;

	if (strncasecmp(text, "IPv6:", 5) == 0)
		text += 5;
	/* "12" is one to inet_aton(3) */
	if ((strchr(text, ':') == NULL && count_chars(text, '.') != 3) ||
	    net_addr2ip(text, ip_r) < 0)
		return FALSE;
	if (net_ipv6_mapped_ipv4_convert(ip_r, &v4) == 0)
		*ip_r = v4;
	return TRUE;
}

/* "[192.0.2.1]", "[::1]:25", "192.0.2.1", "user@192.0.2.1" */
static bool
word_address(const char *word, struct ip_addr *ip_r, bool *brackets_r)
{
	const char *end, *at = strrchr(word, '@');

	if (at != NULL)
		word = at + 1;
	*brackets_r = *word == '[';
	if (*brackets_r) {
		end = strchr(++word, ']');
		if (end == NULL)
			return FALSE;
		word = t_strdup_until(word, end);
	}
	return address_parse(word, ip_r);
}

/* Returns TRUE when the word is an address. */
static bool found_address(struct parser *parser, const char *word, bool first)
{
	struct ip_addr ip;
	bool brackets;
	int quality;

	if (!word_address(word, &ip, &brackets))
		return FALSE;
	quality = first ? ADDRESS_FIRST :
		brackets ? ADDRESS_BRACKETS : ADDRESS_BARE;
	if (quality > (int)parser->address) {
		parser->address = quality;
		parser->line->client = ip;
	}
	return TRUE;
}

static bool is_helo(const char *word)
{
	return strcasecmp(word, "HELO") == 0 || strcasecmp(word, "EHLO") == 0 ||
		strcasecmp(word, "LHLO") == 0;
}

/* A comment of the "from" clause. */
static void from_comment(struct parser *parser, const char *text)
{
	const char *const *words = t_strsplit_spaces(text, " \t\r\n(),;");
	const char *prev = NULL, *value;

	parser->forged = parser->forged || strstr(text, "may be forged") != NULL;
	for (; *words != NULL; prev = *words++) {
		if (strncmp(*words, "helo=", 5) == 0)
			parser->helo = *words + 5;
		else if (is_helo(*words) && words[1] != NULL)
			parser->helo = *++words;
		else if (!found_address(parser, *words, FALSE))
			continue;
		else if (prev != NULL && **words == '[' &&
			 parser->dns == NULL) {
			/* IDENT:user@name */
			value = strrchr(prev, '@');
			parser->dns = value == NULL ? prev : value + 1;
		}
	}
}

/* In Exim's comments, where there's no Return-Path. */
static void find_sender(struct parser *parser, const char *text)
{
	const char *const *words = t_strsplit_spaces(text, " \t\r\n(),;");

	for (; words[0] != NULL && words[1] != NULL; words++) {
		if (strcasecmp(words[0], "envelope-from") == 0)
			parser->line->sender = words[1];
	}
}

static void comment(struct parser *parser, const char *text)
{
	if (parser->clause == CLAUSE_FROM)
		from_comment(parser, text);
	find_sender(parser, text);
}

static void from_word(struct parser *parser, const char *word)
{
	bool first = parser->words == 0;

	if (!found_address(parser, word, first) && first)
		parser->first = word;
}

static void word(struct parser *parser, const char *text)
{
	struct received_line *line = parser->line;

	for (unsigned int i = 0; i < N_ELEMENTS(clause_words); i++) {
		if (strcasecmp(text, clause_words[i].word) != 0)
			continue;
		parser->clause = clause_words[i].clause;
		parser->words = 0;
		line->has_from = line->has_from ||
			parser->clause == CLAUSE_FROM;
		return;
	}
	if (parser->clause == CLAUSE_FROM)
		from_word(parser, text);
	else if (parser->words > 0)
		;
	else if (parser->clause == CLAUSE_BY)
		line->by = text;
	else if (parser->clause == CLAUSE_WITH)
		line->with = text;
	else if (parser->clause == CLAUSE_FOR && strchr(text, '@') != NULL)
		line->recipient = text;
	parser->words++;
}

/* Returns what is between the parentheses, and goes behind them. */
static const char *read_comment(struct parser *parser)
{
	const char *start = ++parser->p;
	unsigned int depth = 1;

	for (; *parser->p != '\0'; parser->p++) {
		if (*parser->p == '\\' && parser->p[1] != '\0')
			parser->p++;
		else if (*parser->p == '(')
			depth++;
		else if (*parser->p == ')' && --depth == 0)
			return t_strdup_until(start, parser->p++);
	}
	return start;
}

static const char *read_word(struct parser *parser)
{
	const char *start = parser->p;

	while (*parser->p != '\0' && *parser->p != '(' && *parser->p != ';' &&
	       !is_space(*parser->p))
		parser->p++;
	return t_strdup_until(start, parser->p);
}

/* Returns TRUE when a date follows, which is the last of what counts. */
static bool read_date(struct parser *parser)
{
	const char *text = ++parser->p;
	time_t date;
	int tz_offset;

	if (!message_date_parse((const unsigned char *)text, strlen(text),
				&date, &tz_offset))
		return FALSE;
	parser->line->date = date;
	return TRUE;
}

static void read_all(struct parser *parser)
{
	while (*parser->p != '\0') {
		if (is_space(*parser->p))
			parser->p++;
		else if (*parser->p == '(')
			comment(parser, read_comment(parser));
		else if (*parser->p != ';')
			word(parser, read_word(parser));
		else if (read_date(parser))
			break;
	}
}

/* Without the dot at its end; NULL when it says nothing. */
static const char *host_name(const char *text)
{
	struct ip_addr ip;
	bool brackets;
	size_t len;

	if (text == NULL)
		return NULL;
	len = strlen(text);
	if (len > 0 && text[len - 1] == '.')
		text = t_strndup(text, len - 1);
	if (*text == '\0' || strcasecmp(text, "unknown") == 0 ||
	    word_address(text, &ip, &brackets))
		return NULL;
	return text;
}

/* Who writes the HELO beside it means the first word as the name by DNS. */
static void
choose_name(const struct parser *parser, struct received_line *line_r)
{
	const struct {
		const char *name;
		bool verified;
	} names[] = {
		{ parser->forged ? NULL : host_name(parser->dns), TRUE },
		{ host_name(parser->first),
		  parser->helo != NULL && !parser->forged },
		{ host_name(parser->helo), FALSE },
	};

	line_r->name = "";
	for (unsigned int i = 0; i < N_ELEMENTS(names); i++) {
		if (names[i].name != NULL) {
			line_r->name = names[i].name;
			line_r->verified = names[i].verified;
			break;
		}
	}
}

static const char *without_brackets(const char *address)
{
	size_t len = strlen(address);

	if (len >= 2 && address[0] == '<' && address[len - 1] == '>')
		return t_strndup(address + 1, len - 2);
	return address;
}

void received_line_parse(const char *value, struct received_line *line_r)
{
	struct parser parser = { .p = value, .line = line_r };

	i_zero(line_r);
	line_r->by = line_r->with = line_r->sender = line_r->recipient = "";
	read_all(&parser);
	choose_name(&parser, line_r);
	line_r->sender = without_brackets(line_r->sender);
	line_r->recipient = without_brackets(line_r->recipient);
}
