#ifndef BODY_FETCH_H
#define BODY_FETCH_H

/*
 * body-fetch: messages from the old server into the local copy.
 *
 * A stream of pipelined UID FETCHes, each message straight into its save, in
 * ascending order of UID, digested on the way. Messages above
 * BODY_PIECE_SIZE come in pieces. Every so often, and at the end, what came is
 * committed: digests first, then the mailbox, then the caller is told, so that
 * after a crash all that is in the mailbox has its digest.
 *
 * A message that the server doesn't give is left out and reported; the others
 * go on.
 */

#include "inventory.h"
#include "message-digest.h"
#include "old-client.h"

struct local_copy;
struct digest_file;
struct body_fetch;

#define BODY_PIECE_SIZE (8 * 1024 * 1024)

struct body_fetch_settings {
	struct old_client *client;
	struct local_copy *copy;
	struct digest_file *digests;
	/* what to save a message with */
	const struct inventory *old;

	/* Everything up to uid is durable now. -1 (with an error) stops. */
	int (*committed)(void *context, uint32_t uid, const char **error_r);
	/* Another message has come. */
	void (*progress)(void *context, uint64_t bytes);
	/* The server didn't give this message. */
	void (*failed)(void *context, uint32_t uid, const char *reason);
	/* Dovecot can't keep all bytes of this message as they are. */
	void (*altered)(void *context, uint32_t uid,
			const struct message_digest *digest);
	/* body_fetch_start(): all is answered. */
	void (*ended)(void *context);
	void *context;
};

/* Fetch the messages with these UIDs, which are above all that the copy has.
   Returns 0, also when messages failed; -1 with an error when it can't go on:
   what was committed stays. */
int body_fetch(const struct body_fetch_settings *set,
	       const ARRAY_TYPE(seq_range) *uids,
	       enum mail_error *error_code_r, const char **error_r);

/* The same within the caller's old_client_wait(), in one batch behind what was
   sent before, for a few small messages; nothing is made durable, and the digests
   are written before the messages are committed. settings and uids must last. */
struct body_fetch *
body_fetch_start(const struct body_fetch_settings *set,
		 const ARRAY_TYPE(seq_range) *uids);
/* What comes isn't to be taken. */
void body_fetch_refuse(struct body_fetch *fetch, const char *error);
/* Returns 0 when all was answered and what came is committed; -1 with an error. */
int body_fetch_end(struct body_fetch **fetch, const char **error_r);

#endif
