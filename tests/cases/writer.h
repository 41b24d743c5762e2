/*
 * writer: clients that write all the time, and a journal of what was promised
 *
 * Each writer is a thread with messages of its own, which nobody else touches:
 * what the server acknowledged must be there exactly as acknowledged, what it
 * refused must not have happened, and what it left unanswered may have happened
 * or not. Writers either speak IMAP (APPEND, STORE, COPY, MOVE, EXPUNGE in a
 * mailbox that they keep selected; COPY and MOVE go to a second one) or deliver
 * over LMTP. A lost connection is opened again at once.
 *
 * The journal may be asked only while the writers pause. Times are milliseconds.
 */
#ifndef WRITER_H
#define WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define WRITERS_MAX_GAPS 4096

struct writers;

struct writers_settings {
	const char *imap, *lmtp, *user, *password;
	/* COPY and MOVE go there. */
	const char *other;
	unsigned int imap_writers, lmtp_writers;
	uint64_t seed;
};

struct writers_counts {
	uint64_t acknowledged, refused, unanswered, connections_lost;
	/* Refused or unanswered because the new server lost the old one. */
	uint64_t old_lost;
	/* What nobody should see: a refusal without a cutover, an untagged
	   answer that makes no sense... */
	uint64_t failures;
	/* The first of them, or "". */
	char failure[400];
	/* The median time of an acknowledged write. */
	double median;
};

struct writers_check {
	/* Of acknowledged writes, in messages. */
	unsigned int lost, doubled, changed, strange;
	unsigned int messages;
};

/* Starts them, paused. The strings must stay. */
struct writers *writers_start(const struct writers_settings *set);
/* Ends and frees them. */
void writers_stop(struct writers **writers);

/* Let them write to that mailbox from here on; LMTP goes there by its detail,
   user+mailbox. */
void writers_go(struct writers *writers, const char *mailbox);
/* Returns when each has ended the write that it was in; false when one hasn't
   in time. */
bool writers_pause(struct writers *writers);
/* Waits until each has had so many writes acknowledged from now on. */
bool writers_wait(struct writers *writers, unsigned int writes);

/* For the time from begin to end: the longest that each writer was without an
   acknowledgement. Returns how many were added to gaps_r. */
void writers_watch_begin(struct writers *writers);
unsigned int writers_watch_end(struct writers *writers, double *gaps_r);
void writers_get_counts(struct writers *writers,
			struct writers_counts *counts_r);

/* Compares a mailbox (the one written to or the other one) of a server with
   the journal; differences go to out as lines. -1 with an error, static, when
   it can't be read. */
int writers_check(struct writers *writers, const char *imap,
		  const char *mailbox, FILE *out,
		  struct writers_check *check_r, const char **error_r);

#endif
