#ifndef VERIFY_H
#define VERIFY_H

/*
 * verify: a local copy read back from disk and compared with what came over
 * the wire, message by message.
 */

#include "inventory.h"

struct local_copy;
struct digest_file;

struct verify_observer {
	/* This message isn't as it was on the wire. */
	void (*bad)(void *context, uint32_t uid, const char *reason);
	/* It was compared; bytes were read. */
	void (*progress)(void *context, uint64_t bytes);
	void *context;
};

/* Compare all messages with UIDs from first_uid on. dates: an inventory that
   knows them, to compare INTERNALDATEs as well, or NULL. Returns 0, also when
   messages are bad; -1 with an error when it can't be told. */
int verify_copy(struct local_copy *copy, const struct digest_file *digests,
		uint32_t first_uid, const struct inventory *dates,
		const struct verify_observer *observer, const char **error_r);

#endif
