#include "report-line.h"

#include <stdio.h>
#include <string.h>

/* Room kept for " dropped=4294967295". */
#define DROPPED_ROOM 20

/*
 * Characters
 */

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the name at the start, 0 for none. */
static size_t name_length(const char *str, const char *end)
{
	const char *p = str;

	if (p == end || !is_lower(*p))
		return 0;
	while (p < end && (is_lower(*p) || is_digit(*p) || *p == '_'))
		p++;
	return p - str > REPORT_NAME_MAX ? 0 : (size_t)(p - str);
}

static bool is_name(const char *str)
{
	size_t size = strlen(str);

	return size > 0 && name_length(str, str + size) == size;
}

/* The length of a character of several bytes, 0 when it isn't valid UTF-8. */
static size_t multibyte_length(const unsigned char *p, size_t left)
{
	static const unsigned char second_from[] = {
		[0] = 0xa0, [0x10] = 0x90
	};
	unsigned char from = 0x80, to = 0xbf;
	size_t len, i;

	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < len)
		return 0;
	if (p[0] == 0xe0 || p[0] == 0xf0)
		from = second_from[p[0] - 0xe0];
	else if (p[0] == 0xed)
		to = 0x9f;
	else if (p[0] == 0xf4)
		to = 0x8f;
	if (p[1] < from || p[1] > to)
		return 0;
	for (i = 2; i < len; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return len;
}

/* The length of the plain character at p, 0 when it isn't one. */
static size_t plain_length(const char *str, const char *end)
{
	const unsigned char *p = (const unsigned char *)str;
	size_t len;

	if (p[0] < 0x80) {
		return p[0] > ' ' && p[0] != 0x7f && p[0] != '"' &&
			p[0] != '\\' && p[0] != '=' ? 1 : 0;
	}
	len = multibyte_length(p, (size_t)(end - str));
	/* C1 control characters */
	if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return 0;
	return len;
}

/*
 * Writer
 */

static bool has_key(const char *start, const char *end, const char *key,
		    size_t size)
{
	const char *p = start;

	/* "=" is escaped in values, so this can only be the key itself */
	while ((p = memchr(p, ' ', (size_t)(end - p))) != NULL) {
		p++;
		if ((size_t)(end - p) > size && memcmp(p, key, size) == 0 &&
		    p[size] == '=')
			return true;
	}
	return false;
}

void report_line_begin(struct report_line *line, const char *event)
{
	line->dropped = 0;
	line->used = (size_t)snprintf(line->text, sizeof(line->text),
				      REPORT_TOKEN "%s",
				      is_name(event) ? event : "unnamed");
}

static bool needs_quotes(const char *value, size_t size)
{
	const char *p = value, *end = value + size;
	size_t len;

	if (size == 0 || size > REPORT_VALUE_MAX)
		return true;
	for (; p < end; p += len) {
		len = plain_length(p, end);
		if (len == 0)
			return true;
	}
	return false;
}

/* Writes into a space of REPORT_VALUE_MAX bytes; returns how many. */
static size_t quote_value(const char *value, size_t size, char *to)
{
	static const char hex[] = "0123456789abcdef";
	const char *p = value, *end = value + size;
	size_t used = 0, len, room;

	to[used++] = '"';
	for (; p < end; p += len) {
		len = *p == ' ' ? 1 : plain_length(p, end);
		room = REPORT_VALUE_MAX - used - 2;
		if (room < (len == 0 ? 4 : len))
			break;
		if (len > 0) {
			memcpy(to + used, p, len);
			used += len;
			continue;
		}
		to[used++] = '\\';
		to[used++] = 'x';
		to[used++] = hex[(unsigned char)*p >> 4];
		to[used++] = hex[(unsigned char)*p & 0xf];
		len = 1;
	}
	to[used++] = '"';
	if (p < end)
		to[used++] = '~';
	return used;
}

void report_line_add(struct report_line *line, const char *key,
		     const void *value, size_t size)
{
	char quoted[REPORT_VALUE_MAX];
	size_t key_size = strlen(key);

	if (!is_name(key) || strcmp(key, "dropped") == 0 ||
	    strcmp(key, "event") == 0 ||
	    has_key(line->text, line->text + line->used, key, key_size)) {
		line->dropped++;
		return;
	}
	if (needs_quotes(value, size)) {
		size = quote_value(value, size, quoted);
		value = quoted;
	}
	if (line->used + 1 + key_size + 1 + size >
	    REPORT_LINE_MAX - DROPPED_ROOM) {
		line->dropped++;
		return;
	}
	line->text[line->used++] = ' ';
	memcpy(line->text + line->used, key, key_size);
	line->used += key_size;
	line->text[line->used++] = '=';
	memcpy(line->text + line->used, value, size);
	line->used += size;
	line->text[line->used] = '\0';
}

void report_line_add_str(struct report_line *line, const char *key,
			 const char *value)
{
	if (value == NULL)
		value = "";
	report_line_add(line, key, value, strlen(value));
}

