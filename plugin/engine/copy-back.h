#ifndef COPY_BACK_H
#define COPY_BACK_H

/*
 * copy-back: what a mailbox gained here since its cutover, to the old server's:
 * new messages, each once, and changed flags; so that going back loses nothing,
 * and clients on stale addresses see new mail too. Expunges never, nor \Deleted.
 *
 * copy-pairs.h says what is remembered: an APPEND whose answer was lost is looked
 * for on the old server by its bytes before it is done again, and that not before
 * it can't come any more. What catch-up delivered here is on the old server
 * already, and so are doubles that it noted (late-places.h).
 *
 * The caller has lease_catchup().
 */

#include "mail-error.h"

struct migration_user;
struct old_client;
struct baseline;

struct copy_back_result {
	unsigned int copied, flags, expunged;
};

/* Has the local mailbox anything that isn't copied? Cheap. Returns 1, 0 (also
   when it failed, and isn't to be tried again yet), -1 with an error. */
int copy_back_wanted(struct migration_user *muser, const char *vname,
		     const char **error_r);
/* Of what was under way when a process died or the connection was lost: what has
   got there is among baseline->copied from then on. Before new UIDs of the old
   server are taken for late mail. The mailbox is selected by this when there is
   something to be looked for. Returns 0, -1 with an error. */
int copy_back_settle(struct migration_user *muser, struct old_client *client,
		     const char *vname, const char *old_name,
		     struct baseline *baseline,
		     enum mail_error *error_code_r, const char **error_r);
/* The mailbox is selected for writing on the client by this, and baseline is
   brought up to date with what was done there (messages, copied, next_uid isn't
   touched); the caller writes it. One that is gone there is made again. Returns
   0, -1 with an error: some is done. */
int copy_back_mailbox(struct migration_user *muser, struct old_client *client,
		      const char *vname, const char *old_name,
		      struct baseline *baseline,
		      struct copy_back_result *result_r,
		      enum mail_error *error_code_r, const char **error_r);

#endif
