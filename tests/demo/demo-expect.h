/*
 * demo-expect: what both servers must show of an account in the end
 *
 * Follows from the picture of the old server before the move, the journal of the
 * user's client, and the deliveries that were taken. Pictures are the caller's.
 */
#ifndef DEMO_EXPECT_H
#define DEMO_EXPECT_H

#include "demo.h"

/* Deliveries as the new server's INBOX has them; they belong to user->after. */
struct demo_delivered {
	const struct snapshot_message **messages;
	size_t count;
};

/* Looks for all of them. Returns how many were taken and aren't there, each of
   which is a problem. Free the result. */
unsigned int
demo_delivered_find(struct demo_user *user, struct demo_delivered *delivered_r);
void demo_delivered_free(struct demo_delivered *delivered);

struct snapshot *demo_expect_new(const struct demo_user *user,
				 const struct demo_delivered *delivered);
/* It stands still since the cutover: as the journal has it (journal_freeze(),
   journal_advance()). */
struct snapshot *demo_expect_old(const struct demo_user *user,
				 const struct demo_delivered *delivered);

#endif
