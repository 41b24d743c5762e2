#include "report-grammar.h"

#include <stdio.h>
#include <string.h>

/* Room kept for " dropped=4294967295". */
#define DROPPED_ROOM 20

void report_line_begin(struct report_line *line, const char *event)
{
	line->dropped = 0;
	line->used = (size_t)snprintf(line->text, sizeof(line->text),
				      REPORT_TOKEN "%s",
				      report_is_name(event) ? event : "unnamed");
}

static bool needs_quotes(const char *value, size_t size)
{
	const char *p = value, *end = value + size;
	size_t len;

	if (size == 0 || size > REPORT_VALUE_MAX)
		return true;
	for (; p < end; p += len) {
		len = report_plain_length(p, end);
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
		len = *p == ' ' ? 1 : report_plain_length(p, end);
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

	if (!report_is_name(key) || strcmp(key, "dropped") == 0 ||
	    strcmp(key, "event") == 0 ||
	    report_has_key(line->text, line->text + line->used, key, key_size)) {
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
