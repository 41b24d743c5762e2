#include "lib.h"
#include "array.h"
#include "str.h"
#include "ioloop.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "seq-range-array.h"
#include "migration-user.h"
#include "migration-report.h"
#include "digest-file.h"
#include "fill-private.h"
#include "lease.h"
#include "local-copy.h"
#include "state-update.h"

const char *fill_dir(struct fill *fill)
{
	return fill->set->muser->set.dir;
}

int fill_local_error(struct fill *fill)
{
	fill->error_code = MAIL_ERROR_TEMP;
	return -1;
}

const char *fill_uid_set(struct fill *fill, const ARRAY_TYPE(seq_range) *uids)
{
	string_t *str = str_new(fill->pool, 64);

	imap_write_seq_range(str, uids);
	return str_c(str);
}

static bool tree_held(struct fill *fill)
{
	return (fill->set->flags & FILL_FLAG_TREE_HELD) != 0;
}

static int
replace_state(struct mailbox_state_file *state, void *context,
	      const char **error_r ATTR_UNUSED)
{
	const struct fill *fill = context;

	*state = fill->state;
	return 1;
}

/* Nothing that anybody else goes by is different; the rest is written at a
   checkpoint. */
static bool can_wait(struct fill *fill)
{
	const struct mailbox_state_file *state = &fill->state;
	const struct mailbox_state_file *written = &fill->written;

	if (fill->set->kept == NULL || state->state != written->state ||
	    state->uid_validity != written->uid_validity ||
	    strcmp(state->error, written->error) != 0 ||
	    strcmp(state->bad_uids, written->bad_uids) != 0 ||
	    strcmp(state->altered_uids, written->altered_uids) != 0)
		return FALSE;
	fill->set->kept->dirty = TRUE;
	return TRUE;
}

/* The copy isn't behind the state, nor are the state's counts, which don't know of
   what the mirror did. */
static int settle_kept(struct fill *fill)
{
	if (fill->set->kept == NULL || fill->copy == NULL ||
	    fill->digests == NULL)
		return 0;
	fill_count_copy(fill->copy, fill->digests, &fill->state.done_messages,
			&fill->state.done_bytes);
	return local_copy_make_durable(fill->copy, &fill->error);
}

int fill_write_state(struct fill *fill)
{
	if (can_wait(fill))
		return 0;
	if (settle_kept(fill) < 0)
		return fill_local_error(fill);
	if (state_update(fill_dir(fill), fill->set->vname, tree_held(fill),
			 STATE_UPDATE_LOCK_SECS, replace_state, fill,
			 &fill->error) < 0)
		return fill_local_error(fill);
	fill->written = fill->state;
	return 0;
}

void fill_enter_state(struct fill *fill, enum mailbox_state state)
{
	if (fill->state.state == state)
		return;
	fill->state.state = state;
	fill->state.since = ioloop_time;
}

static bool parse_uid_set(const char *set, ARRAY_TYPE(seq_range) *uids)
{
	return *set == '\0' || imap_seq_set_nostar_parse(set, uids) == 0;
}

/* The state on disk is behind what is kept. */
static void take_kept_state(struct fill *fill)
{
	const struct fill_kept *kept = fill->set->kept;

	fill->written = fill->state;
	if (kept == NULL || kept->uid_validity != fill->state.uid_validity)
		return;
	fill->state.modseq = kept->modseq;
	fill->state.verified_uid = kept->verified_uid;
}

/* Returns 1, 0 when the mailbox isn't the old server's (any more), -1. */
int fill_read_state(struct fill *fill)
{
	int ret = mailbox_state_read(fill_dir(fill), fill->set->vname, fill->pool,
				     &fill->state, &fill->error);

	if (ret < 0)
		return fill_local_error(fill);
	if (ret == 0 || !mailbox_state_authority_is_old(fill->state.state)) {
		fill->result->local = TRUE;
		return 0;
	}
	if (!parse_uid_set(fill->state.without_uids, &fill->without) ||
	    !parse_uid_set(fill->state.altered_uids, &fill->altered)) {
		fill->error = "Its state has an invalid set of UIDs";
		return fill_local_error(fill);
	}
	if (fill->state.state == MAILBOX_STATE_MIRRORED &&
	    (fill->set->flags & FILL_FLAG_MIRRORED) == 0) {
		fill->error = "It is mirrored: its worker looks after it";
		return fill_local_error(fill);
	}
	take_kept_state(fill);
	return 1;
}

/* Nothing in the copy counts from here on. */
static int forget_copy(struct fill *fill)
{
	fill_enter_state(fill, MAILBOX_STATE_FILLING);
	array_clear(&fill->altered);
	fill->state.altered_uids = "";
	fill->state.durable_uid = 0;
	fill->state.verified_uid = 0;
	fill->state.modseq = 0;
	fill->state.done_messages = 0;
	fill->state.done_bytes = 0;
	return fill_write_state(fill);
}

