#ifndef DOVEADM_MIGRATION_H
#define DOVEADM_MIGRATION_H

/*
 * doveadm-migration: the commands `doveadm migration ...`, see
 * doveadm-migration(1). One file a command; what they share is here.
 */

#include "doveadm-mail.h"

struct migration_settings;
struct migration_user;
struct mailbox_state_file;

/* Context of a command that goes through a user's mailboxes. */
struct migration_cmd_context {
	struct doveadm_mail_cmd_context ctx;
	/* NULL: all */
	const char *mailbox_mask;
};

/* The commands' allocators, for the table of commands. */
struct doveadm_mail_cmd_context *cmd_migration_fill_alloc(void);
struct doveadm_mail_cmd_context *cmd_migration_verify_alloc(void);
struct doveadm_mail_cmd_context *cmd_migration_cutover_alloc(void);
struct doveadm_mail_cmd_context *cmd_migration_catchup_alloc(void);
struct doveadm_mail_cmd_context *cmd_migration_close_alloc(void);
struct doveadm_mail_cmd_context *cmd_migration_rollback_alloc(void);
struct doveadm_mail_cmd_context *cmd_migration_status_alloc(void);

/* In a command's allocator, as root still: where its reports go, and what it may
   take of old servers together with all other processes. */
void migration_cmd_begin(void);

/* v.init of a command with an optional mailbox mask: at most one argument. */
void migration_cmd_parse_mask(struct migration_cmd_context *cmd,
			      const char *const args[]);

/* Was this user's migration closed? He has no context then, but settings. */
bool migration_cmd_is_closed(struct mail_user *user,
			     struct migration_settings *set_r);
/* The user's context; NULL (and the command has failed) when the plugin isn't
   loaded or not enabled for that user. */
struct migration_user *
migration_cmd_user(struct doveadm_mail_cmd_context *ctx,
		   struct mail_user *user);

/* Names of the user's selectable mailboxes that match the mask, sorted, INBOX
   first. Returns 0; -1: the command has failed. */
int migration_cmd_mailboxes(struct migration_cmd_context *cmd,
			    struct migration_user *muser, pool_t pool,
			    ARRAY_TYPE(const_string) *vnames_r);

/* doveadm_is_killed(), to be called through a pointer. */
bool migration_cmd_is_killed(void);
/* Say why, and let doveadm's exit code tell it. */
void migration_cmd_failed(struct doveadm_mail_cmd_context *ctx,
			  struct migration_user *muser, const char *vname,
			  enum mail_error error_code, const char *error);

#endif
