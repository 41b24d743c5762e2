#ifndef REDIRECT_LIST_H
#define REDIRECT_LIST_H

/*
 * redirect-list: LIST, LSUB and special-use of the moved namespace.
 *
 * They come from the local tree, which is refreshed first. When it was never
 * made and the old server can't be asked, the listing fails: it is never
 * empty. lib-storage's own look at mailboxes while it lists means the local
 * ones, so \Marked and \Unmarked, which come from there, aren't told.
 */

struct mailbox_list;
struct migration_user;

/* The mailbox_list_created hook's part. */
void redirect_list_created(struct migration_user *muser,
			   struct mailbox_list *list);

#endif
