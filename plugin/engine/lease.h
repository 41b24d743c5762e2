#ifndef LEASE_H
#define LEASE_H

/*
 * lease: who may use a mailbox through the old server while it is cut over.
 *
 * <migration_dir>/lease/<key>, flock(2). Whoever has the mailbox open through
 * the old server holds it shared; the cutover holds it exclusively. Works on
 * one host only. A holder watches the file (lease_path) with inotify: the
 * cutover touches it to ask the holders to finish (lease_recall).
 */

struct lease;

/* Take the lease shared, waiting at most timeout_msecs for a cutover to
   end. Returns 1, 0 when the time is over, -1 with an error. */
int lease_share(const char *dir, const char *vname, unsigned int timeout_msecs,
		struct lease **lease_r, const char **error_r);
/* Take it exclusively: asks the holders to finish and waits for them. */
int lease_exclude(const char *dir, const char *vname,
		  unsigned int timeout_msecs,
		  struct lease **lease_r, const char **error_r);
void lease_release(struct lease **lease);

/* The file to watch. */
const char *lease_path(const struct lease *lease);

/* The user's folder tree: create, delete, rename, subscribe, the tree's
   refresh and every cutover exclude one another with it. */
int lease_tree(const char *dir, unsigned int timeout_msecs,
	       struct lease **lease_r, const char **error_r);

#endif
