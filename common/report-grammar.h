/*
 * report-grammar: what writer, finder and parser of report lines agree on; see
 * report-line.h for the grammar. Texts are given by start and end.
 */
#ifndef REPORT_GRAMMAR_H
#define REPORT_GRAMMAR_H

#include "report-line.h"

bool report_is_lower(char c);
bool report_is_digit(char c);
/* The length of the name at the start, 0 for none. */
size_t report_name_length(const char *str, const char *end);
bool report_is_name(const char *str);
/* The length of the plain character at the start, 0 when it isn't one. */
size_t report_plain_length(const char *str, const char *end);
/* Does the line so far have " key="? */
bool report_has_key(const char *start, const char *end, const char *key,
		    size_t size);
/* Does it begin with str? */
bool report_begins(const char *p, const char *end, const char *str);

#endif
