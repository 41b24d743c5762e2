/*
 * corpus: generated mail, the same for the same seed on every machine
 *
 * Message number n of a corpus can be made at any time, in any order. Messages
 * are RFC 5322 with CRLF unless their kind breaks that on purpose. Sizes are
 * bytes, instants seconds since 1970, zones minutes east of UTC.
 */
#ifndef CORPUS_H
#define CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum corpus_set {
	CORPUS_SMALL,	/* 1 to 8 KB */
	CORPUS_MEDIUM,	/* median 15 KB, a tail to 2 MB */
	CORPUS_MIXED,	/* as users have: both, attachments, a few odd ones */
	CORPUS_NASTY	/* every kind, in turn */
};

struct corpus {
	enum corpus_set set;
	uint64_t seed;
	/* An attachment of about this size in one message: the first of its
	   kind in the nasty set (20 MB when 0), message 0 elsewhere. */
	size_t attachment;
};

struct corpus_message {
	/* Name of its kind, static. */
	const char *kind;
	char *data;
	size_t size;
	/* Flags and keywords for APPEND, without parentheses. */
	char flags[160];
	time_t instant;
	int zone;
	/* Space for data, reused from message to message. */
	size_t room;
};

struct corpus_rng {
	uint64_t state;
};

bool corpus_set_parse(const char *name, enum corpus_set *set_r);
/* *msg is zeroed before its first use. */
void corpus_make(const struct corpus *corpus, unsigned int n,
		 struct corpus_message *msg);
void corpus_message_free(struct corpus_message *msg);
/* How many kinds there are: a nasty corpus of as many messages has them all. */
unsigned int corpus_kinds(void);
const char *corpus_kind_name(unsigned int kind);

void corpus_rng_init(struct corpus_rng *rng, uint64_t seed, uint64_t n);
uint64_t corpus_rng_next(struct corpus_rng *rng);
/* From 0 to below limit; limit > 0. */
unsigned int corpus_rng_below(struct corpus_rng *rng, unsigned int limit);

/* A folder's path in UTF-8, levels separated by '\n', depth up to 5. n decides;
   different n give different paths, and parents come before children. plain
   names are ASCII words, tricky ones use every alphabet and every odd
   character. Static until the next call in this thread. */
const char *corpus_folder(uint64_t seed, unsigned int n, bool tricky);

#endif
