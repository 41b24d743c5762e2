#ifndef REMOTE_STATUS_H
#define REMOTE_STATUS_H

/*
 * remote-status: STATUS of mailboxes at the old server that aren't open here.
 *
 * Where it is known which are asked for next (status-ahead.h) they are asked for
 * together, in one round trip; an answer is used once, by the command for which
 * it was asked, and else thrown away. What the old server refused when it was
 * asked ahead is asked again when its turn comes.
 */

#include "mail-storage-private.h"

struct migration_user;
struct redirected_mailbox;
struct remote_status;

/* The items that STATUS has; others need an open mailbox. */
#define REMOTE_STATUS_ITEMS \
	(STATUS_MESSAGES | STATUS_RECENT | STATUS_UIDNEXT | \
	 STATUS_UIDVALIDITY | STATUS_UNSEEN)

/* items: some of REMOTE_STATUS_ITEMS; only these are set in *status_r. Returns 0;
   -1 with the mailbox' storage's error, which isn't refined yet. */
int remote_status_get(struct redirected_mailbox *rbox,
		      enum mailbox_status_items items,
		      struct mailbox_status *status_r);

/* Frees muser->remote_status; NULL is fine. */
void remote_status_deinit(struct remote_status **status);

#endif
