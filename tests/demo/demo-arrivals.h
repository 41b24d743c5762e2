/*
 * demo-arrivals: where mail arrives, and whether the milters have told of it
 *
 * As while DNS spreads, some senders use the new server's Postfix at once,
 * others the old one's for some time, and one isn't heard of any more after
 * that. A user's mail goes to the old one only as long as his INBOX is served
 * from the old server; what arrives there later is late mail (demo-late.h).
 * Each mail has one recipient, so each that a Postfix with a milter accepts
 * must be one line in the lab's log. Without Postfix there's only LMTP to the
 * new server, and without milters nothing is counted.
 */
#ifndef DEMO_ARRIVALS_H
#define DEMO_ARRIVALS_H

#include "demo.h"

struct demo_arrival_counts {
	/* Accepted by each Postfix, those of them by one with a milter, and
	   found in the log for each. */
	unsigned int accepted[DEMO_SERVERS], watched[DEMO_SERVERS];
	unsigned int reported[DEMO_SERVERS];
};

/* HOST:PORT, or "" without Postfix. */
const char *demo_arrivals_smtp(const struct demo_user *user,
			       enum demo_server server);
/* Static in the thread. */
const char *demo_arrivals_address(const struct demo_user *user);

struct demo_arrival {
	enum demo_server server;
	/* The sender's address. */
	const char *from;
};

/* Chooses who sends the user's next mail, and where; once it's sent, or not,
   end follows. */
struct demo_arrival demo_arrivals_begin(struct demo_user *user);
void demo_arrivals_end(struct demo_user *user,
		       const struct demo_arrival *arrival, bool accepted);

/* What the server accepted is in its mailbox. */
void demo_arrivals_wait(const struct demo_user *user, enum demo_server server);
/* No more mail for the user goes to the old server, and what did is in his
   INBOX there. */
void demo_arrivals_close_old(struct demo_user *user);
/* All that was accepted is delivered; notes what was deferred or bounced. For
   demo_each_user(). */
void demo_arrivals_finish(struct demo_user *user);

/* When all has been delivered; waits for the log, and notes a difference. */
void demo_arrivals_count(struct demo *demo,
			 struct demo_arrival_counts *counts_r);

#endif
