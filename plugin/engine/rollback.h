#ifndef ROLLBACK_H
#define ROLLBACK_H

/*
 * rollback: the authority over mailboxes goes back to the old server: what is
 * here is copied back, checked message by message, the sessions that have the
 * mailbox open are asked to finish, the last changes are copied, and one rename
 * of the state makes it served from the old server again.
 *
 * Seamless when neither side gave out a UID since the cutover. Else the messages
 * since then have other UIDs on the old server, which is told before. A local UID
 * that was given out is never given out again (I9): the state keeps the floor.
 */

#include "array.h"
#include "mail-error.h"

struct migration_user;

struct rollback_result {
	const char *vname;
	/* it wasn't local: nothing was done */
	bool was_old;
	/* messages that clients will see under other UIDs; 0: seamless */
	unsigned int moved;
	/* messages that were copied back by this */
	unsigned int copied;
	unsigned int messages, usecs;
};

/* What would happen, nothing is changed (plan), or do it. Returns 0, -1 with an
   error: it is local as before. */
int rollback_mailbox(struct migration_user *muser, const char *vname, bool plan,
		     struct rollback_result *result_r,
		     enum mail_error *error_code_r, const char **error_r);

#endif
