#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "str.h"
#include "strescape.h"
#include "migration-dir.h"
#include "rename-journal.h"

#include <sys/stat.h>

#define JOURNAL_FOLDER "state"
/* no mailbox's key begins with a '.' */
#define JOURNAL_NAME ".rename"
#define JOURNAL_MAGIC "migration-rename 1"
#define JOURNAL_END "end"
#define JOURNAL_TO_DELETED "deleted"
/* 10,000 folders with long names */
#define JOURNAL_MAX_SIZE (16*1024*1024)

int rename_journal_write(const char *dir, const ARRAY_TYPE(folder_move) *moves,
			 const char **error_r)
{
	string_t *str = t_str_new(1024);
	const struct folder_move *move;

	str_append(str, JOURNAL_MAGIC"\n");
	array_foreach(moves, move) {
		str_append_tabescaped(str, move->from);
		str_append_c(str, '\t');
		str_append_tabescaped(str, move->to);
		if (move->to_deleted)
			str_append(str, "\t"JOURNAL_TO_DELETED);
		str_append_c(str, '\n');
	}
	str_append(str, JOURNAL_END"\n");
	return migration_dir_replace(dir, JOURNAL_FOLDER, JOURNAL_NAME,
				     str_data(str), str_len(str), error_r);
}

static bool
parse(const char *const *lines, pool_t pool, ARRAY_TYPE(folder_move) *moves)
{
	const char *const *names;
	struct folder_move *move;

	if (*lines == NULL || strcmp(*lines++, JOURNAL_MAGIC) != 0)
		return FALSE;
	for (; *lines != NULL && strcmp(*lines, JOURNAL_END) != 0; lines++) {
		names = (const char *const *)p_strsplit_tabescaped(pool, *lines);
		if (str_array_length(names) < 2)
			return FALSE;
		move = array_append_space(moves);
		move->from = names[0];
		move->to = names[1];
		move->to_deleted = names[2] != NULL;
	}
	return *lines != NULL;
}

int rename_journal_read(const char *dir, pool_t pool,
			ARRAY_TYPE(folder_move) *moves_r, const char **error_r)
{
	buffer_t *data = t_buffer_create(1024);
	int ret;

	ret = migration_dir_read(dir, JOURNAL_FOLDER, JOURNAL_NAME,
				 JOURNAL_MAX_SIZE, data, error_r);
	if (ret <= 0)
		return ret;
	p_array_init(moves_r, pool, 16);
	if (parse(t_strsplit(str_c(data), "\n"), pool, moves_r))
		return 1;
	*error_r = t_strdup_printf("Can't use %s/"JOURNAL_FOLDER"/"JOURNAL_NAME
				   ": it isn't a complete "JOURNAL_MAGIC, dir);
	return -1;
}

int rename_journal_remove(const char *dir, const char **error_r)
{
	return migration_dir_unlink(dir, JOURNAL_FOLDER, JOURNAL_NAME, error_r);
}

bool rename_journal_exists(const char *dir)
{
	const char *path = t_strconcat(dir, "/"JOURNAL_FOLDER"/"JOURNAL_NAME,
				       NULL);
	struct stat st;

	return stat(path, &st) == 0 || errno != ENOENT;
}

int rename_journal_refuse(const char *dir, const char **error_r)
{
	if (!rename_journal_exists(dir))
		return 0;
	*error_r = "A RENAME was cut short and isn't ended yet, try again";
	return -1;
}
