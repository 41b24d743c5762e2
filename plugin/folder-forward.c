#include "lib.h"
#include "sleep.h"
#include "mailbox-list-private.h"
#include "migration-user.h"
#include "mirrored-mailbox.h"
#include "redirected-mailbox.h"
#include "remote-folders.h"
#include "engine/folder-tree.h"
#include "engine/lease.h"
#include "engine/local-folders.h"
#include "engine/mailbox-files.h"
#include "engine/mailbox-state.h"
#include "engine/rename-journal.h"
#include "folder-rename.h"
#include "session-drain.h"
#include "worker-pause.h"
#include "folder-forward.h"

#include <time.h>

#define TREE_TIMEOUT_SECS 30

#define FORWARD_CONTEXT(obj) \
	MODULE_CONTEXT_REQUIRE(obj, folder_forward_module)

struct folder_forward {
	/* its vfuncs only for a local mailbox */
	union mailbox_module_context module_ctx;
	struct mailbox_vfuncs *super;
	struct migration_user *muser;
	/* A local mailbox object, the folder of which was just made on the old
	   server: it stands for the wrong one. */
	bool is_remote_now;
};

static MODULE_CONTEXT_DEFINE_INIT(folder_forward_module,
				  &mail_storage_module_register);

static int
forward_fail(struct mailbox *box, enum mail_error error_code,
	     const char *error)
{
	mail_storage_set_error(box->storage, error_code, error);
	return -1;
}

static int forward_fail_internal(struct mailbox *box, const char *error)
{
	e_error(box->event, "migration: %s", error);
	return forward_fail(box, MAIL_ERROR_UNAVAILABLE,
			    "Mailbox is being moved to this server "
			    "and can't be changed now");
}

/* A cutover may wait for the mailbox's lease while it holds the tree's. */
static void give_up_lease(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_MAILBOX(box);

	if (rbox == NULL)
		return;
	mailbox_close(box);
	session_hold_release(&rbox->hold);
}

/* A cutover that has it may wait for what this very session has open: that is
   given up meanwhile. */
static int
take_lease(struct migration_user *muser, struct lease **tree_r,
	   const char **error_r)
{
	unsigned int msecs = 0;
	int ret;

	while ((ret = lease_tree(muser->set.dir, 0, tree_r, error_r)) == 0 &&
	       msecs < TREE_TIMEOUT_SECS * 1000) {
		session_drain_check(muser);
		i_sleep_msecs(LEASE_RETRY_MSECS);
		msecs += LEASE_RETRY_MSECS;
	}
	return ret;
}

/* What a crash has left of a RENAME is ended first. */
static int
take_tree(struct migration_user *muser, struct lease **tree_r,
	  const char **error_r)
{
	enum mail_error error_code;
	int ret;

	ret = take_lease(muser, tree_r, error_r);
	if (ret <= 0 || !rename_journal_exists(muser->set.dir))
		return ret;
	lease_release(tree_r);
	if (folder_tree_refresh(muser, TRUE, &error_code, error_r) < 0)
		return -1;
	ret = take_lease(muser, tree_r, error_r);
	if (ret > 0 && rename_journal_exists(muser->set.dir)) {
		lease_release(tree_r);
		return 0;
	}
	return ret;
}

/* The tree's lease, and where the mailbox stands under it. */
static int
forward_begin(struct migration_user *muser, struct mailbox *box,
	      struct lease **tree_r, struct forward_state *state_r)
{
	struct redirected_mailbox *rbox = REDIRECTED_MAILBOX(box);
	const char *error;
	int ret;

	ret = take_tree(muser, tree_r, &error);
	if (ret == 0)
		return forward_fail(box, MAIL_ERROR_INUSE,
				    "Folders are being changed, try again");
	if (ret > 0)
		ret = forward_state_read(muser, box->vname, state_r, &error);
	if (ret < 0) {
		lease_release(tree_r);
		return forward_fail_internal(box, error);
	}
	if (rbox != NULL && state_r->known && !state_r->is_old) {
		lease_release(tree_r);
		return forward_fail(box, MAIL_ERROR_INUSE,
			"Mailbox was just moved to this server, try again");
	}
	return 0;
}

static int
write_state(struct migration_user *muser, struct mailbox *box,
	    enum mailbox_state state)
{
	const struct mailbox_state_file file = {
		.state = state,
		.since = time(NULL),
	};
	const char *error;

