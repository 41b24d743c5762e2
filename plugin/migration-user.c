#include "lib.h"
#include "remote-namespace.h"
#include "migration-user.h"
#include "session-catchup.h"
#include "session-demand.h"
#include "session-drain.h"
#include "worker-client.h"
#include "engine/migration-closed.h"

struct migration_user_module migration_user_module =
	MODULE_CONTEXT_INIT(&mail_user_module_register);

static void migration_user_deinit_pre(struct mail_user *user)
{
	struct migration_user *muser = MIGRATION_USER_CONTEXT(user);

	/* others' deinit_pre may still free mailboxes of it */
	muser->module_ctx.super.deinit_pre(user);
	session_catchup_deinit(&muser->session_catchup);
	session_demand_deinit(&muser->session_demand);
	worker_client_deinit(&muser->worker_client);
	remote_namespace_destroy(muser);
}

/* Returns 1 when the user is being moved, 0 when he isn't, -1. */
static int
is_moved(struct mail_user *user, struct migration_settings *set_r,
	 const char **error_r)
{
	int ret;

	if (user->autocreated)
		return 0;
	if (migration_settings_read(user, set_r, error_r) < 0)
		return -1;
	if (!set_r->enabled)
		return 0;
	ret = migration_is_closed(set_r->dir, error_r);
	return ret < 0 ? -1 : (ret > 0 ? 0 : 1);
}

void migration_user_created(struct mail_user *user)
{
	struct mail_user_vfuncs *v = user->vlast;
	struct migration_user *muser;
	struct migration_settings set;
	const char *error;
	int ret;

	ret = is_moved(user, &set, &error);
	if (ret < 0)
		user->error = p_strconcat(user->pool, "migration: ", error,
					  NULL);
	if (ret <= 0)
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

bool migration_user_is_closed(struct migration_user *muser)
{
	const char *error;

	if (!muser->closed)
		muser->closed = migration_is_closed(muser->set.dir,
						    &error) > 0;
	return muser->closed;
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
