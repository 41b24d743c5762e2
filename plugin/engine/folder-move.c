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

/* Returns 1 when `to` has the state of `from`, 0 when there is none (any more),
   -1 when it is that of another mailbox. */
static int
check_target(struct migration_user *muser, const struct folder_move *move,
	     const struct mailbox_state_file *from,
	     enum mail_error *error_code_r, const char **error_r)
{
	struct mailbox_state_file to;
	int ret;

	ret = mailbox_state_read(muser->set.dir, move->to,
				 pool_datastack_create(), &to, error_r);
	if (ret <= 0 || to.state == MAILBOX_STATE_DELETED)
		return I_MIN(ret, 0);
	if (mailbox_state_equals(from, &to))
		return 1;
	*error_code_r = MAIL_ERROR_EXISTS;
	*error_r = t_strdup_printf("Mailbox already exists: %s", move->to);
	return -1;
}

static int
move_files(struct migration_user *muser, const struct folder_move *move,
	   enum mail_error *error_code_r, const char **error_r)
{
	struct mailbox_state_file state;
	int ret = read_state(muser, move, &state, error_r);

	if (ret <= 0 || check_target(muser, move, &state, error_code_r,
				     error_r) < 0)
		return ret > 0 ? -1 : ret;
	return mailbox_files_move(muser->set.dir, move->from, move->to,
				  &state, error_r);
}

static int
forget_name(struct migration_user *muser, const struct folder_move *move,
	    enum mail_error *error_code_r ATTR_UNUSED, const char **error_r)
{
	struct mailbox_state_file state;
	int ret = read_state(muser, move, &state, error_r);

	return ret <= 0 ? ret :
		mailbox_files_forget(muser->set.dir, move->from, &state,
				     error_r);
}

/* What was written for `to` goes, unless the folder has that name by now. */
static int
take_back(struct migration_user *muser, const struct folder_move *move,
	  enum mail_error *error_code_r, const char **error_r)
{
	static const struct mailbox_state_file local = {
		.state = MAILBOX_STATE_LOCAL,
	};
	const char *dir = muser->set.dir;
	struct mailbox_state_file state;
	enum mail_error other_code;
	const char *other;
	bool here, there;
	int ret = read_state(muser, move, &state, error_r);

	if (ret <= 0)
		return ret;
	if (check_target(muser, move, &state, &other_code, &other) <= 0)
		return 0;
	if (local_folder_exists(muser, move->from, &here) < 0 ||
	    local_folder_exists(muser, move->to, &there) < 0) {
		*error_r = t_strdup_printf("Can't look at %s or %s",
					   move->from, move->to);
		return -1;
	}
	if (there && !here)
		return forget_name(muser, move, error_code_r, error_r);
	if (mailbox_files_move(dir, move->to, move->from, &state, error_r) < 0)
		return -1;
	return move->to_deleted ?
		mailbox_files_forget(dir, move->to, &local, error_r) :
		mailbox_files_remove(dir, move->to, error_r);
}

typedef int move_step_t(struct migration_user *muser,
			const struct folder_move *move,
			enum mail_error *error_code_r, const char **error_r);

static int
for_each(struct migration_user *muser, const ARRAY_TYPE(folder_move) *moves,
	 move_step_t *step, enum mail_error *error_code_r, const char **error_r)
{
	const struct folder_move *move;

	array_foreach(moves, move) {
		if (step(muser, move, error_code_r, error_r) < 0)
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

static int
move_all(struct migration_user *muser, const ARRAY_TYPE(folder_move) *moves,
	 enum mail_error *error_code_r, const char **error_r)
{
	*error_code_r = MAIL_ERROR_TEMP;
	if (for_each(muser, moves, move_files, error_code_r, error_r) < 0 ||
	    move_folders(muser, moves, error_code_r, error_r) < 0)
		return -1;
	*error_code_r = MAIL_ERROR_TEMP;
	if (for_each(muser, moves, forget_name, error_code_r, error_r) < 0)
		return -1;
	return rename_journal_remove(muser->set.dir, error_r);
}

/* moves: NULL when they aren't known. */
static void
report_failure(struct migration_user *muser,
	       const ARRAY_TYPE(folder_move) *moves, const char *reason)
{
	const struct folder_move *first = NULL;

	if (moves != NULL && !array_is_empty(moves))
		first = array_front(moves);
	migration_report(muser, "folder_failed",
			 "mailbox", first == NULL ? "" : first->from,
			 "action", "rename", "reason", reason, NULL);
}

/* It can't be done, and won't be. Folders of the old server are then made after
   those that are there. */
static int
give_up(struct migration_user *muser, const ARRAY_TYPE(folder_move) *moves,
	const char **error_r)
{
	enum mail_error error_code;

	if (for_each(muser, moves, take_back, &error_code, error_r) < 0)
		return -1;
	return rename_journal_remove(muser->set.dir, error_r);
}

int folder_move(struct migration_user *muser,
		const ARRAY_TYPE(folder_move) *moves,
		enum mail_error *error_code_r, const char **error_r)
{
	const char *error;

	if (move_all(muser, moves, error_code_r, error_r) == 0)
		return 0;
	report_failure(muser, moves, *error_r);
	if (*error_code_r != MAIL_ERROR_TEMP &&
	    give_up(muser, moves, &error) < 0) {
		report_failure(muser, moves, error);
		*error_code_r = MAIL_ERROR_TEMP;
		*error_r = error;
	}
	return -1;
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

int folder_move_recover(struct migration_user *muser,
			folder_move_exists_t *exists, void *context,
			enum mail_error *error_code_r, const char **error_r)
{
	ARRAY_TYPE(folder_move) moves;
	int ret;

	*error_code_r = MAIL_ERROR_TEMP;
	ret = rename_journal_read(muser->set.dir, pool_datastack_create(),
				  &moves, error_r);
	if (ret > 0)
		ret = was_done(muser, &moves, exists, context, error_r);
	else if (ret == 0)
		return 0;
	if (ret < 0) {
		report_failure(muser, NULL, *error_r);
		return -1;
	}
	if (ret == 0)
		return give_up(muser, &moves, error_r);
	if (folder_move(muser, &moves, error_code_r, error_r) == 0)
		return 1;
	return *error_code_r == MAIL_ERROR_TEMP ? -1 : 0;
}
