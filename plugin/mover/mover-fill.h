#ifndef MOVER_FILL_H
#define MOVER_FILL_H

/*
 * mover-fill: FILL: all mailboxes of the user that aren't local, one after the
 * other.
 *
 * Which is next: those that a client waits for, INBOX, the small ones. One that
 * loses the connection after some of it has come is tried again at once, unless
 * that goes on and on; one that fails otherwise is left for the next FILL.
 */

#include "mover-boxes.h"

struct mover_fill;

struct mover_fill_callbacks {
	/* often */
	void (*look)(void *context);
	/* at most each MOVER_PROGRESS_MSECS */
	void (*progress)(void *context, const char *vname, const char *what);
	void (*failed)(void *context, const char *vname, const char *reason);
	/* It is to end; asked from anywhere. */
	bool (*killed)(void);
};

/* context is the callbacks'. */
struct mover_fill *
mover_fill_init(struct mover_boxes *boxes,
		const struct mover_fill_callbacks *callbacks, void *context);
void mover_fill_deinit(struct mover_fill **fill);

/* Also from within a callback. It is the next one, before those that were named
   earlier; one that is being filled, and has long to go, is interrupted for it. */
void mover_fill_first(struct mover_fill *fill, const char *vname);
void mover_fill_stop(struct mover_fill *fill);

/* Returns 0 when each had its turn, or it was stopped; -1 when it couldn't go
   on. */
int mover_fill_run(struct mover_fill *fill,
		   enum mail_error *error_code_r, const char **error_r);
/* So much came over the wire. */
uint64_t mover_fill_fetched_bytes(const struct mover_fill *fill);

#endif
