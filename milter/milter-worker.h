/*
 * milter-worker: the process that serves one socket
 *
 * libmilter serves one socket a process, so each has a process of its own.
 * Signals: SIGUSR1 reads the settings anew, SIGUSR2 ends it: it takes no more
 * sessions, waits a little for those that are there, and exits.
 */
#ifndef MILTER_WORKER_H
#define MILTER_WORKER_H

#include "milter-config.h"

/* How long it waits for sessions before it ends. */
#define MILTER_WORKER_DRAIN_SECS 5

struct milter_worker_options {
	const char *socket;
	const struct milter_overrides *overrides;
	/* Gets a byte when the socket listens, and is closed. */
	int ready_fd;
	/* Standard error is closed when it does. */
	bool detached;
};

/* Runs with the settings in force (config-current), with the signals that the
   supervisor waits for blocked. Doesn't return: exits with 0, or EX_UNAVAILABLE
   when the socket can't be opened. */
void milter_worker_run(const struct milter_worker_options *options)
	__attribute__((noreturn));

#endif
