#ifndef COPY_PAIRS_H
#define COPY_PAIRS_H

/*
 * copy-pairs: which messages of a local mailbox are on the old server as well,
 * under other UIDs, and which are on their way there.
 *
 * <migration_dir>/copyback/<key>, under the local mailbox' name. Replaced durably:
 * what is to be appended is noted before it is sent (intents), its pair when it is
 * known; so a message whose answer was lost is looked for before it is sent again.
 */

#include "seq-range-array.h"
#include "message-digest.h"

struct copy_pair {
	uint32_t local_uid, old_uid;
	/* it came from there (late mail, or a double of it); else copy-back made
	   it */
	bool late;
};
ARRAY_DEFINE_TYPE(copy_pair, struct copy_pair);

struct copy_intent {
	uint32_t local_uid;
	uint64_t size;
	/* of its bytes as they are sent */
	unsigned char wire[MESSAGE_DIGEST_SIZE];
};
ARRAY_DEFINE_TYPE(copy_intent, struct copy_intent);

struct copy_pairs {
	/* of the old server's mailbox */
	uint32_t uid_validity;
	/* in the order of local_uid */
	ARRAY_TYPE(copy_pair) pairs;
	/* local UIDs of messages that are on the old server in another mailbox, or
	   under a UID that it didn't tell */
	ARRAY_TYPE(seq_range) elsewhere;

	/* What the local mailbox was when all of it was copied: UIDNEXT and
	   HIGHESTMODSEQ. 0: never */
	uint32_t local_uid_next;
	uint64_t local_modseq;
	/* how often it failed since, and not to be tried before (unix seconds) */
	uint32_t failures;
	time_t retry;

	ARRAY_TYPE(copy_intent) intents;
	/* the old server's UIDNEXT before they were sent */
	uint32_t intents_uid;
	/* unix seconds when it was first noticed that their answers are lost, 0:
	   it wasn't yet */
	time_t lost;
};

void copy_pairs_init(struct copy_pairs *pairs);
void copy_pairs_deinit(struct copy_pairs *pairs);
/* Empty again, for another mailbox of the old server. */
void copy_pairs_clear(struct copy_pairs *pairs, uint32_t uid_validity);

/* Into an empty one. Returns 1, 0 when there is none, -1 with an error. */
int copy_pairs_read(const char *dir, const char *vname,
		    struct copy_pairs *pairs, const char **error_r);
/* Returns 0, -1 with an error: the old one stands. */
int copy_pairs_write(const char *dir, const char *vname,
		     const struct copy_pairs *pairs, const char **error_r);
/* One that isn't there is fine. Returns 0, -1 with an error. */
int copy_pairs_remove(const char *dir, const char *vname, const char **error_r);

/* A pair of the same local UID is replaced. */
void copy_pairs_add(struct copy_pairs *pairs, uint32_t local_uid,
		    uint32_t old_uid, bool late);
/* The old server's UID of a local message, 0: it has none. */
uint32_t copy_pairs_find(const struct copy_pairs *pairs, uint32_t local_uid);
/* The local UID of an old server's message, 0: it has none. */
uint32_t copy_pairs_find_local(const struct copy_pairs *pairs, uint32_t old_uid);

#endif
