#ifndef FOLDER_TREE_H
#define FOLDER_TREE_H

/*
 * folder-tree: the local folder tree, made after the old server's.
 *
 * One pipelined pass asks the old server for its folders and subscriptions,
 * makes the mailboxes and subscriptions that are missing here, each with a
 * state file before it, and takes away those that went there. Mailboxes that
 * are local by now are left alone, and so are those that the old server never
 * had. When two or more, and more than are left, are suddenly gone there, none
 * is taken away: the old server is more likely broken or emptied than tidied up
 * (I4). A RENAME that a
 * crash has cut short is ended before (folder-move.h).
 */

struct migration_user;
struct name_map;
struct old_client;

/* Make or refresh the tree when it was never made, or is older than
   migration_tree_interval (or force). Returns 0; -1 with a mail error when
   the old server can't be asked: a tree made before goes on to be served, so
   that callers treat an error as fatal only when !folder_tree_exists(). */
int folder_tree_refresh(struct migration_user *muser, bool force,
			enum mail_error *error_code_r, const char **error_r);
/* The same by force, asked by the client, which then has its connection already. */
int folder_tree_refresh_by(struct migration_user *muser,
			   struct old_client *client,
			   enum mail_error *error_code_r, const char **error_r);
/* Was the tree ever made completely? */
bool folder_tree_exists(struct migration_user *muser);
/* How names map between the two servers. Returns 1; 0 when the tree was never
   made; -1 with an error. Strings belong to the user or the data stack. */
int folder_tree_name_map(struct migration_user *muser, struct name_map *map_r,
			 const char **error_r);

#endif
