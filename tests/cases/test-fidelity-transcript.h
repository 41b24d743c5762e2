#ifndef TEST_FIDELITY_TRANSCRIPT_H
#define TEST_FIDELITY_TRANSCRIPT_H

/*
 * test-fidelity-transcript: runs a scripted session and writes down what came,
 * so that two servers' answers can be compared line by line.
 *
 * What may differ between two right servers is made equal: tags, human text,
 * times, UIDVALIDITY, MODSEQ, \Recent and RECENT, user and host names, the order
 * of what has none (RFC 3501 7), how a string is written, and the UID gap of a
 * cutover.
 */

#include "case.h"

enum fidelity_session {
	/* two sessions at the server that is looked at */
	FIDELITY_A,
	FIDELITY_B,
	/* one at the server that has the authority, by another way: the old
	   server directly, or the new one */
	FIDELITY_OTHER,
	FIDELITY_SESSIONS
};

struct fidelity_step {
	/* in the list of differences; unique */
	const char *name;
	enum fidelity_session session;
	/* without a tag; may have non-synchronizing literals. "IDLE" waits for
	   `until` and says DONE. */
	const char *command;
	/* NOOP is said again until an untagged response has this; NULL: the
	   command's own answer is all */
	const char *until;
};

struct fidelity_transcript {
	/* of each step: lines, sorted where there's no order, or NULL when it
	   couldn't be run */
	char **steps;
	unsigned int count;
};

struct fidelity_server {
	/* keys of `lab env` */
	const char *server, *other;
	unsigned int user;
	/* what happens before that step; NULL: nothing does */
	const char *event_step;
	void (*event)(unsigned int user);
};

/* The table ends in a NULL name. False: it came to an end before its time,
   which was asserted. */
bool fidelity_run(const struct fidelity_server *server,
		  const struct fidelity_step *steps,
		  struct fidelity_transcript *transcript_r);
void fidelity_free(struct fidelity_transcript *transcript);

/* One response as a line; from malloc(). NULL: it says nothing. */
char *fidelity_line(const struct imap_response *resp);

#endif
