#include "catchup-private.h"
#include "crc32.h"
#include "migration-user.h"
#include "copy-back.h"
#include "digest-file.h"
#include "folder-tree.h"
#include "late-twins.h"
#include "lease.h"
#include "mailbox-state.h"
#include "old-settings.h"

const char *catchup_dir(const struct catchup *catchup)
{
	return catchup->muser->set.dir;
}

/* The first one counts: the others may be for want of the connection. */
int catchup_fail(struct catchup *catchup, enum mail_error error_code,
		 const char *error)
{
	if (catchup->error == NULL) {
		catchup->error = p_strdup(catchup->pool, error);
		catchup->first_error_code = error_code;
	}
	return -1;
}

/*
 * Which mailboxes?
 */

/* One that came from the old server, and is this server's by now. */
static bool is_ours(struct catchup *catchup, const char *vname,
		    const struct mailbox_state_file *state)
{
	const char *dir = catchup_dir(catchup);

	return !mailbox_state_authority_is_old(state->state) &&
		(baseline_exists(dir, vname) ||
		 (state->state == MAILBOX_STATE_LOCAL &&
		  digest_file_exists(dir, vname)));
}

bool catchup_is_own(struct catchup *catchup, const char *vname)
{
	struct mailbox_state_file state;
	const char *error;

	return mailbox_state_read(catchup_dir(catchup), vname,
				  pool_datastack_create(), &state,
				  &error) > 0 &&
		state.state == MAILBOX_STATE_LOCAL && state.uid_validity == 0;
}

