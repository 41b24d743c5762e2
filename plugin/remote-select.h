#ifndef REMOTE_SELECT_H
#define REMOTE_SELECT_H

/*
 * remote-select: opens a mailbox of the old server in one round trip.
 *
 * imapc asks for the flags of all messages when SELECT has told that there are
 * some. Here both commands are sent at once. lib-imap-client doesn't send anything
 * behind a SELECT that it knows as one, so that SELECT goes out as any command,
 * and it's UID FETCH that is said to select: from when that is sent what comes is
 * this mailbox', and nothing else is sent until it is answered.
 *
 * For mailboxes that are known to be there: where SELECT fails, FETCH is BAD and
 * imapc makes its connection anew. Where the two don't do, imapc opens the mailbox
 * in its own way.
 */

struct redirected_mailbox;

/* Override mailbox' open; innermost, as it takes the place of imapc's own. */
void remote_select_init(struct redirected_mailbox *rbox);

#endif
