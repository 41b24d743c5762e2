/*
 * report-strings: each text of the logs kept once
 *
 * Equal bytes give the same pointer, so that who compares pointers compares
 * texts. What is given out is fit to be shown: valid UTF-8 without control
 * characters, where anything else has become U+FFFD.
 */
#ifndef REPORT_STRINGS_H
#define REPORT_STRINGS_H

#include "memory.h"

/* A piece of a line, not ended by a NUL. */
struct text {
	const char *data;
	size_t size;
};

struct strings;

struct strings *strings_init(void);
void strings_deinit(struct strings **strings);
const char *strings_get(struct strings *strings, const void *data, size_t size);
/* What it gives for no bytes: the only empty one. */
extern const char strings_none[];
/* In lower case, as far as it's ASCII. */
const char *strings_get_lower(struct strings *strings, struct text text);

/* Fit to be shown, but kept in the pool and not compared with others. */
const char *strings_show(pool_t *pool, struct text text);
/* Ended by a NUL, and cut to the room. Returns its length. */
size_t text_to_lower(struct text text, char *to, size_t room);

/* The last one of many, of which only that one is kept; zeroed at first. */
struct kept_text {
	char *data;
	size_t size, room;
};
void text_keep(struct kept_text *kept, struct text text);

static inline const char *
strings_get_text(struct strings *strings, struct text text)
{
	return strings_get(strings, text.data, text.size);
}

#endif
