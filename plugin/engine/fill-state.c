/* fill-state: what a mailbox becomes when it was looked at, and its checkpoints. */

#include "lib.h"
#include "mail-storage-private.h"
#include "migration-user.h"
#include "migration-report.h"
#include "fill-private.h"
#include "local-copy.h"
#include "own-expunges.h"
#include "state-update.h"

/* NULL: it can be mirrored. "": it isn't wanted. */
static const char *why_not_mirrored(struct fill *fill)
{
	const struct migration_settings *set = &fill->set->muser->set;

	if (!set->mirror || set->cutover == MIGRATION_CUTOVER_MAILBOX ||
	    ((fill->set->flags & FILL_FLAG_CUTOVER) != 0 &&
	     fill->state.state != MAILBOX_STATE_MIRRORED))
		return "";
	if (!old_client_has(fill->set->client, "UIDPLUS"))
		return "Not mirrored: the old server has no UIDPLUS";
	if (!old_client_has(fill->set->client, "CONDSTORE"))
		return "Not mirrored: the old server has no CONDSTORE";
	if (fill->mailbox.modseq == 0)
		return "Not mirrored: the old server has no MODSEQs for it";
	return NULL;
}

/* Messages that are gone already had their UIDs as well. And what is here isn't
   new to anybody. */
static int raise_uid_next(struct fill *fill, bool is_new)
{
	struct mailbox_update update = {
		.min_next_uid = fill->mailbox.uid_next,
	};
	struct local_copy_status local;

	local_copy_status(fill->copy, &local);
	if (is_new)
		update.min_first_recent_uid = fill->mailbox.uid_next;
	else if (local.uid_next >= fill->mailbox.uid_next)
		return 0;
	if (local_copy_update(fill->copy, &update, &fill->error) < 0)
		return fill_local_error(fill);
	return 0;
}

int fill_raise_uid_next(struct fill *fill)
{
	return raise_uid_next(fill, why_not_mirrored(fill) == NULL);
}

int fill_enter_complete(struct fill *fill)
{
	const char *why_not = why_not_mirrored(fill);
	bool is_new = fill->state.state != MAILBOX_STATE_MIRRORED;

	if (raise_uid_next(fill, why_not == NULL && is_new) < 0)
		return -1;
	fill->state.error = why_not == NULL ? "" : why_not;
	fill_enter_state(fill, why_not == NULL ? MAILBOX_STATE_MIRRORED :
			 MAILBOX_STATE_FILLED);
	fill->result->mirrored = why_not == NULL;
	if (why_not == NULL && is_new) {
		/* from the moment that it is told, clients are served from it */
		if (local_copy_commit(fill->copy, &fill->error) < 0)
			return fill_local_error(fill);
		migration_report(fill->set->muser, "mirrored",
				 "mailbox", fill->set->vname, NULL);
	}
	return 0;
}

int fill_degrade(struct fill *fill)
{
	const char *error = fill->error;
	enum mail_error error_code = fill->error_code;

	if (fill->state.state == MAILBOX_STATE_MIRRORED) {
		migration_report(fill->set->muser, "mirror_ended",
				 "mailbox", fill->set->vname,
				 "reason", error, NULL);
		fill->state.error = error;
		fill->state.modseq = 0;
		fill_enter_state(fill, MAILBOX_STATE_FILLING);
		(void)fill_write_state(fill);
	}
	fill->error = error;
	fill->error_code = error_code;
	return -1;
}

/* Nobody is to wait for a session that changes the folders, on an old server that
   hangs, perhaps: there will be another checkpoint. */
#define CHECKPOINT_LOCK_SECS 2

struct checkpoint {
	struct fill_kept *kept;
	unsigned int messages;
	uint64_t bytes;
};

static int
update_state(struct mailbox_state_file *state, void *context,
	     const char **error_r)
{
	struct checkpoint *checkpoint = context;
	const struct fill_kept *kept = checkpoint->kept;

	if (state->state != MAILBOX_STATE_MIRRORED ||
	    state->uid_validity != kept->uid_validity) {
		*error_r = "It isn't the mirrored mailbox any more that it was";
		return -1;
	}
	state->modseq = kept->modseq;
	state->verified_uid = kept->verified_uid;
	state->messages = checkpoint->messages;
	state->bytes = checkpoint->bytes;
	state->done_messages = checkpoint->messages;
	state->done_bytes = checkpoint->bytes;
	return 1;
}

int fill_checkpoint(struct migration_user *muser, const char *vname,
		    struct fill_kept *kept, const char **error_r)
{
	struct checkpoint checkpoint = { .kept = kept };

	if (kept->copy == NULL || !kept->dirty)
		return 0;
	if (local_copy_make_durable(kept->copy, error_r) < 0)
		return -1;
	fill_count_copy(kept->copy, kept->digests, &checkpoint.messages,
			&checkpoint.bytes);
	if (state_update(muser->set.dir, vname, FALSE, CHECKPOINT_LOCK_SECS,
			 update_state, &checkpoint, error_r) < 0 ||
	    own_expunges_remove(muser->set.dir, vname, SIZE_MAX, error_r) < 0)
		return -1;
	kept->dirty = FALSE;
	return 0;
}
