#include "lib.h"
#include "array.h"
#include "sleep.h"
#include "time-util.h"
#include "mail-storage-private.h"
#include "migration-user.h"
#include "migration-report.h"
#include "baseline.h"
#include "folder-tree.h"
#include "lease.h"
#include "local-copy.h"
#include "name-map.h"
#include "old-settings.h"
#include "rename-journal.h"
#include "rollback-private.h"
#include "state-update.h"

#include <time.h>

/* as at a cutover */
#define DRAIN_SECS 30
#define TREE_LOCK_SECS 60
#define PATIENCE_MSECS 5000
/* Nobody waits: a connection that is lost is made again. */
#define COPY_TRIES 10
#define RETRY_MSECS 1000

struct rollback {
	struct migration_user *muser;
	struct rollback_settings set;
	struct old_client *client;
	struct name_map map;
	struct lease *catchup;
	struct late_places *places;
};

/* One mailbox of it. */
struct rollback_box {
	struct rollback *rollback;
	struct rollback_result *result;
	struct copy_back_settings copy_set;
	struct inventory_keywords *keywords;
	struct baseline baseline;
	/* the old mailbox is another one than at the last look */
	bool replaced;
	/* what it was before */
	struct mailbox_state_file state;
	pool_t pool;
	ARRAY_TYPE(seq_range) checked;
	struct lease *tree, *lease;
	struct timeval excluded;

	enum mail_error error_code;
	const char *error;
};

int rollback_begin(struct migration_user *muser,
		   const struct rollback_settings *set,
		   unsigned int timeout_secs, struct rollback **rollback_r,
		   enum mail_error *error_code_r, const char **error_r)
{
	struct rollback *rollback = i_new(struct rollback, 1);
	struct old_client_settings client_set;
	int ret;

	*error_code_r = MAIL_ERROR_TEMP;
	rollback->muser = muser;
	rollback->set = *set;
	ret = lease_catchup(muser->set.dir, timeout_secs, &rollback->catchup,
			    error_r);
	if (ret == 0)
		*error_r = "A catch-up of this user goes on";
	if (ret > 0) {
		ret = folder_tree_name_map(muser, &rollback->map, error_r);
		if (ret == 0)
			*error_r = "Nothing of this user was ever filled";
	}
	if (ret <= 0 ||
	    late_places_init(muser, &rollback->places, error_r) < 0 ||
	    old_settings_read(muser->ns, &client_set, error_r) < 0) {
		rollback_end(&rollback);
		return -1;
	}
	rollback->client = old_client_init(&client_set, muser->user->event);
	/* what a client has expunged there since the last look isn't left out */
	if (old_client_connect(rollback->client, error_code_r, error_r) < 0 ||
	    late_places_look(rollback->places, rollback->client,
			     &rollback->map, error_code_r, error_r) < 0) {
		rollback_end(&rollback);
		return -1;
	}
	*rollback_r = rollback;
	return 0;
}

void rollback_end(struct rollback **_rollback)
{
	struct rollback *rollback = *_rollback;

	if (rollback == NULL)
		return;
	*_rollback = NULL;
	if (rollback->client != NULL)
		old_client_deinit(&rollback->client);
	late_places_deinit(&rollback->places);
	lease_release(&rollback->catchup);
	i_free(rollback);
}

static int box_fail(struct rollback_box *box, enum mail_error error_code,
		    const char *error)
{
	box->error_code = error_code;
	box->error = p_strdup(box->pool, error);
	return -1;
}

/* Returns 1, 0 when there is nothing to do, -1. */
static int box_init(struct rollback_box *box, const char *vname)
{
	struct rollback *rollback = box->rollback;
	const char *dir = rollback->muser->set.dir, *error;
	int ret;

	box->copy_set.muser = rollback->muser;
	box->copy_set.client = rollback->client;
	box->copy_set.vname = vname;
	box->copy_set.old_name = name_map_to_old(&rollback->map, vname);
	box->copy_set.rollback = TRUE;
	box->copy_set.others = rollback->set.vnames;
	box->copy_set.places = rollback->places;
	ret = mailbox_state_read(dir, vname, box->pool, &box->state, &error);
	if (ret < 0)
		return box_fail(box, MAIL_ERROR_TEMP, error);
	if (ret == 0 || box->state.state == MAILBOX_STATE_DELETED ||
	    (box->state.state == MAILBOX_STATE_LOCAL &&
	     box->state.uid_validity == 0)) {
		box->result->own = TRUE;
		return 0;
	}
	if (mailbox_state_authority_is_old(box->state.state)) {
		box->result->was_old = TRUE;
		return 0;
	}
	if (box->copy_set.old_name == NULL) {
		return box_fail(box, MAIL_ERROR_NOTPOSSIBLE,
			"The old server can't have a mailbox of that name");
	}
	if (baseline_read(dir, vname, &box->baseline, &error) < 0)
		return box_fail(box, MAIL_ERROR_TEMP, error);
	return 1;
}

