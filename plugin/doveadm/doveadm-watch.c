#include "lib.h"
#include "doveadm.h"
#include "doveadm-cmd.h"
#include "doveadm-mail.h"
#include "common/text-screen.h"
#include "service-client.h"
#include "service-picture.h"
#include "service-text.h"
#include "worker-link.h"
#include "doveadm-service.h"

#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/*
 * doveadm migration status --watch, --once
 *
 * On a terminal one screen, which the service draws anew each second; elsewhere
 * the same text from time to time, for logs.
 */

#define INTERVAL_SECS 10
/* a service that is restarted comes again */
#define RECONNECT_MSECS 1000
#define OUTPUT_SIZE (64 * 1024)

struct watch {
	struct service_client *client;
	bool once, terminal;
	uint64_t interval_msecs;
	/* worker_link_now() when something was shown, 0: nothing was */
	uint64_t shown;
};

static char *picture_text(const struct service_picture *picture,
			  unsigned int rows)
{
	const struct service_text_options options = { rows, time(NULL) };
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (memory == NULL)
		i_fatal_status(FATAL_OUTOFMEM, "open_memstream() failed: %m");
	service_text_write(picture, &options, memory);
	(void)fclose(memory);
	return text;
}

static void
watch_show(struct watch *watch, const struct service_picture *picture)
{
	/* the row below is the cursor's */
	unsigned int rows = !watch->terminal ? 0 :
		text_screen_size(STDOUT_FILENO).rows - 1;
	char *text = picture_text(picture, rows);

	if (watch->terminal)
		text_screen_draw(stdout, text, rows);
	else
		printf("%s%s", watch->shown == 0 ? "" : "\n", text);
	free(text);
	watch->shown = worker_link_now();
}

static bool is_time(const struct watch *watch)
{
	return watch->terminal || watch->shown == 0 ||
		worker_link_now() - watch->shown >= watch->interval_msecs;
}

static int watch_connect(struct watch *watch, const char **error_r)
{
	const char *const words[] = {
		watch->once ? "STATUS" : "WATCH", NULL
	};

	if (doveadm_service_connect(&watch->client, error_r) < 0)
		return -1;
	return service_client_say(watch->client, words, error_r);
}

/* The next picture: 0, or -1 with an error. */
static int watch_next(struct watch *watch, const char **error_r)
{
	struct service_picture *picture;

	if (watch->client == NULL && watch_connect(watch, error_r) < 0)
		return -1;
	if (service_client_picture(watch->client, &picture, error_r) <= 0)
		return -1;
	if (is_time(watch))
		watch_show(watch, picture);
	service_picture_deinit(&picture);
	return 0;
}

/* What was shown stays, and why it's old stands below it. */
static void watch_lost(struct watch *watch, const char *error)
{
	service_client_deinit(&watch->client);
	printf("%sThe service is waited for: %s\n",
	       watch->terminal ? "\r" : "", error);
	fflush(stdout);
	(void)poll(NULL, 0, RECONNECT_MSECS);
}

/* Until it can't be written or a signal comes. */
static void watch_run(struct watch *watch)
{
	const char *error;
	bool failed;

	do T_BEGIN {
		failed = watch_next(watch, &error) < 0;
		if (failed && !doveadm_service_killed()) {
			if (watch->shown == 0)
				doveadm_service_failed(EX_TEMPFAIL, error);
			else
				watch_lost(watch, error);
		}
	} T_END; while (!watch->once && watch->shown != 0 &&
			!doveadm_service_killed() && fflush(stdout) == 0);
	service_client_deinit(&watch->client);
}

static void cmd_migration_watch(struct doveadm_cmd_context *cctx, bool once)
{
	struct watch watch = {
		.once = once,
		.terminal = !once && isatty(STDOUT_FILENO) == 1,
	};
	int64_t secs = INTERVAL_SECS;

	if (cctx->conn_type != DOVEADM_CONNECTION_TYPE_CLI) {
		doveadm_service_failed(EX_USAGE,
			"--watch and --once are for a terminal");
		return;
	}
	if (doveadm_cmd_param_int64(cctx, "interval", &secs) && secs < 1) {
		doveadm_service_failed(EX_USAGE, "--interval is in seconds");
		return;
	}
	watch.interval_msecs = (uint64_t)secs * 1000;
	/* for the widths of names; and a drawing is one write */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)setvbuf(stdout, NULL, _IOFBF, OUTPUT_SIZE);
	watch_run(&watch);
}

void cmd_migration_status(struct doveadm_cmd_context *cctx)
{
	bool watch = FALSE, once = FALSE;

	(void)doveadm_cmd_param_bool(cctx, "watch", &watch);
	(void)doveadm_cmd_param_bool(cctx, "once", &once);
	if (watch || once)
		cmd_migration_watch(cctx, once);
	else
		doveadm_cmd_ver2_to_mail_cmd_wrapper(cctx);
}
