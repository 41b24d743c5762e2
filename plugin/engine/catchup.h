#ifndef CATCHUP_H
#define CATCHUP_H

/*
 * catchup: the old server's mailboxes of one user that are local by now: what
 * still arrives there is delivered here, once; what its clients change there is
 * merged; what the local mailboxes gained is copied back where that is wanted.
 *
 * One pipelined look tells which mailboxes changed (catchup-look); only these are
 * opened. Everything is computed anew from both sides and the baseline, so that
 * a crash at any instruction is mended by the next run.
 *
 * One process at a time: lease_catchup(). Nothing is changed on the old server
 * but by copy-back.
 */

#include "mail-error.h"

struct migration_user;
struct old_client;

enum catchup_flags {
	/* The administrator says that messages which went on the old server are
	   to go here, however many. */
	CATCHUP_FLAG_FOLLOW_EXPUNGES = 0x01,
	/* Open all mailboxes, whatever the look says. */
	CATCHUP_FLAG_FULL = 0x02,
	/* Nobody waits for it: what can be had rarely or costs much is left to one
	   look in ten minutes (mails that couldn't be delivered, flags of servers
	   without CONDSTORE). */
	CATCHUP_FLAG_BACKGROUND = 0x04,
};

struct catchup_result {
	/* another process is at it: nothing was done */
	bool busy;
	/* mailboxes that were looked at, that had news */
	unsigned int mailboxes, changed;
	/* late mails delivered; here already; that can't be had or delivered now */
	unsigned int late, doubles, failed;
	/* local messages whose flags were merged, that were expunged, moved */
	unsigned int flags, expunged, moved;
	/* messages that copy-back gave to the old server, that it changed there */
	unsigned int copied, copied_flags;
	/* late mails that are to be delivered yet */
	unsigned int waiting;
};

/* client: the caller's, or NULL: one is made, and closed again. Returns 0 when
   all mailboxes could be looked at and dealt with (result_r->failed tells of
   single mails); -1 with an error of the first that couldn't, the others are
   done all the same. Always writes event=poll. */
int catchup_run(struct migration_user *muser, struct old_client *client,
		enum catchup_flags flags, struct catchup_result *result_r,
		enum mail_error *error_code_r, const char **error_r);

#endif
