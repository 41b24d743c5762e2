#ifndef CLOSE_H
#define CLOSE_H

/*
 * close: ends the migration of a user, when nothing can be missing any more.
 *
 * It looks at the old server once more, and says each condition that doesn't
 * hold (close-conditions.c). When all do, or the administrator insists, the file
 * <migration_dir>/closed is written durably (migration-closed.h), which is the
 * one step; what else is in migration_dir goes behind it (close_remove_files()),
 * and a crash leaves that to be finished by the next one.
 */

#include "array.h"
#include "mail-error.h"

struct migration_user;

struct close_settings {
	/* close it although conditions don't hold */
	bool force;
	/* asked while another process is waited for: TRUE ends that */
	bool (*killed)(void);
};

/* Returns 1 when it is closed now; 0 when it's refused; -1 with an error:
   nothing was changed. Each condition that doesn't hold is a sentence in
   reasons, from pool; also with force, when it is closed in spite of them. */
int close_migration(struct migration_user *muser,
		    const struct close_settings *set, pool_t pool,
		    ARRAY_TYPE(const_string) *reasons,
		    enum mail_error *error_code_r, const char **error_r);

/* Remove what is ours in the migration_dir of a user who is closed, but that
   file. What isn't known to be ours stays. No worker of his runs. Returns 0, -1
   with the first error: all else is removed. */
int close_remove_files(const char *dir, const char **error_r);

/* Add a sentence for each condition that doesn't hold, as far as can be told from
   what is on disk. */
void close_check_conditions(struct migration_user *muser, pool_t pool,
			    ARRAY_TYPE(const_string) *reasons);

#endif
