#ifndef OWN_EXPUNGES_H
#define OWN_EXPUNGES_H

/*
 * own-expunges: messages that users of this server expunged, through the proxy,
 * from a mailbox that is still the old server's.
 *
 * So that a fill can tell a user who tidies up from an old server that loses
 * mail (I4). A uid-journal in <migration_dir>/expunged, not synced: what a crash
 * takes only makes a fill ask the administrator once more. A UID that wasn't
 * expunged after all does no harm.
 */

#include "seq-range-array.h"

/* Returns 0, -1 with an error. */
int own_expunges_add(const char *dir, const char *vname, uint32_t uid_validity,
		     const ARRAY_TYPE(seq_range) *uids, const char **error_r);
/* Adds them to uids. *size_r is for own_expunges_remove(). Lines that can't be
   read are left out. Returns 0, -1 with an error. */
int own_expunges_get(const char *dir, const char *vname, uint32_t uid_validity,
		     ARRAY_TYPE(seq_range) *uids, size_t *size_r,
		     const char **error_r);
/* Forget them, when none were added since they had that size. SIZE_MAX: in any
   case. */
int own_expunges_remove(const char *dir, const char *vname, size_t size,
			const char **error_r);
/* As digest_file_rename(). */
int own_expunges_rename(const char *dir, const char *from, const char *to,
			const char **error_r);

#endif
