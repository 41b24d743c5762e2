#ifndef PROXY_STORE_H
#define PROXY_STORE_H

/*
 * proxy-store: STORE on the old server, acknowledged only when it has shown
 * the wanted result (I1).
 *
 * All commands go out in one burst. A mail counts when a FETCH shows it with
 * the wanted flags, or when it was expunged meanwhile. What isn't shown is
 * asked for once, and stored once more, before it counts as failed.
 */

#include <stdbool.h>

struct redirected_mailbox;
struct store_intents;

/* hide: the client shouldn't be told of these changes (.SILENT). Returns 0,
   -1 with the storage's error set. */
int proxy_store(struct redirected_mailbox *rbox, struct store_intents *intents,
		bool hide);

#endif
