#ifndef STATE_UPDATE_H
#define STATE_UPDATE_H

/*
 * state-update: the state of a mailbox that isn't local yet, read, changed and
 * written under the folder tree's lease, so that nobody makes it local, renames
 * or deletes it in between.
 */

#include "mailbox-state.h"

/* a folder command waits for the old server meanwhile */
#define STATE_UPDATE_LOCK_SECS 60

/* Strings that it puts in must last until the update returns. Returns 1 when it
   is to be written, 0 when it was only looked at, -1 with an error. */
typedef int state_change_t(struct mailbox_state_file *state, void *context,
			   const char **error_r);

/* tree_held: the caller has the lease, else at most wait_secs are waited for
   it. Returns 0, -1 with an error, also when the mailbox isn't the old server's
   any more, and while a RENAME isn't ended (rename-journal.h). */
int state_update(const char *dir, const char *vname, bool tree_held,
		 unsigned int wait_secs, state_change_t *change, void *context,
		 const char **error_r);

/* The same for many mailboxes, which become durable together: contexts[i] is what
   change() gets for vnames[i]. Returns 0, -1 with an error: some may be written. */
int state_update_many(const char *dir, const ARRAY_TYPE(const_string) *vnames,
		      unsigned int wait_secs, state_change_t *change,
		      void *const *contexts, const char **error_r);

/* The authority changes (I1), by the caller who has the mailbox' lease: `after` in
   the place of `before`. A rename that can't be made durable is seen by everybody,
   and a power cut may take it back; nobody has used it yet, so it is put back. A
   write that fails as well leaves what everybody sees: with a disk like that
   neither is safe, but all agree on who has the word. Returns 1, 0 when it stands
   but isn't durable, -1 when it is as before; 0 and -1 with an error. */
int state_switch(const char *dir, const char *vname,
		 const struct mailbox_state_file *before,
		 const struct mailbox_state_file *after, const char **error_r);

#endif
