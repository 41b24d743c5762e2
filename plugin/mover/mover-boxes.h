#ifndef MOVER_BOXES_H
#define MOVER_BOXES_H

/*
 * mover-boxes: the mailboxes of a user, with the figures of their states, and the
 * totals that the scheduler is told.
 */

#include "mover-protocol.h"

struct migration_user;

struct mover_box {
	const char *vname;
	/* nothing is to be done any more; complete, or mirrored; mirrored */
	bool local, filled, mirrored;
	/* it had its turn; which failed */
	bool tried, failed;
	/* how often the connection was lost over it, soon */
	unsigned int lost;
	uint32_t messages, done_messages;
	uint64_t bytes, done_bytes;
};
ARRAY_DEFINE_TYPE(mover_box, struct mover_box);

struct mover_boxes {
	struct migration_user *muser;
	pool_t pool;
	ARRAY_TYPE(mover_box) boxes;
	/* his folders were looked at at least once */
	bool seen;
};

void mover_boxes_init(struct mover_boxes *boxes, struct migration_user *muser);
void mover_boxes_deinit(struct mover_boxes *boxes);

/* All, anew. Returns 0, -1 with an error. */
int mover_boxes_read(struct mover_boxes *boxes, enum mail_error *error_code_r,
		     const char **error_r);
/* The figures of one. It keeps what it had when its state can't be read. */
void mover_box_read(struct mover_boxes *boxes, struct mover_box *box);
/* The figures of all that were read; what failed has failed. */
void mover_boxes_update(struct mover_boxes *boxes);
/* NULL when there's no such mailbox. */
struct mover_box *
mover_boxes_find(struct mover_boxes *boxes, const char *vname);

/* fetched_bytes is left 0. */
void mover_boxes_totals(const struct mover_boxes *boxes,
			struct move_totals *totals_r);

#endif
