#include "lib.h"
#include "array.h"
#include "imap-match.h"
#include "module-dir.h"
#include "migration-user.h"
#include "engine/local-folders.h"
#include "engine/migration-closed.h"
#include "engine/old-limits.h"
#include "service/limit-files.h"
#include "doveadm-migration.h"
#include "doveadm-migration-plugin.h"
#include "doveadm-service.h"
#include "report-log.h"

#include <unistd.h>

const char *doveadm_migration_plugin_version = DOVECOT_ABI_VERSION;

static struct limit_files limit_files = LIMIT_FILES_INIT;

void migration_cmd_begin(void)
{
	report_log_init();
	/* who isn't root has them for himself */
	if (limit_files.budget_fd == -1 && geteuid() == 0)
		limit_files_open(&limit_files);
	old_limits_set_files(limit_files.budget_fd, limit_files.slots_fd);
	old_limits_set_by_hand();
}

void migration_cmd_parse_mask(struct migration_cmd_context *cmd,
			      const char *const args[])
{
	if (args[0] != NULL && args[1] != NULL)
		doveadm_mail_help(cmd->ctx.cmd);
	cmd->mailbox_mask = args[0];
}

bool migration_cmd_is_closed(struct mail_user *user,
			     struct migration_settings *set_r)
{
	const char *error;

	return MIGRATION_USER_CONTEXT(user) == NULL &&
		migration_settings_read(user, set_r, &error) == 0 &&
		set_r->enabled && migration_is_closed(set_r->dir, &error) > 0;
}

struct migration_user *
migration_cmd_user(struct doveadm_mail_cmd_context *ctx,
		   struct mail_user *user)
{
	struct migration_user *muser = MIGRATION_USER_CONTEXT(user);
	struct migration_settings set;

	if (migration_cmd_is_closed(user, &set)) {
		e_error(user->event, "migration: The migration of this user "
			"was closed");
		doveadm_mail_failed_error(ctx, MAIL_ERROR_NOTPOSSIBLE);
		return NULL;
	}
	if (muser == NULL || muser->ns == NULL) {
		e_error(user->event, "migration isn't enabled for this user "
			"(mail_plugins = $mail_plugins migration, "
			"plugin { migration = yes })");
		doveadm_mail_failed_error(ctx, MAIL_ERROR_NOTFOUND);
		return NULL;
	}
	return muser;
}

static int vname_cmp(const char *const *n1, const char *const *n2)
{
	bool inbox1 = strcmp(*n1, "INBOX") == 0;
	bool inbox2 = strcmp(*n2, "INBOX") == 0;

	if (inbox1 != inbox2)
		return inbox1 ? -1 : 1;
	return strcmp(*n1, *n2);
}

int migration_cmd_mailboxes(struct migration_cmd_context *cmd,
			    struct migration_user *muser, pool_t pool,
			    ARRAY_TYPE(const_string) *vnames_r)
{
	ARRAY_TYPE(local_folder) folders;
	const struct local_folder *folder;
	struct imap_match_glob *glob;
	enum mail_error error_code;
	const char *error;

	if (local_folders_get(muser, pool, &folders, &error_code,
			      &error) < 0) {
		migration_cmd_failed(&cmd->ctx, muser, NULL, error_code,
				     error);
		return -1;
	}
	glob = imap_match_init(pool, cmd->mailbox_mask == NULL ? "*" :
			       cmd->mailbox_mask, TRUE,
			       mail_namespace_get_sep(muser->ns));
	p_array_init(vnames_r, pool, 32);
	array_foreach(&folders, folder) {
		if (folder->selectable &&
		    imap_match(glob, folder->vname) == IMAP_MATCH_YES)
			array_push_back(vnames_r, &folder->vname);
	}
	array_sort(vnames_r, vname_cmp);
	return 0;
}

bool migration_cmd_is_killed(void)
{
	return doveadm_is_killed();
}

void migration_cmd_failed(struct doveadm_mail_cmd_context *ctx,
			  struct migration_user *muser, const char *vname,
			  enum mail_error error_code, const char *error)
{
	if (vname == NULL)
		e_error(muser->user->event, "migration: %s", error);
	else
		e_error(muser->user->event, "migration: %s: %s", vname, error);
	doveadm_mail_failed_error(ctx, error_code);
}

#define MAILBOX_MASK_PARAM \
DOVEADM_CMD_PARAM('\0', "mailbox-mask", CMD_PARAM_STR, \
		  CMD_PARAM_FLAG_POSITIONAL)

static struct doveadm_cmd_ver2 migration_commands[] = {
	{
		.name = "migration fill",
		.usage = DOVEADM_CMD_MAIL_USAGE_PREFIX
			"[--follow-expunges] [<mailbox mask>]",
		.mail_cmd = cmd_migration_fill_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('e', "follow-expunges", CMD_PARAM_BOOL, 0)
MAILBOX_MASK_PARAM
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration verify",
		.usage = DOVEADM_CMD_MAIL_USAGE_PREFIX
			"[--follow-expunges] [<mailbox mask>]",
		.mail_cmd = cmd_migration_verify_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('e', "follow-expunges", CMD_PARAM_BOOL, 0)
MAILBOX_MASK_PARAM
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration cutover",
		.usage = DOVEADM_CMD_MAIL_USAGE_PREFIX
			"[--without <uid set>] [<mailbox mask>]",
		.mail_cmd = cmd_migration_cutover_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('w', "without", CMD_PARAM_STR, 0)
MAILBOX_MASK_PARAM
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration catchup",
		.usage = DOVEADM_CMD_MAIL_USAGE_PREFIX
			"[--follow-expunges] [--full]",
		.mail_cmd = cmd_migration_catchup_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('e', "follow-expunges", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAM('a', "full", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration close",
		.usage = DOVEADM_CMD_MAIL_USAGE_PREFIX "[--force]",
		.mail_cmd = cmd_migration_close_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('f', "force", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration rollback",
		.usage = DOVEADM_CMD_MAIL_USAGE_PREFIX
			"[--yes] [--expunge] [<mailbox mask>]",
		.mail_cmd = cmd_migration_rollback_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('y', "yes", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAM('e', "expunge", CMD_PARAM_BOOL, 0)
MAILBOX_MASK_PARAM
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration pause",
		.usage = "",
		.cmd = cmd_migration_pause,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration resume",
		.usage = "",
		.cmd = cmd_migration_resume,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration prioritize",
		.usage = "-u <user>",
		.cmd = cmd_migration_prioritize,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration retry",
		.usage = "[-u <user>]",
		.cmd = cmd_migration_retry,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('u', "user", CMD_PARAM_STR, 0)
DOVEADM_CMD_PARAMS_END
	},
	{
		.name = "migration status",
		.usage = "--watch|--once [--interval <seconds>] | "
			DOVEADM_CMD_MAIL_USAGE_PREFIX "[<mailbox mask>]",
		.cmd = cmd_migration_status,
		.mail_cmd = cmd_migration_status_alloc,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_MAIL_COMMON
DOVEADM_CMD_PARAM('w', "watch", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAM('o', "once", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAM('i', "interval", CMD_PARAM_INT64, 0)
MAILBOX_MASK_PARAM
DOVEADM_CMD_PARAMS_END
	},
};

void doveadm_migration_plugin_init(struct module *module ATTR_UNUSED)
{
	for (unsigned int i = 0; i < N_ELEMENTS(migration_commands); i++)
		doveadm_cmd_register_ver2(&migration_commands[i]);
}

void doveadm_migration_plugin_deinit(void)
{
	report_log_deinit();
	limit_files_close(&limit_files);
}
