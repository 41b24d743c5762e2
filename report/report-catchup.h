/*
 * report-catchup: what catch-up tells of a user once mailboxes of his are local
 *
 * event=poll, late, late_double, late_failed, late_gone, old_client and what
 * else it sees on the old server. Times of late mails are the old server's own
 * (received=), which may be wrong, so they're checked against ours: nothing can
 * have come before the poll that didn't see it yet, nor after the line.
 */
#ifndef REPORT_CATCHUP_H
#define REPORT_CATCHUP_H

#include "report-event.h"

struct catchup;

/* What late mails show of the old server's clock; zeroed at first. */
struct catchup_clock {
	/* Late mails that came later than their line; how much at most. */
	int64_t ahead;
	/* Those that would have come before the poll that didn't see them, how
	   many; and the least of how much. */
	uint64_t checked;
	int64_t behind;
};

struct catchup *catchup_init(void);
void catchup_deinit(struct catchup **catchup);

/* An event of that user, of those that catchup_knows(). */
bool catchup_knows(struct text event_name);
void catchup_add(struct catchup *catchup, const struct report_event *event);
/* A late mail: when it came to the old server, but not before its mailbox was cut
   over; 0: it was there before, and is seen anew since the mailbox was reset.
   Before catchup_add(). */
int64_t catchup_arrival(const struct catchup *catchup,
			const struct report_event *event, int64_t cutover,
			struct catchup_clock *clock);

void catchup_finish(struct catchup *catchup, pool_t *pool,
		    struct report_catchup *shown_r);
/* By how much the old server's clock is ahead, negative: behind. */
int64_t catchup_clock_ahead(const struct catchup_clock *clock);

#endif
