/*
 * arrival-unit: keys, mails and tags for the tests of the arrival tag
 *
 * Whatever can't be made ends the program.
 */
#ifndef ARRIVAL_UNIT_H
#define ARRIVAL_UNIT_H

#include "common/arrival-tag.h"

#define HEADERS_MAX 8
#define KEY "0123456789abcdef0123456789abcdef"
#define TIME INT64_C(1795327200)
/* One mail, as members of an array of headers. */
#define MAIL \
	{ "Message-ID", "<1@mail.example.net>" }, \
	{ "Date", "Sun, 22 Nov 2026 03:00:00 +0000" }, \
	{ "From", "Alice <alice@example.net>" }

/* An array of them has HEADERS_MAX members or ends in a NULL name. */
struct header {
	const char *name, *value;
};

extern const struct header mail_headers[HEADERS_MAX];
extern const struct arrival_tag mail_tag;

struct arrival_key *new_key(const char *text);
struct arrival_mail *new_mail(const struct header *headers);
/* The tag of a mail with these headers by that key; valid until the next call. */
const char *make(const char *key_text, const struct arrival_tag *tag,
		 const struct header *headers);
/* Checks a copy that ends with its block of memory. */
enum arrival_result check(const char *key_text, const char *value, size_t size,
			  const struct header *headers);

#endif
