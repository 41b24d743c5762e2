#ifndef FOLDER_FORWARD_H
#define FOLDER_FORWARD_H

/*
 * folder-forward: CREATE, DELETE, RENAME and SUBSCRIBE of the moved namespace.
 *
 * Under the folder tree's lease: the old server first, then the state files
 * and the local tree. What the old server refuses changes nothing here. After
 * a crash in between the next folder_tree_refresh() brings the local tree to
 * what the old server has, and ends a RENAME (engine/folder-move). Mailboxes that
 * are local are changed here only; one that is deleted leaves
 * MAILBOX_STATE_DELETED behind.
 */

#include <stdbool.h>

struct mailbox;
struct mailbox_vfuncs;
struct migration_user;

/* From the mailbox_allocated hook, for redirected and local mailboxes of the
   moved namespace. super is where the hook has put the vfuncs that v had, NULL
   when it hasn't: a hook can do that only once. */
void folder_forward_init(struct migration_user *muser, struct mailbox *box,
			 struct mailbox_vfuncs *v,
			 struct mailbox_vfuncs *super);
/* Was that done? Those allocated in bypass haven't it. */
bool folder_forward_is_attached(struct mailbox *box);

#endif
