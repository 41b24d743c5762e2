/*
 * demo-arrivals: where mail arrives, and what the report makes of it
 *
 * As while DNS spreads, senders use the Postfix of the old and of the new server
 * in turn. A user's mail goes to the old one only as long as his INBOX is served
 * from the old server: what arrives there later is late mail, which isn't looked
 * for here. Each mail has one recipient, so each that a Postfix accepts must be
 * one line of a milter in the lab's log. Without Postfix there's only LMTP to the
 * new server, and without milters nothing is counted.
 */
#ifndef DEMO_ARRIVALS_H
#define DEMO_ARRIVALS_H

#include "demo.h"

struct demo_arrival_counts {
	/* Accepted by each Postfix, and found in the log for each. */
	unsigned int accepted[DEMO_SERVERS], reported[DEMO_SERVERS];
};

/* HOST:PORT, or "" without Postfix. */
const char *demo_arrivals_smtp(const struct demo_user *user,
			       enum demo_server server);
/* Static in the thread. */
const char *demo_arrivals_address(const struct demo_user *user);

/* Chooses where the user's next mail goes; once it's sent, or not, end follows. */
enum demo_server demo_arrivals_begin(struct demo_user *user);
void demo_arrivals_end(struct demo_user *user, enum demo_server server,
		       bool accepted);

/* No more mail for the user goes to the old server, and what did is in his
   INBOX there. */
void demo_arrivals_close_old(struct demo_user *user);
/* All that was accepted is delivered; notes what was deferred or bounced. For
   demo_each_user(). */
void demo_arrivals_finish(struct demo_user *user);

/* When all has been delivered; waits for the log, and notes a difference. */
void demo_arrivals_count(struct demo *demo,
			 struct demo_arrival_counts *counts_r);
/* Prints what migration-report says of the labs' logs. */
void demo_arrivals_report(const struct demo *demo);

#endif
