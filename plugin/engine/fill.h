#ifndef FILL_H
#define FILL_H

/*
 * fill: one mailbox, from the old server to its local copy, for filler.c.
 *
 *   open both -> inventories -> delta -> flags and expunges -> bodies ->
 *   read back -> state filled
 *
 * Where a message must be added below the copy's UIDNEXT (it couldn't be had
 * before, or its copy is damaged), the copy is made anew, once in a run.
 */

#include "filler.h"
#include "old-mailbox.h"

/* What is kept of a mirrored mailbox from one look at it to the next (mirror.c).
   Its state on disk is behind: fill_checkpoint() makes the copy durable and then
   writes it. At first all zero. */
struct fill_kept {
	struct local_copy *copy;
	struct digest_file *digests;
	/* of the old mailbox that these are of; 0: none */
	uint32_t uid_validity;
	/* what the copy corresponds to, as in struct mailbox_state_file */
	uint64_t modseq;
	uint32_t verified_uid;
	/* as the old server opened it last */
	struct old_mailbox mailbox;
	/* there is something to be written */
	bool dirty;
};

struct fill_settings {
	struct migration_user *muser;
	struct old_client *client;
	const struct fill_observer *observer;
	const char *vname, *old_name;
	enum fill_flags flags;
	/* NULL: nothing is kept */
	struct fill_kept *kept;
};

int fill_mailbox(const struct fill_settings *set, struct fill_result *result_r,
		 enum mail_error *error_code_r, const char **error_r);

/* Make durable what the copy has, and write its state. Returns 0, -1 with an
   error. */
int fill_checkpoint(struct migration_user *muser, const char *vname,
		    struct fill_kept *kept, const char **error_r);
/* Close what is open; what isn't written by then is looked at again. */
void fill_kept_close(struct fill_kept *kept);

#endif
