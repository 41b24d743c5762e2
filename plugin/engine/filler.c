#include "lib.h"
#include "array.h"
#include "str.h"
#include "ioloop.h"
#include "time-util.h"
#include "migration-user.h"
#include "migration-report.h"
#include "fill.h"
#include "fill-group.h"
#include "filler.h"
#include "folder-tree.h"
#include "lease.h"
#include "name-map.h"
#include "old-settings.h"
#include "state-update.h"

struct filler {
	struct migration_user *muser;
	struct fill_observer observer;
	struct old_client *client;
	bool client_is_ours;
	/* added to those of each run */
	enum fill_flags flags;
	struct name_map map;
	struct lease *lease;
	/* filler_stop() */
	bool stopped;

	/* those that are going to be asked for, and their results as far as they
	   are known already */
	pool_t expected_pool;
	ARRAY(struct fill_group_box) expected;
	enum fill_flags expected_flags;
};

static void no_begin(void *context ATTR_UNUSED, const char *vname ATTR_UNUSED,
		     const char *what ATTR_UNUSED,
		     unsigned int messages ATTR_UNUSED,
		     uint64_t bytes ATTR_UNUSED)
{
}

static void no_progress(void *context ATTR_UNUSED, uint64_t bytes ATTR_UNUSED)
{
}

const struct fill_observer fill_no_observer = {
	.begin = no_begin,
	.progress = no_progress,
};

static int take_lease(struct filler *filler, unsigned int timeout_secs,
		      enum mail_error *error_code_r, const char **error_r)
{
	int ret = lease_fill(filler->muser->set.dir, timeout_secs,
			     &filler->lease, error_r);

	*error_code_r = MAIL_ERROR_TEMP;
	if (ret == 0) {
		*error_code_r = MAIL_ERROR_INUSE;
		*error_r = "Another process is filling this user's mailboxes";
		ret = -1;
	}
	return ret < 0 ? -1 : 0;
}

static int filler_connect(struct filler *filler, const char **error_r)
{
	struct old_client_settings set;

	if (filler->client != NULL)
		return 0;
	if (old_settings_read(filler->muser->ns, &set, error_r) < 0)
		return -1;
	filler->client = old_client_init(&set, filler->muser->user->event);
	filler->client_is_ours = TRUE;
	(void)old_client_set_claim(filler->client, OLD_CLAIM_FILL);
	return 0;
}

static int filler_prepare(struct filler *filler, unsigned int timeout_secs,
			  bool refresh_tree, enum mail_error *error_code_r,
			  const char **error_r)
{
	if (take_lease(filler, timeout_secs, error_code_r, error_r) < 0)
		return -1;
	*error_code_r = MAIL_ERROR_TEMP;
	if (filler_connect(filler, error_r) < 0)
		return -1;
	if (refresh_tree &&
	    folder_tree_refresh_by(filler->muser, filler->client, error_code_r,
				   error_r) < 0)
		return -1;
	*error_code_r = MAIL_ERROR_TEMP;
	return folder_tree_name_map(filler->muser, &filler->map, error_r) <= 0 ?
		-1 : 0;
}

int filler_init(struct migration_user *muser, unsigned int timeout_secs,
		const struct fill_observer *observer,
		struct filler **filler_r,
		enum mail_error *error_code_r, const char **error_r)
{
	struct filler *filler = i_new(struct filler, 1);

	filler->muser = muser;
	filler->observer = observer != NULL ? *observer : fill_no_observer;
	if (filler_prepare(filler, timeout_secs, TRUE, error_code_r,
			   error_r) < 0) {
		filler_deinit(&filler);
		return -1;
	}
	*filler_r = filler;
	return 0;
}

int filler_init_mirrored(struct migration_user *muser, struct old_client *client,
			 unsigned int timeout_secs, struct filler **filler_r,
			 enum mail_error *error_code_r, const char **error_r)
{
	struct filler *filler = i_new(struct filler, 1);

