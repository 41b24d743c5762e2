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

enum migration_late_delivery {
	/* late mail of INBOX as any delivery: with Sieve */
	MIGRATION_LATE_DELIVER,
	/* into the mailbox of its name */
	MIGRATION_LATE_SAVE,
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
	/* connections of all users to one old server, 0: no limit; of one user */
	unsigned int old_connections, user_connections;
	/* bytes per second, and bytes a day (local time), that all processes may
	   read from one old server, 0: no limit */
	uint64_t old_rate, old_daily;

	/* seconds from one look for late mail to the next, 0: only by command */
	unsigned int catchup_interval;
	enum migration_late_delivery late_delivery;
	/* deliver late mail as well that is here already */
	bool late_doubles;
	/* follow the old server's expunges after the cutover */
	bool late_expunge;
	/* copy to the old server what mailboxes gained since their cutover */
	bool copy_back;
	/* the key of arrival tags, NULL: tags aren't believed */
	const char *key_file;
	/* seconds without wanted late mail that doveadm migration close asks for */
	unsigned int quiet_period;
};

/* Read and check all settings of the user. Strings are allocated from the
   user's pool. Returns 0, or -1 with an error that names the setting, its
   value and what is expected. */
int migration_settings_read(struct mail_user *user,
			    struct migration_settings *set_r,
			    const char **error_r);

#endif
