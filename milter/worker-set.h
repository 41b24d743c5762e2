/*
 * worker-set: the workers, one for each socket, seen from the supervisor
 *
 * One that ends by itself is reported and started again, at once or, when it lives
 * for a short time only, ever later. Needs SIGCHLD blocked.
 */
#ifndef WORKER_SET_H
#define WORKER_SET_H

#include "milter-config.h"
#include "milter-worker.h"

/* How long a stop may take: more than a worker waits. */
#define WORKER_SET_STOP_SECS (MILTER_WORKER_DRAIN_SECS + 5)

struct worker_set;

/* The sockets and overrides are kept by the caller. detached: see
   milter-worker.h. NULL when out of memory. */
struct worker_set *
worker_set_init(const struct config_list *sockets,
		const struct milter_overrides *overrides, bool detached);
/* After the stop. */
void worker_set_deinit(struct worker_set **set);

/* True when all sockets listen. */
bool worker_set_start(struct worker_set *set);
/* Takes note of those that ended, and starts those whose time has come. */
void worker_set_restart(struct worker_set *set);
/* When the next is to be started, if that is before until. */
time_t worker_set_next(const struct worker_set *set, time_t until);
/* Does one listen at each socket? */
bool worker_set_is_whole(const struct worker_set *set);
void worker_set_signal(const struct worker_set *set, int sig);
/* Returns when none is left; kills those that take too long. */
void worker_set_stop(struct worker_set *set);

/* Seconds that only go forward, asleep or awake, of all times here. */
time_t worker_set_seconds(void);

#endif
