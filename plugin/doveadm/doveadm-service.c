#include "lib.h"
#include "lib-signals.h"
#include "doveadm.h"
#include "doveadm-cmd.h"
#include "doveadm-settings.h"
#include "scheduler/scheduler-protocol.h"
#include "service-client.h"
#include "doveadm-service.h"

#include <signal.h>

/*
 * doveadm migration pause, resume, prioritize, retry
 */

static volatile sig_atomic_t killed_signal;

static void killed(const siginfo_t *info, void *context ATTR_UNUSED)
{
	killed_signal = info->si_signo;
}

bool doveadm_service_killed(void)
{
	return killed_signal != 0;
}

/* Not delayed, as the master service has them: nothing here has an ioloop. */
static void catch_signals(void)
{
	static bool caught = FALSE;

	if (!caught) {
		lib_signals_set_handler(SIGINT, 0, killed, NULL);
		lib_signals_set_handler(SIGTERM, 0, killed, NULL);
	}
	caught = TRUE;
}

int doveadm_service_connect(struct service_client **client_r,
			    const char **error_r)
{
	const char *path = t_strconcat(doveadm_settings->base_dir,
		"/"SCHEDULER_CONTROL_SOCKET, NULL);

	catch_signals();
	return service_client_init(path, doveadm_service_killed, client_r,
				   error_r);
}

void doveadm_service_failed(int exit_code, const char *error)
{
	i_error("migration: %s", error);
	doveadm_exit_code = exit_code;
}

/* words is NULL-terminated. */
static void service_command(const char *const *words)
{
	struct service_client *client;
	const char *error;
	int ret;

	if (doveadm_service_connect(&client, &error) < 0) {
		doveadm_service_failed(EX_TEMPFAIL, error);
		return;
	}
	ret = service_client_say(client, words, &error);
	if (ret == 0)
		ret = service_client_answer(client, &error);
	if (ret <= 0)
		doveadm_service_failed(ret < 0 ? EX_TEMPFAIL :
				       DOVEADM_EX_NOTPOSSIBLE, error);
	service_client_deinit(&client);
}

void cmd_migration_pause(struct doveadm_cmd_context *cctx ATTR_UNUSED)
{
	static const char *const words[] = { "PAUSE", NULL };

	service_command(words);
}

void cmd_migration_resume(struct doveadm_cmd_context *cctx ATTR_UNUSED)
{
	static const char *const words[] = { "RESUME", NULL };

	service_command(words);
}

void cmd_migration_prioritize(struct doveadm_cmd_context *cctx)
{
	const char *words[] = { "PRIORITIZE", NULL, NULL };

	if (doveadm_cmd_param_str(cctx, "user", &words[1]))
		service_command(words);
	else
		doveadm_service_failed(EX_USAGE, "prioritize needs -u <user>");
}

void cmd_migration_retry(struct doveadm_cmd_context *cctx)
{
	const char *words[] = { "RETRY", NULL, NULL };

	(void)doveadm_cmd_param_str(cctx, "user", &words[1]);
	service_command(words);
}
