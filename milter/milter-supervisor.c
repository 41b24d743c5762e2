#include "milter-supervisor.h"

#include "config-current.h"
#include "iso-time.h"
#include "milter-daemon.h"
#include "milter-log.h"
#include "milter-report.h"
#include "milter-worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#define RESTART_MIN_SECS 1
#define RESTART_MAX_SECS 30
/* More than a worker waits. */
#define STOP_SECS (MILTER_WORKER_DRAIN_SECS + 5)
/* Who lived longer is started again at once. */
#define SHORT_LIFE_SECS 10

struct worker {
	const char *socket;
	/* 0: not running */
	pid_t pid;
	time_t started;
	/* When it isn't running: when to start it, and the wait before that. */
	time_t restart_at;
	unsigned int delay;
};

struct supervisor {
	const struct milter_overrides *overrides;
	bool detached;
	/* The settings of the start: sockets aren't reloaded. */
	struct milter_config *first;
	struct worker *workers;
	size_t count;
	time_t started, next_heartbeat;
	uint64_t seq;
	enum milter_mode mode;
};

/* Seconds that only go forward. */
static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

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
 * Workers
 */

static void
run_worker(const struct supervisor *supervisor, const struct worker *worker,
	   pid_t parent, int ready_fd)
{
	const struct milter_worker_options options = {
		worker->socket, supervisor->overrides, ready_fd,
		supervisor->detached
	};

	/* should we be killed, it must go as well, and at once: libmilter
	   removes its socket late, when another may be there already */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EX_SOFTWARE);
	/* Ctrl-C is for the supervisor */
	(void)setpgid(0, 0);
	milter_worker_run(&options);
}

static bool wait_ready(int fd)
{
	char byte;
	ssize_t ret;

	do {
		ret = read(fd, &byte, 1);
	} while (ret < 0 && errno == EINTR);
	close(fd);
	return ret == 1;
}

/* When it listens; else its end is seen as any other is. */
static bool start_worker(struct supervisor *supervisor, struct worker *worker)
{
	pid_t parent = getpid();
	int fds[2];

	worker->started = seconds();
	if (pipe(fds) < 0) {
		report_failure("%s: no pipe: %s", worker->socket,
			       strerror(errno));
		return false;
	}
	worker->pid = fork();
	if (worker->pid == 0) {
		close(fds[0]);
		run_worker(supervisor, worker, parent, fds[1]);
	}
	close(fds[1]);
	if (worker->pid < 0) {
		worker->pid = 0;
		close(fds[0]);
		report_failure("%s: no process: %s", worker->socket,
			       strerror(errno));
		return false;
	}
	return wait_ready(fds[0]);
}

static void plan_restart(struct worker *worker)
{
	time_t now = seconds();

	if (now - worker->started >= SHORT_LIFE_SECS)
		worker->delay = 0;
	worker->restart_at = now + worker->delay;
	worker->delay = worker->delay == 0 ? RESTART_MIN_SECS :
		worker->delay * 2;
	if (worker->delay > RESTART_MAX_SECS)
		worker->delay = RESTART_MAX_SECS;
}

static void
report_end(const struct worker *worker, int status)
{
	if (WIFSIGNALED(status)) {
		report_failure("the worker of %s was killed by signal %d",
			       worker->socket, WTERMSIG(status));
	} else {
		report_failure("the worker of %s ended with status %d",
			       worker->socket, WEXITSTATUS(status));
	}
}

static struct worker *find_worker(struct supervisor *supervisor, pid_t pid)
{
	size_t i;

	for (i = 0; i < supervisor->count; i++) {
		if (supervisor->workers[i].pid == pid)
			return &supervisor->workers[i];
	}
	return NULL;
}

/* Takes note of those that ended. */
static void reap(struct supervisor *supervisor, bool expected)
{
	struct worker *worker;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		worker = find_worker(supervisor, pid);
		if (worker == NULL)
			continue;
		worker->pid = 0;
		if (expected && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		report_end(worker, status);
		plan_restart(worker);
	}
}