	filler->muser = muser;
	filler->observer = fill_no_observer;
	filler->client = client;
	filler->flags = FILL_FLAG_MIRRORED;
	if (filler_prepare(filler, timeout_secs, FALSE, error_code_r,
			   error_r) < 0) {
		filler_deinit(&filler);
		return -1;
	}
	*filler_r = filler;
	return 0;
}

void filler_deinit(struct filler **_filler)
{
	struct filler *filler = *_filler;

	if (filler == NULL)
		return;
	*_filler = NULL;
	if (filler->client_is_ours)
		old_client_deinit(&filler->client);
	pool_unref(&filler->expected_pool);
	lease_release(&filler->lease);
	i_free(filler);
}

struct migration_user *filler_user(struct filler *filler)
{
	return filler->muser;
}

struct old_client *filler_client(struct filler *filler)
{
	return filler->client;
}

void filler_stop(struct filler *filler)
{
	filler->stopped = TRUE;
	old_client_disconnect(filler->client, "it is to stop");
}

void filler_go_on(struct filler *filler)
{
	filler->stopped = FALSE;
}

static int
set_error(struct mailbox_state_file *state, void *context,
	  const char **error_r ATTR_UNUSED)
{
	state->error = context;
	return 1;
}

/* Remember why it doesn't go on, for status. */
static void store_error(struct filler *filler, const char *vname,
			enum fill_flags flags, const char *error)
{
	const char *state_error;

	if (state_update(filler->muser->set.dir, vname,
			 (flags & FILL_FLAG_TREE_HELD) != 0,
			 STATE_UPDATE_LOCK_SECS, set_error,
			 t_strdup_noconst(error), &state_error) < 0)
		e_error(filler->muser->user->event, "migration: %s: %s",
			vname, state_error);
}

static void report_result(struct filler *filler, const char *vname,
			  const struct fill_result *result)
{
	if (result->local || (result->fetched == 0 && result->changed == 0 &&
			      result->expunged == 0 && result->verified == 0 &&
			      result->bad == 0))
		return;
	migration_report(filler->muser, result->filled ? "filled" : "fill",
		"mailbox", vname,
		"fetched", dec2str(result->fetched),
		"bytes", dec2str(result->fetched_bytes),
		"changed", dec2str(result->changed),
		"expunged", dec2str(result->expunged),
		"verified", dec2str(result->verified),
		"mismatched", dec2str(result->mismatched),
		"altered", dec2str(result->altered),
		"bad", dec2str(result->bad),
		"rebuilt", result->rebuilt ? "yes" : "no",
		"seconds", t_strdup_printf("%u.%03u",
			result->usecs / 1000000, result->usecs / 1000 % 1000),
		NULL);
}

static const char *
get_old_name(struct filler *filler, const char *vname,
	     enum mail_error *error_code_r, const char **error_r)
{
	const char *old_name = name_map_to_old(&filler->map, vname);

	if (old_name == NULL) {
		*error_code_r = MAIL_ERROR_NOTFOUND;
		*error_r = "The old server can't have a mailbox of that name";
	}
	return old_name;
}

void filler_expect(struct filler *filler, const ARRAY_TYPE(const_string) *vnames,
		   enum fill_flags flags)
{
	struct fill_group_box *box;
	const char *vname, *old_name;

	pool_unref(&filler->expected_pool);
	filler->expected_pool = pool_alloconly_create("filler expects", 4096);
	filler->expected_flags = flags;
	p_array_init(&filler->expected, filler->expected_pool,
		     array_count(vnames));
	array_foreach_elem(vnames, vname) T_BEGIN {
		old_name = name_map_to_old(&filler->map, vname);
		if (old_name != NULL) {
			box = array_append_space(&filler->expected);
			box->vname = p_strdup(filler->expected_pool, vname);
			box->old_name = p_strdup(filler->expected_pool,
						 old_name);
		}
	} T_END;
}

