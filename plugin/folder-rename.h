#ifndef FOLDER_RENAME_H
#define FOLDER_RENAME_H

/*
 * folder-rename: RENAME of a folder with its children, under the folder tree's
 * lease. Some of them may be local by now and others not.
 */

struct mailbox;
struct migration_user;

/* Returns 0, -1 with the error of src set. */
int folder_rename(struct migration_user *muser, struct mailbox *src,
		  struct mailbox *dest);

#endif