	if (mailbox_state_write(muser->set.dir, box->vname, &file, &error) < 0)
		return forward_fail_internal(box, error);
	return 0;
}

static int
create_here(struct migration_user *muser, struct mailbox *box,
	    const struct mailbox_update *update, bool directory)
{
	struct folder_forward *forward = FORWARD_CONTEXT(box);
	int ret;

	migration_bypass_begin(muser);
	ret = forward->super->create_box(box, update, directory);
	migration_bypass_end(muser);
	return ret;
}

/* When that fails the old server has it, and the next refresh makes it. */
static void create_copy(struct migration_user *muser, struct mailbox *box)
{
	enum mail_error error_code;
	const char *error;

	if (write_state(muser, box, MAILBOX_STATE_REMOTE) == 0 &&
	    local_folder_create(muser, box->vname, TRUE,
				&error_code, &error) < 0)
		e_error(box->event, "migration: Can't create it here: %s",
			error);
}

/* Is it here as well? If not, a crash may have left its state alone behind, and
   the old server must say whether it has it. */
static bool is_complete(struct migration_user *muser, struct mailbox *box)
{
	bool exists;

	return local_folder_exists(muser, box->vname, &exists) < 0 || exists;
}

static int
create_under_lease(struct migration_user *muser, struct mailbox *box,
		   const struct mailbox_update *update, bool directory,
		   const struct forward_state *state, bool *refresh_r)
{
	if (state->known && state->is_old) {
		if (is_complete(muser, box))
			return forward_fail(box, MAIL_ERROR_EXISTS,
					    "Mailbox already exists");
	} else if (state->known || state->user_is_local) {
		if (create_here(muser, box, update, directory) < 0)
			return -1;
		/* or one of that name on the old server would become it */
		return directory ? 0 :
			write_state(muser, box, MAILBOX_STATE_LOCAL);
	}
	if (remote_folder_create(muser, box, directory) < 0) {
		*refresh_r = box->storage->error == MAIL_ERROR_EXISTS;
		return -1;
	}
	if (directory)
		*refresh_r = TRUE;
	else
		create_copy(muser, box);
	return 0;
}

static int
forward_create_box(struct mailbox *box, const struct mailbox_update *update,
		   bool directory)
{
	struct folder_forward *forward = FORWARD_CONTEXT(box);
	struct migration_user *muser = forward->muser;
	struct forward_state state;
	struct lease *tree;
	enum mail_error error_code;
	const char *error;
	bool refresh = FALSE;
	int ret;

	if (forward_begin(muser, box, &tree, &state) < 0)
		return -1;
	ret = create_under_lease(muser, box, update, directory, &state,
				 &refresh);
	lease_release(&tree);
	if (ret == 0 && REDIRECTED_MAILBOX(box) == NULL)
		forward->is_remote_now = state.is_old ||
			(!state.known && !state.user_is_local);
	if (refresh) {
		mail_storage_last_error_push(box->storage);
		(void)folder_tree_refresh(muser, TRUE, &error_code, &error);
		mail_storage_last_error_pop(box->storage);
	}
	return ret;
}

static int forward_open(struct mailbox *box)
{
	struct folder_forward *forward = FORWARD_CONTEXT(box);

	if (forward->is_remote_now)
		return forward_fail(box, MAIL_ERROR_INUSE,
				    "Mailbox was just made, open it again");
	return forward->super->open(box);
}

static int delete_here(struct migration_user *muser, struct mailbox *box)
{
	struct folder_forward *forward = FORWARD_CONTEXT(box);
	int ret;

	migration_bypass_begin(muser);
	ret = forward->super->delete_box(box);
	migration_bypass_end(muser);
	return ret;
}

/* When that fails the old server hasn't got it, and the next refresh takes it
   away here. */
static void delete_copy(struct migration_user *muser, struct mailbox *box)
{
	enum mail_error error_code;
	const char *error;

	if (local_folder_delete(muser, box->vname, &error_code, &error) < 0 ||
	    mailbox_files_remove(muser->set.dir, box->vname, &error) < 0)
		e_error(box->event, "migration: Can't delete it here: %s",
			error);
}

