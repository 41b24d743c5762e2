/*
 * corpus-kinds: how each kind of generated message is written
 *
 * The maker has what was chosen for the message; a kind writes its text.
 */
#ifndef CORPUS_KINDS_H
#define CORPUS_KINDS_H

#include "corpus.h"
#include "corpus-text.h"

/* The first kinds have a place of their own; the others are the odd ones. */
enum { KIND_PLAIN, KIND_HTML, KIND_ATTACHMENT, KINDS_ODD };

struct maker {
	const struct corpus *corpus;
	struct text text;
	struct corpus_rng rng;
	unsigned int n;
	/* Body size to aim at. */
	size_t size;
	time_t instant;
	int zone;
};

struct kind {
	const char *name;
	void (*make)(struct maker *maker);
};

extern const struct kind corpus_kind_table[];

#endif
