#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-seqset.h"
#include "seq-range-array.h"
#include "migration-user.h"
#include "body-probe.h"
#include "digest-file.h"
#include "fill-private.h"
#include "local-copy.h"

/* Messages that are missing below the copy's UIDNEXT: can they be had now?
   Then the copy must be begun anew. */
static int retry_missed(struct fill *fill, bool *recreate_r)
{
	ARRAY_TYPE(seq_range) ok;
	int ret;

	*recreate_r = FALSE;
	if (array_is_empty(&fill->delta.missed))
		return 0;
	i_array_init(&ok, 8);
	ret = body_probe(fill->set->client, &fill->delta.missed, &ok,
			 &fill->error_code, &fill->error);
	if (ret == 0 && array_count(&ok) > 0 && !fill->result->rebuilt)
		*recreate_r = TRUE;
	else if (ret == 0) {
		seq_range_array_merge(&fill->bad, &fill->delta.missed);
		if (fill->bad_reason == NULL)
			fill->bad_reason = p_strdup(fill->pool,
						    fill->state.error);
	}
	array_free(&ok);
	return ret;
}

static uint64_t size_of(struct fill *fill, uint32_t uid)
{
	struct message_digest digest;

	return digest_file_find(fill->digests, uid, &digest) ? digest.size : 0;
}

/* What is here once the delta's expunges are done. */
static void count_copy(struct fill *fill)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint64_t size;
	uint32_t uid;

	fill->state.messages = fill->mailbox.messages;
	/* else they were counted when all was looked at */
	if (fill->complete)
		fill_count_copy(fill->copy, fill->digests,
				&fill->state.done_messages,
				&fill->state.done_bytes);
	seq_range_array_iter_init(&iter, &fill->delta.expunged);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		size = size_of(fill, uid);
		if (fill->state.done_messages > 0)
			fill->state.done_messages--;
		fill->state.done_bytes -= I_MIN(size, fill->state.done_bytes);
	}
}

/* What is to come, so that status can tell how far it is. */
static int begin_filling(struct fill *fill)
{
	count_copy(fill);
	fill->state.bytes = fill->state.done_bytes + fill->delta.fetch_bytes;
	if (!array_is_empty(&fill->delta.fetch) &&
	    fill->state.state != MAILBOX_STATE_MIRRORED)
		fill_enter_state(fill, MAILBOX_STATE_FILLING);
	fill->state.error = "";
	return fill_write_state(fill);
}

static void count_result(struct fill *fill)
{
	struct local_copy_status local;

	local_copy_status(fill->copy, &local);
	fill->result->messages = local.messages;
}

int fill_conclude(struct fill *fill)
{
	struct fill_result *result = fill->result;
	bool good = array_is_empty(&fill->bad) &&
		array_is_empty(&fill->mismatched);

	count_result(fill);
	if (good) {
		fill->state.bytes = fill->state.done_bytes;
		fill_forget_own_expunges(fill);
	}
	seq_range_array_merge(&fill->bad, &fill->mismatched);
	result->bad = seq_range_count(&fill->bad);
	result->filled = good;
	fill->state.bad_uids = fill_uid_set(fill, &fill->bad);
	seq_range_array_remove_seq_range(&fill->altered, &fill->delta.expunged);
	fill->state.altered_uids = fill_uid_set(fill, &fill->altered);
	fill->state.error = good || fill->bad_reason == NULL ? "" :
		fill->bad_reason;
	fill->state.modseq = good ? fill->mailbox.modseq : 0;
	if (!good)
		fill_enter_state(fill, MAILBOX_STATE_FILLING);
	else if (fill_enter_complete(fill) < 0)
		return -1;
	return 0;
}

static int finish(struct fill *fill)
{
	if (local_copy_commit(fill->copy, &fill->error) < 0)
		return fill_local_error(fill);
	return fill_conclude(fill) < 0 ? -1 : fill_write_state(fill);
}

/* What users expunged meanwhile needn't be had. */
static int forget_vanished(struct fill *fill)
{
	ARRAY_TYPE(seq_range) uids;
	int ret;

	if (array_is_empty(&fill->bad))
		return 0;
	i_array_init(&uids, 64);
	ret = old_mailbox_uids(fill->set->client, &uids, &fill->error_code,
			       &fill->error);
	if (ret == 0)
		seq_range_array_intersect(&fill->bad, &uids);
	array_free(&uids);
	return ret;
}

