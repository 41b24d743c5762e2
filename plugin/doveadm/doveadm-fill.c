#include "lib.h"
#include "array.h"
#include "doveadm-print.h"
#include "migration-user.h"
#include "engine/cutover.h"
#include "engine/filler.h"
#include "engine/folder-tree.h"
#include "doveadm-migration.h"
#include "doveadm-worker.h"
#include "progress-bar.h"
#include "report-log.h"

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
	/* NULL while the mailboxes are the worker's */
	struct filler *filler;
	struct progress_bar *bar;
	struct fill_observer observer;
	/* of the mailboxes that are filled */
	ARRAY_TYPE(const_string) filled;
	bool all_filled;
};

static void print_result(struct fill_run *run, const char *vname,
			 const struct fill_result *result, bool cut_over)
{
	progress_bar_hide(run->bar);
	doveadm_print(vname);
	doveadm_print(result->local || cut_over ? "local" :
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

static bool cut_over(struct fill_run *run,
		     const ARRAY_TYPE(const_string) *vnames)
{
	ARRAY_TYPE(cutover_result) results;
	enum mail_error error_code;
	const char *error;

	t_array_init(&results, array_count(vnames));
	if (doveadm_worker_cutover(run->muser, &run->filler, vnames, &results,
				   &error_code, &error) == 0)
		return TRUE;
	migration_cmd_failed(&run->fctx->cmd.ctx, run->muser, NULL,
			     error_code, error);
	return FALSE;
}

/* Returns TRUE when it is local now. */
static bool filled(struct fill_run *run, const char *vname)
{
	ARRAY_TYPE(const_string) single;

	if (run->muser->set.cutover != MIGRATION_CUTOVER_MAILBOX) {
		array_push_back(&run->filled, &vname);
		return FALSE;
	}
	t_array_init(&single, 1);
	array_push_back(&single, &vname);
	return cut_over(run, &single);
}

static int
fill_or_ask(struct fill_run *run, const char *vname,
	    struct fill_result *result_r,
	    enum mail_error *error_code_r, const char **error_r)
{
	enum fill_flags flags = run->fctx->flags;

	if (run->filler != NULL)
		return filler_run(run->filler, vname, flags, result_r,
				  error_code_r, error_r);
	return doveadm_worker_fill(run->muser, vname, flags, &run->observer,
				   result_r, error_code_r, error_r);
}

static void fill_one(struct fill_run *run, const char *vname)
{
	struct doveadm_mail_cmd_context *ctx = &run->fctx->cmd.ctx;
	struct fill_result result;
	enum mail_error error_code;
	const char *error;
	bool local = FALSE;

	if (fill_or_ask(run, vname, &result, &error_code, &error) < 0) {
		migration_cmd_failed(ctx, run->muser, vname, error_code, error);
		run->all_filled = FALSE;
		return;
	}
	if (result.bad > 0)
		doveadm_mail_failed_error(ctx, MAIL_ERROR_TEMP);
	if (!result.filled && !result.local)
		run->all_filled = FALSE;
	else if (!result.local && (run->fctx->flags & FILL_FLAG_VERIFY) == 0)
		local = filled(run, vname);
	print_result(run, vname, &result, local);
}

static void
fill_each(struct fill_run *run, const ARRAY_TYPE(const_string) *vnames)
{
	const char *vname;

	array_foreach_elem(vnames, vname) {
		if (doveadm_is_killed()) {
			run->all_filled = FALSE;
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
	const char *vname;

	if (migration_cmd_mailboxes(&run->fctx->cmd, run->muser, pool,
				    &vnames) < 0)
		return;
	p_array_init(&run->filled, pool, array_count(&vnames));
	p_array_init(&ours, pool, array_count(&vnames));
	p_array_init(&mirrored, pool, array_count(&vnames));
	array_foreach_elem(&vnames, vname)
		array_push_back(doveadm_worker_has(run->muser, vname) ?
				&mirrored : &ours, &vname);

	run->all_filled = run->fctx->cmd.mailbox_mask == NULL;
	fill_each(run, &ours);
	if (!array_is_empty(&mirrored))
		filler_deinit(&run->filler);
	fill_each(run, &mirrored);
	if (run->muser->set.cutover == MIGRATION_CUTOVER_USER &&
	    run->all_filled && array_count(&run->filled) > 0)
		(void)cut_over(run, &run->filled);
}

static int
cmd_migration_fill_run(struct doveadm_mail_cmd_context *ctx,
		       struct mail_user *user)
{
	struct fill_run run = {
		.fctx = container_of(ctx, struct fill_cmd_context, cmd.ctx),
		.muser = migration_cmd_user(ctx, user),
	};
	enum mail_error error_code;
	const char *error;
	pool_t pool;

	if (run.muser == NULL)
		return -1;
	run.bar = progress_bar_init(user->username);
	run.observer = progress_bar_observer(run.bar);
	pool = pool_alloconly_create("migration fill", 1024);
	if (filler_init(run.muser, FILLER_LOCK_SECS, &run.observer,
			&run.filler, &error_code, &error) < 0) {
		migration_cmd_failed(ctx, run.muser, NULL, error_code, error);
	} else {
		fill_all(&run, pool);
		filler_deinit(&run.filler);
	}
	pool_unref(&pool);
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

	report_log_init();
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
