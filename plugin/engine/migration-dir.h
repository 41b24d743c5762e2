#ifndef MIGRATION_DIR_H
#define MIGRATION_DIR_H

/*
 * migration-dir: files under a user's migration_dir.
 *
 * The folders in it (state, lease, gate, digest, tmp...) are made when first
 * needed, mode 0700, durably: a folder that went away in a power cut would
 * make a local mailbox look like one that was never seen.
 */

/* <dir>/<folder>/<name>, the folder made when it isn't there. Allocated from
   the data stack. Returns 0, -1 with an error. */
int migration_dir_path(const char *dir, const char *folder, const char *name,
		       const char **path_r, const char **error_r);

/* Replace <dir>/<folder>/<name> by data: write + fsync + rename + fsync(dir).
   A crash leaves the old file or the new one. Returns 0, -1 with an error. */
int migration_dir_replace(const char *dir, const char *folder,
			  const char *name, const void *data, size_t size,
			  const char **error_r);
/* The same for many files with two syncs in all: all are written and made
   durable under other names, then renamed. A crash leaves each the old file or
   the new one. Returns 0, -1 with an error: some may be replaced. */
struct migration_dir_file {
	const char *name;
	const void *data;
	size_t size;
};
int migration_dir_replace_many(const char *dir, const char *folder,
			       const struct migration_dir_file *files,
			       unsigned int count, const char **error_r);
/* Remove it durably. One that isn't there is fine. */
int migration_dir_unlink(const char *dir, const char *folder,
			 const char *name, const char **error_r);
/* Give it another name in the same folder, durably; one of that name is
   replaced. One that isn't there is fine. */
int migration_dir_rename(const char *dir, const char *folder,
			 const char *from, const char *to,
			 const char **error_r);
/* The same, but nothing is replaced. Returns 1, also when it isn't there; 0 when
   another file has that name: both stay; -1 with an error. */
int migration_dir_rename_new(const char *dir, const char *folder,
			     const char *from, const char *to,
			     const char **error_r);
/* Read it whole, at most max_size bytes. Returns 1, 0 when it isn't there,
   -1 with an error. */
int migration_dir_read(const char *dir, const char *folder, const char *name,
		       size_t max_size, buffer_t *data, const char **error_r);

/* Make the names of its files durable. Returns 0, -1 with an error. */
int migration_dir_sync(const char *dir, const char *folder,
		       const char **error_r);
/* Make everything durable that is on the file system of path. Returns 0, -1
   with an error. */
int migration_dir_syncfs(const char *path, const char **error_r);

#endif
