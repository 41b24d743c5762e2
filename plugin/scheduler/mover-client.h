#ifndef MOVER_CLIENT_H
#define MOVER_CLIENT_H

/*
 * mover-client: a migration-mover, and what it says (mover/mover-protocol.h).
 *
 * It's started by the connection, and ends with it. Nothing here waits: what
 * comes is told by callbacks, never from a call of one's own.
 */

#include "mover/mover-protocol.h"

struct mover_client;

enum mover_client_end {
	/* OK, STOPPED */
	MOVER_CLIENT_DONE,
	MOVER_CLIENT_STOPPED,
	/* NO, with what it means */
	MOVER_CLIENT_FAILED,
	/* there's no mover: the service can't be reached */
	MOVER_CLIENT_NO_SERVICE,
	/* it didn't start, went away, or says what nobody understands */
	MOVER_CLIENT_GONE,
};

struct mover_client_callbacks {
	/* Its first word. A request is to be sent, or it is to be ended. */
	void (*ready)(void *context, const char *host, enum move_phase phase);
	void (*progress)(void *context, const char *mailbox, const char *what,
			 const struct move_totals *totals);
	void (*mailbox_failed)(void *context, const char *mailbox,
			       const char *reason);
	/* The last that is said, but to a request that succeeded another one may
	   be sent. totals: when it's done or stopped. reason: in other cases. */
	void (*ended)(void *context, enum mover_client_end end,
		      const struct move_totals *totals,
		      enum move_failure failure, const char *reason);
};

struct mover_client *
mover_client_init(const char *socket_path, const char *username,
		  const struct mover_client_callbacks *callbacks,
		  void *context);
/* Ends it. Fine in a callback. */
void mover_client_deinit(struct mover_client **client);

/* words are ended by NULL */
void mover_client_say(struct mover_client *client, const char *const *words);

#endif
