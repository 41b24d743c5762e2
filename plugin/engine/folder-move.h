#ifndef FOLDER_MOVE_H
#define FOLDER_MOVE_H

/*
 * folder-move: this server's part of a RENAME, behind that of the old server.
 *
 * The order of writes:
 *   1. the journal (rename-journal.h)
 *   2. RENAME on the old server
 *   3. states, digests and leases under the new names
 *   4. the local folders
 *   5. the states of the former names go (DELETED for a local mailbox)
 *   6. the journal goes
 * A crash before 2 has changed nothing: the journal is dropped. Behind it the
 * rest is done again from 3 on, and each step finds what is done already. As
 * long as the journal is there nobody else changes states or folders.
 * Where a step can't be done at all what 3 wrote is taken back. Each failure is
 * reported.
 * All under the folder tree's lease.
 */

#include "rename-journal.h"

struct migration_user;

/* Steps 3 to 6. Returns 0, -1 with an error: it is given up, or, with
   MAIL_ERROR_TEMP, the journal stays and it is tried again. */
int folder_move(struct migration_user *muser,
		const ARRAY_TYPE(folder_move) *moves,
		enum mail_error *error_code_r, const char **error_r);

/* Does the old server have a folder of that vname? */
typedef bool folder_move_exists_t(void *context, const char *vname);

/* End what a journal tells of. Returns 1 when folders were moved, 0 when there
   was nothing to do, -1 with an error. */
int folder_move_recover(struct migration_user *muser,
			folder_move_exists_t *exists, void *context,
			enum mail_error *error_code_r, const char **error_r);

#endif
