/*
 * chaos: clients that do anything to the same mailboxes, on either server
 *
 * Unlike writers (writer.h) they touch each other's messages, and nobody keeps
 * a journal: what is asked afterwards is whether both servers are equal. One
 * thread a client; what each does is drawn from the seed and its number.
 */
#ifndef CHAOS_H
#define CHAOS_H

#include <stdbool.h>
#include <stdint.h>

struct chaos;

enum chaos_kind {
	CHAOS_IMAP,
	CHAOS_LMTP,
	CHAOS_POP3,
	CHAOS_KINDS
};

struct chaos_client {
	enum chaos_kind kind;
	/* HOST:PORT */
	const char *server;
	/* It belongs to a server that is known to crash now and then. */
	bool may_be_lost;
};

struct chaos_settings {
	const struct chaos_client *clients;
	unsigned int client_count;
	const char *user, *password;
	/* Ended by NULL; the first is INBOX. */
	const char *const *mailboxes;
	uint64_t seed;
	/* [UNAVAILABLE] is to be expected. */
	bool unavailable;
};

struct chaos_counts {
	/* Of all clients, and of the one that did least. */
	uint64_t done, least;
	uint64_t unavailable;
	/* Refused, lost or answered oddly, which should not be; the first. */
	uint64_t failures;
	char failure[400];
};

/* The strings must stay. */
struct chaos *chaos_start(const struct chaos_settings *set);
/* Ends them when each has its answer. */
void chaos_stop(struct chaos **chaos, struct chaos_counts *counts_r);

#endif