int fill_recreate_copy(struct fill *fill, const char *reason)
{
	/* what is saved from now on is news to clients that were here before a
	   rollback */
	const struct mailbox_update update = {
		.uid_validity = fill->mailbox.uid_validity,
		.min_highest_modseq = fill->state.modseq_floor,
	};

	if (tree_held(fill) || fill->set->kept != NULL) {
		fill->error = t_strdup_printf("The copy must be made anew: %s",
					      reason);
		(void)fill_local_error(fill);
		/* clients read it, and it takes its time */
		return fill->set->kept != NULL ? fill_degrade(fill) : -1;
	}
	migration_report(fill->set->muser, "rebuild",
			 "mailbox", fill->set->vname, "reason", reason, NULL);
	fill->result->rebuilt = TRUE;
	if (forget_copy(fill) < 0)
		return -1;
	if (local_copy_recreate(fill->copy, &fill->error) < 0 ||
	    local_copy_update(fill->copy, &update, &fill->error) < 0)
		return fill_local_error(fill);
	/* not before: a crash in between would leave a copy of another one */
	fill->state.uid_validity = fill->mailbox.uid_validity;
	fill->state.copy_is_stale = MAILBOX_COPY_GOOD;
	return 0;
}

/* Begun anew there, with little in it: what is here may be all that is left
   (I4). */
static bool looks_wiped(struct fill *fill,
			const struct local_copy_status *local)
{
	if (fill->mailbox.messages >= local->messages / 2 ||
	    (fill->set->flags & FILL_FLAG_FOLLOW_EXPUNGES) != 0)
		return FALSE;
	fill->error = t_strdup_printf(
		"The old server has begun it anew (another UIDVALIDITY) with "
		"%u messages, and %u are here: if they aren't needed, "
		"doveadm migration fill --follow-expunges",
		fill->mailbox.messages, local->messages);
	fill->error_code = MAIL_ERROR_EXISTS;
	return TRUE;
}

/* All of the stale copy was on the old server: has it got it still? */
static bool lost_since_rollback(struct fill *fill,
				const struct local_copy_status *local)
{
	if (fill->mailbox.messages >= local->messages / 2 ||
	    (fill->set->flags & FILL_FLAG_FOLLOW_EXPUNGES) != 0)
		return FALSE;
	fill->error = t_strdup_printf(
		"The old server has %u messages, and %u are here since before "
		"the rollback: if they aren't needed, doveadm migration fill "
		"--follow-expunges", fill->mailbox.messages, local->messages);
	fill->error_code = MAIL_ERROR_EXISTS;
	return TRUE;
}

/* Somebody else's: of the mailbox that was filled it would have the
   UIDVALIDITY. */
static bool
is_in_the_way(struct fill *fill, const struct local_copy_status *local,
	      uint32_t uid_validity)
{
	if (local->messages == 0 || local->uid_validity == uid_validity)
		return FALSE;
	fill->error = t_strdup_printf(
		"A local mailbox of that name is in the way, with %u "
		"messages that aren't from the old server: see FOREIGN "
		"MESSAGES in doveadm-migration(1)", local->messages);
	fill->error_code = MAIL_ERROR_EXISTS;
	return TRUE;
}

/* Before its first fill. */
static int
adopt_new(struct fill *fill, const struct local_copy_status *local)
{
	uint32_t uid_validity = fill->mailbox.uid_validity;

	if (is_in_the_way(fill, local, uid_validity))
		return -1;
	if (local->messages == 0 && local->uid_next > 1)
		return fill_recreate_copy(fill, "the local mailbox was used before");
	if (local->uid_validity != uid_validity &&
	    local_copy_set_uid_validity(fill->copy, uid_validity,
					&fill->error) < 0)
		return fill_local_error(fill);
	fill->state.uid_validity = uid_validity;
	return 0;
}

/* It is gone on with what came from the old server, all of which is read back: nothing
   of it counted yet. Somebody may have delivered into it since. The digests are of
   the UIDVALIDITY that it had. */
static int
adopt_unfinished(struct fill *fill, const struct local_copy_status *local,
		 bool same)
{
	if (is_in_the_way(fill, local, fill->state.uid_validity))
		return -1;
	if (same && (fill_open_digests(fill) < 0 ||
		     fill_refuse_foreign(fill) < 0))
		return -1;
	fill->state.copy_is_stale = MAILBOX_COPY_GOOD;
	fill->state.durable_uid = fill->state.verified_uid = 0;
	fill->state.modseq = 0;
	return 0;
}

