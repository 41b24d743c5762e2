#ifndef REMOTE_FOLDERS_H
#define REMOTE_FOLDERS_H

/*
 * remote-folders: changes to folders on the old server, and who has the word
 * on a folder.
 */

#include "engine/mailbox-state.h"

struct mailbox;
struct migration_user;

struct forward_state {
	/* there is a state file */
	bool known;
	/* known, and the authority is the old server */
	bool is_old;
	/* nothing of the user is at the old server any more */
	bool user_is_local;
};

/* Returns 0, -1 with an error. */
int forward_state_read(struct migration_user *muser, const char *vname,
		       struct forward_state *state_r, const char **error_r);
/* Is every mailbox of the user local by now? Returns 1, 0, -1 with an error. */
int migration_user_is_local(struct migration_user *muser,
			    const char **error_r);

/* Each returns 0, -1 with the old server's reason as the error of the box.
   ready: can it be asked? */
int remote_folders_ready(struct migration_user *muser, struct mailbox *box);
int remote_folder_create(struct migration_user *muser, struct mailbox *box,
			 bool directory);
int remote_folder_delete(struct migration_user *muser, struct mailbox *box);
/* From and to are vnames, with their children. */
int remote_folder_rename(struct migration_user *muser, struct mailbox *box,
			 const char *from, const char *to);
int remote_folder_subscribe(struct migration_user *muser, struct mailbox *box,
			    bool set);

#endif
