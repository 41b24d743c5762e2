#ifndef SERVICE_PICTURE_H
#define SERVICE_PICTURE_H

/*
 * service-picture: what `service migration` says of itself, from the lines of
 * its answer to STATUS (scheduler/scheduler-protocol.h, which has the units).
 *
 * Texts come from old servers and from users, and end on terminals: whatever
 * could do something there is a question mark.
 */

#include <stdint.h>

/* a number that the service doesn't know yet */
#define SERVICE_UNKNOWN UINT64_MAX

struct service_total {
	uint64_t paused, users, unseen, moving, local, closed, failed, running;
	uint64_t messages, done_messages, bytes, done_bytes, rate, seconds_left;
	uint64_t since, catchup_oldest;
};

struct service_server {
	const char *host, *state, *reason;
	uint64_t connections, limit, until, today, daily, rate;
};

struct service_running {
	const char *user, *host, *doing, *mailbox, *what;
	uint64_t messages, done_messages, bytes, done_bytes, rate, since;
};

struct service_failed {
	const char *user, *failure, *reason;
	uint64_t since, retry;
};

struct service_picture {
	pool_t pool;
	struct service_total total;
	ARRAY(struct service_server) servers;
	ARRAY(struct service_running) running;
	ARRAY(struct service_failed) failed;
};

/* An empty one. */
struct service_picture *service_picture_init(void);
void service_picture_deinit(struct service_picture **picture);

/* Add a line. Other lines and keys are ignored; a number that isn't one is
   SERVICE_UNKNOWN, and so is an empty one. What isn't said is 0 or "". */
void service_picture_add(struct service_picture *picture, const char *line);

#endif
