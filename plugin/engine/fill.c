#include "lib.h"
#include "array.h"
#include "str.h"
#include "ioloop.h"
#include "time-util.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "seq-range-array.h"
#include "migration-user.h"
#include "migration-report.h"
#include "body-fetch.h"
#include "body-probe.h"
#include "delta.h"
#include "digest-file.h"
#include "fill.h"
#include "lease.h"
#include "local-copy.h"
#include "mailbox-state.h"
#include "old-inventory.h"
#include "old-mailbox.h"
#include "verify.h"

/* a folder command waits for the old server meanwhile */
#define TREE_LOCK_SECS 60

struct fill {
	const struct fill_settings *set;
	struct fill_result *result;
	pool_t pool;

	struct mailbox_state_file state;
	struct old_mailbox mailbox;
	struct local_copy *copy;
	struct digest_file *digests;

	struct inventory_keywords *keywords;
	struct inventory old, local;
	/* old has all messages */
	bool complete;
	/* old has the dates of all its messages */
	bool dated;
	struct delta delta;

	/* messages that can't be had, and why the first one can't */
	ARRAY_TYPE(seq_range) bad;
	const char *bad_reason;
	/* given up by the administrator */
	ARRAY_TYPE(seq_range) without;
	/* messages in the copy whose bytes aren't quite those of the wire */
	ARRAY_TYPE(seq_range) altered;
	/* messages whose copy isn't as it was on the wire */
	ARRAY_TYPE(seq_range) mismatched;

	/* when the first message was asked for */
	struct timeval fetch_start;

	enum mail_error error_code;
	const char *error;
};

static const char *dir(struct fill *fill)
{
	return fill->set->muser->set.dir;
}

static int local_error(struct fill *fill)
{
	fill->error_code = MAIL_ERROR_TEMP;
	return -1;
}

static const char *uid_set(struct fill *fill, const ARRAY_TYPE(seq_range) *uids)
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

	ret = mailbox_state_read(dir(fill), fill->set->vname,
				 pool_datastack_create(), &now, &fill->error);
	if (ret < 0)
		return -1;
	if (ret == 0 || !mailbox_state_authority_is_old(now.state)) {
		fill->error = "The mailbox was deleted or renamed meanwhile";
		return -1;
	}
	return mailbox_state_write(dir(fill), fill->set->vname, &fill->state,
				   &fill->error);
}

static int write_state(struct fill *fill)
{
	struct lease *tree = NULL;
	int ret = 1;

	if ((fill->set->flags & FILL_FLAG_TREE_HELD) == 0)
		ret = lease_tree(dir(fill), TREE_LOCK_SECS, &tree,
				 &fill->error);
	if (ret == 0)
		fill->error = "Another process is busy with the folders";
	ret = ret <= 0 ? -1 : write_state_held(fill);
	lease_release(&tree);
	return ret < 0 ? local_error(fill) : 0;
}

static void enter_state(struct fill *fill, enum mailbox_state state)
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
static int read_state(struct fill *fill)
{
	int ret = mailbox_state_read(dir(fill), fill->set->vname, fill->pool,
				     &fill->state, &fill->error);

	if (ret < 0)
		return local_error(fill);
	if (ret == 0 || !mailbox_state_authority_is_old(fill->state.state)) {
		fill->result->local = TRUE;
		return 0;
	}
	if (!parse_uid_set(fill->state.without_uids, &fill->without) ||
	    !parse_uid_set(fill->state.altered_uids, &fill->altered)) {
		fill->error = "Its state has an invalid set of UIDs";
		return local_error(fill);
	}
	return 1;
}

/* Nothing in the copy counts from here on. */
static int forget_copy(struct fill *fill)
{
	enter_state(fill, MAILBOX_STATE_FILLING);
	array_clear(&fill->altered);
	fill->state.altered_uids = "";
	fill->state.durable_uid = 0;
	fill->state.verified_uid = 0;
	fill->state.modseq = 0;
	fill->state.done_messages = 0;
	fill->state.done_bytes = 0;
	return write_state(fill);
}