/* Make sure that the copy is one of this old mailbox. */
static int adopt_copy(struct fill *fill)
{
	struct local_copy_status local;
	uint32_t uid_validity = fill->mailbox.uid_validity;
	bool same = fill->state.uid_validity == uid_validity;

	local_copy_status(fill->copy, &local);
	if (fill->state.copy_is_stale == MAILBOX_COPY_UNFINISHED &&
	    adopt_unfinished(fill, &local, same) < 0)
		return -1;
	if (fill->state.copy_is_stale != MAILBOX_COPY_GOOD) {
		return lost_since_rollback(fill, &local) ? -1 :
			fill_recreate_copy(fill, "it was rolled back");
	}
	if (fill->state.uid_validity == 0)
		return adopt_new(fill, &local);
	if (is_in_the_way(fill, &local, fill->state.uid_validity) ||
	    (!same && looks_wiped(fill, &local)))
		return -1;
	if (!same)
		return fill_recreate_copy(fill,
			"the old server has given it another UIDVALIDITY");
	if (local.uid_validity != uid_validity)
		return fill_recreate_copy(fill, "the local mailbox was made "
					  "anew by somebody else");
	/* a worker that was killed may have left some as well */
	if ((fill->state.state == MAILBOX_STATE_FILLING ||
	     (fill->set->kept != NULL && !fill->was_kept)) &&
	    local_copy_remove_strays(fill->copy, &fill->error) < 0)
		return fill_local_error(fill);
	return 0;
}

/* Of what is kept: still the copy of that mailbox? */
static int take_kept_copy(struct fill *fill)
{
	struct fill_kept *kept = fill->set->kept;

	if (kept != NULL && kept->copy != NULL &&
	    kept->uid_validity == fill->mailbox.uid_validity &&
	    kept->uid_validity == fill->state.uid_validity) {
		fill->copy = kept->copy;
		fill->digests = kept->digests;
		kept->copy = NULL;
		kept->digests = NULL;
		fill->was_kept = TRUE;
		return local_copy_sync(fill->copy, &fill->error);
	}
	if (kept != NULL)
		fill_kept_close(kept);
	if (local_copy_open(fill->set->muser, fill->set->vname, &fill->copy,
			    &fill->error) < 0)
		return -1;
	if (kept != NULL)
		local_copy_set_lazy(fill->copy);
	return 0;
}

static void keep(struct fill *fill, struct fill_kept *kept)
{
	local_copy_rollback(fill->copy);
	kept->copy = fill->copy;
	kept->digests = fill->digests;
	kept->mailbox = fill->mailbox;
	kept->uid_validity = fill->state.uid_validity;
	kept->modseq = fill->state.modseq;
	kept->verified_uid = fill->state.verified_uid;
}

void fill_close(struct fill *fill)
{
	if (fill->set->kept != NULL && fill->copy != NULL &&
	    fill->digests != NULL &&
	    fill->state.state == MAILBOX_STATE_MIRRORED) {
		keep(fill, fill->set->kept);
		return;
	}
	digest_file_close(&fill->digests);
	local_copy_close(&fill->copy);
}

void fill_kept_close(struct fill_kept *kept)
{
	digest_file_close(&kept->digests);
	local_copy_close(&kept->copy);
	i_zero(kept);
}

int fill_open(struct fill *fill)
{
	const struct fill_settings *set = fill->set;

	if (old_mailbox_open(set->client, set->old_name, set->kept != NULL,
			     &fill->mailbox, &fill->error_code,
			     &fill->error) < 0)
		return -1;
	fill->result->old_messages = fill->mailbox.messages;
	fill->result->old_uid_next = fill->mailbox.uid_next;
	fill->result->old_modseq = fill->mailbox.modseq;
	if (take_kept_copy(fill) < 0)
		return fill_local_error(fill);
	if (adopt_copy(fill) < 0)
		return -1;
	return 0;
}

static int
open_digests(struct mailbox_state_file *state ATTR_UNUSED, void *context,
	     const char **error_r)
{
	struct fill *fill = context;

	return digest_file_open(fill_dir(fill), fill->set->vname,
				fill->mailbox.uid_validity, &fill->digests,
				error_r);
}

/* Not before it is needed: it has a record for each message. Never without a
   state: it would look like one that was lost. */
int fill_open_digests(struct fill *fill)
{
	if (fill->digests != NULL)
		return 0;
	if (state_update(fill_dir(fill), fill->set->vname, tree_held(fill),
			 STATE_UPDATE_LOCK_SECS, open_digests, fill,
			 &fill->error) < 0)
		return fill_local_error(fill);
	return 0;
}

void fill_count_copy(struct local_copy *copy, const struct digest_file *digests,
		     unsigned int *messages_r, uint64_t *bytes_r)
{
	struct message_digest digest;
	ARRAY_TYPE(seq_range) uids;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	*bytes_r = 0;
	i_array_init(&uids, 64);
	local_copy_uids(copy, &uids);
	*messages_r = seq_range_count(&uids);
	seq_range_array_iter_init(&iter, &uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (digest_file_find(digests, uid, &digest))
			*bytes_r += digest.size;
	}
	array_free(&uids);
}
