/*
 * demo-compare: the verdict
 *
 * Each account is read from both servers over IMAP and compared with what must
 * be there: the picture of the old server before the move, the journal of the
 * user's client, and the deliveries that were taken. On the old server stands
 * what it had when it ceased to be the authority.
 */
#ifndef DEMO_COMPARE_H
#define DEMO_COMPARE_H

#include "demo.h"

struct demo_verdict {
	unsigned int accounts, mailboxes;
	uint64_t messages, lost, doubled, changed;
	unsigned int client_errors;
	/* Mailboxes that were mirrored before they were cut over; connections
	   that ended of programs in a mirrored INBOX, and of others. */
	unsigned int mirrored, disconnects, reconnects;
	unsigned int cutover_ms_median, cutover_ms_max;
	unsigned int interrupted_ms, slowest_ms, slowest_delivery_ms;
};

/* Pictures of the old server before the move: for demo_each_user(). */
void demo_picture_before(struct demo_user *user);
/* Pictures of both servers at the end. */
void demo_picture_after(struct demo_user *user);

/* Compares, and shows the table. */
void demo_compare(struct demo *demo, struct demo_verdict *verdict_r);
void demo_verdict_print(const struct demo_verdict *verdict);

#endif
