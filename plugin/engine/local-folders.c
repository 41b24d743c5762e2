#include "lib.h"
#include "array.h"
#include "mailbox-list-iter.h"
#include "migration-user.h"
#include "local-folders.h"
#include "mailbox-state.h"
#include "migration-dir.h"

int local_folders_get(struct migration_user *muser, pool_t pool,
		      ARRAY_TYPE(local_folder) *folders_r,
		      enum mail_error *error_code_r, const char **error_r)
{
	const char *const patterns[] = {
		"INBOX", t_strconcat(muser->ns->prefix, "*", NULL), NULL
	};
	struct mailbox_list_iterate_context *iter;
	const struct mailbox_info *info;
	struct local_folder *folder;
	int ret;

	p_array_init(folders_r, pool, 64);
	migration_bypass_begin(muser);
	iter = mailbox_list_iter_init_multiple(muser->ns->list, patterns,
		MAILBOX_LIST_ITER_RAW_LIST | MAILBOX_LIST_ITER_NO_AUTO_BOXES |
		MAILBOX_LIST_ITER_RETURN_SUBSCRIBED);
	while ((info = mailbox_list_iter_next(iter)) != NULL) {
		if ((info->flags & MAILBOX_NONEXISTENT) != 0)
			continue;
		folder = array_append_space(folders_r);
		folder->vname = p_strdup(pool, info->vname);
		folder->selectable = (info->flags & MAILBOX_NOSELECT) == 0;
		folder->subscribed = (info->flags & MAILBOX_SUBSCRIBED) != 0;
	}
	ret = mailbox_list_iter_deinit(&iter);
	migration_bypass_end(muser);

	if (ret < 0) {
		*error_r = mailbox_list_get_last_internal_error(
			muser->ns->list, error_code_r);
	}
	return ret;
}

typedef int folder_change_t(struct mailbox *box, bool arg);

/* Returns 0; -1 with an error, unless it is the one that is fine. */
static int
change(struct migration_user *muser, const char *vname,
       folder_change_t *func, bool arg, enum mail_error fine,
       enum mail_error *error_code_r, const char **error_r)
{
	struct mailbox *box;
	int ret;

	migration_bypass_begin(muser);
	box = migration_local_mailbox_alloc(muser, vname, 0);
	if ((ret = func(box, arg)) < 0) {
		*error_r = t_strdup(mailbox_get_last_internal_error(
			box, error_code_r));
		if (*error_code_r == fine)
			ret = 0;
	}
	mailbox_free(&box);
	migration_bypass_end(muser);
	return ret;
}

/* mailbox_create() copies INBOX's cache decisions to any other mailbox. To find
   INBOX the list index goes through the whole tree, which has just changed, so
   that 2,000 folders would take minutes. There is nothing to copy yet. */
static int create(struct mailbox *box, bool selectable)
{
	box->inbox_any = TRUE;
	return mailbox_create(box, NULL, !selectable);
}

static int delete(struct mailbox *box, bool only_empty)
{
	return only_empty ? mailbox_delete_empty(box) : mailbox_delete(box);
}

enum fsync_mode local_folders_set_fsync(struct migration_user *muser,
					enum fsync_mode mode)
{
	struct mail_storage *storage =
		mail_namespace_get_default_storage(muser->ns);
	struct mail_storage_settings *set =
		(struct mail_storage_settings *)storage->set;
	enum fsync_mode old_mode = set->parsed_fsync_mode;

	set->parsed_fsync_mode = mode;
	return old_mode;
}

int local_folder_create(struct migration_user *muser, const char *vname,
			bool selectable, enum mail_error *error_code_r,
			const char **error_r)
{
	return change(muser, vname, create, selectable, MAIL_ERROR_EXISTS,
		      error_code_r, error_r);
}

/* Before its first fill it isn't known to be a copy of the old one. */
int local_folder_delete(struct migration_user *muser, const char *vname,
			enum mail_error *error_code_r, const char **error_r)
{
	struct mailbox_state_file state;
	int ret;

	ret = mailbox_state_read(muser->set.dir, vname, pool_datastack_create(),
				 &state, error_r);
	if (ret < 0) {
		*error_code_r = MAIL_ERROR_TEMP;
		return -1;
	}
	return change(muser, vname, delete, ret == 0 || state.uid_validity == 0,
		      MAIL_ERROR_NOTFOUND, error_code_r, error_r);
}

/* The storage refuses it while it has children. */
static int delete_parent(struct mailbox *box, bool arg ATTR_UNUSED)
{
	enum mailbox_existence existence;

	if (mailbox_exists(box, FALSE, &existence) < 0)
		return -1;
	if (existence == MAILBOX_EXISTENCE_NOSELECT)
		return mailbox_delete(box);
	mail_storage_set_error(box->storage, MAIL_ERROR_NOTFOUND,
			       T_MAIL_ERR_MAILBOX_NOT_FOUND(box->vname));
	return -1;
}

int local_folder_delete_parent(struct migration_user *muser, const char *vname,
			       enum mail_error *error_code_r,
			       const char **error_r)
{
	return change(muser, vname, delete_parent, FALSE, MAIL_ERROR_NONE,
		      error_code_r, error_r);
}

int local_folder_subscribe(struct migration_user *muser, const char *vname,
			   bool set, enum mail_error *error_code_r,
			   const char **error_r)
{
	return change(muser, vname, mailbox_set_subscribed, set,
		      MAIL_ERROR_NONE, error_code_r, error_r);
}

int local_folder_exists(struct migration_user *muser, const char *vname,
			bool *exists_r)
{
	enum mailbox_existence existence;
	struct mailbox *box;
	int ret;

	migration_bypass_begin(muser);
	box = migration_local_mailbox_alloc(muser, vname, 0);
	ret = mailbox_exists(box, FALSE, &existence);
	mailbox_free(&box);
	migration_bypass_end(muser);
	*exists_r = ret == 0 && existence == MAILBOX_EXISTENCE_SELECT;
	return ret;
}

static int
rename_existing(struct mailbox *src, struct mailbox *dest)
{
	enum mailbox_existence existence;

	if (mailbox_exists(src, FALSE, &existence) < 0)
		return -1;
	return existence == MAILBOX_EXISTENCE_NONE ? 0 :
		mailbox_rename(src, dest);
}

int local_folder_rename(struct migration_user *muser, const char *from,
			const char *to, enum mail_error *error_code_r,
			const char **error_r)
{
	struct mailbox *src, *dest;
	int ret;

	migration_bypass_begin(muser);
	src = migration_local_mailbox_alloc(muser, from, 0);
	dest = migration_local_mailbox_alloc(muser, to, 0);
	if ((ret = rename_existing(src, dest)) < 0) {
		*error_r = t_strdup(mailbox_get_last_internal_error(
			src, error_code_r));
	}
	mailbox_free(&dest);
	mailbox_free(&src);
	migration_bypass_end(muser);
	return ret;
}

int local_folders_sync(struct migration_user *muser, const char **error_r)
{
	const char *root = mailbox_list_get_root_forced(muser->ns->list,
		MAILBOX_LIST_PATH_TYPE_DIR);

	return migration_dir_syncfs(root, error_r);
}
