/*
 * report-grammar: what writer, finder and parser of report lines agree on; see
 * report-line.h for the grammar. Texts are given by start and end.
 */
#ifndef REPORT_GRAMMAR_H
#define REPORT_GRAMMAR_H

#include "report-line.h"

#include <string.h>

/* What a byte may be part of. */
#define REPORT_LOWER 1
#define REPORT_DIGIT 2
/* lower, digit and '_' */
#define REPORT_NAME_REST 4
/* plain, of one byte */
#define REPORT_ASCII_PLAIN 8
extern const unsigned char report_classes[256];

static inline bool report_is(char c, unsigned char classes)
{
	return (report_classes[(unsigned char)c] & classes) != 0;
}

static inline bool report_is_lower(char c)
{
	return report_is(c, REPORT_LOWER);
}

static inline bool report_is_digit(char c)
{
	return report_is(c, REPORT_DIGIT);
}

/* The length of the name at the start, 0 for none. */
size_t report_name_length(const char *str, const char *end);
bool report_is_name(const char *str);
/* The length of the plain character at the start, 0 when it isn't one. */
size_t report_plain_length(const char *str, const char *end);
/* Does the line so far have " key="? */
bool report_has_key(const char *start, const char *end, const char *key,
		    size_t size);
/* Does it begin with str, of that length? */
static inline bool
report_begins(const char *p, const char *end, const char *str, size_t size)
{
	return (size_t)(end - p) >= size && memcmp(p, str, size) == 0;
}
#define report_begins_token(p, end) \
	report_begins(p, end, REPORT_TOKEN, sizeof(REPORT_TOKEN) - 1)

#endif
