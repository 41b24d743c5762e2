#include "lib.h"
#include "array.h"
#include "mail-storage-private.h"
#include "migration-user.h"
#include "migration-report.h"
#include "baseline.h"
#include "copy-back-private.h"
#include "local-copy.h"
#include "old-inventory.h"

#include <time.h>

/* After a failure that may last: a full quota, a message that is too large. */
#define RETRY_SECS 60
#define RETRY_MAX_SECS 3600

int copy_back_fail(struct copy_back *cb, enum mail_error error_code,
		   const char *error)
{
	cb->error_code = error_code;
	cb->error = p_strdup(cb->pool, error);
	return -1;
}

int copy_back_remember(struct copy_back *cb)
{
	const char *error;

	if (copy_pairs_write(cb->set->muser->set.dir, cb->set->vname,
			     &cb->pairs, &error) < 0)
		return copy_back_fail(cb, MAIL_ERROR_TEMP, error);
	return 0;
}

uint32_t copy_back_old_uid(const struct copy_back *cb, uint32_t local_uid)
{
	uint32_t old_uid = copy_pairs_find(&cb->pairs, local_uid);

	if (old_uid == 0 && cb->same_uids && local_uid < cb->state.uid_floor)
		return local_uid;
	return old_uid;
}

enum mail_flags copy_back_flags_mask(const struct copy_back *cb)
{
	enum mail_flags mask = cb->mailbox.permanent_flags & INVENTORY_FLAGS;

	/* on some servers it is all but an expunge */
	return cb->set->rollback ? mask : mask & ENUM_NEGATE(MAIL_DELETED);
}

/*
 * The old server's
 */

static int create_old(struct copy_back *cb)
{
	struct old_client *client = cb->set->client;
	struct old_command *cmd = old_command_new(client, "CREATE");
	enum mail_error error_code;
	const char *error;

	old_command_add_string(cmd, cb->set->old_name);
	if (old_command_run(&cmd, &error_code, &error) < 0 ||
	    old_mailbox_open(client, cb->set->old_name, TRUE, &cb->mailbox,
			     &error_code, &error) < 0)
		return copy_back_fail(cb, error_code, error);
	migration_report(cb->set->muser, "made_again",
			 "mailbox", cb->set->vname, NULL);
	return 0;
}

int copy_back_select(struct copy_back *cb)
{
	struct old_client *client = cb->set->client;
	enum mail_error error_code;
	const char *error;

	if (old_mailbox_open(client, cb->set->old_name, TRUE, &cb->mailbox,
			     &error_code, &error) < 0) {
		if (error_code != MAIL_ERROR_NOTFOUND)
			return copy_back_fail(cb, error_code, error);
		cb->gone = cb->set->plan;
		if (cb->gone)
			return 0;
		if (create_old(cb) < 0)
			return -1;
	}
	array_clear(&cb->old_uids);
	if (old_mailbox_uids(client, &cb->old_uids, &error_code, &error) < 0)
		return copy_back_fail(cb, error_code, error);
	return 0;
}

/* Where nothing is known of its flags, what it has now is what ours are to
   change. */
static int take_flags(struct copy_back *cb)
{
	enum mail_error error_code;
	const char *error;

	if (cb->gone || !cb->set->rollback ||
	    array_not_empty(&cb->baseline->messages.items))
		return 0;
	if (old_inventory_get_flags(cb->set->client, UINT32_MAX,
				    &cb->baseline->messages, &error_code,
				    &error) < 0)
		return copy_back_fail(cb, error_code, error);
	return 0;
}

/* Pairs and the baseline are of one mailbox of the old server. */
static int adopt_old(struct copy_back *cb)
{
	uint32_t uid_validity = cb->mailbox.uid_validity;

	cb->same_uids = !cb->gone && cb->state.uid_validity == uid_validity;
	if (cb->pairs.uid_validity != uid_validity)
		copy_pairs_clear(&cb->pairs, uid_validity);
	if (cb->baseline->uid_validity != uid_validity) {
		cb->replaced = cb->baseline->uid_validity != 0;
		baseline_reset(cb->baseline, uid_validity,
			       cb->mailbox.uid_next);
	}
	return take_flags(cb);
}

/*
 * Ours
 */

static int read_state(struct copy_back *cb)
{
	const char *error;
	int ret = mailbox_state_read(cb->set->muser->set.dir, cb->set->vname,
				     cb->pool, &cb->state, &error);

	if (ret < 0)
		return copy_back_fail(cb, MAIL_ERROR_TEMP, error);
	if (ret == 0 || cb->state.state != MAILBOX_STATE_LOCAL)
		return copy_back_fail(cb, MAIL_ERROR_NOTPOSSIBLE,
				      "It isn't local");
	if (cb->state.uid_floor == 0)
		return copy_back_fail(cb, MAIL_ERROR_NOTPOSSIBLE,
			"It isn't known what came since its cutover, which "
			"was by an earlier version");
	return 0;
}

