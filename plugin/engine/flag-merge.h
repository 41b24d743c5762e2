#ifndef FLAG_MERGE_H
#define FLAG_MERGE_H

/*
 * flag-merge: what the old server's clients changed after the cutover, against
 * what was changed here. Computed from three inventories; no server, no disk.
 *
 * Each flag and keyword of a message by itself: the side that changed it wins. As
 * it is either set or not, two sides that both changed it agree. A message that
 * was changed on both sides to different flags is told as a conflict all the
 * same: it has both changes then.
 */

#include "inventory.h"

/* what is to be done to a local message */
struct flag_change {
	uint32_t uid;
	enum mail_flags add, remove;
	/* of the inventories' keywords, NULL for none */
	const char *const *add_keywords, *const *remove_keywords;
};

struct flag_merge {
	ARRAY(struct flag_change) changes;
	/* changed on both sides, to different flags */
	ARRAY_TYPE(seq_range) conflicts;
	/* messages of base that the old server shows with other flags, and of these
	   the newly \Seen ones */
	unsigned int changed, seen;
};

void flag_merge_init(struct flag_merge *merge);
void flag_merge_deinit(struct flag_merge *merge);
/* Into an empty one. Messages of old that aren't in base are overlooked, as are
   those that aren't here any more, but for the counts. All three share their
   keywords. */
void flag_merge_compute(struct flag_merge *merge, const struct inventory *base,
			const struct inventory *old,
			const struct inventory *local);

/* What one message becomes by that. item_r may be one of them. */
void flag_merge_item(struct inventory_keywords *keywords,
		     const struct inventory_item *base,
		     const struct inventory_item *old,
		     const struct inventory_item *local,
		     struct inventory_item *item_r);

#endif
