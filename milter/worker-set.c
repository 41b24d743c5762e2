#include "worker-set.h"

#include "milter-log.h"
#include "milter-report.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#define RESTART_MIN_SECS 1
#define RESTART_MAX_SECS 30
/* Who lived longer is started again at once. */
#define SHORT_LIFE_SECS 10

struct worker {
	const char *socket;
	/* 0: not running */
	pid_t pid;
	/* It has said that it listens. */
	bool listens;
	time_t started;
	/* When it isn't running: when to start it, and the wait before that. */
	time_t restart_at;
	unsigned int delay;
};

struct worker_set {
	const struct milter_overrides *overrides;
	bool detached;
	struct worker *workers;
	size_t count;
};

time_t worker_set_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

struct worker_set *
worker_set_init(const struct config_list *sockets,
		const struct milter_overrides *overrides, bool detached)
{
	struct worker_set *set = calloc(1, sizeof(*set));
	size_t i;

	if (set == NULL)
		return NULL;
	set->overrides = overrides;
	set->detached = detached;
	set->workers = calloc(sockets->count, sizeof(*set->workers));
	if (set->workers == NULL) {
		free(set);
		return NULL;
	}
	set->count = sockets->count;
	for (i = 0; i < set->count; i++)
		set->workers[i].socket = sockets->values[i];
	return set;
}

void worker_set_deinit(struct worker_set **set)
{
	free((*set)->workers);
	free(*set);
	*set = NULL;
}

static void
run_worker(const struct worker_set *set, const struct worker *worker,
	   pid_t parent, int ready_fd)
{
	const struct milter_worker_options options = {
		worker->socket, set->overrides, ready_fd,
		set->detached
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
static bool start_worker(struct worker_set *set, struct worker *worker)
{
	pid_t parent = getpid();
	int fds[2];

	worker->started = worker_set_seconds();
	if (pipe(fds) < 0) {
		report_failure("%s: no pipe: %s", worker->socket,
			       strerror(errno));
		return false;
	}
	worker->pid = fork();
	if (worker->pid == 0) {
		close(fds[0]);
		run_worker(set, worker, parent, fds[1]);
	}
	close(fds[1]);
	if (worker->pid < 0) {
		worker->pid = 0;
		close(fds[0]);
		report_failure("%s: no process: %s", worker->socket,
			       strerror(errno));
		return false;
	}
	worker->listens = wait_ready(fds[0]);
	return worker->listens;
}

static void plan_restart(struct worker *worker)
{
	time_t now = worker_set_seconds();

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

static struct worker *find_worker(struct worker_set *set, pid_t pid)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		if (set->workers[i].pid == pid)
			return &set->workers[i];
	}
	return NULL;
}

/* expected: those that end well were told to. */
static void reap(struct worker_set *set, bool expected)
{
	struct worker *worker;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		worker = find_worker(set, pid);
		if (worker == NULL)
			continue;
		worker->pid = 0;
		worker->listens = false;
		if (expected && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		report_end(worker, status);
		plan_restart(worker);
	}
}

void worker_set_restart(struct worker_set *set)
{
	struct worker *worker;
	size_t i;

	reap(set, false);
	for (i = 0; i < set->count; i++) {
		worker = &set->workers[i];
		if (worker->pid != 0 ||
		    worker->restart_at > worker_set_seconds())
			continue;
		if (start_worker(set, worker)) {
			milter_log(LOG_NOTICE, "%s is served again",
				   worker->socket);
		} else if (worker->pid == 0) {
			plan_restart(worker);
		}
	}
}

static size_t count_running(const struct worker_set *set)
{
	size_t i, count = 0;

	for (i = 0; i < set->count; i++) {
		if (set->workers[i].pid != 0)
			count++;
	}
	return count;
}

void worker_set_signal(const struct worker_set *set, int sig)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		if (set->workers[i].pid != 0)
			kill(set->workers[i].pid, sig);
	}
}

bool worker_set_start(struct worker_set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		if (!start_worker(set, &set->workers[i]))
			return false;
	}
	return true;
}

bool worker_set_is_whole(const struct worker_set *set)
{
	size_t i;

	/* one that failed to start is running until its end is seen */
	for (i = 0; i < set->count; i++) {
		if (!set->workers[i].listens)
			return false;
	}
	return true;
}

time_t worker_set_next(const struct worker_set *set, time_t until)
{
	const struct worker *worker;
	size_t i;

	for (i = 0; i < set->count; i++) {
		worker = &set->workers[i];
		if (worker->pid == 0 && worker->restart_at < until)
			until = worker->restart_at;
	}
	return until;
}

void worker_set_stop(struct worker_set *set)
{
	time_t end = worker_set_seconds() + WORKER_SET_STOP_SECS;
	struct timespec wait = { 0, 0 };
	sigset_t children;

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	worker_set_signal(set, SIGUSR2);
	for (;;) {
		reap(set, true);
		if (count_running(set) == 0)
			return;
		wait.tv_sec = end - worker_set_seconds();
		if (wait.tv_sec <= 0)
			break;
		(void)sigtimedwait(&children, NULL, &wait);
	}
	worker_set_signal(set, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0) ;
}
