#ifndef FOLDER_TREE_FILE_H
#define FOLDER_TREE_FILE_H

/*
 * folder-tree-file: what is remembered of the last look at the old server's
 * folders, <migration_dir>/state/.tree. It is written when the local tree is
 * complete, so its existence says that the tree is.
 */

struct folder_tree_file {
	/* the old server's hierarchy separator, '\0' for none */
	char old_sep;
	/* unix seconds of the look */
	time_t checked;
};

/* Returns 1, 0 when the tree was never made, -1 with an error. */
int folder_tree_file_read(const char *dir, struct folder_tree_file *file_r,
			  const char **error_r);
int folder_tree_file_write(const char *dir,
			   const struct folder_tree_file *file,
			   const char **error_r);

#endif
