#include "lib.h"
#include "sleep.h"
#include "mailbox-list-private.h"
#include "mailbox-list-index.h"
#include "folder-forward.h"
#include "imap-session.h"
#include "migration-user.h"
#include "remote-folders.h"
#include "remote-namespace.h"
#include "redirected-mailbox.h"
#include "engine/folder-tree.h"
#include "engine/lease.h"
#include "session-drain.h"
#include "redirect.h"

#define LEASE_TIMEOUT_SECS 30

#define REDIRECT_STORAGE_CONTEXT(obj) \
	MODULE_CONTEXT_REQUIRE(obj, redirect_storage_module)

struct redirect_storage {
	union mail_storage_module_context module_ctx;
	struct migration_user *muser;
};

static MODULE_CONTEXT_DEFINE_INIT(redirect_storage_module,
				  &mail_storage_module_register);

static bool list_index_is_syncing(struct mailbox_list *list)
{
	struct mailbox_list_index *ilist =
		MODULE_CONTEXT(list, mailbox_list_index_module);

	return ilist != NULL && ilist->syncing;
}

static void
decide_refused(struct migration_user *muser,
	       struct redirect_decision *decision, enum mail_error error_code,
	       const char *error)
{
	lease_release(&decision->lease);
	if (error_code == MAIL_ERROR_UNAVAILABLE)
		error_code = remote_unavailable(muser);
	decision->target = REDIRECT_REFUSED;
	decision->error_code = error_code;
	decision->error = error;
}

/* The destination of a RENAME must be of its source's kind. What else might
   be taken for one finds out when it is opened or made. */
static bool follows_local_source(struct migration_user *muser)
{
	struct mailbox *last =
		mail_namespace_get_default_storage(muser->ns)->mailboxes;

	return last != NULL && !last->opened &&
		folder_forward_is_attached(last);
}

/* A name that nobody knows may be made on the old server, as long as it is
   in use. */
static bool unknown_is_remote(struct migration_user *muser)
{
	const char *error;

	return !follows_local_source(muser) &&
		migration_user_is_local(muser, &error) <= 0;
}

/* Waits for a cutover to end. It may wait for what this very session has open,
   directly or through another session: that is given up meanwhile. */
static int
share_lease(struct migration_user *muser, const char *vname,
	    struct lease **lease_r, const char **error_r)
{
	unsigned int msecs = 0;
	int ret;

	while ((ret = lease_share(muser->set.dir, vname, 0, lease_r,
				  error_r)) == 0 &&
	       msecs < LEASE_TIMEOUT_SECS * 1000) {
		session_drain_check(muser);
		i_sleep_msecs(LEASE_RETRY_MSECS);
		msecs += LEASE_RETRY_MSECS;
	}
	return ret;
}

static void
decide_by_state(struct migration_user *muser, const char *vname,
		struct redirect_decision *decision)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	ret = share_lease(muser, vname, &decision->lease, &error);
	if (ret == 0) {
		decide_refused(muser, decision, MAIL_ERROR_INUSE,
			"Mailbox is being moved, try again");
		return;
	}
	if (ret > 0 && migration_user_is_closed(muser)) {
		/* meanwhile */
		lease_release(&decision->lease);
		return;
	}
	if (ret > 0 && session_drain_pending(muser)) {
		imap_session_bye_now(muser->user);
		decide_refused(muser, decision, MAIL_ERROR_INUSE,
			"Mailbox was just moved to this server, log in again");
		return;
	}
	if (ret > 0) {
		ret = mailbox_state_read(muser->set.dir, vname,
			pool_datastack_create(), &state, &error);
		decision->known = ret > 0;
		decision->state = ret > 0 ? state.state : MAILBOX_STATE_REMOTE;
	}
	if (ret < 0) {
		e_error(muser->user->event, "migration: Mailbox %s: %s",
			vname, error);
		decide_refused(muser, decision, MAIL_ERROR_UNAVAILABLE,
			"Mailbox is being moved to this server "
			"and its state is unknown");
	} else if (ret > 0 && state.state == MAILBOX_STATE_MIRRORED &&
		   muser->late_save == NULL) {
		decision->target = REDIRECT_MIRRORED;
		lease_release(&decision->lease);
	} else if (ret == 0 ? unknown_is_remote(muser) :
		   mailbox_state_authority_is_old(state.state)) {
		decision->target = REDIRECT_REMOTE;
	} else if (ret == 0 || state.state != MAILBOX_STATE_LOCAL) {
		lease_release(&decision->lease);
	}
}