static void
box_alloc(struct rollback_box *box, struct rollback *rollback,
	  struct rollback_result *result)
{
	i_zero(box);
	i_zero(result);
	box->rollback = rollback;
	box->result = result;
	box->pool = pool_alloconly_create("rollback", 1024);
	box->keywords = inventory_keywords_init();
	baseline_init(&box->baseline, box->keywords);
	i_array_init(&box->checked, 64);
}

static int
box_end(struct rollback_box *box, int ret, enum mail_error *error_code_r,
	const char **error_r)
{
	lease_release(&box->lease);
	lease_release(&box->tree);
	if (ret < 0) {
		*error_code_r = box->error_code;
		*error_r = t_strdup(box->error);
	}
	array_free(&box->checked);
	baseline_deinit(&box->baseline);
	inventory_keywords_deinit(&box->keywords);
	pool_unref(&box->pool);
	return ret < 0 ? -1 : 0;
}

/*
 * Plan
 */

static int plan(struct rollback_box *box)
{
	struct copy_back_result copied;
	ARRAY_TYPE(seq_range) missing;
	struct copy_back cb;
	int ret;

	i_zero(&copied);
	box->copy_set.plan = TRUE;
	ret = copy_back_open(&cb, &box->copy_set, &box->baseline, &copied);
	t_array_init(&missing, 16);
	if (ret == 0)
		ret = copy_back_missing(&cb, &missing);
	if (ret == 0) {
		rollback_count(&cb, box->result);
		box->result->copied = seq_range_count(&missing);
	} else {
		(void)box_fail(box, cb.error_code, cb.error);
	}
	copy_back_close(&cb);
	return ret;
}

int rollback_plan(struct rollback *rollback, const char *vname,
		  struct rollback_result *result_r,
		  enum mail_error *error_code_r, const char **error_r)
{
	struct rollback_box box;
	int ret;

	box_alloc(&box, rollback, result_r);
	if ((ret = box_init(&box, vname)) > 0)
		ret = plan(&box);
	return box_end(&box, ret, error_code_r, error_r);
}

/*
 * Copy
 */

static int write_baseline(struct rollback_box *box)
{
	const char *error;

	/* Its mail is late mail yet, should it stay local. */
	if (box->replaced)
		return 0;
	/* Without one nothing looks for late mail in it. */
	if (baseline_write(box->rollback->muser->set.dir, box->copy_set.vname,
			   &box->baseline, &error) < 0)
		return box_fail(box, MAIL_ERROR_TEMP, error);
	return 0;
}

/* What came since the last one, and the check of that. */
static int copy_and_check(struct rollback_box *box, struct copy_back *cb)
{
	struct copy_back_result copied;
	int ret;

	i_zero(&copied);
	ret = copy_back_open(cb, &box->copy_set, &box->baseline, &copied);
	if (cb->replaced)
		box->replaced = TRUE;
	if (ret == 0) {
		rollback_count(cb, box->result);
		ret = copy_back_run(cb);
	}
	if (ret == 0)
		ret = rollback_check(cb, &box->checked);
	box->result->copied += copied.copied;
	if (ret < 0)
		return box_fail(box, cb->error_code, cb->error);
	return write_baseline(box);
}

/* While the mailbox is used as before. */
static int copy_before(struct rollback_box *box)
{
	struct copy_back cb;
	int ret = -1;

	for (unsigned int i = 0; ret < 0 && i < COPY_TRIES; i++) {
		if (i > 0)
			i_sleep_intr_msecs(RETRY_MSECS);
		ret = copy_and_check(box, &cb);
		copy_back_close(&cb);
		if (box->error_code != MAIL_ERROR_UNAVAILABLE)
			break;
	}
	return ret;
}

/*
 * The last step
 */

static int exclude(struct rollback_box *box)
{
	const char *dir = box->rollback->muser->set.dir, *error;
	int ret;

	ret = lease_tree(dir, TREE_LOCK_SECS, &box->tree, &error);
	if (ret == 0)
		error = "Another process is busy with the folders";
	if (ret > 0 && rename_journal_refuse(dir, &error) < 0)
		ret = -1;
	if (ret > 0) {
		i_gettimeofday(&box->excluded);
		ret = lease_exclude(dir, box->copy_set.vname, DRAIN_SECS,
				    &box->lease, &error);
		if (ret == 0)
			error = "a session doesn't give it up";
	}
	return ret > 0 ? 0 : box_fail(box, MAIL_ERROR_TEMP, error);
}

