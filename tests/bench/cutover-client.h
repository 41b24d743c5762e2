/*
 * cutover-client: clients that work on a mailbox while it is cut over
 *
 * Each is a thread with a connection of its own. A writer stores flags and
 * appends all the time, one command after the other, and notes when each was
 * acknowledged; an idler idles. When the connection ends they come again at once.
 * What isn't as it should be (a NO, no way to come again) is the group's error.
 * Times are milliseconds.
 */
#ifndef CUTOVER_CLIENT_H
#define CUTOVER_CLIENT_H

#include <stdint.h>

struct cutover_group;

struct cutover_target {
	const char *hostport, *user, *password, *mailbox;
	/* Writers use UIDs from 1 to here. */
	uint32_t last_uid;
	unsigned int timeout_ms;
};

struct cutover_figures {
	/* From a writer's last acknowledged command before it lost its connection
	   to the first one after, for each writer; NULL when a writer wasn't
	   interrupted exactly once. */
	const double *interruption_ms;
	unsigned int acknowledged;
	/* Acknowledged, and without an answer when the connection ended. */
	unsigned int appended, maybe_appended;
	/* How often the first login or SELECT of a client had to be tried
	   again. */
	unsigned int refused;
};

/* Starts them: the first one, and when it works, the others. The target's
   strings are used until the end. */
struct cutover_group *
cutover_group_start(const struct cutover_target *target, unsigned int writers,
		    unsigned int idlers);
/* Waits until each client works, having come again as often as stated: each
   writer has had commands acknowledged since. NULL, or what went wrong. */
const char *cutover_group_wait(struct cutover_group *group,
			       unsigned int interruptions,
			       unsigned int timeout_ms);
/* Stops them. NULL, or what went wrong; the figures are valid until the group
   is freed. */
const char *cutover_group_stop(struct cutover_group *group,
			       struct cutover_figures *figures_r);
void cutover_group_free(struct cutover_group **group);

#endif