static int open_local(struct copy_back *cb)
{
	const char *error;
	int ret;

	if (local_copy_open(cb->set->muser, cb->set->vname, &cb->copy,
			    &error) < 0)
		return copy_back_fail(cb, MAIL_ERROR_TEMP, error);
	local_copy_inventory(cb->copy, &cb->local);
	ret = copy_pairs_read(cb->set->muser->set.dir, cb->set->vname,
			      &cb->pairs, &error);
	cb->pairs_lost = ret == 0 && array_not_empty(&cb->baseline->copied);
	return ret < 0 ? copy_back_fail(cb, MAIL_ERROR_TEMP, error) : 0;
}

static void
copy_back_init(struct copy_back *cb, const struct copy_back_settings *set,
	       struct baseline *baseline, struct copy_back_result *result)
{
	i_zero(cb);
	cb->set = set;
	cb->baseline = baseline;
	cb->result = result;
	cb->places = set->places;
	cb->pool = pool_alloconly_create("copy back", 1024);
	inventory_init(&cb->local, baseline->messages.keywords);
	i_array_init(&cb->old_uids, 64);
	copy_pairs_init(&cb->pairs);
}

int copy_back_open(struct copy_back *cb, const struct copy_back_settings *set,
		   struct baseline *baseline, struct copy_back_result *result)
{
	copy_back_init(cb, set, baseline, result);
	if (read_state(cb) < 0 || open_local(cb) < 0 ||
	    copy_back_select(cb) < 0)
		return -1;
	return adopt_old(cb);
}

void copy_back_close(struct copy_back *cb)
{
	if (cb->places != cb->set->places)
		late_places_deinit(&cb->places);
	local_copy_close(&cb->copy);
	inventory_deinit(&cb->local);
	array_free(&cb->old_uids);
	copy_pairs_deinit(&cb->pairs);
	pool_unref(&cb->pool);
}

/*
 * The procedure
 */

/* What an earlier run didn't live to tell: UIDs that no look has seen yet. */
static void add_pairs_to_baseline(struct copy_back *cb)
{
	const struct copy_pair *pair;

	array_foreach(&cb->pairs.pairs, pair) {
		if (!pair->late && pair->old_uid >= cb->baseline->next_uid &&
		    !seq_range_exists(&cb->baseline->copied, pair->old_uid))
			copy_back_add(cb, pair->local_uid, pair->old_uid);
	}
}

static int settle(struct copy_back *cb)
{
	int ret;

	add_pairs_to_baseline(cb);
	if (array_is_empty(&cb->pairs.intents))
		return 0;
	ret = copy_back_find_intents(cb);
	if (ret == 0) {
		return copy_back_fail(cb, MAIL_ERROR_UNAVAILABLE,
			"What was under way when the connection was lost may "
			"still come to the old server");
	}
	return ret < 0 ? -1 : 0;
}

/* Flags first: the connection knows the UIDs that were there when the mailbox was
   selected, and others may be ignored by a STORE that says OK. */
static int copy_all(struct copy_back *cb)
{
	ARRAY_TYPE(seq_range) missing;
	int ret;

	i_array_init(&missing, 16);
	ret = copy_back_missing(cb, &missing);
	if (ret == 0)
		ret = copy_back_flags(cb);
	if (ret == 0 && array_not_empty(&missing))
		ret = copy_back_append(cb, &missing);
	array_free(&missing);
	return ret;
}

/* It is as it was when it was opened. */
static void all_done(struct copy_back *cb)
{
	struct mailbox_status status;

	mailbox_get_open_status(local_copy_box(cb->copy), STATUS_UIDNEXT |
				STATUS_HIGHESTMODSEQ, &status);
	cb->pairs.local_uid_next = status.uidnext;
	cb->pairs.local_modseq = status.highest_modseq;
	cb->pairs.failures = 0;
	cb->pairs.retry = 0;
}

static int failed(struct copy_back *cb)
{
	unsigned int secs = RETRY_SECS << I_MIN(cb->pairs.failures, 6);

	cb->pairs.failures++;
	cb->pairs.retry = time(NULL) + I_MIN(secs, RETRY_MAX_SECS);
	/* of the message, not of this */
	(void)copy_pairs_write(cb->set->muser->set.dir, cb->set->vname,
			       &cb->pairs, &(const char *){ NULL });
	return -1;
}