static void restart(struct supervisor *supervisor)
{
	struct worker *worker;
	size_t i;

	for (i = 0; i < supervisor->count; i++) {
		worker = &supervisor->workers[i];
		if (worker->pid != 0 || worker->restart_at > seconds())
			continue;
		if (start_worker(supervisor, worker)) {
			milter_log(LOG_NOTICE, "%s is served again",
				   worker->socket);
		} else if (worker->pid == 0) {
			plan_restart(worker);
		}
	}
}

static size_t count_running(const struct supervisor *supervisor)
{
	size_t i, count = 0;

	for (i = 0; i < supervisor->count; i++) {
		if (supervisor->workers[i].pid != 0)
			count++;
	}
	return count;
}

static void signal_workers(struct supervisor *supervisor, int sig)
{
	size_t i;

	for (i = 0; i < supervisor->count; i++) {
		if (supervisor->workers[i].pid != 0)
			kill(supervisor->workers[i].pid, sig);
	}
}

/*
 * Heartbeat and mode
 */

static void tell_counts(struct supervisor *supervisor)
{
	struct milter_config *config = config_current_get();

	report_heartbeat(config, (uint64_t)(seconds() - supervisor->started),
			 ++supervisor->seq);
	supervisor->next_heartbeat = seconds() + config->heartbeat_secs;
	milter_config_unref(&config);
}

static void beat(struct supervisor *supervisor)
{
	if (count_running(supervisor) == supervisor->count)
		tell_counts(supervisor);
	else
		supervisor->next_heartbeat = seconds() + 1;
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
		signal_workers(supervisor, SIGUSR1);
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

static int start(struct supervisor *supervisor)
{
	size_t i;

	for (i = 0; i < supervisor->count; i++) {
		supervisor->workers[i].socket =
			supervisor->first->sockets.values[i];
		if (!start_worker(supervisor, &supervisor->workers[i]))
			return EX_UNAVAILABLE;
	}
	return 0;
}

static void stop(struct supervisor *supervisor)
{
	time_t end = seconds() + STOP_SECS;
	struct timespec wait;
	sigset_t children;

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	signal_workers(supervisor, SIGUSR2);
	for (;;) {
		reap(supervisor, true);
		if (count_running(supervisor) == 0)
			return;
		wait.tv_sec = end - seconds();
		wait.tv_nsec = 0;
		if (wait.tv_sec <= 0)
			break;
		(void)sigtimedwait(&children, NULL, &wait);
	}
	signal_workers(supervisor, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0) ;
}

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
	time_t until = supervisor->next_heartbeat;
	const struct worker *worker;
	sigset_t set;
	size_t i;

	for (i = 0; i < supervisor->count; i++) {
		worker = &supervisor->workers[i];
		if (worker->pid == 0 && worker->restart_at < until)
			until = worker->restart_at;
	}
	if (until > seconds())
		wait.tv_sec = mode_lasts(until - seconds());
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
		reap(supervisor, false);
		restart(supervisor);
		watch_mode(supervisor);
		if (seconds() >= supervisor->next_heartbeat)
			beat(supervisor);
	}
}

static void run(struct supervisor *supervisor, int ready_fd)
{
	supervisor->started = seconds();
	report_state("milter_start", supervisor->first);
	warn_of_defer(supervisor->first);
	supervisor->mode = milter_config_mode(supervisor->first, time(NULL));
	beat(supervisor);
	if (supervisor->detached)
		daemon_ready(ready_fd);
	watch(supervisor);
}

int milter_supervisor_run(const struct milter_overrides *overrides,
			  int ready_fd)
{
	struct supervisor supervisor = {
		.overrides = overrides,
		.detached = ready_fd >= 0
	};
	struct milter_config *config;
	int status = EX_OSERR;

	supervisor.first = config_current_get();
	supervisor.count = supervisor.first->sockets.count;
	supervisor.workers = calloc(supervisor.count,
				    sizeof(*supervisor.workers));
	if (supervisor.workers != NULL)
		status = start(&supervisor);
	if (status == 0)
		run(&supervisor, ready_fd);
	stop(&supervisor);
	if (status == 0) {
		config = config_current_get();
		tell_counts(&supervisor);
		report_state("milter_stop", config);
		milter_config_unref(&config);
	}
	free(supervisor.workers);
	milter_config_unref(&supervisor.first);
	return status;
}
