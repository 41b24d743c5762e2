#include "report-grammar.h"

void report_parser_init(struct report_parser *parser, const char *message,
			size_t size)
{
	parser->start = parser->pos = message;
	parser->end = message + size;
	memset(parser->keys, 0, sizeof(parser->keys));
}

static int hex_digit(char c)
{
	if (report_is_digit(c))
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

/* The value takes so many bytes more. */
static int
check_room(const struct report_part *part, size_t size, const char **error_r)
{
	if (size > REPORT_VALUE_MAX - part->value_size) {
		*error_r = "value too long";
		return -1;
	}
	return 0;
}

/* The length of the plain characters at the start. */
static size_t plain_length(const char *start, const char *end)
{
	const char *p = start;
	size_t len;

	for (;;) {
		while (p < end && report_is(*p, REPORT_ASCII_PLAIN))
			p++;
		if (p == end || (unsigned char)*p < 0x80)
			break;
		len = report_plain_length(p, end);
		if (len == 0)
			break;
		p += len;
	}
	return (size_t)(p - start);
}

/* One escape, or the characters up to one. */
static int
parse_quoted_piece(struct report_parser *parser, char *buffer,
		   struct report_part *part, const char **error_r)
{
	const char *data = parser->pos;
	size_t size;
	char byte;

	if (*data == '\\') {
		if (parse_escape(parser, &byte, error_r) < 0)
			return -1;
		data = &byte;
		size = 1;
	} else {
		size = *data == ' ' ? 1 : plain_length(data, parser->end);
		parser->pos += size;
	}
	if (size == 0) {
		*error_r = "character that must be escaped";
		return -1;
	}
	if (check_room(part, size, error_r) < 0)
		return -1;
	memcpy(buffer + part->value_size, data, size);
	part->value_size += size;
	return 0;
}

static int
parse_quoted(struct report_parser *parser, char *buffer,
	     struct report_part *part, const char **error_r)
{
	part->value = buffer;
	for (parser->pos++; parser->pos < parser->end; ) {
		if (*parser->pos == '"') {
			parser->pos++;
			part->cut = parser->pos < parser->end &&
				*parser->pos == '~';
			if (part->cut)
				parser->pos++;
			return 0;
		}
		if (parse_quoted_piece(parser, buffer, part, error_r) < 0)
			return -1;
	}
	*error_r = "quoted value without an end";
	return -1;
}

static int
parse_plain(struct report_parser *parser, struct report_part *part,
	    const char **error_r)
{
	size_t size = plain_length(parser->pos, parser->end);

	if (parser->pos + size < parser->end && parser->pos[size] != ' ') {
		*error_r = "character that must be quoted";
		return -1;
	}
	if (size == 0) {
		*error_r = "empty value without quotes";
		return -1;
	}
	if (check_room(part, size, error_r) < 0)
		return -1;
	part->value = parser->pos;
	part->value_size = size;
	parser->pos += size;
	return 0;
}

/* Was this key there before? A line has few keys, and each sets a bit of its
   own mostly: only then the line is searched. */
static bool is_second(struct report_parser *parser, const char *key, size_t size)
{
	unsigned int hash = (unsigned char)key[0] * 7U +
		(unsigned char)key[size / 2] * 31U +
		(unsigned char)key[size - 1] * 101U + (unsigned int)size * 59U;
	uint64_t bit = UINT64_C(1) << (hash & 63), *bits;

	bits = &parser->keys[hash >> 6 & 3];
	if ((*bits & bit) == 0) {
		*bits |= bit;
		return false;
	}
	/* from "migration:" on, so that a second event is found too */
	return report_has_key(parser->start, key - 1, key, size);
}

static int
parse_key(struct report_parser *parser, struct report_part *part,
	  const char **error_r)
{
	const char *key = parser->pos;
	size_t size = report_name_length(key, parser->end);

	if (size == 0 || key + size == parser->end || key[size] != '=') {
		*error_r = "not key=value";
		return -1;
	}
	if (is_second(parser, key, size)) {
		*error_r = "key given twice";
		return -1;
	}
	part->key = key;
	part->key_size = size;
	parser->pos += size + 1;
	return 0;
}

static int
parse_event(struct report_parser *parser, struct report_part *part,
	    const char **error_r)
{
	if (parse_plain(parser, part, error_r) < 0)
		return -1;
	if (report_name_length(part->value, part->value + part->value_size) !=
	    part->value_size) {
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
		if (!report_begins_token(p, parser->end)) {
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

int report_parser_next_part(struct report_parser *parser,
			    char buffer[REPORT_VALUE_MAX],
			    struct report_part *part_r, const char **error_r)
{
	bool first = parser->pos == parser->start;
	int ret;

	part_r->value_size = 0;
	part_r->cut = false;
	if (!first && parser->pos == parser->end)
		return 0;
	if (parser->end - parser->start > REPORT_LINE_MAX) {
		*error_r = "line too long";
		return -1;
	}
	if (skip_to_key(parser, error_r) < 0 ||
	    parse_key(parser, part_r, error_r) < 0)
		return -1;
	if (first)
		ret = parse_event(parser, part_r, error_r);
	else if (parser->pos < parser->end && *parser->pos == '"')
		ret = parse_quoted(parser, buffer, part_r, error_r);
	else
		ret = parse_plain(parser, part_r, error_r);
	return ret < 0 ? -1 : 1;
}

int report_parser_next(struct report_parser *parser,
		       struct report_field *field_r, const char **error_r)
{
	struct report_part part;
	int ret = report_parser_next_part(parser, field_r->value, &part,
					  error_r);

	field_r->size = part.value_size;
	field_r->cut = part.cut;
	if (ret <= 0)
		return ret;
	memcpy(field_r->key, part.key, part.key_size);
	field_r->key[part.key_size] = '\0';
	if (part.value != field_r->value)
		memcpy(field_r->value, part.value, part.value_size);
	field_r->value[part.value_size] = '\0';
	return 1;
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
		if (!report_is_digit(*p))
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
