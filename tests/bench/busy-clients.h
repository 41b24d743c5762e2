/*
 * busy-clients: clients that work on a mailbox, as fast as they get answers
 *
 * Each is a thread with a connection of its own. A writer stores flags and
 * appends all the time, one command after the other, and notes when each was
 * acknowledged; an idler idles. When the connection ends they come again at
 * once. What isn't as it should be (a NO, no way to come again) is the group's
 * error. Times are milliseconds.
 */
#ifndef BUSY_CLIENTS_H
#define BUSY_CLIENTS_H

#include <stdint.h>

struct busy_clients;

struct busy_target {
	const char *hostport, *user, *password, *mailbox;
	/* Writers use UIDs from 1 to here. */
	uint32_t last_uid;
	unsigned int timeout_ms;
};

struct busy_figures {
	/* From a writer's last acknowledged command before it lost its connection
	   to the first one after, the last time: one for each writer that did
	   lose it. */
	const double *interruption_ms;
	unsigned int interrupted;
	/* How often a connection was lost, by a writer or an idler; and at most
	   by the same one. */
	unsigned int disconnects, disconnects_max;
	/* The longest command since busy_clients_measure() that was
	   acknowledged without losing the connection. */
	double command_ms_max;
	unsigned int acknowledged;
	/* Acknowledged, and without an answer when the connection ended. */
	unsigned int appended, maybe_appended;
	/* How often the first login or SELECT of a client had to be tried
	   again. */
	unsigned int refused;
};

/* Starts them: the first one, and when it works, the others. The target's
   strings are used until the end. */
struct busy_clients *
busy_clients_start(const struct busy_target *target, unsigned int writers,
		   unsigned int idlers);
/* Waits until each client works, having come again as often as stated: since
   this call each writer has had commands acknowledged, and each idler was told
   something or has come again. NULL, or what went wrong. */
const char *busy_clients_wait(struct busy_clients *group,
			      unsigned int interruptions,
			      unsigned int timeout_ms);
/* From now on the longest command counts. */
void busy_clients_measure(struct busy_clients *group);
/* How many commands have been acknowledged so far. */
unsigned int busy_clients_acknowledged(const struct busy_clients *group);
/* Stops them. NULL, or what went wrong; the figures are valid until the group
   is freed. */
const char *busy_clients_stop(struct busy_clients *group,
			      struct busy_figures *figures_r);
void busy_clients_free(struct busy_clients **group);

#endif