static int add_seen(struct catchup *catchup, const char *vname)
{
	struct mailbox_state_file state;
	struct catchup_seen *seen;
	const char *error, *old_name;

	if (mailbox_state_read(catchup_dir(catchup), vname,
			       pool_datastack_create(), &state, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	if (!is_ours(catchup, vname, &state) ||
	    (old_name = name_map_to_old(&catchup->map, vname)) == NULL)
		return 0;
	seen = array_append_space(&catchup->seen);
	seen->vname = vname;
	seen->old_name = p_strdup(catchup->pool, old_name);
	return 0;
}

/* all: the names of all mailboxes that have a state. */
static int
find_mailboxes(struct catchup *catchup, ARRAY_TYPE(const_string) *all)
{
	ARRAY_TYPE(const_string) none;
	const char *vname, *error;
	int ret = 0;

	t_array_init(&none, 1);
	p_array_init(&catchup->seen, catchup->pool, 16);
	if (mailbox_state_find_others(catchup_dir(catchup), &none,
				      catchup->pool, all, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	array_foreach_elem(all, vname) T_BEGIN {
		if (add_seen(catchup, vname) < 0)
			ret = -1;
	} T_END;
	return ret;
}

/*
 * The look
 */

static bool
has_name(const ARRAY_TYPE(const_string) *names, const char *wanted)
{
	const char *name;

	array_foreach_elem(names, name) {
		if (strcmp(name, wanted) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Folders that came into being there: they are the old server's, as any that
   isn't local. Those of others aren't moved, and are there in each look. */
static int
look_for_folders(struct catchup *catchup,
		 const ARRAY_TYPE(const_string) *others,
		 const ARRAY_TYPE(const_string) *all)
{
	const char *old_name, *vname, *error;
	uint32_t sum = 0;

	array_foreach_elem(others, old_name) T_BEGIN {
		vname = name_map_from_old(&catchup->map, old_name);
		if (vname != NULL && !has_name(all, vname))
			sum ^= crc32_str(old_name);
	} T_END;
	if (sum == catchup->last.others)
		return 0;
	if (folder_tree_refresh(catchup->muser, TRUE, &catchup->error_code,
				&error) < 0)
		return catchup_fail(catchup, catchup->error_code, error);
	catchup->last.others = sum;
	return 0;
}

int catchup_look_at(struct catchup *catchup,
		    const ARRAY_TYPE(const_string) *all)
{
	ARRAY_TYPE(const_string) others;
	const char *prefix, *error;

	prefix = *catchup->map.old_prefix == '\0' ? "" :
		t_strdup_printf("%s%c", catchup->map.old_prefix,
				catchup->map.old_sep);
	/* a look leaves it */
	catchup->selected = NULL;
	if (catchup_look(catchup->client, prefix, catchup->pool,
			 &catchup->seen, &others, &catchup->error_code,
			 &error) < 0)
		return catchup_fail(catchup, catchup->error_code, error);
	return look_for_folders(catchup, &others, all);
}

/*
 * Copying back
 */

static int
copy_back(struct catchup *catchup, const struct catchup_seen *seen)
{
	struct copy_back_result result;
	struct baseline baseline;
	const char *dir = catchup_dir(catchup), *error;
	int ret;

	if ((ret = copy_back_wanted(catchup->muser, seen->vname,
				    &error)) <= 0)
		return ret == 0 ? 0 :
			catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	i_zero(&result);
	baseline_init(&baseline, catchup->keywords);
	catchup->error_code = MAIL_ERROR_TEMP;
	ret = baseline_read(dir, seen->vname, &baseline, &error);
	if (ret > 0) {
		ret = copy_back_mailbox(catchup->muser, catchup->client,
			seen->vname, seen->old_name, &baseline, &result,
			&catchup->error_code, &error);
		if (baseline_write(dir, seen->vname, &baseline, &error) < 0)
			ret = -1;
	}
	baseline_deinit(&baseline);
	catchup->result->copied += result.copied;
	catchup->result->copied_flags += result.flags;
	return ret < 0 ? catchup_fail(catchup, catchup->error_code, error) : 0;
}

static int copy_all_back(struct catchup *catchup)
{
	const struct catchup_seen *seen;
	int ret = 0;

	if (!catchup->muser->set.copy_back)
		return 0;
	array_foreach(&catchup->seen, seen) T_BEGIN {
		if (mailbox_state_is(catchup_dir(catchup), seen->vname,
				     MAILBOX_STATE_LOCAL) &&
		    !catchup_is_own(catchup, seen->vname) &&
		    copy_back(catchup, seen) < 0)
			ret = -1;
	} T_END;
	return ret;
}

/*
 * The account
 */

static int catch_up(struct catchup *catchup,
		    const ARRAY_TYPE(const_string) *all)
{
	uint32_t others = catchup->last.others;
	int ret;

	if (catchup_look_at(catchup, all) < 0)
		return -1;
	ret = catchup_boxes(catchup, all);
	catchup_count_waiting(catchup);
	if (copy_all_back(catchup) < 0)
		ret = -1;
	return catchup_remember_look(catchup, others) < 0 ? -1 : ret;
}

static int connect_client(struct catchup *catchup)
{
	struct old_client_settings set;
	const char *error;

	if (catchup->client != NULL)
		return 0;
	if (old_settings_read(catchup->muser->ns, &set, &error) < 0)
		return catchup_fail(catchup, MAIL_ERROR_TEMP, error);
	catchup->client = old_client_init(&set, catchup->muser->user->event);
	catchup->client_is_ours = TRUE;
	return 0;
}

static int catchup_account(struct catchup *catchup)
{
	ARRAY_TYPE(const_string) all;
	struct catchup_account before;
	int ret;

	p_array_init(&all, catchup->pool, 64);
	ret = find_mailboxes(catchup, &all);
	if (ret == 0 && array_is_empty(&catchup->seen))
		return 0;
	catchup_read_memory(catchup);
	before = catchup->account;
	catchup->result->mailboxes = array_count(&catchup->seen);
	if (connect_client(catchup) < 0 || catch_up(catchup, &all) < 0)
		ret = -1;
	if (catchup_remember_account(catchup, ret == 0, &before) < 0)
		ret = -1;
	catchup->found = catchup->result->late + catchup->result->doubles;
	catchup_report_poll(catchup, ret == 0);
	return ret;
}

/* Returns 1; 0 when there's nothing to do; -1. */
static int catchup_prepare(struct catchup *catchup)
{
	const char *error;
	int ret;

	ret = lease_catchup(catchup_dir(catchup), 0, &catchup->lease, &error);
	catchup->result->busy = ret == 0;
	/* it may have been closed meanwhile */
	if (ret > 0 && migration_user_is_closed(catchup->muser))
		ret = 0;
	if (ret > 0)
		ret = folder_tree_name_map(catchup->muser, &catchup->map,
					   &error);
	return ret >= 0 ? ret :
		catchup_fail(catchup, MAIL_ERROR_TEMP, error);
}

static void catchup_end(struct catchup *catchup)
{
	struct catchup_box *box;

	array_foreach_elem(&catchup->boxes, box)
		catchup_box_close(box);
	if (catchup->deliver != NULL)
		late_deliver_deinit(&catchup->deliver);
	late_twins_close(&catchup->twins);
	if (catchup->index != NULL)
		arrival_index_close(&catchup->index);
	if (catchup->client_is_ours)
		old_client_deinit(&catchup->client);
	lease_release(&catchup->lease);
	inventory_keywords_deinit(&catchup->keywords);
	pool_unref(&catchup->pool);
}

int catchup_run(struct migration_user *muser, struct old_client *client,
		enum catchup_flags flags, struct catchup_result *result_r,
		enum mail_error *error_code_r, const char **error_r)
{
	struct catchup catchup = {
		.muser = muser,
		.client = client,
		.flags = flags,
		.result = result_r,
		.pool = pool_alloconly_create("migration catchup", 4096),
		.keywords = inventory_keywords_init(),
	};
	int ret;

	i_zero(result_r);
	p_array_init(&catchup.boxes, catchup.pool, 16);
	ret = catchup_prepare(&catchup);
	if (ret > 0)
		ret = catchup_account(&catchup);
	if (ret < 0) {
		*error_code_r = catchup.first_error_code;
		*error_r = t_strdup(catchup.error);
	}
	catchup_end(&catchup);
	return ret;
}