int copy_back_run(struct copy_back *cb)
{
	if (settle(cb) < 0 || copy_all(cb) < 0)
		return -1;
	if (cb->refused > 0)
		return failed(cb);
	all_done(cb);
	return copy_back_remember(cb);
}

/*
 * For catch-up
 */

static int
copy_back_end(struct copy_back *cb, int ret, enum mail_error *error_code_r,
	      const char **error_r)
{
	if (ret < 0) {
		*error_code_r = cb->error_code;
		*error_r = t_strdup(cb->error);
	}
	copy_back_close(cb);
	return ret;
}

static void report(struct copy_back *cb, int ret)
{
	const struct copy_back_result *result = cb->result;

	if (result->copied > 0 || result->flags > 0) {
		migration_report(cb->set->muser, "copied_back",
			"mailbox", cb->set->vname,
			"messages", dec2str(result->copied),
			"flags", dec2str(result->flags), NULL);
	}
	if (ret < 0) {
		migration_report(cb->set->muser, "copy_back_failed",
			"mailbox", cb->set->vname, "reason", cb->error, NULL);
	}
}

int copy_back_mailbox(struct migration_user *muser, struct old_client *client,
		      const char *vname, const char *old_name,
		      struct baseline *baseline,
		      struct copy_back_result *result_r,
		      enum mail_error *error_code_r, const char **error_r)
{
	const struct copy_back_settings set = {
		.muser = muser, .client = client,
		.vname = vname, .old_name = old_name,
	};
	struct copy_back cb;
	int ret;

	i_zero(result_r);
	ret = copy_back_open(&cb, &set, baseline, result_r);
	if (ret == 0)
		ret = copy_back_run(&cb);
	report(&cb, ret);
	return copy_back_end(&cb, ret, error_code_r, error_r);
}

/* What needs no look at either mailbox. Returns 1 when the rest does, 0, -1. */
static int settle_pairs(struct copy_back *cb, const char **error_r)
{
	int ret = copy_pairs_read(cb->set->muser->set.dir, cb->set->vname,
				  &cb->pairs, error_r);

	if (ret <= 0)
		return ret;
	if (cb->pairs.uid_validity == cb->baseline->uid_validity)
		add_pairs_to_baseline(cb);
	return array_is_empty(&cb->pairs.intents) ? 0 : 1;
}

int copy_back_settle(struct migration_user *muser, struct old_client *client,
		     const char *vname, const char *old_name,
		     struct baseline *baseline,
		     enum mail_error *error_code_r, const char **error_r)
{
	const struct copy_back_settings set = {
		.muser = muser, .client = client,
		.vname = vname, .old_name = old_name,
	};
	struct copy_back_result result;
	struct copy_back cb;
	int ret;

	i_zero(&result);
	copy_back_init(&cb, &set, baseline, &result);
	ret = settle_pairs(&cb, error_r);
	copy_back_close(&cb);
	*error_code_r = MAIL_ERROR_TEMP;
	if (ret <= 0)
		return ret;
	ret = copy_back_open(&cb, &set, baseline, &result);
	if (ret == 0)
		ret = settle(&cb);
	return copy_back_end(&cb, ret, error_code_r, error_r);
}

static int
local_is_new(struct migration_user *muser, const char *vname,
	     const struct copy_pairs *pairs, const char **error_r)
{
	struct mailbox *box = migration_local_mailbox_alloc(muser, vname,
		MAILBOX_FLAG_READONLY | MAILBOX_FLAG_IGNORE_ACLS);
	struct mailbox_status status;
	int ret;

	ret = mailbox_get_status(box, STATUS_UIDNEXT | STATUS_HIGHESTMODSEQ,
				 &status);
	if (ret < 0)
		*error_r = t_strdup(mailbox_get_last_internal_error(box, NULL));
	mailbox_free(&box);
	if (ret < 0)
		return -1;
	return status.uidnext != pairs->local_uid_next ||
		status.highest_modseq != pairs->local_modseq ? 1 : 0;
}

int copy_back_wanted(struct migration_user *muser, const char *vname,
		     const char **error_r)
{
	struct copy_pairs pairs;
	int ret;

	if (!mailbox_state_is(muser->set.dir, vname, MAILBOX_STATE_LOCAL))
		return 0;
	copy_pairs_init(&pairs);
	ret = copy_pairs_read(muser->set.dir, vname, &pairs, error_r);
	if (ret >= 0 && pairs.retry > time(NULL))
		ret = 0;
	else if (ret > 0 && array_not_empty(&pairs.intents))
		ret = 1;
	else if (ret >= 0)
		ret = local_is_new(muser, vname, &pairs, error_r);
	copy_pairs_deinit(&pairs);
	return ret;
}
