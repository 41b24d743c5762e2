#include "lib.h"
#include "array.h"
#include "doveadm-print.h"
#include "migration-user.h"
#include "mover/move-worker.h"
#include "mover/user-move.h"
#include "doveadm-migration.h"
#include "progress-bar.h"

/*
 * doveadm migration fill, doveadm migration verify
 */

/* another fill of the same user: wait for it */
#define FILLER_LOCK_SECS 600

struct fill_cmd_context {
	struct migration_cmd_context cmd;
	enum fill_flags flags;
};

struct fill_run {
	struct fill_cmd_context *fctx;
	struct migration_user *muser;
	struct user_move *move;
	struct progress_bar *bar;
};

static void print_result(struct fill_run *run, const char *vname,
			 const struct user_move_result *moved)
{
	const struct fill_result *result = &moved->fill;

	progress_bar_hide(run->bar);
	doveadm_print(vname);
	doveadm_print(result->local || moved->cut_over ? "local" :
		      (result->mirrored ? "mirrored" :
		       (result->filled ? "filled" : "filling")));
	doveadm_print_num(result->fetched);
	doveadm_print_num(result->fetched_bytes);
	doveadm_print_num(result->changed);
	doveadm_print_num(result->expunged);
	doveadm_print_num(result->verified);
	doveadm_print_num(result->mismatched);
	doveadm_print_num(result->altered);
	doveadm_print_num(result->bad);
	doveadm_print(t_strdup_printf("%u.%03u", result->usecs / 1000000,
				      result->usecs / 1000 % 1000));
}

static void fill_one(struct fill_run *run, const char *vname)
{
	struct doveadm_mail_cmd_context *ctx = &run->fctx->cmd.ctx;
	struct user_move_result result;
	enum mail_error error_code;
	const char *error;

	if (user_move_mailbox(run->move, vname, &result, &error_code,
			      &error) < 0) {
		migration_cmd_failed(ctx, run->muser, vname, error_code, error);
		return;
	}
	if (result.fill.bad > 0)
		doveadm_mail_failed_error(ctx, MAIL_ERROR_TEMP);
	if (result.cutover_error != NULL)
		migration_cmd_failed(ctx, run->muser, NULL,
				     result.cutover_error_code,
				     result.cutover_error);
	print_result(run, vname, &result);
}

static void
fill_each(struct fill_run *run, const ARRAY_TYPE(const_string) *vnames)
{
	const char *vname;

	user_move_expect(run->move, vnames);
	array_foreach_elem(vnames, vname) {
		if (doveadm_is_killed()) {
			user_move_stop(run->move);
			break;
		}
		T_BEGIN {
			fill_one(run, vname);
		} T_END;
	}
}

static void fill_all(struct fill_run *run, pool_t pool)
{
	ARRAY_TYPE(const_string) vnames, ours, mirrored;
	enum mail_error error_code;
	const char *vname, *error;

	if (migration_cmd_mailboxes(&run->fctx->cmd, run->muser, pool,
				    &vnames) < 0)
		return;
	p_array_init(&ours, pool, array_count(&vnames));
	p_array_init(&mirrored, pool, array_count(&vnames));
	array_foreach_elem(&vnames, vname)
		array_push_back(move_worker_has(run->muser, vname) ?
				&mirrored : &ours, &vname);

	fill_each(run, &ours);
	fill_each(run, &mirrored);
	if (user_move_finish(run->move, &error_code, &error) < 0)
		migration_cmd_failed(&run->fctx->cmd.ctx, run->muser, NULL,
				     error_code, error);
}

static void fill_user(struct fill_run *run)
{
	struct doveadm_mail_cmd_context *ctx = &run->fctx->cmd.ctx;
	const struct fill_observer observer = progress_bar_observer(run->bar);
	const struct user_move_settings set = {
		.lock_secs = FILLER_LOCK_SECS,
		.flags = run->fctx->flags,
		.partial = run->fctx->cmd.mailbox_mask != NULL,
		.observer = &observer,
		.killed = migration_cmd_is_killed,
	};
	enum mail_error error_code;
	const char *error;
	pool_t pool;

	if (user_move_init(run->muser, &set, &run->move, &error_code,
			   &error) < 0) {
		migration_cmd_failed(ctx, run->muser, NULL, error_code, error);
		return;
	}
	pool = pool_alloconly_create("migration fill", 1024);
	fill_all(run, pool);
	pool_unref(&pool);
	user_move_deinit(&run->move);
}

static int
cmd_migration_fill_run(struct doveadm_mail_cmd_context *ctx,
		       struct mail_user *user)
{
	struct fill_run run = {
		.fctx = container_of(ctx, struct fill_cmd_context, cmd.ctx),
		.muser = migration_cmd_user(ctx, user),
	};

	if (run.muser == NULL)
		return -1;
	run.bar = progress_bar_init(user->username);
	fill_user(&run);
	progress_bar_deinit(&run.bar);
	return ctx->exit_code == 0 ? 0 : -1;
}

static bool
cmd_migration_fill_parse_arg(struct doveadm_mail_cmd_context *ctx, int c)
{
	struct fill_cmd_context *fctx =
		container_of(ctx, struct fill_cmd_context, cmd.ctx);

	if (c != 'e')
		return FALSE;
	fctx->flags |= FILL_FLAG_FOLLOW_EXPUNGES;
	return TRUE;
}

static void
cmd_migration_fill_init(struct doveadm_mail_cmd_context *ctx,
			const char *const args[])
{
	static const char *const numbers[] = {
		"fetched", "bytes", "changed", "expunged", "verified",
		"mismatched", "altered", "bad", "seconds",
	};
	struct fill_cmd_context *fctx =
		container_of(ctx, struct fill_cmd_context, cmd.ctx);

	migration_cmd_parse_mask(&fctx->cmd, args);
	doveadm_print_header("mailbox", "mailbox",
			     DOVEADM_PRINT_HEADER_FLAG_EXPAND);
	doveadm_print_header_simple("state");
	for (unsigned int i = 0; i < N_ELEMENTS(numbers); i++)
		doveadm_print_header(numbers[i], numbers[i],
				     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
}

static struct doveadm_mail_cmd_context *fill_alloc(enum fill_flags flags)
{
	struct fill_cmd_context *fctx =
		doveadm_mail_cmd_alloc(struct fill_cmd_context);

	migration_cmd_begin();
	fctx->flags = flags;
	fctx->cmd.ctx.getopt_args = "e";
	fctx->cmd.ctx.v.parse_arg = cmd_migration_fill_parse_arg;
	fctx->cmd.ctx.v.init = cmd_migration_fill_init;
	fctx->cmd.ctx.v.run = cmd_migration_fill_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &fctx->cmd.ctx;
}

struct doveadm_mail_cmd_context *cmd_migration_fill_alloc(void)
{
	return fill_alloc(0);
}

struct doveadm_mail_cmd_context *cmd_migration_verify_alloc(void)
{
	return fill_alloc(FILL_FLAG_VERIFY);
}