static void expunge_there(struct rollback_box *box, struct copy_back *cb,
			  int *ret)
{
	ARRAY_TYPE(seq_range) uids;

	if (*ret < 0 || !box->rollback->set.expunge)
		return;
	t_array_init(&uids, 16);
	rollback_get_expunged(cb, &uids);
	box->result->expunged = seq_range_count(&uids);
	*ret = rollback_expunge(cb, &uids);
	if (*ret < 0)
		(void)box_fail(box, cb->error_code, cb->error);
}

/* Bodies that are here under the same UIDs are still read from here. */
static void
fill_state(struct rollback_box *box, struct copy_back *cb,
	   struct mailbox_state_file *state)
{
	struct mailbox_status status;

	mailbox_get_open_status(local_copy_box(cb->copy), STATUS_UIDNEXT |
				STATUS_HIGHESTMODSEQ, &status);
	*state = box->state;
	state->state = MAILBOX_STATE_FILLING;
	state->since = time(NULL);
	state->error = "";
	state->uid_floor = status.uidnext;
	state->modseq_floor = I_MAX(status.highest_modseq,
				    box->state.modseq_floor);
	state->copy_is_stale = MAILBOX_COPY_ROLLED_BACK;
	state->modseq = 0;
	if (!cb->same_uids)
		state->durable_uid = 0;
	state->verified_uid = 0;
}

static int switch_state(struct rollback_box *box, struct copy_back *cb)
{
	struct migration_user *muser = box->rollback->muser;
	const char *vname = box->copy_set.vname, *error;
	struct mailbox_state_file state;
	int ret;

	fill_state(box, cb, &state);
	ret = state_switch(muser->set.dir, vname, &box->state, &state, &error);
	if (ret < 0)
		return box_fail(box, MAIL_ERROR_TEMP, error);
	if (ret == 0) {
		migration_report(muser, "rollback_unsafe", "mailbox", vname,
				 "reason", error, NULL);
	}
	return 0;
}

/* Clients wait. */
static int last_copy(struct rollback_box *box)
{
	struct copy_back cb;
	int ret;

	ret = copy_and_check(box, &cb);
	expunge_there(box, &cb, &ret);
	if (ret == 0)
		ret = switch_state(box, &cb);
	copy_back_close(&cb);
	return ret;
}

static int roll_back(struct rollback_box *box)
{
	struct old_client *client = box->rollback->client;
	struct timeval now;
	unsigned int patience;
	int ret;

	if (exclude(box) < 0)
		return -1;
	patience = old_client_set_patience(client, PATIENCE_MSECS);
	ret = last_copy(box);
	(void)old_client_set_patience(client, patience);
	lease_release(&box->lease);
	lease_release(&box->tree);
	i_gettimeofday(&now);
	box->result->usecs = timeval_diff_usecs(&now, &box->excluded);
	return ret;
}

/* A next cutover makes them anew. */
static void forget(struct rollback_box *box)
{
	struct migration_user *muser = box->rollback->muser;
	const char *vname = box->copy_set.vname, *error;

	if (baseline_remove(muser->set.dir, vname, &error) < 0 ||
	    copy_pairs_remove(muser->set.dir, vname, &error) < 0)
		e_error(muser->user->event, "migration: %s: %s", vname, error);
}

static void report(struct rollback_box *box, int ret)
{
	struct migration_user *muser = box->rollback->muser;
	const struct rollback_result *result = box->result;
	const char *vname = box->copy_set.vname;

	if (ret < 0) {
		migration_report(muser, "rollback_failed", "mailbox", vname,
				 "reason", box->error, NULL);
		return;
	}
	migration_report(muser, "rollback", "mailbox", vname,
		"messages", dec2str(result->messages),
		"copied", dec2str(result->copied),
		"moved", dec2str(result->moved),
		"expunged", dec2str(box->rollback->set.expunge ?
				    result->expunged : 0),
		"seconds", t_strdup_printf("%u.%03u",
			result->usecs / 1000000, result->usecs / 1000 % 1000),
		NULL);
}

int rollback_mailbox(struct rollback *rollback, const char *vname,
		     struct rollback_result *result_r,
		     enum mail_error *error_code_r, const char **error_r)
{
	struct rollback_box box;
	int ret;

	box_alloc(&box, rollback, result_r);
	if ((ret = box_init(&box, vname)) > 0) {
		ret = copy_before(&box);
		if (ret == 0)
			ret = roll_back(&box);
		if (ret == 0)
			forget(&box);
		report(&box, ret);
	} else if (ret < 0) {
		report(&box, ret);
	}
	return box_end(&box, ret, error_code_r, error_r);
}