/* What the old server doesn't tell is never made up. */
static void leave_unknown(struct fill *fill)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_remove_seq_range(&fill->old.unknown, &fill->without);
	delta_leave_alone(&fill->delta, &fill->old.unknown);
	seq_range_array_iter_init(&iter, &fill->old.unknown);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		fill_message_failed(fill, uid, "the old server doesn't tell "
				    "its FLAGS or INTERNALDATE");
	}
}

/* The administrator is asked before the copy follows the old server: until then
   clients see what that has. */
static int fill_refused(struct fill *fill)
{
	return fill->error_code == MAIL_ERROR_EXISTS ?
		fill_degrade(fill) : -1;
}

/* Returns 1 when it is done, 0 when the copy was made anew and all must be
   done again, -1 on error. */
static int fill_once(struct fill *fill)
{
	bool recreate;

	if (fill_take_inventories(fill) < 0 || fill_check_expunges(fill) < 0)
		return fill_refused(fill);
	fill_expunge_without(fill);
	leave_unknown(fill);
	if (retry_missed(fill, &recreate) < 0)
		return -1;
	if (recreate) {
		return fill_recreate_copy(fill, "a message that couldn't be fetched "
			"before can be fetched now");
	}
	if (begin_filling(fill) < 0 || fill_apply_changes(fill) < 0 ||
	    fill_fetch_bodies(fill) < 0 || forget_vanished(fill) < 0)
		return -1;
	fill_report_failures(fill);
	if (fill_verify_new(fill) < 0)
		return -1;
	if (!array_is_empty(&fill->mismatched) && !fill->result->rebuilt)
		return fill_recreate_copy(fill, "the copy of a message is damaged");
	return finish(fill) < 0 ? -1 : 1;
}

static int finish_unchanged(struct fill *fill)
{
	const struct mailbox_state_file before = fill->state;

	fill->result->filled = TRUE;
	count_result(fill);
	if (fill_enter_complete(fill) < 0)
		return -1;
	return mailbox_state_equals(&before, &fill->state) ? 0 :
		fill_write_state(fill);
}

static int fill_run(struct fill *fill)
{
	int ret;

	if ((ret = fill_read_state(fill)) <= 0)
		return ret;
	if (fill_open(fill) < 0)
		return fill_refused(fill);
	if (fill->set->kept != NULL && fill_open_digests(fill) < 0)
		return -1;
	if (fill_nothing_new(fill))
		return finish_unchanged(fill);
	if (fill_open_digests(fill) < 0)
		return -1;
	while ((ret = fill_once(fill)) == 0) {
		array_clear(&fill->bad);
		array_clear(&fill->failures);
	}
	return ret < 0 ? -1 : 0;
}

void fill_init(struct fill *fill)
{
	fill->pool = pool_alloconly_create("fill", 1024);
	fill->keywords = inventory_keywords_init();
	inventory_init(&fill->old, fill->keywords);
	inventory_init(&fill->local, fill->keywords);
	delta_init(&fill->delta);
	i_array_init(&fill->bad, 8);
	i_array_init(&fill->failures, 8);
	i_array_init(&fill->without, 8);
	i_array_init(&fill->altered, 8);
	i_array_init(&fill->mismatched, 8);
}

void fill_deinit(struct fill *fill)
{
	fill_close(fill);
	array_free(&fill->mismatched);
	array_free(&fill->altered);
	array_free(&fill->without);
	array_free(&fill->failures);
	array_free(&fill->bad);
	delta_deinit(&fill->delta);
	inventory_deinit(&fill->local);
	inventory_deinit(&fill->old);
	inventory_keywords_deinit(&fill->keywords);
	pool_unref(&fill->pool);
}

int fill_mailbox(const struct fill_settings *set, struct fill_result *result_r,
		 enum mail_error *error_code_r, const char **error_r)
{
	struct fill fill = { .set = set, .result = result_r };
	int ret;

	fill_init(&fill);
	if ((ret = fill_run(&fill)) < 0) {
		*error_code_r = fill.error_code;
		*error_r = t_strdup(fill.error);
	}
	fill_deinit(&fill);
	return ret;
}
