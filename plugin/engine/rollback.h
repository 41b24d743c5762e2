#ifndef ROLLBACK_H
#define ROLLBACK_H

/*
 * rollback: the authority over mailboxes goes back to the old server: what is
 * here is copied back, checked message by message, the sessions that have the
 * mailbox open are asked to finish, the last changes are copied, and one rename
 * of the state makes it served from the old server again. A crash before that
 * leaves it local, and the next one finds what was copied.
 *
 * Seamless when neither side gave out a UID since the cutover. Else the messages
 * since then have other UIDs on the old server, which is told before. A local UID
 * that was given out is never given out again (I9): the state keeps the floor. The
 * copy is made anew by the next fill, unless the old server was emptied meanwhile.
 *
 * Has lease_catchup() from begin to end.
 */

#include "array.h"
#include "mail-error.h"

struct migration_user;
struct rollback;

struct rollback_settings {
	/* All that are to be rolled back: late mail that Sieve has put into another
	   mailbox is on the old server where it arrived. */
	const ARRAY_TYPE(const_string) *vnames;
	/* Expunge on the old server what was expunged here since the cutover. */
	bool expunge;
};

struct rollback_result {
	/* it has no state: the old server never had it. It stays here. */
	bool own;
	/* it wasn't local: nothing was done */
	bool was_old;
	/* neither side has given out a UID since the cutover */
	bool seamless;
	/* Messages that clients will see under other UIDs... */
	unsigned int moved;
	/* ...that are to be copied, or were... */
	unsigned int copied;
	/* ...and that were expunged here since and are there (plan: that would be
	   back without the setting), or were expunged by this */
	unsigned int expunged;
	unsigned int messages;
	/* clients waited so long */
	unsigned int usecs;
};

/* Waits for another catch-up or rollback at most timeout_secs. Returns 0, -1 with
   an error. */
int rollback_begin(struct migration_user *muser,
		   const struct rollback_settings *set,
		   unsigned int timeout_secs, struct rollback **rollback_r,
		   enum mail_error *error_code_r, const char **error_r);
void rollback_end(struct rollback **rollback);

/* What would happen; nothing is changed. Returns 0, -1 with an error. */
int rollback_plan(struct rollback *rollback, const char *vname,
		  struct rollback_result *result_r,
		  enum mail_error *error_code_r, const char **error_r);
/* Do it. Returns 0, -1 with an error: it is local as before. */
int rollback_mailbox(struct rollback *rollback, const char *vname,
		     struct rollback_result *result_r,
		     enum mail_error *error_code_r, const char **error_r);

#endif
