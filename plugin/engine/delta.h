#ifndef DELTA_H
#define DELTA_H

/*
 * delta: what must be done to a local copy so that it is as the old mailbox.
 *
 * Computed from two inventories alone. It is idempotent: applied half or
 * twice, the next one mends what is left.
 */

#include "inventory.h"

struct delta {
	/* bodies to fetch and add, in ascending order of UID */
	ARRAY_TYPE(seq_range) fetch;
	unsigned int fetch_count;
	uint64_t fetch_bytes;
	/* in the old mailbox, not in the copy, and below the copy's next UID:
	   they can't be added any more without making the copy anew */
	ARRAY_TYPE(seq_range) missed;
	/* in the copy, not in the old mailbox */
	ARRAY_TYPE(seq_range) expunged;
	/* UIDs whose flags or keywords differ */
	ARRAY_TYPE(seq_range) changed;
};

void delta_init(struct delta *delta);
void delta_deinit(struct delta *delta);
void delta_clear(struct delta *delta);
/* Into an empty delta. complete: old lists all messages; else only those that changed or are new,
   and what isn't in it is as it was. local_next_uid is the copy's UIDNEXT. */
void delta_compute(const struct inventory *old, const struct inventory *local,
		   uint32_t local_next_uid, bool complete,
		   struct delta *delta);
/* Add to expunged what the copy has and the old mailbox hasn't: for an
   incomplete inventory. */
void delta_add_expunged(struct delta *delta, const struct inventory *local,
			const ARRAY_TYPE(seq_range) *old_uids);
/* Add to missed what the old mailbox has and the copy should have: the same. */
void delta_add_missed(struct delta *delta, const struct inventory *local,
		      uint32_t local_next_uid,
		      const ARRAY_TYPE(seq_range) *old_uids);
/* These aren't to be had: neither fetched nor missed. */
void delta_leave_out(struct delta *delta, const ARRAY_TYPE(seq_range) *uids);
/* Nor are their flags known: where the copy has them they stay as they are. */
void delta_leave_alone(struct delta *delta, const ARRAY_TYPE(seq_range) *uids);
bool delta_is_empty(const struct delta *delta);

#endif
