/*
 * mail-headers: what the headers of one mail tell
 *
 * Its arrival tags, whether a spam filter called it spam, and, through
 * common/arrival-tag, what tags are signed over. An object is used for one mail
 * after another: begin, add each header in its order, check, ask.
 *
 * Caps: a tag's value is kept up to ARRIVAL_VALUE_MAX bytes, a longer one can't be
 * valid. Of more than MAIL_TAGS_MAX tags the later ones are only counted: no
 * honest mail has them, and taking out each of 100,000 would keep an MTA busy.
 */
#ifndef MAIL_HEADERS_H
#define MAIL_HEADERS_H

#include "common/arrival-tag.h"
#include "spam-header.h"

#include <stdbool.h>

#define MAIL_TAGS_MAX 256

struct mail_tag {
	/* As it came, ended by a NUL; what is over the cap is cut off. */
	char *value;
	size_t size;
	/* Known after the check. reason is NULL for a valid tag, else static. */
	enum arrival_result result;
	struct arrival_tag tag;
	const char *reason;
};

struct mail_headers {
	struct arrival_mail *mail;
	/* The n-th of them, from 0, is the n+1-th Mail-Migration header. */
	struct mail_tag *tags;
	unsigned int tag_count, tags_allocated;
	/* How many there were behind these. */
	unsigned int more_tags;
	bool spam;
	/* Out of memory: what is told above isn't all. */
	bool failed;
};

/* -1 when out of memory, or without SHA-256. */
int mail_headers_init(struct mail_headers *headers);
void mail_headers_deinit(struct mail_headers *headers);
void mail_headers_begin(struct mail_headers *headers);
void mail_headers_add(struct mail_headers *headers,
		      const struct spam_header *spam_headers,
		      const char *name, const char *value);
/* After the last header: fills in what is known after the check. */
void mail_headers_check(struct mail_headers *headers,
			const struct arrival_key *key);

#endif
