#include "lib.h"
#include "sleep.h"
#include "ioloop.h"
#include "imapc-settings.h"
#include "migration-user.h"
#include "folder-tree.h"
#include "folder-tree-file.h"
#include "folder-tree-pass.h"
#include "lease.h"
#include "name-map.h"
#include "rename-journal.h"

/* another session makes the tree meanwhile */
#define TREE_LOCK_SECS 120
/* A session that has a tree doesn't ask again so soon after a newer one couldn't
   be had. */
#define REFRESH_RETRY_SECS 15

static const char *list_prefix(struct migration_user *muser)
{
	const struct imapc_settings *set =
		mail_user_set_get_driver_settings(muser->user->set_info,
						  muser->ns->user_set, "imapc");

	return set->imapc_list_prefix;
}

void folder_tree_map_init(struct migration_user *muser, char old_sep,
			  struct name_map *map_r)
{
	map_r->old_sep = old_sep;
	map_r->old_prefix = list_prefix(muser);
	map_r->sep = mail_namespace_get_sep(muser->ns);
	map_r->prefix = muser->ns->prefix;
}

int folder_tree_name_map(struct migration_user *muser, struct name_map *map_r,
			 const char **error_r)
{
	struct folder_tree_file file;
	int ret;

	ret = folder_tree_file_read(muser->set.dir, &file, error_r);
	if (ret > 0)
		folder_tree_map_init(muser, file.old_sep, map_r);
	return ret;
}

bool folder_tree_exists(struct migration_user *muser)
{
	struct folder_tree_file file;
	const char *error;
	int ret;

	ret = folder_tree_file_read(muser->set.dir, &file, &error);
	if (ret < 0)
		e_error(muser->user->event, "migration: %s", error);
	return ret > 0;
}

static bool is_recent(time_t when, unsigned int secs)
{
	return when <= ioloop_time && ioloop_time - when < (time_t)secs;
}

/* Returns 1 if it needn't be looked at now, 0 if it must, -1 on error. */
static int is_fresh(struct migration_user *muser, bool force, bool *first_r,
		    const char **error_r)
{
	struct folder_tree_file file;
	int ret;

	ret = folder_tree_file_read(muser->set.dir, &file, error_r);
	if (ret < 0)
		return -1;
	*first_r = ret == 0;
	if (ret == 0 || force)
		return 0;
	return is_recent(muser->tree_failed, REFRESH_RETRY_SECS) ||
		(is_recent(file.checked, muser->set.tree_interval) &&
		 !rename_journal_exists(muser->set.dir));
}

/* As lease_tree(). */
static int
wait_for_tree(struct migration_user *muser, unsigned int timeout_secs,
	      struct lease **lease_r, const char **error_r)
{
	unsigned int msecs = 0;
	int ret;

	while ((ret = lease_tree(muser->set.dir, 0, lease_r, error_r)) == 0 &&
	       msecs < timeout_secs * 1000) {
		muser->waits(muser);
		i_sleep_msecs(LEASE_RETRY_MSECS);
		msecs += LEASE_RETRY_MSECS;
	}
	return ret;
}

static int refresh(struct migration_user *muser, struct old_client *client,
		   bool force, enum mail_error *error_code_r,
		   const char **error_r)
{
	struct lease *lease;
	bool first;
	unsigned int secs;
	int ret;

	/* it uses the list itself */
	if (muser->bypass > 0 || migration_user_is_closed(muser))
		return 0;
	*error_code_r = MAIL_ERROR_TEMP;
	if ((ret = is_fresh(muser, force, &first, error_r)) != 0)
		return ret < 0 ? -1 : 0;

	/* A cutover has it that may wait for what this session has open: an
	   older tree does as well. */
	secs = first || force ? TREE_LOCK_SECS : 0;
	ret = wait_for_tree(muser, secs, &lease, error_r);
	if (ret <= 0) {
		if (ret == 0 && secs == 0)
			return 0;
		if (ret == 0)
			*error_r = "Another process is busy with the folders";
		return -1;
	}
	/* somebody may have done it while we waited */
	ret = is_fresh(muser, force && !first, &first, error_r);
	if (ret == 0) {
		ret = folder_tree_pass(muser, client, first, error_code_r,
				       error_r);
		muser->tree_failed = ret < 0 ? ioloop_time : 0;
	} else if (ret > 0) {
		ret = 0;
	}
	lease_release(&lease);
	return ret;
}

int folder_tree_refresh(struct migration_user *muser, bool force,
			enum mail_error *error_code_r, const char **error_r)
{
	return refresh(muser, NULL, force, error_code_r, error_r);
}

int folder_tree_refresh_by(struct migration_user *muser,
			   struct old_client *client,
			   enum mail_error *error_code_r, const char **error_r)
{
	return refresh(muser, client, TRUE, error_code_r, error_r);
}