void report_line_add_number(struct report_line *line, const char *key,
			    uint64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)value);
	report_line_add_str(line, key, number);
}

void report_line_add_millis(struct report_line *line, const char *key,
			    uint64_t milliseconds)
{
	char number[32];

	snprintf(number, sizeof(number), "%llu.%03u",
		 (unsigned long long)(milliseconds / 1000),
		 (unsigned int)(milliseconds % 1000));
	report_line_add_str(line, key, number);
}

const char *report_line_end(struct report_line *line)
{
	if (line->dropped > 0) {
		line->used += (size_t)snprintf(line->text + line->used,
					       sizeof(line->text) - line->used,
					       " dropped=%u", line->dropped);
		line->dropped = 0;
	}
	return line->text;
}

/*
 * Finding
 */

static bool begins(const char *p, const char *end, const char *str)
{
	size_t size = strlen(str);

	return (size_t)(end - p) >= size && memcmp(p, str, size) == 0;
}

static bool has_token(const char *p, const char *end)
{
	while ((p = memchr(p, REPORT_TOKEN[0], (size_t)(end - p))) != NULL) {
		if (begins(p, end, REPORT_TOKEN))
			return true;
		p++;
	}
	return false;
}

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
			if (!is_digit(*p))
				return false;
			break;
		case '_':
			if (!is_digit(*p) && *p != ' ')
				return false;
			break;
		case 'a':
			if (!is_lower((char)(*p | 0x20)))
				return false;
			break;
		default:
			if (*p != *pattern)
				return false;
		}
	}
	return true;
}