static int recreate_copy(struct fill *fill, const char *reason)
{
	if ((fill->set->flags & FILL_FLAG_TREE_HELD) != 0) {
		fill->error = t_strdup_printf("The copy must be made anew: %s",
					      reason);
		return local_error(fill);
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
		return local_error(fill);
	return 0;
}

/* Make sure that the copy is one of this old mailbox. */
static int adopt_copy(struct fill *fill)
{
	struct local_copy_status local;
	uint32_t uid_validity = fill->mailbox.uid_validity;
	bool known = fill->state.uid_validity != 0;
	bool same = fill->state.uid_validity == uid_validity;

	local_copy_status(fill->copy, &local);
	fill->state.uid_validity = uid_validity;
	if (known && same && local.uid_validity == uid_validity) {
		if (fill->state.state == MAILBOX_STATE_FILLING &&
		    local_copy_remove_strays(fill->copy, &fill->error) < 0)
			return local_error(fill);
		return 0;
	}
	if (known)
		return recreate_copy(fill, same ?
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
		return recreate_copy(fill, "the local mailbox was used before");
	if (local.uid_validity != uid_validity &&
	    local_copy_set_uid_validity(fill->copy, uid_validity,
					&fill->error) < 0)
		return local_error(fill);
	return 0;
}

static int open_both(struct fill *fill)
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
		return local_error(fill);
	if (adopt_copy(fill) < 0)
		return -1;
	return 0;
}

/* Not before it is needed: it has a record for each message. */
static int open_digests(struct fill *fill)
{
	if (digest_file_open(dir(fill), fill->set->vname,
			     fill->mailbox.uid_validity, &fill->digests,
			     &fill->error) < 0)
		return local_error(fill);
	return 0;
}

static bool nothing_new(struct fill *fill)
{
	struct local_copy_status local;

	local_copy_status(fill->copy, &local);
	return fill->state.state == MAILBOX_STATE_FILLED &&
		(fill->set->flags & FILL_FLAG_VERIFY) == 0 &&
		fill->state.modseq != 0 &&
		fill->state.modseq == fill->mailbox.modseq &&
		fill->mailbox.messages == local.messages &&
		*fill->state.bad_uids == '\0';
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
	    fill->state.state == MAILBOX_STATE_FILLED &&
	    fill->state.modseq != 0 && fill->mailbox.modseq != 0) {
		fill->complete = FALSE;
		return old_inventory_get_changed(client, fill->state.modseq,
			end_uid, &fill->old, &fill->error_code, &fill->error);
	}
	if ((fill->set->flags & FILL_FLAG_VERIFY) != 0 || local.messages == 0) {
		fill->dated = TRUE;
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

/* A UID that the old server hasn't given yet: the mailbox was local once, and
   its state was lost or put back, or somebody delivers behind our back. The
   delta would expunge it. */
static int refuse_own_messages(struct fill *fill)
{
	const struct inventory_item *items;
	unsigned int count;

	items = array_get(&fill->local.items, &count);
	while (count > 0 && items[count - 1].uid >= fill->mailbox.uid_next) {
		if (digest_file_find(fill->digests, items[--count].uid) != NULL)
			continue;
		fill->error = t_strdup_printf("The local mailbox has messages "
			"that aren't from the old server (UID %u, its next is "
			"%u): move them away or delete them", items[count].uid,
			fill->mailbox.uid_next);
		fill->error_code = MAIL_ERROR_EXISTS;
		return -1;
	}
	return 0;
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
	/* with some left out the numbers may agree by chance */
	if (fill->complete || (array_is_empty(&fill->without) &&
			       local.messages + fill->delta.fetch_count ==
			       fill->mailbox.messages))
		return 0;
	i_array_init(&uids, 64);
	ret = old_mailbox_uids(fill->set->client, &uids, &fill->error_code,
			       &fill->error);
	if (ret == 0) {
		array_clear(&fill->local.items);
		local_copy_inventory(fill->copy, &fill->local);
		ret = refuse_own_messages(fill);
	}
	if (ret == 0)
		delta_add_expunged(&fill->delta, &fill->local, &uids);
	array_free(&uids);
	return ret;
}

static int take_inventories(struct fill *fill)
{
	array_clear(&fill->old.items);
	array_clear(&fill->local.items);
	if (get_old_inventory(fill) < 0)
		return -1;
	if (fill->complete)
		local_copy_inventory(fill->copy, &fill->local);
	else
		local_copy_inventory_of(fill->copy, &fill->old, &fill->local);
	if (refuse_own_messages(fill) < 0)
		return -1;
	return compute_delta(fill);
}

static void add_bad(struct fill *fill, uint32_t uid, const char *reason)
{
	seq_range_array_add(&fill->bad, uid);
	if (fill->bad_reason == NULL) {
		fill->bad_reason = p_strdup_printf(fill->pool, "UID %u: %s",
						   uid, reason);
	}
}

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
		fill->bad_reason = p_strdup(fill->pool, fill->state.error);
	}
	array_free(&ok);
	return ret;
}