static void
decide(struct migration_user *muser, const char *vname,
       struct redirect_decision *decision)
{
	enum mail_error error_code;
	const char *error;

	if (!folder_tree_exists(muser)) {
		if (folder_tree_refresh(muser, FALSE, &error_code,
					&error) < 0) {
			decide_refused(muser, decision, error_code, t_strdup(error));
			return;
		}
	}
	decide_by_state(muser, vname, decision);
	if (decision->target == REDIRECT_REMOTE &&
	    remote_connect(muser, &error_code, &error) < 0)
		decide_refused(muser, decision, error_code, t_strdup(error));
}

static bool
is_redirectable(struct migration_user *muser, struct mailbox_list *list,
		const char *vname)
{
	size_t root_len = list->ns->prefix_len;

	/* mailbox_get_namespace() of a redirected mailbox is the hidden one:
	   callers allocate other mailboxes of it as well */
	if (muser->remote_ns == NULL || muser->bypass > 0 ||
	    (list->ns != muser->ns && list->ns != muser->remote_ns) ||
	    list_index_is_syncing(list) || migration_user_is_closed(muser))
		return FALSE;
	/* the namespace's root isn't a mailbox, unless it is INBOX */
	return *vname != '\0' &&
		(strcmp(vname, "INBOX") == 0 ||
		 root_len == 0 || strlen(vname) != root_len - 1 ||
		 strncmp(vname, list->ns->prefix, root_len - 1) != 0);
}

static struct mailbox *
super_alloc(struct mail_storage *storage, struct mailbox_list *list,
	    const char *vname, enum mailbox_flags flags)
{
	struct redirect_storage *rstorage = REDIRECT_STORAGE_CONTEXT(storage);

	return rstorage->module_ctx.super.
		mailbox_alloc(storage, list, vname, flags);
}

static struct mailbox *
redirect_mailbox_alloc(struct mail_storage *storage, struct mailbox_list *list,
		       const char *vname, enum mailbox_flags flags)
{
	struct redirect_storage *rstorage = REDIRECT_STORAGE_CONTEXT(storage);
	struct migration_user *muser = rstorage->muser;
	struct redirect_decision *decision;
	struct mail_namespace *ns;

	if (!is_redirectable(muser, list, vname))
		return super_alloc(storage, list, vname, flags);
	decision = i_new(struct redirect_decision, 1);
	decide(muser, vname, decision);
	i_assert(muser->decision == NULL);
	muser->decision = decision;

	ns = decision->target == REDIRECT_REMOTE ?
		muser->remote_ns : muser->ns;
	if (list->ns != ns) {
		storage = mail_namespace_get_default_storage(ns);
		list = ns->list;
	}
	return super_alloc(storage, list, vname, flags);
}

void redirect_storage_created(struct migration_user *muser,
			      struct mail_storage *storage)
{
	struct mail_storage_vfuncs *v = storage->vlast;
	struct redirect_storage *rstorage;

	rstorage = p_new(storage->pool, struct redirect_storage, 1);
	rstorage->module_ctx.super = *v;
	storage->vlast = &rstorage->module_ctx.super;
	rstorage->muser = muser;
	v->mailbox_alloc = redirect_mailbox_alloc;
	MODULE_CONTEXT_SET(storage, redirect_storage_module, rstorage);
}
