#include "lib.h"
#include "array.h"
#include "imap-seqset.h"
#include "doveadm-print.h"
#include "migration-user.h"
#include "engine/cutover.h"
#include "engine/filler.h"
#include "mover/move-worker.h"
#include "doveadm-migration.h"

/*
 * doveadm migration cutover
 */

#define FILLER_LOCK_SECS 600

struct cutover_cmd_context {
	struct migration_cmd_context cmd;
	/* NULL: none */
	const char *without;
};

struct cutover_run {
	struct cutover_cmd_context *cctx;
	struct migration_user *muser;
	/* NULL when it is the worker's to do */
	struct filler *filler;
};

static void print_results(const ARRAY_TYPE(cutover_result) *results)
{
	const struct cutover_result *result;

	array_foreach(results, result) {
		doveadm_print(result->vname);
		doveadm_print("local");
		doveadm_print_num(result->messages);
		doveadm_print(t_strdup_printf("%u.%03u",
			result->usecs / 1000000, result->usecs / 1000 % 1000));
	}
}

static void
cut_over(struct cutover_run *run, const ARRAY_TYPE(const_string) *vnames)
{
	ARRAY_TYPE(cutover_result) results;
	enum mail_error error_code;
	const char *error;

	t_array_init(&results, array_count(vnames));
	if (move_worker_cutover(run->muser, &run->filler, vnames,
				migration_cmd_is_killed, &results, &error_code,
				&error) < 0)
		migration_cmd_failed(&run->cctx->cmd.ctx, run->muser, NULL,
				     error_code, error);
	print_results(&results);
}

static void
cut_over_each(struct cutover_run *run, const ARRAY_TYPE(const_string) *vnames)
{
	ARRAY_TYPE(const_string) single;
	const char *vname;

	array_foreach_elem(vnames, vname) T_BEGIN {
		t_array_init(&single, 1);
		array_push_back(&single, &vname);
		cut_over(run, &single);
	} T_END;
}

/* One mailbox must be meant: UIDs are a mailbox's own. */
static int
give_up(struct cutover_run *run, const ARRAY_TYPE(const_string) *vnames)
{
	const char *error;

	if (run->cctx->without == NULL)
		return 0;
	if (array_count(vnames) != 1)
		error = "--without needs the name of a single mailbox";
	else if (cutover_without(run->filler,
			*(const char *const *)array_front(vnames),
			run->cctx->without, &error) == 0)
		return 0;
	migration_cmd_failed(&run->cctx->cmd.ctx, run->muser, NULL,
			     MAIL_ERROR_PARAMS, error);
	return -1;
}

static void cutover_user(struct cutover_run *run)
{
	ARRAY_TYPE(const_string) vnames;
	pool_t pool = pool_alloconly_create("migration cutover", 1024);

	if (migration_cmd_mailboxes(&run->cctx->cmd, run->muser, pool,
				    &vnames) < 0 ||
	    give_up(run, &vnames) < 0) {
		/* said already */
	} else if (run->muser->set.cutover == MIGRATION_CUTOVER_USER) {
		cut_over(run, &vnames);
	} else {
		cut_over_each(run, &vnames);
	}
	pool_unref(&pool);
}

static int
cmd_migration_cutover_run(struct doveadm_mail_cmd_context *ctx,
			  struct mail_user *user)
{
	struct cutover_run run = {
		.cctx = container_of(ctx, struct cutover_cmd_context, cmd.ctx),
		.muser = migration_cmd_user(ctx, user),
	};
	enum mail_error error_code;
	const char *error;

	if (run.muser == NULL)
		return -1;
	if (filler_init(run.muser, FILLER_LOCK_SECS, NULL, &run.filler,
			&error_code, &error) < 0) {
		migration_cmd_failed(ctx, run.muser, NULL, error_code, error);
		return -1;
	}
	cutover_user(&run);
	filler_deinit(&run.filler);
	return ctx->exit_code == 0 ? 0 : -1;
}

static bool
cmd_migration_cutover_parse_arg(struct doveadm_mail_cmd_context *ctx, int c)
{
	struct cutover_cmd_context *cctx =
		container_of(ctx, struct cutover_cmd_context, cmd.ctx);

	if (c != 'w')
		return FALSE;
	cctx->without = optarg;
	return TRUE;
}

static void
cmd_migration_cutover_init(struct doveadm_mail_cmd_context *ctx,
			   const char *const args[])
{
	struct cutover_cmd_context *cctx =
		container_of(ctx, struct cutover_cmd_context, cmd.ctx);

	migration_cmd_parse_mask(&cctx->cmd, args);
	doveadm_print_header("mailbox", "mailbox",
			     DOVEADM_PRINT_HEADER_FLAG_EXPAND);
	doveadm_print_header_simple("state");
	doveadm_print_header("messages", "messages",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	doveadm_print_header("seconds", "seconds",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
}

struct doveadm_mail_cmd_context *cmd_migration_cutover_alloc(void)
{
	struct cutover_cmd_context *cctx =
		doveadm_mail_cmd_alloc(struct cutover_cmd_context);

	migration_cmd_begin();
	cctx->cmd.ctx.getopt_args = "w:";
	cctx->cmd.ctx.v.parse_arg = cmd_migration_cutover_parse_arg;
	cctx->cmd.ctx.v.init = cmd_migration_cutover_init;
	cctx->cmd.ctx.v.run = cmd_migration_cutover_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &cctx->cmd.ctx;
}
