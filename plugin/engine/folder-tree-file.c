#include "lib.h"
#include "buffer.h"
#include "str.h"
#include "migration-dir.h"
#include "folder-tree-file.h"

#define TREE_FOLDER "state"
/* no mailbox's key begins with a '.' */
#define TREE_NAME ".tree"
#define TREE_MAGIC "migration-tree 1"
#define TREE_MAX_SIZE 1024

static bool parse(const char *const *lines, struct folder_tree_file *file_r)
{
	unsigned int sep;

	if (str_array_length(lines) != 5 || strcmp(lines[0], TREE_MAGIC) != 0 ||
	    !str_begins(lines[1], "sep=") || !str_begins(lines[2], "checked=") ||
	    strcmp(lines[3], "end") != 0 || *lines[4] != '\0')
		return FALSE;
	if (str_to_uint(lines[1] + 4, &sep) < 0 || sep > 0x7f ||
	    str_to_time(lines[2] + 8, &file_r->checked) < 0)
		return FALSE;
	file_r->old_sep = sep;
	return TRUE;
}

int folder_tree_file_read(const char *dir, struct folder_tree_file *file_r,
			  const char **error_r)
{
	buffer_t *data = t_buffer_create(128);
	int ret;

	i_zero(file_r);
	ret = migration_dir_read(dir, TREE_FOLDER, TREE_NAME, TREE_MAX_SIZE,
				 data, error_r);
	if (ret <= 0)
		return ret;
	if (!parse(t_strsplit(str_c(data), "\n"), file_r)) {
		*error_r = t_strdup_printf("Can't use %s/"TREE_FOLDER"/"
			TREE_NAME": it isn't a complete "TREE_MAGIC, dir);
		return -1;
	}
	return 1;
}

int folder_tree_file_write(const char *dir,
			   const struct folder_tree_file *file,
			   const char **error_r)
{
	const char *data = t_strdup_printf(
		TREE_MAGIC"\nsep=%u\nchecked=%"PRIdTIME_T"\nend\n",
		(unsigned char)file->old_sep, file->checked);

	return migration_dir_replace(dir, TREE_FOLDER, TREE_NAME, data,
				     strlen(data), error_r);
}
