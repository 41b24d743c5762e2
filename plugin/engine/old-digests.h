#ifndef OLD_DIGESTS_H
#define OLD_DIGESTS_H

/*
 * old-digests: digests of messages as the old server has them: their bodies are
 * fetched, and not kept.
 */

#include "seq-range-array.h"
#include "old-client.h"
#include "message-digest.h"

struct old_digest {
	uint32_t uid;
	struct message_digest digest;
};
ARRAY_DEFINE_TYPE(old_digest, struct old_digest);

/* Of these UIDs of the open mailbox, those that could be had. Returns 0, -1 with
   an error when the connection was lost. */
int old_digests_get(struct old_client *client,
		    const ARRAY_TYPE(seq_range) *uids,
		    ARRAY_TYPE(old_digest) *digests_r,
		    enum mail_error *error_code_r, const char **error_r);

#endif
