#ifndef SERVER_BOUNDS_H
#define SERVER_BOUNDS_H

/*
 * server-bounds: how many users of one old server are moved at once.
 *
 * Additive increase, multiplicative decrease: when the server wants less of us
 * it's half as many, and one more for each minute in which it goes well. Times
 * are unix seconds.
 */

struct server_bounds {
	/* as configured; by now */
	unsigned int max, limit;
	time_t halved, changed;
};

/* max is at least 1. */
void server_bounds_init(struct server_bounds *bounds, unsigned int max);
void server_bounds_set_max(struct server_bounds *bounds, unsigned int max);
/* What was begun at that time was refused. All that were begun before the limit
   was halved count once. Returns TRUE when it was halved by this. */
bool server_bounds_throttled(struct server_bounds *bounds, time_t begun,
			     time_t now);
void server_bounds_succeeded(struct server_bounds *bounds, time_t now);

#endif