/* Returns what follows the time and its space, NULL when there's no time. */
static const char *
skip_time(const char *p, const char *end, struct report_head *head)
{
	const char *digits = p + 1;

	if (p < end && *p == '<') {
		while (digits < end && is_digit(*digits))
			digits++;
		if (digits == p + 1 || digits == end || *digits != '>')
			return NULL;
		p = digits + 1;
	}
	head->time = p;
	if (matches(p, end, "aaa _0 00:00:00 "))
		p += 15;
	else if (matches(p, end, "0000-00-00"))
		p = word_end(p, end);
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

	if (p == end || !is_lower(*p))
		return false;
	while (p < end && (is_lower(*p) || is_digit(*p) || *p == '-' ||
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

/* Skips "service: level: " where it stands. */
static const char *skip_service(const char *p, const char *end)
{
	const char *level;
	size_t service_size, level_size;

	if (!tag_at(p, end, &service_size) || !is_service(p, service_size))
		return p;
	level = p + service_size + 2;
	if (!tag_at(level, end, &level_size) || !is_level(level, level_size))
		return p;
	return level + level_size + 2;
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

enum report_found
report_line_find(const char *line, size_t size, struct report_head *head_r,
		 const char **message_r, size_t *message_size_r)
{
	const char *p, *end = line + size;

	memset(head_r, 0, sizeof(*head_r));
	*message_r = NULL;
	*message_size_r = 0;
	if (!has_token(line, end))
		return REPORT_NONE;
	p = skip_time(line, end, head_r);
	if (p == NULL)
		return REPORT_MISPLACED;
	p = skip_tag(p, end, head_r);
	p = skip_service(p, end);
	if (!begins(p, end, REPORT_TOKEN))
		return REPORT_MISPLACED;
	*message_r = p;
	*message_size_r = (size_t)(end - p);
	return REPORT_FOUND;
}

/*
 * Parser
 */

void report_parser_init(struct report_parser *parser, const char *message,
			size_t size)
{
	parser->start = parser->pos = message;
	parser->end = message + size;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int
parse_escape(struct report_parser *parser, char *byte_r, const char **error_r)
{
	const char *p = parser->pos;
	int high = -1, low = -1;

	if (parser->end - p >= 4 && p[1] == 'x') {
		high = hex_digit(p[2]);
		low = hex_digit(p[3]);
	}
	if (high < 0 || low < 0) {
		*error_r = "broken escape";
		return -1;
	}
	*byte_r = (char)(high << 4 | low);
	parser->pos += 4;
	return 0;
}

static int
put_bytes(struct report_field *field, const char *data, size_t size,
	  const char **error_r)
{
	if (size > REPORT_VALUE_MAX - field->size) {
		*error_r = "value too long";
		return -1;
	}
	memcpy(field->value + field->size, data, size);
	field->size += size;
	return 0;
}

static int
parse_quoted(struct report_parser *parser, struct report_field *field,
	     const char **error_r)
{
	const char *data;
	size_t len;
	char byte;

	for (parser->pos++; parser->pos < parser->end; ) {
		data = parser->pos;
		if (*data == '"') {
			parser->pos++;
			field->cut = parser->pos < parser->end &&
				*parser->pos == '~';
			if (field->cut)
				parser->pos++;
			return 0;
		}
		if (*data == '\\') {
			if (parse_escape(parser, &byte, error_r) < 0)
				return -1;
			data = &byte;
			len = 1;
		} else {
			len = *data == ' ' ? 1 : plain_length(data, parser->end);
			parser->pos += len;
		}
		if (len == 0) {
			*error_r = "character that must be escaped";
			return -1;
		}
		if (put_bytes(field, data, len, error_r) < 0)
			return -1;
	}
	*error_r = "quoted value without an end";
	return -1;
}

static int
parse_plain(struct report_parser *parser, struct report_field *field,
	    const char **error_r)
{
	const char *start = parser->pos;
	size_t len;

	while (parser->pos < parser->end && *parser->pos != ' ') {
		len = plain_length(parser->pos, parser->end);
		if (len == 0) {
			*error_r = "character that must be quoted";
			return -1;
		}
		parser->pos += len;
	}
	if (parser->pos == start) {
		*error_r = "empty value without quotes";
		return -1;
	}
	return put_bytes(field, start, (size_t)(parser->pos - start), error_r);
}

static int
parse_key(struct report_parser *parser, struct report_field *field,
	  const char **error_r)
{
	const char *key = parser->pos;
	size_t size = name_length(key, parser->end);

	if (size == 0 || key + size == parser->end || key[size] != '=') {
		*error_r = "not key=value";
		return -1;
	}
	/* from "migration:" on, so that a second event is found too */
	if (has_key(parser->start, key - 1, key, size)) {
		*error_r = "key given twice";
		return -1;
	}
	memcpy(field->key, key, size);
	field->key[size] = '\0';
	parser->pos += size + 1;
	return 0;
}

static int
parse_event(struct report_parser *parser, struct report_field *field,
	    const char **error_r)
{
	if (parse_plain(parser, field, error_r) < 0)
		return -1;
	if (name_length(field->value, field->value + field->size) !=
	    field->size) {
		*error_r = "event isn't a name";
		return -1;
	}
	return 0;
}

/* To the first key, or over the space before the next one. */
static int skip_to_key(struct report_parser *parser, const char **error_r)
{
	const char *p = parser->pos;

	if (p == parser->start) {
		if (!begins(p, parser->end, REPORT_TOKEN)) {
			*error_r = "no report line";
			return -1;
		}
		parser->pos += strlen("migration: ");
		return 0;
	}
	if (*p != ' ') {
		*error_r = "no space after a value";
		return -1;
	}
	parser->pos++;
	return 0;
}

int report_parser_next(struct report_parser *parser,
		       struct report_field *field_r, const char **error_r)
{
	bool first = parser->pos == parser->start;
	int ret;

	field_r->size = 0;
	field_r->cut = false;
	if (!first && parser->pos == parser->end)
		return 0;
	if (parser->end - parser->start > REPORT_LINE_MAX) {
		*error_r = "line too long";
		return -1;
	}
	if (skip_to_key(parser, error_r) < 0 ||
	    parse_key(parser, field_r, error_r) < 0)
		return -1;
	if (first)
		ret = parse_event(parser, field_r, error_r);
	else if (parser->pos < parser->end && *parser->pos == '"')
		ret = parse_quoted(parser, field_r, error_r);
	else
		ret = parse_plain(parser, field_r, error_r);
	field_r->value[field_r->size] = '\0';
	return ret < 0 ? -1 : 1;
}

int report_line_check(const char *message, size_t size, const char **error_r)
{
	struct report_parser parser;
	struct report_field field;
	int ret;

	report_parser_init(&parser, message, size);
	while ((ret = report_parser_next(&parser, &field, error_r)) > 0) ;
	return ret;
}

bool report_line_get(const char *message, size_t size, const char *key,
		     struct report_field *field_r)
{
	struct report_parser parser;
	const char *error;

	report_parser_init(&parser, message, size);
	while (report_parser_next(&parser, field_r, &error) > 0) {
		if (strcmp(field_r->key, key) == 0)
			return true;
	}
	return false;
}

static bool
parse_decimal(const char *p, const char *end, uint64_t *number_r)
{
	uint64_t number = 0, digit;

	if (p == end)
		return false;
	for (; p < end; p++) {
		if (!is_digit(*p))
			return false;
		digit = (uint64_t)(*p - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*number_r = number;
	return true;
}

bool report_field_number(const struct report_field *field, uint64_t *number_r)
{
	return parse_decimal(field->value, field->value + field->size,
			     number_r);
}

bool report_field_millis(const struct report_field *field,
			 uint64_t *milliseconds_r)
{
	const char *end = field->value + field->size, *dot;
	uint64_t seconds, millis = 0;
	size_t decimals;

	dot = memchr(field->value, '.', field->size);
	if (!parse_decimal(field->value, dot == NULL ? end : dot, &seconds) ||
	    seconds > UINT64_MAX / 1000 - 1)
		return false;
	if (dot != NULL) {
		decimals = (size_t)(end - dot) - 1;
		if (decimals > 3 || !parse_decimal(dot + 1, end, &millis))
			return false;
		for (; decimals < 3; decimals++)
			millis *= 10;
	}
	*milliseconds_r = seconds * 1000 + millis;
	return true;
}
