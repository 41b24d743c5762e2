#ifndef WRITER_PRIVATE_H
#define WRITER_PRIVATE_H

/*
 * What writer.c, which runs the writers, shares with writer-write.c, which is
 * what one of them does. A writer's fields are its thread's, but for the watched
 * ones and times, which the mutex guards.
 */
#include "writer.h"
#include "corpus.h"
#include "journal.h"
#include "untagged.h"

#include <pthread.h>

#define MAX_WRITERS 16
#define MAX_HOMES 64
#define MAX_TIMES 100000

struct writer {
	struct writers *all;
	pthread_t thread;
	unsigned int number;
	bool lmtp, paused;

	struct imap_client *client;
	struct untagged untagged;
	struct corpus_rng rng;
	struct journal journal;
	unsigned int next_id, home;

	struct writers_counts counts;
	/* Since when nothing was acknowledged, in the watched time. */
	double last, gap;
	bool watched;
	double *times;
	size_t time_count;
};

struct writers {
	struct writers_settings set;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct writer writers[MAX_WRITERS];
	unsigned int count;
	char homes[MAX_HOMES][64];
	unsigned int home_count;
	bool go, stop;
};

/* Write something over IMAP, or deliver over LMTP, to the writer's mailbox.
   Connects again when it must. */
void writer_write_imap(struct writer *writer);
void writer_write_lmtp(struct writer *writer);

/* Milliseconds of a clock that never goes back. */
double writer_clock_ms(void);
/* A write that began then was acknowledged. */
void writer_acknowledged(struct writer *writer, double started);
bool writer_is_stopping(struct writer *writer);

#endif
