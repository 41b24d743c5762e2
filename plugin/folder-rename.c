#include "lib.h"
#include "array.h"
#include "mailbox-list-private.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-folders.h"
#include "engine/local-folders.h"
#include "engine/mailbox-state.h"
#include "folder-rename.h"

struct moved_folder {
	const char *from, *to;
	struct mailbox_state_file state;
	bool known, is_old;
};

struct folder_rename {
	struct migration_user *muser;
	struct mailbox *src, *dest;
	pool_t pool;
	/* src and its children */
	ARRAY(struct moved_folder) folders;
};

static int
rename_fail(struct folder_rename *rename, enum mail_error error_code,
	    const char *error)
{
	mail_storage_set_error(rename->src->storage, error_code, error);
	return -1;
}

static bool
is_below(struct folder_rename *rename, const char *vname)
{
	size_t len = strlen(rename->src->vname);

	return strncmp(vname, rename->src->vname, len) == 0 &&
		(vname[len] == '\0' ||
		 vname[len] == mail_namespace_get_sep(rename->muser->ns));
}

/* A mailbox of the other authority must not get another state. */
static int
check_dest(struct folder_rename *rename, const struct moved_folder *folder,
	   const char **error_r)
{
	struct mailbox_state_file state;
	int ret;

	ret = mailbox_state_read(rename->muser->set.dir, folder->to,
				 rename->pool, &state, error_r);
	if (ret <= 0 || !folder->known ||
	    state.state == MAILBOX_STATE_DELETED ||
	    mailbox_state_authority_is_old(state.state) == folder->is_old)
		return ret < 0 ? -1 : 0;
	*error_r = t_strdup_printf("Mailbox already exists: %s", folder->to);
	return -1;
}

static int
add_folder(struct folder_rename *rename, const char *vname,
	   const char **error_r)
{
	struct moved_folder *folder = array_append_space(&rename->folders);
	int ret;

	folder->from = vname;
	folder->to = p_strconcat(rename->pool, rename->dest->vname,
				 vname + strlen(rename->src->vname), NULL);
	ret = mailbox_state_read(rename->muser->set.dir, vname, rename->pool,
				 &folder->state, error_r);
	folder->known = ret > 0;
	folder->is_old = ret > 0 &&
		mailbox_state_authority_is_old(folder->state.state);
	return ret < 0 ? -1 : check_dest(rename, folder, error_r);
}

static int find_folders(struct folder_rename *rename)
{
	ARRAY_TYPE(local_folder) all;
	const struct local_folder *folder;
	enum mail_error error_code = MAIL_ERROR_UNAVAILABLE;
	const char *error;

	p_array_init(&all, rename->pool, 64);
	if (local_folders_get(rename->muser, rename->pool, &all,
			      &error_code, &error) < 0)
		return rename_fail(rename, error_code, error);
	array_foreach(&all, folder) {
		if (is_below(rename, folder->vname) &&
		    add_folder(rename, folder->vname, &error) < 0)
			return rename_fail(rename, MAIL_ERROR_UNAVAILABLE,
					   error);
	}
	return 0;
}

/* The old server's part. A parent that is local may not be there any more: its
   children, which are, are renamed one by one. */
static int rename_remote(struct folder_rename *rename)
{
	const struct moved_folder *folder;
	const char *done = NULL;

	if (REDIRECTED_MAILBOX(rename->src) != NULL)
		return remote_folder_rename(rename->muser, rename->src,
					    rename->src->vname,
					    rename->dest->vname);
	array_foreach(&rename->folders, folder) {
		if (!folder->is_old || (done != NULL &&
					str_begins(folder->from, done)))
			continue;
		if (remote_folder_rename(rename->muser, rename->src,
					 folder->from, folder->to) < 0)
			return -1;
		done = t_strdup_printf("%s%c", folder->from,
			mail_namespace_get_sep(rename->muser->ns));
	}
	return 0;
}

static int write_states(struct folder_rename *rename)
{
	const struct moved_folder *folder;
	const char *error;

	array_foreach(&rename->folders, folder) {
		if (folder->known &&
		    mailbox_state_write(rename->muser->set.dir, folder->to,
					&folder->state, &error) < 0)
			return rename_fail(rename, MAIL_ERROR_UNAVAILABLE,
					   error);
	}
	return 0;
}

/* The old server may still have a folder of a local one's former name: it
   must not come back. */
static int
forget_name(struct folder_rename *rename, const struct moved_folder *folder,
	    const char **error_r)
{
	const char *dir = rename->muser->set.dir;
	struct mailbox_state_file deleted = folder->state;

	if (folder->is_old)
		return mailbox_state_remove(dir, folder->from, error_r);
	deleted.state = MAILBOX_STATE_DELETED;
	return mailbox_state_write(dir, folder->from, &deleted, error_r);
}

static int forget_names(struct folder_rename *rename)
{
	const struct moved_folder *folder;
	const char *error;

	array_foreach(&rename->folders, folder) {
		if (folder->known && forget_name(rename, folder, &error) < 0)
			return rename_fail(rename, MAIL_ERROR_UNAVAILABLE,
					   error);
	}
	return 0;
}

static int rename_local(struct folder_rename *rename)
{
	struct migration_user *muser = rename->muser;
	struct mailbox *src, *dest;
	enum mail_error error_code;
	const char *error;
	int ret;

	src = migration_local_mailbox_alloc(muser, rename->src->vname, 0);
	dest = migration_local_mailbox_alloc(muser, rename->dest->vname, 0);
	migration_bypass_begin(muser);
	ret = mailbox_rename(src, dest);
	migration_bypass_end(muser);
	if (ret < 0) {
		error = t_strdup(mailbox_get_last_error(src, &error_code));
		(void)rename_fail(rename, error_code, error);
	}
	mailbox_free(&dest);
	mailbox_free(&src);
	return ret;
}

static int rename_all(struct folder_rename *rename)
{
	if (find_folders(rename) < 0 || rename_remote(rename) < 0)
		return -1;
	if (write_states(rename) < 0 || rename_local(rename) < 0)
		return -1;
	return forget_names(rename);
}

int folder_rename(struct migration_user *muser, struct mailbox *src,
		  struct mailbox *dest)
{
	struct folder_rename rename = {
		.muser = muser,
		.src = src,
		.dest = dest,
		.pool = pool_alloconly_create("migration rename", 4096),
	};
	int ret;

	p_array_init(&rename.folders, rename.pool, 16);
	ret = rename_all(&rename);
	pool_unref(&rename.pool);
	return ret;
}
