#ifndef REDIRECT_H
#define REDIRECT_H

/*
 * redirect: which mailbox object a name of the moved namespace stands for.
 *
 * mailbox_alloc() gives the old server's mailbox (stock imapc, of the hidden
 * namespace, under the same vname) for every mailbox whose authority is the old
 * server and for unknown names, the local one for those that are mirrored or
 * local, and one that refuses everything with a reason where that can't be
 * known (I1, I5).
 *
 * While a late mail is delivered a mirrored mailbox is the old server's, too:
 * the worker, which may be waiting for that very delivery, can't be asked.
 */

#include "mail-storage-private.h"
#include "engine/mailbox-state.h"

struct lease;
struct migration_user;

enum redirect_target {
	REDIRECT_LOCAL,
	REDIRECT_REMOTE,
	/* the local one, written through the worker */
	REDIRECT_MIRRORED,
	REDIRECT_REFUSED,
};

/* Made before the mailbox, taken over by its mailbox_allocated hook. */
struct redirect_decision {
	enum redirect_target target;
	/* REMOTE, and LOCAL while it may be rolled back: held shared */
	struct lease *lease;
	enum mailbox_state state;
	/* there is a state file */
	bool known;
	/* REFUSED */
	enum mail_error error_code;
	const char *error;
};

/* The mail_storage_created hook's part. */
void redirect_storage_created(struct migration_user *muser,
			      struct mail_storage *storage);

#endif