static struct fill_group_box *
find_expected(struct filler *filler, const char *vname, unsigned int *idx_r)
{
	struct fill_group_box *box;

	if (filler->expected_pool == NULL)
		return NULL;
	array_foreach_modifiable(&filler->expected, box) {
		if (strcmp(box->vname, vname) == 0) {
			*idx_r = array_foreach_idx(&filler->expected, box);
			return box;
		}
	}
	return NULL;
}

bool filler_has_result(struct filler *filler, const char *vname)
{
	const struct fill_group_box *box;
	unsigned int idx;

	box = find_expected(filler, vname, &idx);
	return box != NULL && box->done;
}

/* This one and others that are like it, all at once. */
static void run_group(struct filler *filler, unsigned int first)
{
	const struct fill_group_settings set = {
		.muser = filler->muser,
		.client = filler->client,
		.observer = &filler->observer,
		.flags = filler->expected_flags | filler->flags,
	};
	struct fill_group_box boxes[FILL_GROUP_BOXES], *box;
	unsigned int idx[FILL_GROUP_BOXES], count = 0, i;
	unsigned int all = array_count(&filler->expected);

	for (unsigned int n = 0; n < all && count < FILL_GROUP_BOXES; n++) {
		i = (first + n) % all;
		box = array_idx_modifiable(&filler->expected, i);
		if (box->done || box->unfit ||
		    !fill_group_fits(filler->muser, box->vname))
			continue;
		idx[count] = i;
		boxes[count++] = *box;
	}
	if (count > 1)
		fill_group(&set, boxes, count);
	for (i = 0; i < count; i++)
		array_idx_set(&filler->expected, idx[i], &boxes[i]);
}

/* Was it done with others, or is it now? Only once. */
static bool
run_with_others(struct filler *filler, const char *vname, enum fill_flags flags,
		struct fill_result *result_r)
{
	struct fill_group_box *box;
	unsigned int idx;
	bool done;

	if ((flags & ~FILL_FLAG_FOLLOW_EXPUNGES) != 0 || filler->flags != 0 ||
	    (box = find_expected(filler, vname, &idx)) == NULL)
		return FALSE;
	if (!box->done && !box->unfit)
		run_group(filler, idx);
	done = box->done;
	*result_r = box->result;
	box->done = FALSE;
	box->unfit = TRUE;
	return done;
}

static int
run_alone(struct filler *filler, const char *vname, const char *old_name,
	  enum fill_flags flags, struct fill_result *result_r,
	  enum mail_error *error_code_r, const char **error_r)
{
	const struct fill_settings set = {
		.muser = filler->muser,
		.client = filler->client,
		.observer = &filler->observer,
		.vname = vname,
		.old_name = old_name,
		.flags = flags | filler->flags,
	};
	struct timeval start;
	int ret;

	i_zero(result_r);
	i_gettimeofday(&start);
	ret = fill_mailbox(&set, result_r, error_code_r, error_r);
	io_loop_time_refresh();
	result_r->usecs = timeval_diff_usecs(&ioloop_timeval, &start);
	return ret;
}

int filler_run(struct filler *filler, const char *vname, enum fill_flags flags,
	       struct fill_result *result_r,
	       enum mail_error *error_code_r, const char **error_r)
{
	const char *old_name;
	int ret = -1;

	i_zero(result_r);
	old_name = get_old_name(filler, vname, error_code_r, error_r);
	if (old_name != NULL && !filler->stopped &&
	    run_with_others(filler, vname, flags, result_r))
		ret = 0;
	else if (filler->stopped) {
		*error_code_r = MAIL_ERROR_TEMP;
		*error_r = "It is to stop";
	} else if (old_name != NULL) {
		ret = run_alone(filler, vname, old_name, flags, result_r,
				error_code_r, error_r);
	}
	if (ret < 0 && filler->stopped) {
		/* it's no fault */
	} else if (ret < 0) {
		store_error(filler, vname, flags, *error_r);
		migration_report(filler->muser, "fill_failed",
				 "mailbox", vname, "reason", *error_r, NULL);
	} else {
		report_result(filler, vname, result_r);
	}
	return ret;
}
