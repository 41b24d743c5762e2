/*
 * heartbeat: when the next one is due, and its number
 *
 * Numbers count intervals, not lines: each interval that passed without a
 * heartbeat, because a worker was missing or because nothing ran, takes a
 * number that no line has. So who reads the lines sees that they are missing.
 * Times are worker_set_seconds().
 */
#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include <stdint.h>
#include <time.h>

struct heartbeat {
	/* When the last one was written, and when the next is to be. */
	time_t last, next;
	/* What was promised then: seconds from the last one to the next. */
	unsigned int interval;
	/* Number of the last one; 0 before the first. */
	uint64_t seq;
};

/* The first one is due at once. */
void heartbeat_begin(struct heartbeat *heartbeat, time_t now,
		     unsigned int interval);
/* One is written now, and the next after that interval. Returns its number. */
uint64_t heartbeat_count(struct heartbeat *heartbeat, time_t now,
			 unsigned int interval);
/* It can't be written now: try again soon. */
void heartbeat_put_off(struct heartbeat *heartbeat, time_t now);

#endif
