/*
 * demo-late-count: is everything here, once, after the propagation period?
 *
 * Each account is read from the new server, and compared by Message-ID, in all
 * of its mailboxes: what was there before (user->ids_after) and what was sent
 * since (user->late) must be there, as often as it should be. Our own reports
 * aren't asked.
 */
#ifndef DEMO_LATE_COUNT_H
#define DEMO_LATE_COUNT_H

#include "demo.h"

struct demo_late_counts {
	/* Mails that came to the old servers, also of those to both; mails that
	   aren't at the new ones, of all that should be; that are too many. */
	unsigned int late, lost, doubled;
	/* From the old server's acceptance until it was seen at the new one. */
	unsigned int median_ms, max_ms;
};

/* Notes each difference, and shows the counts. */
void demo_late_count(struct demo *demo, struct demo_late_counts *counts_r);

#endif
