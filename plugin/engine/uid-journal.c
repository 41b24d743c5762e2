#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "str.h"
#include "imap-seqset.h"
#include "imap-util.h"
#include "write-full.h"
#include "mailbox-state.h"
#include "migration-dir.h"
#include "uid-journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* no more is read: it is forgotten when the rest was worked off */
#define JOURNAL_MAX_SIZE (16*1024*1024)

/* Returns 1; 0 when it isn't there (without O_CREAT); -1 with an error. */
static int
open_locked(const char *path, int flags, int *fd_r, struct stat *st_r,
	    const char **error_r)
{
	for (;;) {
		*fd_r = open(path, O_RDWR | O_APPEND | O_CLOEXEC | flags, 0600);
		if (*fd_r == -1) {
			if (errno == ENOENT && (flags & O_CREAT) == 0)
				return 0;
			*error_r = t_strdup_printf("open(%s) failed: %m", path);
			return -1;
		}
		if (flock(*fd_r, LOCK_EX) < 0 || fstat(*fd_r, st_r) < 0) {
			*error_r = t_strdup_printf("flock(%s) failed: %m",
						   path);
			i_close_fd(fd_r);
			return -1;
		}
		if (st_r->st_nlink > 0)
			return 1;
		/* removed while we waited */
		i_close_fd(fd_r);
	}
}

/* What a crash has left of a line isn't one, nor does it spoil the next. */
#define TORN "?\n"

static bool ends_in_line(int fd, off_t size)
{
	char c;

	return size == 0 || (pread(fd, &c, 1, size - 1) == 1 && c == '\n');
}

static int
add_line(const char *path, uint32_t uid_validity,
	 const ARRAY_TYPE(seq_range) *uids, bool durable, bool *created_r,
	 const char **error_r)
{
	string_t *line = t_str_new(128);
	struct stat st;
	int fd, ret = 0;

	if (open_locked(path, O_CREAT, &fd, &st, error_r) < 0)
		return -1;
	*created_r = st.st_size == 0;
	if (!ends_in_line(fd, st.st_size))
		str_append(line, TORN);
	str_printfa(line, "%u ", uid_validity);
	imap_write_seq_range(line, uids);
	str_append_c(line, '\n');
	if (write_full(fd, str_data(line), str_len(line)) < 0 ||
	    (durable && fdatasync(fd) < 0)) {
		*error_r = t_strdup_printf("write(%s) failed: %m", path);
		ret = -1;
	}
	i_close_fd(&fd);
	return ret;
}

int uid_journal_add(const char *dir, const char *folder, const char *vname,
		    uint32_t uid_validity, const ARRAY_TYPE(seq_range) *uids,
		    bool durable, const char **error_r)
{
	const char *path;
	bool created;

	if (migration_dir_path(dir, folder, mailbox_state_key(vname),
			       &path, error_r) < 0 ||
	    add_line(path, uid_validity, uids, durable, &created, error_r) < 0)
		return -1;
	return durable && created ?
		migration_dir_sync(dir, folder, error_r) : 0;
}

static void
parse_line(const char *line, uint32_t uid_validity, ARRAY_TYPE(seq_range) *uids)
{
	ARRAY_TYPE(seq_range) set;
	const char *p;
	uint32_t num;

	if (str_parse_uint32(line, &num, &p) < 0 || num != uid_validity ||
	    *p != ' ')
		return;
	t_array_init(&set, 16);
	if (imap_seq_set_nostar_parse(p + 1, &set) == 0)
		seq_range_array_merge(uids, &set);
}

int uid_journal_get(const char *dir, const char *folder, const char *vname,
		    uint32_t uid_validity, ARRAY_TYPE(seq_range) *uids,
		    size_t *size_r, const char **error_r)
{
	buffer_t *data = t_buffer_create(1024);
	const char *const *lines;
	int ret;

	*size_r = 0;
	ret = migration_dir_read(dir, folder, mailbox_state_key(vname),
				 JOURNAL_MAX_SIZE, data, error_r);
	if (ret <= 0)
		return ret;
	*size_r = data->used;
	/* what is behind the last LF isn't a line; one that is just being made
	   has none */
	lines = t_strsplit(str_c(data), "\n");
	for (; lines[0] != NULL && lines[1] != NULL; lines++)
		parse_line(*lines, uid_validity, uids);
	return 0;
}

int uid_journal_remove(const char *dir, const char *folder, const char *vname,
		       size_t size, const char **error_r)
{
	const char *key = mailbox_state_key(vname);
	const char *path = t_strconcat(dir, "/", folder, "/", key, NULL);
	struct stat st;
	int fd, ret;

	ret = open_locked(path, 0, &fd, &st, error_r);
	if (ret <= 0)
		return ret;
	ret = 0;
	if (size == SIZE_MAX || (size_t)st.st_size == size)
		ret = migration_dir_unlink(dir, folder, key, error_r);
	i_close_fd(&fd);
	return ret;
}

int uid_journal_rename(const char *dir, const char *folder, const char *from,
		       const char *to, const char **error_r)
{
	int ret = migration_dir_rename_new(dir, folder,
					   mailbox_state_key(from),
					   mailbox_state_key(to), error_r);

	return ret != 0 ? I_MIN(ret, 0) :
		uid_journal_remove(dir, folder, from, SIZE_MAX, error_r);
}