static int apply_changes(struct fill *fill)
{
	fill->result->changed += seq_range_count(&fill->delta.changed);
	fill->result->expunged += seq_range_count(&fill->delta.expunged);
	if (local_copy_apply(fill->copy, &fill->old, &fill->delta,
			     &fill->error) < 0)
		return local_error(fill);
	return 0;
}

static void measure_rate(struct fill *fill)
{
	struct timeval now;
	long long usecs;

	i_gettimeofday(&now);
	usecs = timeval_diff_usecs(&now, &fill->fetch_start);
	if (usecs > 0)
		fill->state.rate = fill->result->fetched_bytes * 1000000 /
			usecs;
}

static int
fetch_committed(void *context, uint32_t uid, const char **error_r)
{
	struct fill *fill = context;

	fill->state.durable_uid = uid;
	fill->state.altered_uids = uid_set(fill, &fill->altered);
	measure_rate(fill);
	if (write_state(fill) == 0)
		return 0;
	*error_r = fill->error;
	return -1;
}

static void fetch_progress(void *context, uint64_t bytes)
{
	struct fill *fill = context;

	fill->result->fetched++;
	fill->result->fetched_bytes += bytes;
	fill->state.done_messages++;
	fill->state.done_bytes += bytes;
	fill->set->observer->progress(fill->set->observer->context, bytes);
}

static void fetch_failed(void *context, uint32_t uid, const char *reason)
{
	struct fill *fill = context;

	add_bad(fill, uid, reason);
	migration_report(fill->set->muser, "message_failed",
			 "mailbox", fill->set->vname, "uid", dec2str(uid),
			 "reason", reason, NULL);
}

static void fetch_altered(void *context, uint32_t uid,
			  const struct message_digest *digest)
{
	struct fill *fill = context;

	fill->result->altered++;
	seq_range_array_add(&fill->altered, uid);
	migration_report(fill->set->muser, "message_altered",
			 "mailbox", fill->set->vname, "uid", dec2str(uid),
			 "bytes", message_alteration_to_str(digest->altered),
			 NULL);
}

static int fetch_bodies(struct fill *fill)
{
	const struct fill_observer *observer = fill->set->observer;
	const struct body_fetch_settings set = {
		.client = fill->set->client,
		.copy = fill->copy,
		.digests = fill->digests,
		.old = &fill->old,
		.committed = fetch_committed,
		.progress = fetch_progress,
		.failed = fetch_failed,
		.altered = fetch_altered,
		.context = fill,
	};

	observer->begin(observer->context, fill->set->vname, "fill",
			fill->delta.fetch_count, fill->delta.fetch_bytes);
	if (array_is_empty(&fill->delta.fetch))
		return 0;
	i_gettimeofday(&fill->fetch_start);
	return body_fetch(&set, &fill->delta.fetch, &fill->error_code,
			  &fill->error);
}

static void verify_bad(void *context, uint32_t uid, const char *reason)
{
	struct fill *fill = context;

	fill->result->mismatched++;
	seq_range_array_add(&fill->mismatched, uid);
	migration_report(fill->set->muser, "mismatch",
			 "mailbox", fill->set->vname, "uid", dec2str(uid),
			 "reason", reason, NULL);
}

static void verify_progress(void *context, uint64_t bytes)
{
	struct fill *fill = context;

	fill->result->verified++;
	fill->result->verified_bytes += bytes;
	fill->set->observer->progress(fill->set->observer->context, bytes);
}

static int verify_new(struct fill *fill)
{
	const struct fill_observer *fill_observer = fill->set->observer;
	const struct verify_observer observer = {
		.bad = verify_bad,
		.progress = verify_progress,
		.context = fill,
	};
	struct local_copy_status local;
	bool all = (fill->set->flags & FILL_FLAG_VERIFY) != 0;
	uint32_t first_uid = all ? 1 : fill->state.verified_uid + 1;

	array_clear(&fill->mismatched);
	local_copy_status(fill->copy, &local);
	if (local.uid_next <= first_uid)
		return 0;
	fill_observer->begin(fill_observer->context, fill->set->vname,
		"verify", all ? local.messages : fill->result->fetched,
		all ? fill->state.done_bytes : fill->result->fetched_bytes);
	if (verify_copy(fill->copy, fill->digests, first_uid,
			fill->dated ? &fill->old : NULL, &observer,
			&fill->error) < 0)
		return local_error(fill);
	if (array_is_empty(&fill->mismatched))
		fill->state.verified_uid = local.uid_next - 1;
	return 0;
}

