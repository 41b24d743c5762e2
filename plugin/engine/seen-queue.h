#ifndef SEEN_QUEUE_H
#define SEEN_QUEUE_H

/*
 * seen-queue: messages of mirrored mailboxes that clients have read (FETCH of
 * BODY[] sets \Seen) while the old server couldn't be told.
 *
 * A uid-journal in <migration_dir>/seen, durable: the FETCH was answered. The
 * mirror stores the flag at its next contact, and then forgets it.
 */

#include "seq-range-array.h"

/* Returns 0, -1 with an error. */
int seen_queue_add(const char *dir, const char *vname, uint32_t uid_validity,
		   const ARRAY_TYPE(seq_range) *uids, const char **error_r);
/* Adds them to uids. *size_r is for seen_queue_remove(), 0 when there are none.
   Returns 0, -1 with an error. */
int seen_queue_get(const char *dir, const char *vname, uint32_t uid_validity,
		   ARRAY_TYPE(seq_range) *uids, size_t *size_r,
		   const char **error_r);
/* Forget them, when none were added since they had that size. SIZE_MAX: in any
   case. */
int seen_queue_remove(const char *dir, const char *vname, size_t size,
		      const char **error_r);
/* As digest_file_rename(). */
int seen_queue_rename(const char *dir, const char *from, const char *to,
		      const char **error_r);

#endif
