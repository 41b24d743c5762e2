#include "lib.h"
#include "array.h"
#include "mailbox-list-private.h"
#include "imapc-storage.h"
#include "migration-user.h"
#include "remote-namespace.h"
#include "engine/folder-tree.h"
#include "engine/local-folders.h"
#include "remote-folders.h"

int forward_state_read(struct migration_user *muser, const char *vname,
		       struct forward_state *state_r, const char **error_r)
{
	struct mailbox_state_file file;
	int ret;

	i_zero(state_r);
	ret = mailbox_state_read(muser->set.dir, vname,
				 pool_datastack_create(), &file, error_r);
	if (ret < 0)
		return -1;
	state_r->known = ret > 0;
	state_r->is_old = ret > 0 &&
		mailbox_state_authority_is_old(file.state);
	if (state_r->known)
		return 0;
	ret = migration_user_is_local(muser, error_r);
	state_r->user_is_local = ret > 0;
	return ret < 0 ? -1 : 0;
}

static int
any_folder_is_old(struct migration_user *muser, pool_t pool,
		  const ARRAY_TYPE(local_folder) *folders,
		  const char **error_r)
{
	const struct local_folder *folder;
	struct mailbox_state_file file;
	int ret;

	array_foreach(folders, folder) {
		ret = mailbox_state_read(muser->set.dir, folder->vname, pool,
					 &file, error_r);
		if (ret < 0)
			return -1;
		if (ret > 0 && mailbox_state_authority_is_old(file.state))
			return 1;
	}
	return 0;
}

int migration_user_is_local(struct migration_user *muser, const char **error_r)
{
	ARRAY_TYPE(local_folder) folders;
	struct mailbox_state_file inbox;
	enum mail_error error_code;
	const char *error;
	pool_t pool;
	int ret;

	if (migration_user_is_closed(muser))
		return 1;
	if (!folder_tree_exists(muser))
		return 0;
	/* most often the last one to go, and quicker than a look at all */
	ret = mailbox_state_read(muser->set.dir, "INBOX",
				 pool_datastack_create(), &inbox, error_r);
	if (ret < 0)
		return -1;
	if (ret > 0 && mailbox_state_authority_is_old(inbox.state))
		return 0;
	pool = pool_alloconly_create("migration folders", 4096);
	p_array_init(&folders, pool, 64);
	if (local_folders_get(muser, pool, &folders, &error_code,
			      &error) < 0)
		ret = -1;
	else
		ret = any_folder_is_old(muser, pool, &folders, &error);
	if (ret < 0)
		*error_r = t_strdup(error);
	pool_unref(&pool);
	return ret < 0 ? -1 : (ret > 0 ? 0 : 1);
}

static struct mailbox *
remote_alloc(struct migration_user *muser, const char *vname)
{
	struct mailbox *box;

	migration_bypass_begin(muser);
	box = mailbox_alloc(muser->remote_ns->list, vname, 0);
	migration_bypass_end(muser);
	return box;
}

/* The error of the old server's mailbox becomes that of the client's. */
static int
remote_finish(struct migration_user *muser, struct mailbox *box,
	      struct mailbox *remote_box, int ret)
{
	enum mail_error error_code;
	const char *error;

	if (ret == 0) {
		mailbox_free(&remote_box);
		return 0;
	}
	remote_last_error(muser, &error_code, &error);
	error = error_code == MAIL_ERROR_NOTFOUND ?
		T_MAIL_ERR_MAILBOX_NOT_FOUND(box->vname) : t_strdup(error);
	mailbox_free(&remote_box);
	mail_storage_set_error(box->storage, error_code, error);
	return -1;
}

int remote_folders_ready(struct migration_user *muser, struct mailbox *box)
{
	enum mail_error error_code;
	const char *error;

	if (remote_box_ready(muser, box) < 0)
		return -1;
	if (remote_connect(muser, &error_code, &error) == 0)
		return 0;
	mail_storage_set_error(box->storage, error_code, error);
	return -1;
}

int remote_folder_create(struct migration_user *muser, struct mailbox *box,
			 bool directory)
{
	struct mailbox *remote_box;
	int ret;

	if (remote_folders_ready(muser, box) < 0)
		return -1;
	remote_box = remote_alloc(muser, box->vname);
	ret = remote_box->v.create_box(remote_box, NULL, directory);
	return remote_finish(muser, box, remote_box, ret);
}

int remote_folder_delete(struct migration_user *muser, struct mailbox *box)
{
	struct mailbox *remote_box;
	int ret;

	if (remote_folders_ready(muser, box) < 0)
		return -1;
	remote_box = remote_alloc(muser, box->vname);
	if (box->deleting_must_be_empty)
		ret = mailbox_delete_empty(remote_box);
	else
		ret = mailbox_delete(remote_box);
	return remote_finish(muser, box, remote_box, ret);
}

int remote_folder_rename(struct migration_user *muser, struct mailbox *box,
			 const char *from, const char *to)
{
	struct mailbox *src, *dest;
	int ret;

	if (remote_folders_ready(muser, box) < 0)
		return -1;
	src = remote_alloc(muser, from);
	dest = remote_alloc(muser, to);
	migration_bypass_begin(muser);
	ret = mailbox_rename(src, dest);
	migration_bypass_end(muser);
	/* which a rename opens */
	remote_box_unselect(IMAPC_MAILBOX(dest));
	mailbox_free(&dest);
	return remote_finish(muser, box, src, ret);
}

int remote_folder_subscribe(struct migration_user *muser, struct mailbox *box,
			    bool set)
{
	struct mailbox *remote_box;
	int ret;

	if (remote_folders_ready(muser, box) < 0)
		return -1;
	remote_box = remote_alloc(muser, box->vname);
	ret = mailbox_set_subscribed(remote_box, set);
	return remote_finish(muser, box, remote_box, ret);
}
