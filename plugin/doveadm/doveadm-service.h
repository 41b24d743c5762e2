#ifndef DOVEADM_SERVICE_H
#define DOVEADM_SERVICE_H

/*
 * doveadm-service: what `doveadm migration` commands have in common that talk to
 * `service migration` instead of opening a user's mailboxes.
 */

struct doveadm_cmd_context;
struct service_client;

/* Connects to the service of this Dovecot; -1 with an error. From now on SIGINT
   and SIGTERM end what waits, with an error. */
int doveadm_service_connect(struct service_client **client_r,
			    const char **error_r);
/* One of these signals came. */
bool doveadm_service_killed(void);
/* Says why, and lets doveadm's exit code tell it. */
void doveadm_service_failed(int exit_code, const char *error);

/* The commands. */
void cmd_migration_pause(struct doveadm_cmd_context *cctx);
void cmd_migration_resume(struct doveadm_cmd_context *cctx);
void cmd_migration_prioritize(struct doveadm_cmd_context *cctx);
void cmd_migration_retry(struct doveadm_cmd_context *cctx);
/* Shows the service with --watch or --once; else the users' mailboxes. */
void cmd_migration_status(struct doveadm_cmd_context *cctx);

#endif
