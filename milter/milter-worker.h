/*
 * milter-worker: the process that serves one socket
 *
 * libmilter serves one socket a process, so each has a process of its own.
 * Signals: SIGUSR1 reads the settings anew, SIGUSR2 ends it: it takes no more
 * connections, waits a little for the mails in flight, and exits.
 */
#ifndef MILTER_WORKER_H
#define MILTER_WORKER_H

#include "milter-config.h"

/* What a worker may take to end, its mails in flight included. */
#define MILTER_WORKER_STOP_SECS 10

struct milter_worker_options {
	const char *socket;
	const struct milter_overrides *overrides;
	/* Gets a byte when the socket listens, and is closed. */
	int ready_fd;
};

/* Runs with the settings in force (config-current), with the signals that the
   supervisor waits for blocked. Doesn't return: exits with 0, or EX_UNAVAILABLE
   when the socket can't be opened. */
void milter_worker_run(const struct milter_worker_options *options)
	__attribute__((noreturn));

#endif
