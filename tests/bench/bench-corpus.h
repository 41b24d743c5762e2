/*
 * bench-corpus: what mail the old server's users have, as --corpus names it
 *
 *   small    messages of 1 to 8 KB, half of them in INBOX
 *   medium   median 15 KB, a tail to 2 MB
 *   folders  small ones in 60 folders, so that what a folder costs is seen
 *   huge     small ones in one folder; a second user has a thirtieth of them
 *
 * How many there are is a part's matter, or --messages's. Failures end the
 * program (bench_fail()).
 */
#ifndef BENCH_CORPUS_H
#define BENCH_CORPUS_H

#include "corpus.h"

#include <stdbool.h>

#define BENCH_FOLDERS 60
/* Of the second user of huge */
#define BENCH_HUGE_PART 30

struct bench;

enum bench_layout {
	/* as the lab spreads it */
	BENCH_LAYOUT_LAB,
	BENCH_LAYOUT_FOLDERS,
	BENCH_LAYOUT_HUGE
};

struct bench_corpus {
	const char *name;
	enum corpus_set set;
	/* Whose name the lab knows. */
	const char *set_name;
	enum bench_layout layout;
	/* 0: as many as the part says. */
	unsigned int messages;
};

/* NULL: there is none of that name. */
const struct bench_corpus *bench_corpus_find(const char *name);

/* The lab with these users, their mail on the old server. */
void bench_corpus_up(struct bench *bench, unsigned int users,
		     const char *settings);
/* Creates BENCH_FOLDERS folders and spreads the messages over them. */
void bench_corpus_folders(const struct bench *bench, unsigned int user,
			  unsigned int messages);

#endif
