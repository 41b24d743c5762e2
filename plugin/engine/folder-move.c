#include "lib.h"
#include "array.h"
#include "mailbox-list-private.h"
#include "migration-report.h"
#include "migration-user.h"
#include "local-folders.h"
#include "mailbox-files.h"
#include "mailbox-state.h"
#include "folder-move.h"

/* Returns 1, 0 when there is nothing (more) to do for it, -1. */
static int
read_state(struct migration_user *muser, const struct folder_move *move,
	   struct mailbox_state_file *state_r, const char **error_r)
{
	int ret = mailbox_state_read(muser->set.dir, move->from,
				     pool_datastack_create(), state_r,
				     error_r);

	return ret > 0 && state_r->state == MAILBOX_STATE_DELETED ? 0 : ret;
}

static int
move_files(struct migration_user *muser, const struct folder_move *move,
	   const char **error_r)
{
	struct mailbox_state_file state;
	int ret = read_state(muser, move, &state, error_r);

	return ret <= 0 ? ret :
		mailbox_files_move(muser->set.dir, move->from, move->to,
				   &state, error_r);
}

static int
forget_name(struct migration_user *muser, const struct folder_move *move,
	    const char **error_r)
{
	struct mailbox_state_file state;
	int ret = read_state(muser, move, &state, error_r);

	return ret <= 0 ? ret :
		mailbox_files_forget(muser->set.dir, move->from, &state,
				     error_r);
}

typedef int move_step_t(struct migration_user *muser,
			const struct folder_move *move, const char **error_r);

static int
for_each(struct migration_user *muser, const ARRAY_TYPE(folder_move) *moves,
	 move_step_t *step, const char **error_r)
{
	const struct folder_move *move;

	array_foreach(moves, move) {
		if (step(muser, move, error_r) < 0)
			return -1;
	}
	return 0;
}

/* The first one takes those below along, in most layouts. */
static int
move_folders(struct migration_user *muser, const ARRAY_TYPE(folder_move) *moves,
	     enum mail_error *error_code_r, const char **error_r)
{
	const struct folder_move *move;

	array_foreach(moves, move) {
		if (local_folder_rename(muser, move->from, move->to,
					error_code_r, error_r) < 0)
			return -1;
	}
	return local_folders_sync(muser, error_r);
}

int folder_move(struct migration_user *muser,
		const ARRAY_TYPE(folder_move) *moves,
		enum mail_error *error_code_r, const char **error_r)
{
	*error_code_r = MAIL_ERROR_TEMP;
	if (for_each(muser, moves, move_files, error_r) < 0 ||
	    move_folders(muser, moves, error_code_r, error_r) < 0 ||
	    for_each(muser, moves, forget_name, error_r) < 0)
		return -1;
	return rename_journal_remove(muser->set.dir, error_r);
}

/* Did the old server do its part? Of mailboxes that aren't its there was no
   part to do. Returns 1, 0, -1. */
static int
was_done(struct migration_user *muser, const ARRAY_TYPE(folder_move) *moves,
	 folder_move_exists_t *exists, void *context, const char **error_r)
{
	const struct folder_move *move;
	struct mailbox_state_file state;
	int ret;

	array_foreach(moves, move) {
		ret = read_state(muser, move, &state, error_r);
		if (ret < 0)
			return -1;
		if (ret > 0 && mailbox_state_authority_is_old(state.state) &&
		    (exists(context, move->from) || !exists(context, move->to)))
			return 0;
	}
	return 1;
}

/* It can't be done, and won't be. The folders are then made after the old
   server's. */
static int
drop(struct migration_user *muser, const struct folder_move *move,
     const char *reason, const char **error_r)
{
	migration_report(muser, "folder_failed", "mailbox", move->from,
			 "action", "rename", "reason", reason, NULL);
	return rename_journal_remove(muser->set.dir, error_r);
}

int folder_move_recover(struct migration_user *muser,
			folder_move_exists_t *exists, void *context,
			enum mail_error *error_code_r, const char **error_r)
{
	ARRAY_TYPE(folder_move) moves;
	int ret;

	*error_code_r = MAIL_ERROR_TEMP;
	ret = rename_journal_read(muser->set.dir, pool_datastack_create(),
				  &moves, error_r);
	if (ret <= 0)
		return ret;
	ret = was_done(muser, &moves, exists, context, error_r);
	if (ret < 0)
		return -1;
	if (ret == 0)
		return rename_journal_remove(muser->set.dir, error_r);
	if (folder_move(muser, &moves, error_code_r, error_r) == 0)
		return 1;
	return *error_code_r == MAIL_ERROR_TEMP ? -1 :
		drop(muser, array_front(&moves), *error_r, error_r);
}
