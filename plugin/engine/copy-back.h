#ifndef COPY_BACK_H
#define COPY_BACK_H

/*
 * copy-back: what a mailbox gained here since its cutover, to the old server's:
 * new messages, each once, and changed flags; so that going back loses nothing,
 * and clients on stale addresses see new mail too.
 *
 * <migration_dir>/copyback/<key>: up to which local UID and MODSEQ it is done,
 * pairs of local and old UIDs, and what is under way: an APPEND whose answer was
 * lost is looked for on the old server by its bytes before it is done again.
 * What catch-up delivered here is on the old server already.
 */

#include "mail-error.h"

struct migration_user;
struct old_client;
struct baseline;

struct copy_back_result {
	unsigned int copied, flags, expunged;
};

/* Has the local mailbox anything that isn't copied? Cheap. Returns 1, 0, -1. */
int copy_back_wanted(struct migration_user *muser, const char *vname,
		     const char **error_r);
/* The mailbox is selected for writing on the client by this, and baseline is
   brought up to date with what was done there (messages, copied, next_uid isn't
   touched); the caller writes it. Returns 0, -1 with an error: some is done. */
int copy_back_mailbox(struct migration_user *muser, struct old_client *client,
		      const char *vname, const char *old_name,
		      struct baseline *baseline,
		      struct copy_back_result *result_r,
		      enum mail_error *error_code_r, const char **error_r);

#endif
