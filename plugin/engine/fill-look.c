#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "migration-user.h"
#include "digest-file.h"
#include "fill-private.h"
#include "local-copy.h"
#include "old-inventory.h"

/* Nothing is missing in the copy but what is new since state.modseq. */
static bool is_filled(const struct fill *fill)
{
	return fill->state.state == MAILBOX_STATE_FILLED ||
		fill->state.state == MAILBOX_STATE_MIRRORED;
}

bool fill_nothing_new(struct fill *fill)
{
	struct local_copy_status local;

	local_copy_status(fill->copy, &local);
	return is_filled(fill) &&
		(fill->set->flags & FILL_FLAG_VERIFY) == 0 &&
		fill->state.modseq != 0 &&
		fill->state.modseq == fill->mailbox.modseq &&
		fill->mailbox.messages == local.messages &&
		fill->mailbox.uid_next == local.uid_next &&
		*fill->state.bad_uids == '\0';
}

/* An index that was made anew gives new messages lower MODSEQs than the state's:
   where not each new UID is shown they are asked for by UID. */
static int get_changed(struct fill *fill, uint32_t local_next_uid)
{
	struct old_client *client = fill->set->client;
	uint32_t end_uid = fill->mailbox.uid_next;
	const struct inventory_item *item;
	unsigned int count = 0;

	if (old_inventory_get_changed(client, fill->state.modseq, end_uid,
				      &fill->old, &fill->error_code,
				      &fill->error) < 0)
		return -1;
	array_foreach(&fill->old.items, item) {
		if (item->uid >= local_next_uid)
			count++;
	}
	if (local_next_uid + count >= end_uid)
		return 0;
	return old_inventory_get(client, local_next_uid, end_uid, &fill->old,
				 &fill->error_code, &fill->error);
}

/* All that the old server has, as little of it as is needed. */
static int get_old_inventory(struct fill *fill)
{
	struct old_client *client = fill->set->client;
	struct local_copy_status local;
	uint32_t end_uid = fill->mailbox.uid_next;

	local_copy_status(fill->copy, &local);
	fill->complete = TRUE;
	if ((fill->set->flags & FILL_FLAG_VERIFY) == 0 &&
	    is_filled(fill) &&
	    fill->state.modseq != 0 &&
	    fill->mailbox.modseq >= fill->state.modseq) {
		fill->complete = FALSE;
		return get_changed(fill, local.uid_next);
	}
	if ((fill->set->flags & FILL_FLAG_VERIFY) != 0 || local.messages == 0) {
		fill->dated = TRUE;
		inventory_expect(&fill->old, fill->mailbox.messages);
		return old_inventory_get(client, 1, end_uid, &fill->old,
					 &fill->error_code, &fill->error);
	}
	if (old_inventory_get_flags(client, I_MIN(local.uid_next, end_uid),
				    &fill->old, &fill->error_code,
				    &fill->error) < 0)
		return -1;
	return old_inventory_get(client, local.uid_next, end_uid, &fill->old,
				 &fill->error_code, &fill->error);
}

/* What came from the old server has a digest, durable before the message was.
   The others were delivered behind our back, or the mailbox was local once and
   all that was remembered of it is lost: the delta would expunge them. */
int fill_refuse_foreign(struct fill *fill)
{
	ARRAY_TYPE(seq_range) uids, own;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	t_array_init(&uids, 64);
	t_array_init(&own, 8);
	local_copy_uids(fill->copy, &uids);
	seq_range_array_iter_init(&iter, &uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (!digest_file_has(fill->digests, uid))
			seq_range_array_add(&own, uid);
	}
	if (array_is_empty(&own))
		return 0;
	fill->error = t_strdup_printf("The local mailbox has %u messages that "
		"aren't from the old server, see FOREIGN MESSAGES in "
		"doveadm-migration(1): UIDs %s", seq_range_count(&own),
		fill_uid_set(fill, &own));
	fill->error_code = MAIL_ERROR_EXISTS;
	return -1;
}

/* Then nothing was expunged: each UID since is a message that is still there, so
   those before are as many as the copy has, which has all of them. The numbers
   alone may agree by chance: one that came and went makes up for one that is
   gone. So may they with some left out. */
static bool
numbers_agree(struct fill *fill, const struct local_copy_status *local)
{
	return array_is_empty(&fill->without) &&
		fill->delta.fetch_count ==
		fill->mailbox.uid_next - local->uid_next &&
		local->messages + fill->delta.fetch_count ==
		fill->mailbox.messages;
}

static int compute_delta(struct fill *fill)
{
	struct local_copy_status local;
	ARRAY_TYPE(seq_range) uids;
	int ret;

	local_copy_status(fill->copy, &local);
	delta_clear(&fill->delta);
	delta_compute(&fill->old, &fill->local, local.uid_next, fill->complete,
		      &fill->delta);
	delta_leave_out(&fill->delta, &fill->without);
	if (fill->complete || numbers_agree(fill, &local))
		return 0;
	i_array_init(&uids, 64);
	ret = old_mailbox_uids(fill->set->client, &uids, &fill->error_code,
			       &fill->error);
	if (ret == 0) {
		inventory_clear(&fill->local);
		local_copy_inventory(fill->copy, &fill->local);
		delta_add_expunged(&fill->delta, &fill->local, &uids);
		delta_add_missed(&fill->delta, &fill->local, local.uid_next,
				 &uids);
		delta_leave_out(&fill->delta, &fill->without);
	}
	array_free(&uids);
	return ret;
}

int fill_take_inventories(struct fill *fill)
{
	inventory_clear(&fill->old);
	inventory_clear(&fill->local);
	if ((!fill->was_kept && fill_refuse_foreign(fill) < 0) ||
	    get_old_inventory(fill) < 0)
		return -1;
	if (fill->complete)
		local_copy_inventory(fill->copy, &fill->local);
	else
		local_copy_inventory_of(fill->copy, &fill->old, &fill->local);
	return compute_delta(fill);
}