static uint64_t size_of(struct fill *fill, uint32_t uid)
{
	const struct message_digest *digest =
		digest_file_find(fill->digests, uid);

	return digest == NULL ? 0 : digest->size;
}

static void count_all(struct fill *fill)
{
	const struct inventory_item *item;

	fill->state.done_messages = 0;
	fill->state.done_bytes = 0;
	array_foreach(&fill->local.items, item) {
		fill->state.done_messages++;
		fill->state.done_bytes += size_of(fill, item->uid);
	}
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
		count_all(fill);
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
	if (!array_is_empty(&fill->delta.fetch))
		enter_state(fill, MAILBOX_STATE_FILLING);
	fill->state.error = "";
	return write_state(fill);
}

static void count_result(struct fill *fill)
{
	struct local_copy_status local;

	local_copy_status(fill->copy, &local);
	fill->result->messages = local.messages;
}

static int finish(struct fill *fill)
{
	struct fill_result *result = fill->result;
	bool good = array_is_empty(&fill->bad) &&
		array_is_empty(&fill->mismatched);

	if (local_copy_commit(fill->copy, &fill->error) < 0)
		return local_error(fill);
	count_result(fill);
	if (good)
		fill->state.bytes = fill->state.done_bytes;
	seq_range_array_merge(&fill->bad, &fill->mismatched);
	result->bad = seq_range_count(&fill->bad);
	result->filled = good;
	fill->state.bad_uids = uid_set(fill, &fill->bad);
	seq_range_array_remove_seq_range(&fill->altered, &fill->delta.expunged);
	fill->state.altered_uids = uid_set(fill, &fill->altered);
	fill->state.error = good || fill->bad_reason == NULL ? "" :
		fill->bad_reason;
	fill->state.modseq = good ? fill->mailbox.modseq : 0;
	enter_state(fill, good ? MAILBOX_STATE_FILLED : MAILBOX_STATE_FILLING);
	return write_state(fill);
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

/* Returns 1 when it is done, 0 when the copy was made anew and all must be
   done again, -1 on error. */
static int fill_once(struct fill *fill)
{
	bool recreate;

	if (take_inventories(fill) < 0 || retry_missed(fill, &recreate) < 0)
		return -1;
	if (recreate) {
		return recreate_copy(fill, "a message that couldn't be fetched "
			"before can be fetched now");
	}
	if (begin_filling(fill) < 0 || apply_changes(fill) < 0 ||
	    fetch_bodies(fill) < 0 || forget_vanished(fill) < 0 ||
	    verify_new(fill) < 0)
		return -1;
	if (!array_is_empty(&fill->mismatched) && !fill->result->rebuilt)
		return recreate_copy(fill, "the copy of a message is damaged");
	return finish(fill) < 0 ? -1 : 1;
}

/* of an earlier run */
static int forget_error(struct fill *fill)
{
	if (*fill->state.error == '\0')
		return 0;
	fill->state.error = "";
	return write_state(fill);
}

static int fill_run(struct fill *fill)
{
	int ret;

	if ((ret = read_state(fill)) <= 0)
		return ret;
	if (open_both(fill) < 0)
		return -1;
	if (nothing_new(fill)) {
		fill->result->filled = TRUE;
		count_result(fill);
		return forget_error(fill);
	}
	if (open_digests(fill) < 0)
		return -1;
	while ((ret = fill_once(fill)) == 0)
		array_clear(&fill->bad);
	return ret < 0 ? -1 : 0;
}

static void fill_init(struct fill *fill)
{
	fill->pool = pool_alloconly_create("fill", 1024);
	fill->keywords = inventory_keywords_init();
	inventory_init(&fill->old, fill->keywords);
	inventory_init(&fill->local, fill->keywords);
	delta_init(&fill->delta);
	i_array_init(&fill->bad, 8);
	i_array_init(&fill->without, 8);
	i_array_init(&fill->altered, 8);
	i_array_init(&fill->mismatched, 8);
}

static void fill_deinit(struct fill *fill)
{
	digest_file_close(&fill->digests);
	local_copy_close(&fill->copy);
	array_free(&fill->mismatched);
	array_free(&fill->altered);
	array_free(&fill->without);
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