static int forget_local(struct migration_user *muser, struct mailbox *box)
{
	const struct mailbox_state_file local = {
		.state = MAILBOX_STATE_LOCAL,
	};
	const char *error;

	if (mailbox_files_forget(muser->set.dir, box->vname, &local,
				 &error) < 0)
		return forward_fail_internal(box, error);
	return 0;
}

/* The old server hasn't got it. What is here without a state had children only,
   and stays when the last of them goes, as in any store with folders. */
static int delete_parent_here(struct migration_user *muser, struct mailbox *box)
{
	enum mail_error error_code;
	const char *error;

	return local_folder_delete_parent(muser, box->vname, &error_code,
					  &error) == 0 ? 0 :
		forward_fail(box, error_code, error);
}

static int
delete_under_lease(struct migration_user *muser, struct mailbox *box,
		   const struct forward_state *state)
{
	if (REDIRECTED_MAILBOX(box) == NULL &&
	    (MIRRORED_MAILBOX(box) == NULL || !state->is_old)) {
		if (delete_here(muser, box) < 0)
			return -1;
		return !state->known ? 0 : forget_local(muser, box);
	}
	mailbox_close(box);
	if (remote_folder_delete(muser, box) < 0)
		return !state->known &&
			box->storage->error == MAIL_ERROR_NOTFOUND ?
			delete_parent_here(muser, box) : -1;
	delete_copy(muser, box);
	return 0;
}

static int forward_delete_box(struct mailbox *box)
{
	struct folder_forward *forward = FORWARD_CONTEXT(box);
	struct migration_user *muser = forward->muser;
	struct forward_state state;
	struct lease *tree;
	int paused, ret;

	give_up_lease(box);
	if ((paused = worker_pause(muser, box)) < 0)
		return -1;
	ret = forward_begin(muser, box, &tree, &state);
	if (ret == 0) {
		ret = delete_under_lease(muser, box, &state);
		lease_release(&tree);
	}
	worker_resume(muser, paused);
	return ret;
}

static int forward_rename_box(struct mailbox *src, struct mailbox *dest)
{
	struct folder_forward *forward = FORWARD_CONTEXT(src);
	struct migration_user *muser = forward->muser;
	struct forward_state state;
	struct lease *tree;
	int paused, ret;

	if (src->inbox_user)
		return forward_fail(src, MAIL_ERROR_NOTPOSSIBLE,
				    "Renaming INBOX isn't supported.");
	give_up_lease(src);
	give_up_lease(dest);
	if ((paused = worker_pause(muser, src)) < 0)
		return -1;
	ret = forward_begin(muser, src, &tree, &state);
	if (ret == 0) {
		ret = folder_rename(muser, src, dest);
		lease_release(&tree);
	}
	worker_resume(muser, paused);
	return ret;
}

static int forward_set_subscribed(struct mailbox *box, bool set)
{
	struct folder_forward *forward = FORWARD_CONTEXT(box);
	struct migration_user *muser = forward->muser;
	struct forward_state state;
	struct lease *tree;
	enum mail_error error_code;
	const char *error;
	int ret = 0;

	if (forward_begin(muser, box, &tree, &state) < 0)
		return -1;
	if (!state.user_is_local && (!state.known || state.is_old))
		ret = remote_folder_subscribe(muser, box, set);
	if (ret == 0 && local_folder_subscribe(muser, box->vname, set,
					       &error_code, &error) < 0)
		ret = forward_fail(box, error_code, error);
	lease_release(&tree);
	return ret;
}

bool folder_forward_is_attached(struct mailbox *box)
{
	return MODULE_CONTEXT(box, folder_forward_module) != NULL;
}

void folder_forward_init(struct migration_user *muser, struct mailbox *box,
			 struct mailbox_vfuncs *v, struct mailbox_vfuncs *super)
{
	struct folder_forward *forward;

	forward = p_new(box->pool, struct folder_forward, 1);
	if (super == NULL) {
		forward->module_ctx.super = *v;
		super = box->vlast = &forward->module_ctx.super;
	}
	forward->super = super;
	forward->muser = muser;
	if (REDIRECTED_MAILBOX(box) == NULL)
		v->open = forward_open;
	v->create_box = forward_create_box;
	v->delete_box = forward_delete_box;
	v->rename_box = forward_rename_box;
	v->set_subscribed = forward_set_subscribed;
	MODULE_CONTEXT_SET(box, folder_forward_module, forward);
}
