#include "lib.h"
#include "remote-namespace.h"
#include "migration-user.h"
#include "session-drain.h"
#include "worker-client.h"

struct migration_user_module migration_user_module =
	MODULE_CONTEXT_INIT(&mail_user_module_register);

static void migration_user_deinit_pre(struct mail_user *user)
{
	struct migration_user *muser = MIGRATION_USER_CONTEXT(user);

	/* others' deinit_pre may still free mailboxes of it */
	muser->module_ctx.super.deinit_pre(user);
	worker_client_deinit(&muser->worker_client);
	remote_namespace_destroy(muser);
}

void migration_user_created(struct mail_user *user)
{
	struct mail_user_vfuncs *v = user->vlast;
	struct migration_user *muser;
	struct migration_settings set;
	const char *error;

	if (user->autocreated)
		return;
	if (migration_settings_read(user, &set, &error) < 0) {
		user->error = p_strconcat(user->pool, "migration: ", error,
					  NULL);
		return;
	}
	if (!set.enabled)
		return;

	muser = p_new(user->pool, struct migration_user, 1);
	muser->module_ctx.super = *v;
	user->vlast = &muser->module_ctx.super;
	v->deinit_pre = migration_user_deinit_pre;
	muser->user = user;
	muser->waits = session_drain_check;
	muser->set = set;
	MODULE_CONTEXT_SET(user, migration_user_module, muser);
}

void migration_bypass_begin(struct migration_user *muser)
{
	muser->bypass++;
}

void migration_bypass_end(struct migration_user *muser)
{
	i_assert(muser->bypass > 0);
	muser->bypass--;
}

struct mailbox *
migration_local_mailbox_alloc(struct migration_user *muser, const char *vname,
			      enum mailbox_flags flags)
{
	struct mailbox *box;

	migration_bypass_begin(muser);
	box = mailbox_alloc(muser->ns->list, vname, flags);
	migration_bypass_end(muser);
	return box;
}
