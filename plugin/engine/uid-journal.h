#ifndef UID_JOURNAL_H
#define UID_JOURNAL_H

/*
 * uid-journal: sets of UIDs of a mailbox, noted by some processes and worked
 * off by another.
 *
 * <migration_dir>/<folder>/<key>, a line for each addition: "UIDVALIDITY
 * UID-set". flock(2) orders additions and the removal. A UID that is there
 * twice does no harm; lines that can't be read are left out.
 */

#include "seq-range-array.h"

/* durable: it is on disk when this returns. Returns 0, -1 with an error. */
int uid_journal_add(const char *dir, const char *folder, const char *vname,
		    uint32_t uid_validity, const ARRAY_TYPE(seq_range) *uids,
		    bool durable, const char **error_r);
/* Adds those of this UIDVALIDITY to uids. *size_r is for uid_journal_remove(),
   0 when there is none. Returns 0, -1 with an error. */
int uid_journal_get(const char *dir, const char *folder, const char *vname,
		    uint32_t uid_validity, ARRAY_TYPE(seq_range) *uids,
		    size_t *size_r, const char **error_r);
/* Forget them durably, when none were added since they had that size. SIZE_MAX:
   in any case. Returns 0, -1 with an error. */
int uid_journal_remove(const char *dir, const char *folder, const char *vname,
		       size_t size, const char **error_r);
/* As digest_file_rename(). */
int uid_journal_rename(const char *dir, const char *folder, const char *from,
		       const char *to, const char **error_r);

#endif
