/*
 * milter-supervisor: the process that keeps a worker at each socket
 *
 * It has no threads and waits for signals: SIGTERM and SIGINT end it and the
 * workers, SIGUSR1 and SIGHUP read the settings anew. A file that is wrong leaves
 * the old settings in force, which is reported. A worker that ends by itself is
 * reported and started again, at once or, when it lives for a short time only,
 * ever later.
 *
 * The heartbeat comes from here, at the start, at each interval, at a reload and
 * at the stop; but not while a worker is missing, because then nobody watches
 * its socket. heartbeat.h says how their numbers tell of that.
 */
#ifndef MILTER_SUPERVISOR_H
#define MILTER_SUPERVISOR_H

#include "milter-config.h"

#include <signal.h>

/* The signals that it waits for: block them before anything else is started. */
void milter_supervisor_signals(sigset_t *set_r);
/* Runs with the settings in force (config-current). ready_fd is for daemon_ready()
   when all sockets listen; -1: it isn't detached. Returns an exit status. */
int milter_supervisor_run(const struct milter_overrides *overrides,
			  int ready_fd);

#endif
