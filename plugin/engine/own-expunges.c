#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "str.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "write-full.h"
#include "mailbox-state.h"
#include "migration-dir.h"
#include "own-expunges.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPUNGED_FOLDER "expunged"
/* no more is read: it is forgotten at the next fill that ends well */
#define EXPUNGED_MAX_SIZE (16*1024*1024)

int own_expunges_add(const char *dir, const char *vname, uint32_t uid_validity,
		     const ARRAY_TYPE(seq_range) *uids, const char **error_r)
{
	string_t *line = t_str_new(128);
	const char *path;
	int fd, ret = 0;

	if (migration_dir_path(dir, EXPUNGED_FOLDER, mailbox_state_key(vname),
			       &path, error_r) < 0)
		return -1;
	str_printfa(line, "%u ", uid_validity);
	imap_write_seq_range(line, uids);
	str_append_c(line, '\n');
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1 || write_full(fd, str_data(line), str_len(line)) < 0) {
		*error_r = t_strdup_printf("write(%s) failed: %m", path);
		ret = -1;
	}
	i_close_fd(&fd);
	return ret;
}

static void
parse_line(const char *line, uint32_t uid_validity, ARRAY_TYPE(seq_range) *uids)
{
	const char *set;
	uint32_t num;

	if (str_parse_uint32(line, &num, &set) == 0 && num == uid_validity &&
	    *set == ' ')
		(void)imap_seq_set_nostar_parse(set + 1, uids);
}

int own_expunges_get(const char *dir, const char *vname, uint32_t uid_validity,
		     ARRAY_TYPE(seq_range) *uids, size_t *size_r,
		     const char **error_r)
{
	buffer_t *data = t_buffer_create(1024);
	const char *const *lines;
	int ret;

	*size_r = 0;
	ret = migration_dir_read(dir, EXPUNGED_FOLDER, mailbox_state_key(vname),
				 EXPUNGED_MAX_SIZE, data, error_r);
	if (ret <= 0)
		return ret;
	*size_r = data->used;
	for (lines = t_strsplit(str_c(data), "\n"); *lines != NULL; lines++)
		parse_line(*lines, uid_validity, uids);
	return 0;
}

int own_expunges_remove(const char *dir, const char *vname, size_t size,
			const char **error_r)
{
	const char *key = mailbox_state_key(vname);
	const char *path = t_strconcat(dir, "/"EXPUNGED_FOLDER"/", key, NULL);
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT)
		return 0;
	if (size != SIZE_MAX && (size_t)st.st_size != size)
		return 0;
	return migration_dir_unlink(dir, EXPUNGED_FOLDER, key, error_r);
}

int own_expunges_rename(const char *dir, const char *from, const char *to,
			const char **error_r)
{
	int ret = migration_dir_rename_new(dir, EXPUNGED_FOLDER,
					   mailbox_state_key(from),
					   mailbox_state_key(to), error_r);

	return ret != 0 ? I_MIN(ret, 0) :
		own_expunges_remove(dir, from, SIZE_MAX, error_r);
}
