#ifndef RENAME_JOURNAL_H
#define RENAME_JOURNAL_H

/*
 * rename-journal: the RENAME that is under way, <migration_dir>/state/.rename.
 *
 * Written durably before anything is changed and removed when all is done. One
 * that is there while nobody has the folder tree's lease was left by a crash,
 * or by a connection that broke before the old server had answered:
 * folder_move_recover() ends it.
 */

struct folder_move {
	/* vnames: the folder that was renamed, then each one below it */
	const char *from, *to;
	/* `to` had MAILBOX_STATE_DELETED before */
	bool to_deleted;
};
ARRAY_DEFINE_TYPE(folder_move, struct folder_move);

int rename_journal_write(const char *dir, const ARRAY_TYPE(folder_move) *moves,
			 const char **error_r);
/* Returns 1, 0 when there is none, -1 with an error. Strings come from pool. */
int rename_journal_read(const char *dir, pool_t pool,
			ARRAY_TYPE(folder_move) *moves_r, const char **error_r);
int rename_journal_remove(const char *dir, const char **error_r);
/* Is there one? At doubt there is. */
bool rename_journal_exists(const char *dir);
/* For who has the tree's lease and is about to change a state: that must wait
   until the RENAME is ended. Returns 0 when there is none, -1 with an error. */
int rename_journal_refuse(const char *dir, const char **error_r);

#endif
