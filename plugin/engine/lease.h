#ifndef LEASE_H
#define LEASE_H

/*
 * lease: who may use a mailbox through the old server while it is cut over.
 *
 * <migration_dir>/lease/<key>, flock(2). Whoever has the mailbox open through
 * the old server holds it shared; the cutover holds it exclusively. Works on
 * one host only.
 *
 * A lease follows a RENAME: its file is renamed, so that whoever holds it under
 * the former name is asked by a cutover under the new one. Hence a lock counts
 * only as long as its file has the name that it was opened by.
 *
 * flock is unfair: so that a cutover isn't starved, a second lock, the gate,
 * is passed on the way in and kept closed by the cutover, from the moment at
 * which it asks the holders to finish. A holder watches lease_path() with
 * inotify, and asks lease_recalled() when it fires (others opening and closing
 * the lease fire it as well).
 *
 * Timeouts are whole seconds, as file_wait_lock() has them.
 */

struct lease;

/* Take the lease shared, waiting at most timeout_msecs for a cutover to
   end. Returns 1, 0 when the time is over, -1 with an error. */
int lease_share(const char *dir, const char *vname, unsigned int timeout_secs,
		struct lease **lease_r, const char **error_r);
/* Who waits for a lease and holds another tries again each so often, and looks in
   between whether his own is wanted. */
#define LEASE_RETRY_MSECS 20

/* Take it exclusively: asks the holders to finish and waits for them. */
int lease_exclude(const char *dir, const char *vname,
		  unsigned int timeout_secs,
		  struct lease **lease_r, const char **error_r);
void lease_release(struct lease **lease);

/* The mailbox was renamed, which may be told more than once: its holders keep
   their locks. Where both names have holders, those of the new name are asked to
   finish and waited for, since that mailbox isn't there any more. The caller has
   the tree's lease. Returns 0, -1 with an error. */
int lease_rename(const char *dir, const char *from, const char *to,
		 const char **error_r);

/* The file to watch, whatever its name is by now. Allocated from the data
   stack. */
const char *lease_path(const struct lease *lease);
/* Is it still that of the name which it was taken for? */
bool lease_is_current(const struct lease *lease);
/* Does a cutover wait for the holders of this lease, or was one of its files
   lost, so that none could? */
bool lease_recalled(const struct lease *lease);

/* The user's folder tree: create, delete, rename, subscribe, the tree's
   refresh and every cutover exclude one another with it. */
int lease_tree(const char *dir, unsigned int timeout_secs,
	       struct lease **lease_r, const char **error_r);
/* The user's local copies: one process at a time fills them. */
int lease_fill(const char *dir, unsigned int timeout_secs,
	       struct lease **lease_r, const char **error_r);
/* The user's catch-up: one process at a time. */
int lease_catchup(const char *dir, unsigned int timeout_secs,
		  struct lease **lease_r, const char **error_r);
/* The user's late mail: one at a time is delivered. */
int lease_deliver(const char *dir, unsigned int timeout_secs,
		  struct lease **lease_r, const char **error_r);

#endif
