/*
 * cutover-crowd: eight clients that write and eight that watch while mailboxes of
 * the first user are cut over under them
 *
 * Fails aloud, as in case.h. Times are milliseconds.
 */
#ifndef CUTOVER_CROWD_H
#define CUTOVER_CROWD_H

#include "case.h"
#include "idler.h"
#include "writer.h"

#define CROWD_WRITERS 8
#define CROWD_IDLERS 8
#define CROWD_MAX_ROUNDS 60
/* COPY and MOVE go there. */
#define CROWD_OTHER "Kept"

/* 20, CROWD_MAX_ROUNDS in soak. */
unsigned int crowd_rounds(void);
/* "Box07", static. */
const char *crowd_mailbox(unsigned int round);
/* CREATEs those of the rounds and CROWD_OTHER on the old server. */
bool crowd_make_mailboxes(unsigned int rounds);

/* The writers, paused; there is one crowd at a time. */
struct writers *crowd_writers(void);
bool crowd_start(void);
void crowd_stop(void);
/* Lets them write to it, each so much, and pause when that is wanted. */
void crowd_write(const char *mailbox, unsigned int writes, bool pause);
/* What was acknowledged is on that server: lost, doubled, changed and strange
   are failures. Returns how many messages it has. */
unsigned int crowd_check(const char *server, const char *mailbox,
			 const char *when);
/* Cuts over under them, measures, and waits until all have written again. */
void crowd_cut_over(const char *mailbox);
/* How long they were interrupted; "" for nobody. Static. */
const char *crowd_interruptions(void);

struct idlers *crowd_idlers(const char *mailbox);
/* Asserts that all see so many messages, with no trouble, after so many BYEs
   each at least, or none; ends them. */
void crowd_end_idlers(struct idlers **idlers, unsigned int messages,
		      unsigned int byes);

#endif
