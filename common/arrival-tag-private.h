/*
 * arrival-tag-private: what the files of the arrival tag share; see arrival-tag.h
 * for what they mean.
 */
#ifndef ARRIVAL_TAG_PRIVATE_H
#define ARRIVAL_TAG_PRIVATE_H

#include "arrival-tag.h"

#include <stdbool.h>

/* base64url of 128 bits */
#define ARRIVAL_SIGNATURE_LENGTH 22
#define ARRIVAL_VERSION "1"
#define ARRIVAL_TIME_MAX INT64_C(999999999999999999)

struct arrival_secret {
	unsigned char bytes[ARRIVAL_KEY_MAX];
	size_t size;
};

struct arrival_key {
	struct arrival_secret secrets[ARRIVAL_KEYS_MAX];
	unsigned int count;
};

/* SP, HTAB, CR, LF */
bool arrival_is_space(char c);
/* One to max wordchars? */
bool arrival_is_word(const char *word, size_t size, size_t max);

/* The fields of a well-formed value (ARRIVAL_VALID: it isn't checked yet), or
   what is wrong with it, with the reason. */
enum arrival_result
arrival_tag_parse(const char *value, size_t size, struct arrival_tag *tag_r,
		  char signature_r[ARRIVAL_SIGNATURE_LENGTH],
		  const char **error_r);

/* Sets of the signed headers, a bit each. */
#define ARRIVAL_HEADERS_NONE 0u
#define ARRIVAL_HEADERS_ALL 7u

/* May the mail have got these since it was tagged? */
bool arrival_mail_may_lack(const struct arrival_mail *mail,
			   unsigned int headers);
/* The tag's signature for this mail without these headers; false when OpenSSL
   failed. */
bool arrival_mail_sign(struct arrival_mail *mail,
		       const struct arrival_secret *secret,
		       const struct arrival_tag *tag, unsigned int lacking,
		       char signature_r[ARRIVAL_SIGNATURE_LENGTH]);

#endif
