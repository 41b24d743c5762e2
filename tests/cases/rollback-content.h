/*
 * rollback-content: what is in a mailbox, whatever its UIDs
 *
 * A line for each message, sorted: its bytes' digest, flags and INTERNALDATE. Two
 * contents are the same when no message was lost, doubled or changed.
 */
#ifndef ROLLBACK_CONTENT_H
#define ROLLBACK_CONTENT_H

#include "case.h"

#define ROLLBACK_CONTENT_MAX 2000

struct rollback_content {
	unsigned int count;
	char *lines[ROLLBACK_CONTENT_MAX];
};

/* Which message each UID was: none may ever become another one (I9). */
struct rollback_uids {
	unsigned int count;
	struct {
		uint32_t uidvalidity, uid;
		unsigned char digest[SNAPSHOT_DIGEST_SIZE];
	} uids[2 * ROLLBACK_CONTENT_MAX];
};

/* side as for case_snapshot(). uids may be NULL: else they are noted, and asserted
   to be the messages that they were. */
void rollback_content_get(const char *side, unsigned int user,
			  const char *mailbox, struct rollback_uids *uids,
			  struct rollback_content *content_r);
void rollback_content_free(struct rollback_content *content);
/* Asserts that they are the same, and frees both. */
bool rollback_content_same(struct rollback_content *a,
			   struct rollback_content *b, const char *what);

#endif
