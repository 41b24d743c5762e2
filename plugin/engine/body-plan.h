#ifndef BODY_PLAN_H
#define BODY_PLAN_H

/*
 * body-plan: in which commands the bodies of a mailbox are fetched.
 *
 * Small messages many to a command, large ones in pieces of piece_size and a
 * last piece without an end, for servers whose RFC822.SIZE is too small.
 */

#include "inventory.h"

struct body_request {
	/* sequence-set of UIDs */
	const char *uid_set;
	/* the messages are items [first, end) of the inventory that are wanted */
	unsigned int first, end;
	/* a piece of a single message when length > 0 */
	uint64_t offset, length;
	bool last_piece;
};
ARRAY_DEFINE_TYPE(body_request, struct body_request);

/* Allocated from pool, in ascending order of UID. */
void body_plan(const struct inventory *old, const ARRAY_TYPE(seq_range) *wanted,
	       uint64_t piece_size, pool_t pool,
	       ARRAY_TYPE(body_request) *requests_r);

#endif
