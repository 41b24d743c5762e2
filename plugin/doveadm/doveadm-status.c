#include "lib.h"
#include "array.h"
#include "str.h"
#include "time-util.h"
#include "doveadm-print.h"
#include "migration-user.h"
#include "engine/folder-tree.h"
#include "engine/mailbox-state.h"
#include "engine/migration-closed.h"
#include "doveadm-migration.h"

/*
 * doveadm migration status
 */

struct status_total {
	unsigned int mailboxes, local;
	uint64_t messages, done_messages, bytes, done_bytes, rate;
	bool failed;
};

static const char *seconds_left(uint64_t bytes, uint64_t rate)
{
	if (bytes == 0)
		return "0";
	return rate == 0 ? "-" : dec2str((bytes + rate - 1) / rate);
}

static uint64_t bytes_left(const struct mailbox_state_file *state)
{
	return state->bytes > state->done_bytes &&
		mailbox_state_authority_is_old(state->state) ?
		state->bytes - state->done_bytes : 0;
}

static void append_uids(string_t *str, const char *what, const char *uids)
{
	if (*uids != '\0')
		str_printfa(str, "%s%s: %s", str_len(str) == 0 ? "" : "; ",
			    what, uids);
}

static const char *problem(const struct mailbox_state_file *state)
{
	string_t *str = t_str_new(128);

	str_append(str, state->error);
	append_uids(str, "bad UIDs", state->bad_uids);
	append_uids(str, "altered UIDs", state->altered_uids);
	append_uids(str, "given up UIDs", state->without_uids);
	return str_c(str);
}

static void print_state(const char *vname,
			const struct mailbox_state_file *state)
{
	doveadm_print(vname);
	doveadm_print(mailbox_state_to_str(state->state));
	doveadm_print_num(state->done_messages);
	doveadm_print_num(state->messages);
	doveadm_print_num(state->done_bytes);
	doveadm_print_num(state->bytes);
	doveadm_print_num(state->rate);
	doveadm_print(seconds_left(bytes_left(state), state->rate));
	doveadm_print(problem(state));
}

/* Without figures. */
static void
print_row(const char *vname, const char *state, const char *problem)
{
	doveadm_print(vname);
	doveadm_print(state);
	for (unsigned int i = 0; i < 5; i++)
		doveadm_print_num(0);
	doveadm_print("-");
	doveadm_print(problem);
}

static void print_total(const struct status_total *total)
{
	doveadm_print("*");
	doveadm_print(total->failed || total->mailboxes == 0 ? "unknown" :
		      (total->local == total->mailboxes ? "local" : "moving"));
	doveadm_print_num(total->done_messages);
	doveadm_print_num(total->messages);
	doveadm_print_num(total->done_bytes);
	doveadm_print_num(total->bytes);
	doveadm_print_num(total->rate);
	doveadm_print(seconds_left(total->bytes > total->done_bytes ?
				   total->bytes - total->done_bytes : 0,
				   total->rate));
	doveadm_print(total->mailboxes == 0 ?
		"no mailboxes: the old server's folders weren't looked at yet" :
		t_strdup_printf("%u of %u mailboxes are local",
				total->local, total->mailboxes));
}

static void add_to_total(struct status_total *total,
			 const struct mailbox_state_file *state)
{
	if (state->state == MAILBOX_STATE_LOCAL)
		total->local++;
	total->messages += state->messages;
	total->done_messages += state->done_messages;
	total->bytes += state->bytes;
	total->done_bytes += state->done_bytes;
	total->rate = I_MAX(total->rate, state->rate);
}

static void
status_mailbox(struct doveadm_mail_cmd_context *ctx,
	       struct migration_user *muser, const char *vname, pool_t pool,
	       struct status_total *total)
{
	struct mailbox_state_file state;
	const char *error;
	int ret;

	total->mailboxes++;
	ret = mailbox_state_read(muser->set.dir, vname, pool, &state, &error);
	if (ret < 0) {
		print_row(vname, "unknown", error);
		total->failed = TRUE;
		doveadm_mail_failed_error(ctx, MAIL_ERROR_TEMP);
		return;
	}
	if (ret == 0) {
		/* it never was the old server's */
		state.state = MAILBOX_STATE_LOCAL;
		state.error = state.bad_uids = state.altered_uids =
			state.without_uids = "";
	}
	print_state(vname, &state);
	add_to_total(total, &state);
}

/* The mailboxes; none before all of them are here. */
static void
status_mailboxes(struct migration_cmd_context *cmd,
		 struct migration_user *muser, pool_t pool,
		 struct status_total *total)
{
	ARRAY_TYPE(const_string) vnames;
	const char *vname;

	if (!folder_tree_exists(muser) ||
	    migration_cmd_mailboxes(cmd, muser, pool, &vnames) < 0)
		return;
	array_foreach_elem(&vnames, vname) T_BEGIN {
		status_mailbox(&cmd->ctx, muser, vname, pool, total);
	} T_END;
}

/* One row, of no mailbox. */
static void print_closed(const char *dir)
{
	struct migration_closed closed;
	const char *error;

	if (migration_closed_read(dir, &closed, &error) < 0) {
		print_row("*", "closed", error);
		return;
	}
	print_row("*", "closed", closed.when == 0 ? "" :
		  t_strdup_printf("since %s%s", t_strflocaltime(
			"%Y-%m-%d %H:%M:%S", closed.when),
			closed.forced ? ", forced" : ""));
}

static int
cmd_migration_status_run(struct doveadm_mail_cmd_context *ctx,
			 struct mail_user *user)
{
	struct migration_cmd_context *cmd =
		container_of(ctx, struct migration_cmd_context, ctx);
	struct migration_user *muser;
	struct migration_settings set;
	struct status_total total = { .mailboxes = 0 };
	pool_t pool;

	if (migration_cmd_is_closed(user, &set)) {
		print_closed(set.dir);
		return 0;
	}
	if ((muser = migration_cmd_user(ctx, user)) == NULL)
		return -1;
	pool = pool_alloconly_create("migration status", 1024);
	status_mailboxes(cmd, muser, pool, &total);
	if (ctx->exit_code == 0 || total.mailboxes > 0)
		print_total(&total);
	pool_unref(&pool);
	return ctx->exit_code == 0 ? 0 : -1;
}

static void
cmd_migration_status_init(struct doveadm_mail_cmd_context *ctx,
			  const char *const args[])
{
	static const char *const numbers[] = {
		"done", "messages", "done_bytes", "bytes", "rate",
		"seconds_left",
	};
	struct migration_cmd_context *cmd =
		container_of(ctx, struct migration_cmd_context, ctx);

	migration_cmd_parse_mask(cmd, args);
	doveadm_print_header("mailbox", "mailbox",
			     DOVEADM_PRINT_HEADER_FLAG_EXPAND);
	doveadm_print_header_simple("state");
	for (unsigned int i = 0; i < N_ELEMENTS(numbers); i++)
		doveadm_print_header(numbers[i], numbers[i],
				     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	doveadm_print_header_simple("problem");
}

struct doveadm_mail_cmd_context *cmd_migration_status_alloc(void)
{
	struct migration_cmd_context *cmd =
		doveadm_mail_cmd_alloc(struct migration_cmd_context);

	cmd->ctx.v.init = cmd_migration_status_init;
	cmd->ctx.v.run = cmd_migration_status_run;
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	return &cmd->ctx;
}
