/*
 * idler: clients that only watch a mailbox with IDLE, and what they saw of it
 *
 * One thread a client. A connection that ends is opened again at once.
 */
#ifndef IDLER_H
#define IDLER_H

#include <stdbool.h>
#include <stdint.h>

struct idlers;

struct idlers_settings {
	const char *imap, *user, *password;
	unsigned int count;
};

struct idlers *idlers_start(const struct idlers_settings *set,
			    const char *mailbox);
void idlers_stop(struct idlers **idlers);

/* Waits until all of them idle in that mailbox, after at least so many BYEs
   each since they began to watch it. */
bool idlers_wait(struct idlers *idlers, unsigned int byes,
		 unsigned int timeout_ms);
/* Waits until all of them see so many messages. */
bool idlers_wait_exists(struct idlers *idlers, uint32_t messages,
			unsigned int timeout_ms);
/* Of all of them so far. */
unsigned int idlers_byes(struct idlers *idlers);
/* Connections that ended without a BYE, answers that make no sense, and
   failures; why, static. */
unsigned int idlers_failures(struct idlers *idlers, const char **why_r);

#endif
