#ifndef MIGRATION_SETTINGS_H
#define MIGRATION_SETTINGS_H

/*
 * migration-settings: our settings of one user, read and checked once, when
 * the user is made. The connection to the old server isn't here: that is
 * Dovecot's own imapc_*.
 */

#include "mail-user.h"

enum migration_cutover_mode {
	/* each mailbox as soon as it is filled and verified */
	MIGRATION_CUTOVER_MAILBOX,
	/* all of a user's mailboxes together */
	MIGRATION_CUTOVER_USER,
	/* only when the administrator says so */
	MIGRATION_CUTOVER_MANUAL,
};

struct migration_settings {
	bool enabled;
	enum migration_cutover_mode cutover;
	/* absolute, without a trailing slash */
	const char *dir;
	uint32_t uid_gap;
	/* seconds after which LIST looks at the old server's folders again */
	unsigned int tree_interval;
	/* may filled mailboxes become mirrored? */
	bool mirror;
	/* seconds after which the mirror looks at mailboxes again that nobody
	   has open */
	unsigned int mirror_interval;
	/* connections of all users' workers to one old server, 0: no limit */
	unsigned int old_connections;
};

/* Read and check all settings of the user. Strings are allocated from the
   user's pool. Returns 0, or -1 with an error that names the setting, its
   value and what is expected. */
int migration_settings_read(struct mail_user *user,
			    struct migration_settings *set_r,
			    const char **error_r);

#endif
