#include "lib.h"
#include "array.h"
#include "time-util.h"
#include "seq-range-array.h"
#include "migration-user.h"
#include "migration-report.h"
#include "body-fetch.h"
#include "digest-file.h"
#include "fill-private.h"
#include "local-copy.h"
#include "verify.h"

int fill_apply_changes(struct fill *fill)
{
	fill->result->changed += seq_range_count(&fill->delta.changed);
	fill->result->expunged += seq_range_count(&fill->delta.expunged);
	if (local_copy_apply(fill->copy, &fill->old, &fill->delta,
			     &fill->error) < 0)
		return fill_local_error(fill);
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
	fill->state.altered_uids = fill_uid_set(fill, &fill->altered);
	measure_rate(fill);
	if (fill_write_state(fill) == 0)
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

void fill_message_failed(struct fill *fill, uint32_t uid, const char *reason)
{
	struct fill_failure *failure = array_append_space(&fill->failures);

	failure->uid = uid;
	failure->reason = p_strdup(fill->pool, reason);
	seq_range_array_add(&fill->bad, uid);
}

static void
report_failure(struct fill *fill, const struct fill_failure *failure)
{
	if (fill->bad_reason == NULL) {
		fill->bad_reason = p_strdup_printf(fill->pool, "UID %u: %s",
			failure->uid, failure->reason);
	}
	migration_report(fill->set->muser, "message_failed",
			 "mailbox", fill->set->vname,
			 "uid", dec2str(failure->uid),
			 "reason", failure->reason, NULL);
}

void fill_report_failures(struct fill *fill)
{
	const struct fill_failure *failure;

	array_foreach(&fill->failures, failure) T_BEGIN {
		if (seq_range_exists(&fill->bad, failure->uid))
			report_failure(fill, failure);
	} T_END;
	array_clear(&fill->failures);
}

static void fetch_failed(void *context, uint32_t uid, const char *reason)
{
	fill_message_failed(context, uid, reason);
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

void fill_get_body_settings(struct fill *fill, struct body_fetch_settings *set_r)
{
	i_zero(set_r);
	set_r->client = fill->set->client;
	set_r->copy = fill->copy;
	set_r->digests = fill->digests;
	set_r->old = &fill->old;
	set_r->committed = fetch_committed;
	set_r->progress = fetch_progress;
	set_r->failed = fetch_failed;
	set_r->altered = fetch_altered;
	set_r->context = fill;
}

void fill_begin_bodies(struct fill *fill)
{
	const struct fill_observer *observer = fill->set->observer;

	observer->begin(observer->context, fill->set->vname, "fill",
			fill->delta.fetch_count, fill->delta.fetch_bytes);
	i_gettimeofday(&fill->fetch_start);
}

int fill_fetch_bodies(struct fill *fill)
{
	struct body_fetch_settings set;

	fill_get_body_settings(fill, &set);
	fill_begin_bodies(fill);
	if (array_is_empty(&fill->delta.fetch))
		return 0;
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

int fill_verify_new(struct fill *fill)
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
		return fill_local_error(fill);
	if (array_is_empty(&fill->mismatched))
		fill->state.verified_uid = local.uid_next - 1;
	return 0;
}
