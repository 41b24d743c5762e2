#include "milter-supervisor.h"

#include "config-current.h"
#include "heartbeat.h"
#include "iso-time.h"
#include "milter-daemon.h"
#include "milter-log.h"
#include "milter-report.h"
#include "worker-set.h"

#include <string.h>
#include <sysexits.h>
#include <syslog.h>

struct supervisor {
	const struct milter_overrides *overrides;
	bool detached;
	/* The settings of the start: sockets aren't reloaded. */
	struct milter_config *first;
	struct worker_set *workers;
	time_t started;
	struct heartbeat heartbeat;
	enum milter_mode mode;
};

void milter_supervisor_signals(sigset_t *set_r)
{
	static const int signals[] = {
		SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD
	};
	size_t i;

	sigemptyset(set_r);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set_r, signals[i]);
}

/*
 * Heartbeat and mode
 */

static void tell_counts(struct supervisor *supervisor)
{
	struct milter_config *config = config_current_get();
	time_t now = worker_set_seconds();

	report_heartbeat(config, (uint64_t)(now - supervisor->started),
			 heartbeat_count(&supervisor->heartbeat, now,
					 config->heartbeat_secs));
	milter_config_unref(&config);
}

static void beat(struct supervisor *supervisor)
{
	if (worker_set_is_whole(supervisor->workers))
		tell_counts(supervisor);
	else
		heartbeat_put_off(&supervisor->heartbeat, worker_set_seconds());
}

/* Says aloud when mail is, or will be, turned away. */
static void warn_of_defer(const struct milter_config *config)
{
	char from[ISO_TIME_SIZE], until[ISO_TIME_SIZE];
	time_t now = time(NULL);

	if (config->mode != MILTER_MODE_DEFER)
		return;
	if (!milter_config_may_defer(config, now)) {
		milter_log(LOG_WARNING, "Mode defer: its time is over, mail is "
			   "tagged; set Mode tag");
		return;
	}
	milter_log(LOG_WARNING, "Mode defer: from %s until %s ALL mail for %zu "
		   "domain(s) is turned away with 451, and SOME SENDERS GIVE "
		   "UP after two days: it is safe only if the new server's MX "
		   "is seen everywhere", config->defer_from == 0 ? "now" :
		   iso_time_format(config->defer_from, from),
		   iso_time_format(config->defer_until, until),
		   domain_set_count(config->domains));
}

static void watch_mode(struct supervisor *supervisor)
{
	struct milter_config *config = config_current_get();
	enum milter_mode mode = milter_config_mode(config, time(NULL));

	if (mode != supervisor->mode) {
		milter_log(LOG_WARNING, "mode is %s now",
			   milter_mode_name(mode));
		supervisor->mode = mode;
	}
	milter_config_unref(&config);
}

/*
 * Reload
 */

static bool same_string(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_sockets(const struct milter_config *a,
			 const struct milter_config *b)
{
	size_t i;

	for (i = 0; i < a->sockets.count && i < b->sockets.count; i++) {
		if (strcmp(a->sockets.values[i], b->sockets.values[i]) != 0)
			return false;
	}
	return a->sockets.count == b->sockets.count;
}

static void warn_of_restart(const struct milter_config *first,
			    const struct milter_config *config)
{
	const struct {
		const char *key;
		bool same;
	} settings[] = {
		{ "Socket", same_sockets(first, config) },
		{ "User", same_string(first->user, config->user) },
		{ "UMask", first->umask == config->umask },
		{ "PidFile", same_string(first->pid_file, config->pid_file) },
		{ "SyslogFacility", first->facility == config->facility }
	};
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (!settings[i].same) {
			milter_log(LOG_WARNING, "%s has changed: it stays what "
				   "it was until the next start",
				   settings[i].key);
		}
	}
}

static int
read_config(const struct supervisor *supervisor,
	    struct milter_config **config_r, const char **error_r)
{
	if (milter_config_read(supervisor->first->path, supervisor->overrides,
			       config_r, error_r) < 0)
		return -1;
	if (milter_config_load(*config_r, error_r) < 0) {
		milter_config_unref(config_r);
		return -1;
	}
	return 0;
}

static void reload(struct supervisor *supervisor)
{
	struct milter_config *config;
	const char *error;

	if (read_config(supervisor, &config, &error) < 0)
		config = config_current_get();
	else {
		milter_config_ref(config);
		config_current_set(config);
		worker_set_signal(supervisor->workers, SIGUSR1);
		warn_of_restart(supervisor->first, config);
		warn_of_defer(config);
		error = NULL;
	}
	report_reload(config, error);
	milter_config_unref(&config);
	beat(supervisor);
}

/*
 * Life
 */

/* Seconds until the mode changes by itself; max when it doesn't. */
static time_t mode_lasts(time_t max)
{
	struct milter_config *config = config_current_get();
	time_t now = time(NULL), lasts = max;

	if (config->mode == MILTER_MODE_DEFER && config->defer_from > now)
		lasts = config->defer_from - now;
	else if (milter_config_may_defer(config, now))
		lasts = config->defer_until - now;
	milter_config_unref(&config);
	return lasts < max ? lasts : max;
}

/* Until a signal comes, or there's something to do without one. */
static int wait_signal(const struct supervisor *supervisor)
{
	struct timespec wait = { 0, 0 };
	time_t until = worker_set_next(supervisor->workers,
				       supervisor->heartbeat.next);
	sigset_t set;

	if (until > worker_set_seconds())
		wait.tv_sec = mode_lasts(until - worker_set_seconds());
	milter_supervisor_signals(&set);
	return sigtimedwait(&set, NULL, &wait);
}

/* Returns when it is to end. */
static void watch(struct supervisor *supervisor)
{
	for (;;) {
		switch (wait_signal(supervisor)) {
		case SIGTERM:
		case SIGINT:
			return;
		case SIGUSR1:
		case SIGHUP:
			reload(supervisor);
			break;
		default:
			break;
		}
		worker_set_restart(supervisor->workers);
		watch_mode(supervisor);
		if (worker_set_seconds() >= supervisor->heartbeat.next)
			beat(supervisor);
	}
}

static void run(struct supervisor *supervisor, int ready_fd)
{
	supervisor->started = worker_set_seconds();
	heartbeat_begin(&supervisor->heartbeat, supervisor->started,
			supervisor->first->heartbeat_secs);
	report_state("milter_start", supervisor->first);
	warn_of_defer(supervisor->first);
	supervisor->mode = milter_config_mode(supervisor->first, time(NULL));
	beat(supervisor);
	if (supervisor->detached)
		daemon_ready(ready_fd);
	watch(supervisor);
}

static void say_stop(struct supervisor *supervisor)
{
	struct milter_config *config = config_current_get();

	tell_counts(supervisor);
	report_state("milter_stop", config);
	milter_config_unref(&config);
}

int milter_supervisor_run(const struct milter_overrides *overrides,
			  int ready_fd)
{
	struct supervisor supervisor = {
		.overrides = overrides,
		.detached = ready_fd >= 0
	};
	int status = EX_OSERR;

	supervisor.first = config_current_get();
	supervisor.workers = worker_set_init(&supervisor.first->sockets,
					     overrides, supervisor.detached);
	if (supervisor.workers != NULL) {
		status = worker_set_start(supervisor.workers) ? EX_OK :
			EX_UNAVAILABLE;
		if (status == EX_OK)
			run(&supervisor, ready_fd);
		worker_set_stop(supervisor.workers);
		worker_set_deinit(&supervisor.workers);
	}
	if (status == EX_OK)
		say_stop(&supervisor);
	milter_config_unref(&supervisor.first);
	return status;
}
