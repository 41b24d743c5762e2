#ifndef FLAG_MERGE_H
#define FLAG_MERGE_H

/*
 * flag-merge: what the old server's clients changed after the cutover, against
 * what they changed here. Computed from three inventories, no server, no disk.
 *
 * Each flag and keyword of a message by itself: the side that changed it wins.
 * Where a message was changed on both sides, differently, what was changed here
 * stays, and it is a conflict, to be reported.
 */

#include "inventory.h"

struct flag_merge {
	/* local messages whose flags are to be set, with what they become */
	struct inventory set;
	ARRAY_TYPE(seq_range) set_uids;
	/* changed on both sides to different flags */
	ARRAY_TYPE(seq_range) conflicts;
	/* on the old server: changed, and of these newly \Seen */
	unsigned int changed, seen;
	/* in base, not on the old server any more; and of these, the ones that are
	   here with the flags of base */
	ARRAY_TYPE(seq_range) gone, gone_unchanged;
};

void flag_merge_init(struct flag_merge *merge,
		     struct inventory_keywords *keywords);
void flag_merge_deinit(struct flag_merge *merge);
/* Into an empty one. complete: old has all messages; else only those that
   changed, and gone is for flag_merge_gone(). */
void flag_merge_compute(struct flag_merge *merge, const struct inventory *base,
			const struct inventory *old,
			const struct inventory *local, bool complete);
/* old_uids: all that the old server has. */
void flag_merge_gone(struct flag_merge *merge, const struct inventory *base,
		     const ARRAY_TYPE(seq_range) *old_uids,
		     const struct inventory *local);

#endif
