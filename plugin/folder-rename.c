#include "lib.h"
#include "array.h"
#include "mailbox-list-private.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-folders.h"
#include "engine/folder-move.h"
#include "engine/local-folders.h"
#include "engine/mailbox-state.h"
#include "folder-rename.h"

struct moved_folder {
	struct folder_move name;
	bool known, is_old;
};

struct folder_rename {
	struct migration_user *muser;
	struct mailbox *src, *dest;
	pool_t pool;
	ARRAY_TYPE(local_folder) all;
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

static bool is_here(struct folder_rename *rename, const char *vname)
{
	const struct local_folder *folder;

	array_foreach(&rename->all, folder) {
		if (strcmp(folder->vname, vname) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The state of another mailbox must not be lost, though that one isn't here: it
   couldn't be made, or is gone on the old server since the last look. What else
   is there the old server tells. */
static bool
is_taken(struct folder_rename *rename, const struct moved_folder *folder,
	 const struct mailbox_state_file *state)
{
	if (state != NULL && state->state != MAILBOX_STATE_DELETED)
		return TRUE;
	return !folder->is_old && is_here(rename, folder->name.to);
}

static int
check_dest(struct folder_rename *rename, struct moved_folder *folder,
	   enum mail_error *error_code_r, const char **error_r)
{
	const char *to = folder->name.to;
	struct mailbox_state_file state;
	int ret;

	ret = mailbox_state_read(rename->muser->set.dir, to, rename->pool,
				 &state, error_r);
	if (ret < 0)
		return -1;
	if (!is_taken(rename, folder, ret > 0 ? &state : NULL)) {
		folder->name.to_deleted = ret > 0 &&
			state.state == MAILBOX_STATE_DELETED;
		return 0;
	}
	*error_code_r = MAIL_ERROR_EXISTS;
	*error_r = t_strdup_printf("Mailbox already exists: %s", to);
	return -1;
}

static int
add_folder(struct folder_rename *rename, const char *vname,
	   enum mail_error *error_code_r, const char **error_r)
{
	struct moved_folder *folder = array_append_space(&rename->folders);
	struct mailbox_state_file state;
	int ret;

	folder->name.from = vname;
	folder->name.to = p_strconcat(rename->pool, rename->dest->vname,
				      vname + strlen(rename->src->vname), NULL);
	ret = mailbox_state_read(rename->muser->set.dir, vname, rename->pool,
				 &state, error_r);
	folder->known = ret > 0;
	folder->is_old = ret > 0 &&
		mailbox_state_authority_is_old(state.state);
	return ret < 0 ? -1 :
		check_dest(rename, folder, error_code_r, error_r);
}

static int find_folders(struct folder_rename *rename)
{
	const struct local_folder *folder;
	enum mail_error error_code = MAIL_ERROR_UNAVAILABLE;
	const char *error;

	if (local_folders_get(rename->muser, rename->pool, &rename->all,
			      &error_code, &error) < 0)
		return rename_fail(rename, error_code, error);
	error_code = MAIL_ERROR_UNAVAILABLE;
	array_foreach(&rename->all, folder) {
		if (is_below(rename, folder->vname) &&
		    add_folder(rename, folder->vname, &error_code, &error) < 0)
			return rename_fail(rename, error_code, error);
	}
	return 0;
}

static bool is_remote_needed(struct folder_rename *rename)
{
	const struct moved_folder *folder;

	if (REDIRECTED_MAILBOX(rename->src) != NULL)
		return TRUE;
	array_foreach(&rename->folders, folder) {
		if (folder->is_old)
			return TRUE;
	}
	return FALSE;
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
		if (!folder->is_old ||
		    (done != NULL && str_begins(folder->name.from, done)))
			continue;
		if (remote_folder_rename(rename->muser, rename->src,
					 folder->name.from,
					 folder->name.to) < 0)
			return -1;
		done = t_strdup_printf("%s%c", folder->name.from,
			mail_namespace_get_sep(rename->muser->ns));
	}
	return 0;
}

/* Refused, so that nothing has changed? Where the answer was lost nobody knows
   yet: the journal stays, and the next look at the old server's folders tells. */
static bool was_refused(struct folder_rename *rename)
{
	switch (rename->src->storage->error) {
	case MAIL_ERROR_UNAVAILABLE:
	case MAIL_ERROR_TEMP:
		return FALSE;
	default:
		return TRUE;
	}
}

static int rename_journaled(struct folder_rename *rename,
			    const ARRAY_TYPE(folder_move) *moves)
{
	const char *dir = rename->muser->set.dir;
	enum mail_error error_code;
	const char *error;

	if (rename_journal_write(dir, moves, &error) < 0)
		return rename_fail(rename, MAIL_ERROR_UNAVAILABLE, error);
	if (rename_remote(rename) < 0) {
		if (was_refused(rename) &&
		    rename_journal_remove(dir, &error) < 0)
			e_error(rename->src->event, "migration: %s", error);
		return -1;
	}
	if (folder_move(rename->muser, moves, &error_code, &error) < 0)
		return rename_fail(rename, error_code, error);
	return 0;
}

static int
folder_cmp(const struct moved_folder *f1, const struct moved_folder *f2)
{
	return strcmp(f1->name.from, f2->name.from);
}

static int rename_all(struct folder_rename *rename)
{
	const struct moved_folder *folder;
	ARRAY_TYPE(folder_move) moves;

	if (find_folders(rename) < 0)
		return -1;
	if (!is_remote_needed(rename)) {
		if (array_is_empty(&rename->folders))
			return rename_fail(rename, MAIL_ERROR_NOTFOUND,
				T_MAIL_ERR_MAILBOX_NOT_FOUND(
					rename->src->vname));
	} else if (remote_folders_ready(rename->muser, rename->src) < 0) {
		/* while it isn't there nothing is begun */
		return -1;
	}
	/* a folder before those below it */
	array_sort(&rename->folders, folder_cmp);
	p_array_init(&moves, rename->pool, array_count(&rename->folders));
	array_foreach(&rename->folders, folder)
		array_push_back(&moves, &folder->name);
	return rename_journaled(rename, &moves);
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

	p_array_init(&rename.all, rename.pool, 64);
	p_array_init(&rename.folders, rename.pool, 16);
	ret = rename_all(&rename);
	pool_unref(&rename.pool);
	return ret;
}
