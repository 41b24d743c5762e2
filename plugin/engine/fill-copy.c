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

/* a folder command waits for the old server meanwhile */
#define TREE_LOCK_SECS 60

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

/* A session may have deleted or renamed the mailbox meanwhile. */
static int write_state_held(struct fill *fill)
{
	struct mailbox_state_file now;
	int ret;

	ret = mailbox_state_read(fill_dir(fill), fill->set->vname,
				 pool_datastack_create(), &now, &fill->error);
	if (ret < 0)
		return -1;
	if (ret == 0 || !mailbox_state_authority_is_old(now.state)) {
		fill->error = "The mailbox was deleted or renamed meanwhile";
		return -1;
	}
	return mailbox_state_write(fill_dir(fill), fill->set->vname, &fill->state,
				   &fill->error);
}

int fill_write_state(struct fill *fill)
{
	struct lease *tree = NULL;
	int ret = 1;

	if ((fill->set->flags & FILL_FLAG_TREE_HELD) == 0)
		ret = lease_tree(fill_dir(fill), TREE_LOCK_SECS, &tree,
				 &fill->error);
	if (ret == 0)
		fill->error = "Another process is busy with the folders";
	ret = ret <= 0 ? -1 : write_state_held(fill);
	lease_release(&tree);
	return ret < 0 ? fill_local_error(fill) : 0;
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
	if ((fill->set->flags & FILL_FLAG_TREE_HELD) != 0) {
		fill->error = t_strdup_printf("The copy must be made anew: %s",
					      reason);
		return fill_local_error(fill);
	}
	migration_report(fill->set->muser, "rebuild",
			 "mailbox", fill->set->vname, "reason", reason, NULL);
	fill->result->rebuilt = TRUE;
	if (forget_copy(fill) < 0)
		return -1;
	if (local_copy_recreate(fill->copy, &fill->error) < 0 ||
	    local_copy_set_uid_validity(fill->copy,
					fill->mailbox.uid_validity,
					&fill->error) < 0)
		return fill_local_error(fill);
	return 0;
}

/* Begun anew there, with little in it: what is here may be all that is left
   (I4). */
static bool looks_wiped(struct fill *fill,
			const struct local_copy_status *local)
{
	if (fill->mailbox.messages >= local->messages / 2 ||
	    (fill->set->flags & FILL_FLAG_VERIFY) != 0)
		return FALSE;
	fill->error = t_strdup_printf(
		"The old server has begun it anew (another UIDVALIDITY) with "
		"%u messages, and %u are here: if they aren't needed, begin "
		"here anew as well with doveadm migration verify",
		fill->mailbox.messages, local->messages);
	fill->error_code = MAIL_ERROR_EXISTS;
	return TRUE;
}

/* Make sure that the copy is one of this old mailbox. */
static int adopt_copy(struct fill *fill)
{
	struct local_copy_status local;
	uint32_t uid_validity = fill->mailbox.uid_validity;
	bool known = fill->state.uid_validity != 0;
	bool same = fill->state.uid_validity == uid_validity;

	local_copy_status(fill->copy, &local);
	if (known && same && local.uid_validity == uid_validity) {
		if (fill->state.state == MAILBOX_STATE_FILLING &&
		    local_copy_remove_strays(fill->copy, &fill->error) < 0)
			return fill_local_error(fill);
		return 0;
	}
	if (known && !same && looks_wiped(fill, &local))
		return -1;
	fill->state.uid_validity = uid_validity;
	if (known)
		return fill_recreate_copy(fill, same ?
			"the local mailbox was changed by somebody else" :
			"the old server has given it another UIDVALIDITY");

	if (local.messages > 0 && local.uid_validity != uid_validity) {
		fill->error = t_strdup_printf(
			"A local mailbox of that name is in the way, with %u "
			"messages that aren't from the old server: move them "
			"away (doveadm mailbox rename) or delete them",
			local.messages);
		fill->error_code = MAIL_ERROR_EXISTS;
		return -1;
	}
	if (local.messages == 0 && local.uid_next > 1)
		return fill_recreate_copy(fill, "the local mailbox was used before");
	if (local.uid_validity != uid_validity &&
	    local_copy_set_uid_validity(fill->copy, uid_validity,
					&fill->error) < 0)
		return fill_local_error(fill);
	return 0;
}

int fill_open(struct fill *fill)
{
	const struct fill_settings *set = fill->set;

	if (old_mailbox_open(set->client, set->old_name, &fill->mailbox,
			     &fill->error_code, &fill->error) < 0)
		return -1;
	fill->result->old_messages = fill->mailbox.messages;
	fill->result->old_uid_next = fill->mailbox.uid_next;
	fill->result->old_modseq = fill->mailbox.modseq;
	if (local_copy_open(set->muser, set->vname, &fill->copy,
			    &fill->error) < 0)
		return fill_local_error(fill);
	if (adopt_copy(fill) < 0)
		return -1;
	return 0;
}

/* Not before it is needed: it has a record for each message. */
int fill_open_digests(struct fill *fill)
{
	if (digest_file_open(fill_dir(fill), fill->set->vname,
			     fill->mailbox.uid_validity, &fill->digests,
			     &fill->error) < 0)
		return fill_local_error(fill);
	return 0;
}
