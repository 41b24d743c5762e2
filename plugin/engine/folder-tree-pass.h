#ifndef FOLDER_TREE_PASS_H
#define FOLDER_TREE_PASS_H

/*
 * folder-tree-pass: one look at the old server's folders, and what it changes
 * here, for folder-tree.c, under the folder tree's lease.
 */

#include "mail-error.h"

struct migration_user;
struct name_map;
struct old_client;

/* first: there is no tree yet, so that the old server is waited for longer. The
   client asks it, or one of its own where that is NULL. Returns 0, -1 with an
   error. */
int folder_tree_pass(struct migration_user *muser, struct old_client *client,
		     bool first,
		     enum mail_error *error_code_r, const char **error_r);
/* old_sep '\0': not known yet. */
void folder_tree_map_init(struct migration_user *muser, char old_sep,
			  struct name_map *map_r);

#endif
