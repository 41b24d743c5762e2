/*
 * sim-clock: what happens in a world, in the order of time
 *
 * Of what is due in the same second the first that was asked for comes first.
 * Times are seconds since 1970.
 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include <stddef.h>
#include <stdint.h>

typedef void sim_event_t(void *context);

struct sim_event;

/* Zeroed at first. */
struct sim_clock {
	int64_t now;
	uint64_t order;
	struct sim_event *heap;
	size_t count, room;
};

/* In the past means now. */
void sim_clock_at(struct sim_clock *clock, int64_t time, sim_event_t *event,
		  void *context);
/* Runs what is due up to then, also what these ask for. */
void sim_clock_run(struct sim_clock *clock, int64_t until);
/* Forgets what is still to come. */
void sim_clock_deinit(struct sim_clock *clock);

#endif
