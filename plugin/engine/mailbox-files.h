#ifndef MAILBOX_FILES_H
#define MAILBOX_FILES_H

/*
 * mailbox-files: all that is remembered of a mailbox under its name: the state,
 * the digests, what users expunged and read, and the lease. The caller has the
 * folder tree's lease.
 *
 * Each returns 0, -1 with an error: some of it may be done, and can be done
 * again.
 */

struct mailbox_state_file;

/* What there is of `from`, under the name of `to` from now on. The state of
   `from` stays (see mailbox_files_forget). */
int mailbox_files_move(const char *dir, const char *from, const char *to,
		       const struct mailbox_state_file *state,
		       const char **error_r);
/* The mailbox isn't there any more, on neither server. */
int mailbox_files_remove(const char *dir, const char *vname,
			 const char **error_r);
/* Nor is this one of that state. Where it was local MAILBOX_STATE_DELETED
   remains: the old server may have a folder of that name, which must not come
   back. */
int mailbox_files_forget(const char *dir, const char *vname,
			 const struct mailbox_state_file *state,
			 const char **error_r);

#endif
