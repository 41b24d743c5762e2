#include "lib.h"
#include "array.h"
#include "doveadm-print.h"
#include "migration-user.h"
#include "worker-end.h"
#include "engine/close.h"
#include "engine/migration-closed.h"
#include "engine/old-settings.h"
#include "doveadm-migration.h"

/*
 * doveadm migration close
 */

struct close_cmd_context {
	struct doveadm_mail_cmd_context ctx;
	bool force;
};

static void failed(struct doveadm_mail_cmd_context *ctx,
		   struct mail_user *user, enum mail_error error_code,
		   const char *error)
{
	e_error(user->event, "migration: %s", error);
	doveadm_mail_failed_error(ctx, error_code);
}

/* Nothing of the old server's settings is used any more. What is a secret needn't
   lie about, and it isn't ours to remove. */
static void name_password(struct mail_user *user)
{
	struct mail_namespace *ns =
		mail_namespace_find_inbox(user->namespaces);
	const char *const *field = user->userdb_fields;
	struct old_client_settings set;
	const char *error;

	for (; field != NULL && *field != NULL; field++) {
		if (str_begins(*field, "imapc_password=")) {
			e_warning(user->event, "migration: The old server's "
				"password is still in the user database "
				"(userdb_imapc_password): take it out there");
			return;
		}
	}
	if (old_settings_read(ns, &set, &error) == 0 &&
	    set.password != NULL && *set.password != '\0')
		e_warning(user->event, "migration: A password of the old "
			"server is still in the configuration "
			"(imapc_password): take it out there when all users "
			"are closed");
}

/* Whoever was about to work for this user isn't any more. */
static void clean_up(struct doveadm_mail_cmd_context *ctx,
		     struct mail_user *user, const char *dir)
{
	const char *error;

	if (worker_end(dir, &error) < 0 || close_remove_files(dir, &error) < 0)
		failed(ctx, user, MAIL_ERROR_TEMP, t_strdup_printf(
			"It is closed, but not all of %s could be removed, "
			"give the command again: %s", dir, error));
	name_password(user);
}

static void
tell_reasons(struct close_cmd_context *cctx, struct mail_user *user,
	     const ARRAY_TYPE(const_string) *reasons)
{
	const char *reason;

	array_foreach_elem(reasons, reason) {
		if (cctx->force)
			e_warning(user->event, "migration: Closed although: %s",
				  reason);
		else
			failed(&cctx->ctx, user, MAIL_ERROR_NOTPOSSIBLE,
			       t_strconcat("Not closed: ", reason, NULL));
	}
}

static void close_user(struct close_cmd_context *cctx,
		       struct migration_user *muser)
{
	const struct close_settings set = {
		.force = cctx->force,
		.killed = migration_cmd_is_killed,
	};
	pool_t pool = pool_alloconly_create("migration close", 1024);
	ARRAY_TYPE(const_string) reasons;
	enum mail_error error_code;
	const char *error;
	int ret;

	p_array_init(&reasons, pool, 8);
	ret = close_migration(muser, &set, pool, &reasons, &error_code,
			      &error);
	if (ret < 0)
		failed(&cctx->ctx, muser->user, error_code, error);
	else
		tell_reasons(cctx, muser->user, &reasons);
	if (ret > 0)
		clean_up(&cctx->ctx, muser->user, muser->set.dir);
	doveadm_print(ret > 0 ? "yes" : "no");
	pool_unref(&pool);
}

static int
cmd_migration_close_run(struct doveadm_mail_cmd_context *ctx,
			struct mail_user *user)
{
	struct close_cmd_context *cctx =
		container_of(ctx, struct close_cmd_context, ctx);
	struct migration_settings set;
	struct migration_user *muser;

	if (migration_cmd_is_closed(user, &set)) {
		clean_up(ctx, user, set.dir);
		doveadm_print("yes");
	} else if ((muser = migration_cmd_user(ctx, user)) != NULL) {
		close_user(cctx, muser);
	}
	return ctx->exit_code == 0 ? 0 : -1;
}

static bool
cmd_migration_close_parse_arg(struct doveadm_mail_cmd_context *ctx, int c)
{
	struct close_cmd_context *cctx =
		container_of(ctx, struct close_cmd_context, ctx);

	if (c != 'f')
		return FALSE;
	cctx->force = TRUE;
	return TRUE;
}

static void
cmd_migration_close_init(struct doveadm_mail_cmd_context *ctx,
			 const char *const args[])
{
	if (args[0] != NULL)
		doveadm_mail_help(ctx->cmd);
	doveadm_print_header_simple("closed");
}

struct doveadm_mail_cmd_context *cmd_migration_close_alloc(void)
{
	struct close_cmd_context *cctx =
		doveadm_mail_cmd_alloc(struct close_cmd_context);

	migration_cmd_begin();
	cctx->ctx.getopt_args = "f";
	cctx->ctx.v.parse_arg = cmd_migration_close_parse_arg;
	cctx->ctx.v.init = cmd_migration_close_init;
	cctx->ctx.v.run = cmd_migration_close_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &cctx->ctx;
}
