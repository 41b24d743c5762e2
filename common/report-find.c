#include "report-grammar.h"

/* The end of a word of printable bytes. */
static const char *word_end(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p > ' ' && *p != 0x7f)
		p++;
	return p;
}

/* Each character of the pattern: '0' a digit, '_' a digit or space, 'a' a
   letter, others themselves. */
static bool matches(const char *p, const char *end, const char *pattern)
{
	for (; *pattern != '\0'; p++, pattern++) {
		if (p == end)
			return false;
		switch (*pattern) {
		case '0':
			if (!report_is_digit(*p))
				return false;
			break;
		case '_':
			if (!report_is_digit(*p) && *p != ' ')
				return false;
			break;
		case 'a':
			if (!report_is_lower((char)(*p | 0x20)))
				return false;
			break;
		default:
			if (*p != *pattern)
				return false;
		}
	}
	return true;
}

/* "<22>"; NULL when it's broken, p when there's none. */
static const char *skip_priority(const char *p, const char *end)
{
	const char *digits = p + 1;

	if (p == end || *p != '<')
		return p;
	while (digits < end && report_is_digit(*digits))
		digits++;
	if (digits == p + 1 || digits == end || *digits != '>')
		return NULL;
	return digits + 1;
}

/* Returns what follows the time and its space, NULL when there's no time. */
static const char *
skip_time(const char *p, const char *end, struct report_head *head)
{
	head->time = p;
	if (matches(p, end, "0000-00-00"))
		p = word_end(p, end);
	else if (matches(p, end, "aaa _0 00:00:00 "))
		p += 15;
	else
		return NULL;
	head->time_size = (size_t)(p - head->time);
	return p < end && *p == ' ' ? p + 1 : NULL;
}

/* A word that ends in ": "; *size_r is without them. */
static bool tag_at(const char *p, const char *end, size_t *size_r)
{
	const char *stop = word_end(p, end);

	if (stop - p < 2 || stop[-1] != ':' || stop == end || *stop != ' ')
		return false;
	*size_r = (size_t)(stop - p) - 1;
	return true;
}

static bool is_service(const char *p, size_t size)
{
	const char *end = p + size;

	if (p == end || !report_is_lower(*p))
		return false;
	while (p < end && (report_is_lower(*p) || report_is_digit(*p) || *p == '-' ||
			   *p == '_'))
		p++;
	if (p < end && *p == '(') {
		for (p++; p < end && *p != '(' && *p != ')'; p++) ;
		if (p == end || *p != ')')
			return false;
		p++;
	}
	while (p < end && *p == '<') {
		p = memchr(p, '>', (size_t)(end - p));
		if (p == NULL)
			return false;
		p++;
	}
	return p == end;
}

static bool is_level(const char *p, size_t size)
{
	static const char *const levels[] = {
		"Debug", "Info", "Warning", "Error", "Fatal", "Panic"
	};
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strlen(levels[i]) == size && memcmp(p, levels[i], size) == 0)
			return true;
	}
	return false;
}

/* Dovecot's: its syslog lines of level info don't name that. instance_name is the
   tag. */
static bool is_dovecot(const struct report_head *head)
{
	return head->tag_size >= 7 && memcmp(head->tag, "dovecot", 7) == 0;
}

/* Skips "service: level: " where it stands. */
static const char *
skip_service(const char *p, const char *end, const struct report_head *head)
{
	const char *level;
	size_t service_size, level_size;

	if (!tag_at(p, end, &service_size) || !is_service(p, service_size))
		return p;
	level = p + service_size + 2;
	if (tag_at(level, end, &level_size) && is_level(level, level_size))
		return level + level_size + 2;
	return is_dovecot(head) && report_begins_token(level, end) ? level : p;
}

/* The word at p and the space behind it; NULL when that isn't there. */
static const char *
skip_word(const char *p, const char *end, const char **word_r, size_t *size_r)
{
	const char *stop = word_end(p, end);

	if (stop == p || stop == end || *stop != ' ')
		return NULL;
	*word_r = p;
	*size_r = (size_t)(stop - p);
	return stop + 1;
}

/* "[name key="value"]...", where a quote in a value is escaped, or "-". */
static const char *skip_structured_data(const char *p, const char *end)
{
	bool quoted;

	if (p < end && *p == '-')
		return p + 1;
	if (p == end || *p != '[')
		return NULL;
	while (p < end && *p == '[') {
		quoted = false;
		for (p++; p < end && (quoted || *p != ']'); p++) {
			if (*p == '"')
				quoted = !quoted;
			else if (*p == '\\' && quoted && end - p > 1)
				p++;
		}
		if (p == end)
			return NULL;
		p++;
	}
	return p;
}

/* What comes between "<22>1 " and the message. */
static const char *
skip_rfc5424(const char *p, const char *end, struct report_head *head)
{
	static const char bom[] = "\xef\xbb\xbf";
	const char *word;
	size_t size;

	p = skip_word(p, end, &head->time, &head->time_size);
	if (p != NULL)
		p = skip_word(p, end, &head->host, &head->host_size);
	if (p != NULL)
		p = skip_word(p, end, &head->tag, &head->tag_size);
	if (p != NULL)
		p = skip_word(p, end, &word, &size);
	if (p != NULL)
		p = skip_word(p, end, &word, &size);
	if (p != NULL)
		p = skip_structured_data(p, end);
	if (p == NULL || p == end || *p++ != ' ')
		return NULL;
	return report_begins(p, end, bom, 3) ? p + 3 : p;
}

/* Skips "host tag: " where it stands. */
static const char *
skip_tag(const char *p, const char *end, struct report_head *head)
{
	const char *host_end = word_end(p, end);
	size_t size;

	if (host_end == p || host_end == end || *host_end != ' ' ||
	    host_end[-1] == ':' || !tag_at(host_end + 1, end, &size))
		return p;
	head->host = p;
	head->host_size = (size_t)(host_end - p);
	head->tag = host_end + 1;
	head->tag_size = size;
	return head->tag + size + 2;
}

/* Where the message begins; NULL when that can't be told. */
static const char *
find_message(const char *line, const char *end, struct report_head *head)
{
	const char *p = skip_priority(line, end);

	if (p == NULL)
		return NULL;
	if (p > line && report_begins(p, end, "1 ", 2)) {
		p = skip_rfc5424(p + 2, end, head);
	} else {
		p = skip_time(p, end, head);
		if (p != NULL)
			p = skip_tag(p, end, head);
	}
	return p == NULL ? NULL : skip_service(p, end, head);
}

enum report_found
report_line_find(const char *line, size_t size, struct report_head *head_r,
		 const char **message_r, size_t *message_size_r)
{
	const char *p, *end = line + size;

	memset(head_r, 0, sizeof(*head_r));
	*message_r = NULL;
	*message_size_r = 0;
	p = find_message(line, end, head_r);
	if (p != NULL && report_begins_token(p, end)) {
		*message_r = p;
		*message_size_r = (size_t)(end - p);
		return REPORT_FOUND;
	}
	return memmem(line, size, REPORT_TOKEN, strlen(REPORT_TOKEN)) == NULL ?
		REPORT_NONE : REPORT_MISPLACED;
}
