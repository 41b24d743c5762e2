#include "milter-worker.h"

#include "config-current.h"
#include "in-flight.h"
#include "listen-socket.h"
#include "milter-callbacks.h"
#include "milter-daemon.h"
#include "milter-log.h"
#include "milter-report.h"

#include <errno.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

static const struct milter_worker_options *worker_options;

static void signals_wanted(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
}

/* The supervisor has found the file good, so this fails rarely. */
static void reload(void)
{
	struct milter_config *now = config_current_get(), *config;
	const char *error;

	if (milter_config_read(now->path, worker_options->overrides, &config,
			       &error) < 0)
		report_failure("reload: %s", error);
	else if (milter_config_load(config, &error) < 0) {
		report_failure("reload: %s", error);
		milter_config_unref(&config);
	} else {
		config_current_set(config);
	}
	milter_config_unref(&now);
}

/* smfi_stop() isn't for this: it leaves sessions alone in the middle of a mail,
   and takes five seconds to do so. */
static void stop(void)
{
	if (!in_flight_drain(MILTER_WORKER_DRAIN_SECS)) {
		milter_log(LOG_NOTICE, "%s: ended in the middle of a session",
			   worker_options->socket);
	}
	listen_socket_remove(worker_options->socket);
	/* libmilter's threads are there still: no exit handlers */
	_exit(0);
}

static void *signal_thread(void *unused)
{
	sigset_t set;
	int sig;

	(void)unused;
	signals_wanted(&set);
	while (sigwait(&set, &sig) == 0) {
		if (sig == SIGUSR1)
			reload();
		else
			stop();
	}
	return NULL;
}

/* libmilter says why in syslog, and here on standard error as well. */
static int open_socket(const char *socket)
{
	bool before = milter_log_to_stderr(true);
	char *copy = strdup(socket);
	int ret = -1;

	if (copy != NULL && milter_callbacks_register() == 0 &&
	    smfi_setconn(copy) == MI_SUCCESS)
		ret = smfi_opensocket(true) == MI_SUCCESS ? 0 : -1;
	free(copy);
	milter_log_to_stderr(before);
	return ret;
}

static int prepare(const struct milter_worker_options *options)
{
	int fd;

	if (open_socket(options->socket) < 0)
		return -1;
	fd = listen_socket_find();
	if (fd < 0 || listen_socket_no_delay(fd) < 0) {
		milter_log(LOG_WARNING, "%s: TCP_NODELAY can't be set: %m",
			   options->socket);
	}
	return 0;
}

static int start_signal_thread(void)
{
	pthread_t thread;
	sigset_t set;
	int error;

	signals_wanted(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	error = pthread_create(&thread, NULL, signal_thread, NULL);
	if (error == 0)
		error = pthread_detach(thread);
	if (error != 0) {
		errno = error;
		milter_log(LOG_ERR, "no thread for signals: %m");
		return -1;
	}
	return 0;
}

void milter_worker_run(const struct milter_worker_options *options)
{
	worker_options = options;
	if (prepare(options) < 0 || start_signal_thread() < 0)
		_exit(EX_UNAVAILABLE);
	if (write(options->ready_fd, "", 1) != 1)
		_exit(EX_OSERR);
	close(options->ready_fd);
	if (options->detached)
		daemon_close_stderr();
	(void)smfi_main();
	/* somebody has sent us libmilter's own signals, or it has failed */
	_exit(EX_SOFTWARE);
}
