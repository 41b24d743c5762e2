#include "lib.h"
#include "array.h"
#include "doveadm-print.h"
#include "migration-user.h"
#include "engine/rollback.h"
#include "doveadm-migration.h"

/*
 * doveadm migration rollback
 */

#define CATCHUP_LOCK_SECS 600

struct rollback_cmd_context {
	struct migration_cmd_context cmd;
	bool yes, expunge;
};

struct rollback_run {
	struct rollback_cmd_context *rctx;
	struct migration_user *muser;
	struct rollback *rollback;
	pool_t pool;
	ARRAY_TYPE(const_string) vnames;
	/* of the plan, in their order */
	ARRAY(struct rollback_result) plans;
};

static const char *
what_it_is(const struct rollback_result *result, bool done)
{
	if (result->own)
		return "stays here";
	if (result->was_old)
		return "proxied";
	if (done)
		return "rolled back";
	return result->seamless ? "seamless" : "to be rolled back";
}

static void
print_result(const char *vname, const struct rollback_result *result, bool done)
{
	doveadm_print(vname);
	doveadm_print(what_it_is(result, done));
	doveadm_print_num(result->messages);
	doveadm_print_num(result->copied);
	doveadm_print_num(result->moved);
	doveadm_print_num(result->expunged);
	doveadm_print(t_strdup_printf("%u.%03u",
		result->usecs / 1000000, result->usecs / 1000 % 1000));
}

static int plan_all(struct rollback_run *run)
{
	struct rollback_result *result;
	enum mail_error error_code;
	const char *vname, *error;

	array_foreach_elem(&run->vnames, vname) {
		result = array_append_space(&run->plans);
		if (rollback_plan(run->rollback, vname, result, &error_code,
				  &error) < 0) {
			migration_cmd_failed(&run->rctx->cmd.ctx, run->muser,
					     vname, error_code, error);
			return -1;
		}
	}
	return 0;
}

/* What isn't seamless is told first, and done only by somebody who has read it. */
static bool may_go_on(struct rollback_run *run)
{
	const struct rollback_result *plan;
	bool seamless = TRUE;
	unsigned int i = 0;
	const char *vname;

	if (run->rctx->yes)
		return TRUE;
	array_foreach(&run->plans, plan) {
		if (!plan->own && !plan->was_old && !plan->seamless)
			seamless = FALSE;
	}
	if (seamless)
		return TRUE;
	array_foreach_elem(&run->vnames, vname) {
		plan = array_idx(&run->plans, i++);
		print_result(vname, plan, FALSE);
	}
	migration_cmd_failed(&run->rctx->cmd.ctx, run->muser, NULL,
		MAIL_ERROR_NOTPOSSIBLE, "Nothing was done: clients will see "
		"messages under other UIDs (moved), and those again that were "
		"expunged here (expunged; not with --expunge). If that is "
		"meant: --yes");
	return FALSE;
}

static void roll_back_all(struct rollback_run *run)
{
	struct rollback_result result;
	enum mail_error error_code;
	const char *vname, *error;

	array_foreach_elem(&run->vnames, vname) T_BEGIN {
		if (rollback_mailbox(run->rollback, vname, &result,
				     &error_code, &error) < 0) {
			migration_cmd_failed(&run->rctx->cmd.ctx, run->muser,
					     vname, error_code, error);
		} else {
			print_result(vname, &result, TRUE);
		}
	} T_END;
}

static void rollback_user(struct rollback_run *run)
{
	const struct rollback_settings set = {
		.vnames = &run->vnames,
		.expunge = run->rctx->expunge,
	};
	enum mail_error error_code;
	const char *error;

	if (migration_cmd_mailboxes(&run->rctx->cmd, run->muser, run->pool,
				    &run->vnames) < 0)
		return;
	if (rollback_begin(run->muser, &set, CATCHUP_LOCK_SECS, &run->rollback,
			   &error_code, &error) < 0) {
		migration_cmd_failed(&run->rctx->cmd.ctx, run->muser, NULL,
				     error_code, error);
		return;
	}
	p_array_init(&run->plans, run->pool, array_count(&run->vnames));
	if (plan_all(run) == 0 && may_go_on(run))
		roll_back_all(run);
	rollback_end(&run->rollback);
}

static int
cmd_migration_rollback_run(struct doveadm_mail_cmd_context *ctx,
			   struct mail_user *user)
{
	struct rollback_run run = {
		.rctx = container_of(ctx, struct rollback_cmd_context, cmd.ctx),
		.muser = migration_cmd_user(ctx, user),
	};

	if (run.muser == NULL)
		return -1;
	run.pool = pool_alloconly_create("migration rollback", 1024);
	rollback_user(&run);
	pool_unref(&run.pool);
	return ctx->exit_code == 0 ? 0 : -1;
}

static bool
cmd_migration_rollback_parse_arg(struct doveadm_mail_cmd_context *ctx, int c)
{
	struct rollback_cmd_context *rctx =
		container_of(ctx, struct rollback_cmd_context, cmd.ctx);

	switch (c) {
	case 'y':
		rctx->yes = TRUE;
		return TRUE;
	case 'e':
		rctx->expunge = TRUE;
		return TRUE;
	}
	return FALSE;
}

static void
cmd_migration_rollback_init(struct doveadm_mail_cmd_context *ctx,
			    const char *const args[])
{
	static const char *const numbers[] = {
		"messages", "copied", "moved", "expunged", "seconds"
	};
	struct rollback_cmd_context *rctx =
		container_of(ctx, struct rollback_cmd_context, cmd.ctx);

	migration_cmd_parse_mask(&rctx->cmd, args);
	doveadm_print_header("mailbox", "mailbox",
			     DOVEADM_PRINT_HEADER_FLAG_EXPAND);
	doveadm_print_header_simple("state");
	for (unsigned int i = 0; i < N_ELEMENTS(numbers); i++) {
		doveadm_print_header(numbers[i], numbers[i],
				     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	}
}

struct doveadm_mail_cmd_context *cmd_migration_rollback_alloc(void)
{
	struct rollback_cmd_context *rctx =
		doveadm_mail_cmd_alloc(struct rollback_cmd_context);

	migration_cmd_begin();
	rctx->cmd.ctx.getopt_args = "ye";
	rctx->cmd.ctx.v.parse_arg = cmd_migration_rollback_parse_arg;
	rctx->cmd.ctx.v.init = cmd_migration_rollback_init;
	rctx->cmd.ctx.v.run = cmd_migration_rollback_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &rctx->cmd.ctx;
}
