#include "lib.h"
#include "doveadm-print.h"
#include "migration-user.h"
#include "engine/catchup-wait.h"
#include "doveadm-migration.h"

/*
 * doveadm migration catchup
 */

struct catchup_cmd_context {
	struct doveadm_mail_cmd_context ctx;
	enum catchup_flags flags;
};

static const struct catchup_column {
	const char *name;
	size_t offset;
} columns[] = {
	{ "mailboxes", offsetof(struct catchup_result, mailboxes) },
	{ "changed", offsetof(struct catchup_result, changed) },
	{ "late", offsetof(struct catchup_result, late) },
	{ "doubles", offsetof(struct catchup_result, doubles) },
	{ "failed", offsetof(struct catchup_result, failed) },
	{ "flags", offsetof(struct catchup_result, flags) },
	{ "expunged", offsetof(struct catchup_result, expunged) },
	{ "moved", offsetof(struct catchup_result, moved) },
	{ "copied", offsetof(struct catchup_result, copied) },
};

static void print_result(const struct catchup_result *result)
{
	for (unsigned int i = 0; i < N_ELEMENTS(columns); i++)
		doveadm_print_num(*(const unsigned int *)
			CONST_PTR_OFFSET(result, columns[i].offset));
}

static int
cmd_migration_catchup_run(struct doveadm_mail_cmd_context *ctx,
			  struct mail_user *user)
{
	struct catchup_cmd_context *cctx =
		container_of(ctx, struct catchup_cmd_context, ctx);
	struct migration_user *muser;
	struct migration_settings set;
	struct catchup_result result;
	enum mail_error error_code;
	const char *error;

	/* there is nothing to catch up with */
	if (migration_cmd_is_closed(user, &set))
		return 0;
	if ((muser = migration_cmd_user(ctx, user)) == NULL)
		return -1;
	i_zero(&result);
	if (catchup_wait_run(muser, NULL, cctx->flags, migration_cmd_is_killed,
			     &result, &error_code, &error) < 0)
		migration_cmd_failed(ctx, muser, NULL, error_code, error);
	else if (result.failed > 0)
		doveadm_mail_failed_error(ctx, MAIL_ERROR_TEMP);
	print_result(&result);
	return ctx->exit_code == 0 ? 0 : -1;
}

static bool
cmd_migration_catchup_parse_arg(struct doveadm_mail_cmd_context *ctx, int c)
{
	struct catchup_cmd_context *cctx =
		container_of(ctx, struct catchup_cmd_context, ctx);

	switch (c) {
	case 'e':
		cctx->flags |= CATCHUP_FLAG_FOLLOW_EXPUNGES;
		return TRUE;
	case 'a':
		cctx->flags |= CATCHUP_FLAG_FULL;
		return TRUE;
	}
	return FALSE;
}

static void
cmd_migration_catchup_init(struct doveadm_mail_cmd_context *ctx,
			   const char *const args[])
{
	if (args[0] != NULL)
		doveadm_mail_help(ctx->cmd);
	for (unsigned int i = 0; i < N_ELEMENTS(columns); i++)
		doveadm_print_header(columns[i].name, columns[i].name,
				     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
}

struct doveadm_mail_cmd_context *cmd_migration_catchup_alloc(void)
{
	struct catchup_cmd_context *cctx =
		doveadm_mail_cmd_alloc(struct catchup_cmd_context);

	migration_cmd_begin();
	cctx->ctx.getopt_args = "ea";
	cctx->ctx.v.parse_arg = cmd_migration_catchup_parse_arg;
	cctx->ctx.v.init = cmd_migration_catchup_init;
	cctx->ctx.v.run = cmd_migration_catchup_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &cctx->ctx;
}
