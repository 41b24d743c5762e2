#ifndef CATCHUP_ACCOUNT_H
#define CATCHUP_ACCOUNT_H

/*
 * catchup-account: what catch-up remembers of a user, for status and close.
 *
 * <migration_dir>/catchup/.account, replaced durably. Times are unix seconds of
 * this host, 0 for never.
 */

struct catchup_account {
	/* The old server was looked at, in all mailboxes. It may be an hour behind:
	   a look that brings nothing isn't written each time. */
	time_t looked;
	/* The last look that failed, and nothing has since: why; else 0 and "" */
	time_t failed;
	const char *reason;
	/* a wanted mail was found there that had arrived late */
	time_t late;
	/* a client of the old server was seen to have changed something there */
	time_t old_client;
	/* mails that couldn't be had or delivered yet */
	unsigned int waiting;
};

/* Strings from pool. Returns 1, 0 when there was no look yet: all is 0; -1 with
   an error. */
int catchup_account_read(const char *dir, pool_t pool,
			 struct catchup_account *account_r,
			 const char **error_r);
/* Returns 0, -1 with an error. */
int catchup_account_write(const char *dir,
			  const struct catchup_account *account,
			  const char **error_r);

#endif
