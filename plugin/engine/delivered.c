#include "lib.h"
#include "buffer.h"
#include "write-full.h"
#include "migration-dir.h"
#include "delivered.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "deliver"
#define NAME "delivered"
/* then the older half goes */
#define MAX_RECORDS (64 * 1024)
#define MAX_SIZE ((off_t)(MAX_RECORDS * GUID_128_SIZE))

static int failed(const char *what, const char **error_r)
{
	*error_r = t_strdup_printf("%s(.../"FOLDER"/"NAME") failed: %m", what);
	return -1;
}

/* All records. Returns 1, 0 when there are none, -1 with an error. */
static int
read_all(const char *dir, buffer_t *records, const char **error_r)
{
	int ret = migration_dir_read(dir, FOLDER, NAME, MAX_SIZE * 2, records,
				     error_r);

	if (ret > 0) {
		buffer_set_used_size(records, records->used -
				     records->used % GUID_128_SIZE);
	}
	return ret;
}

static bool has_record(const buffer_t *records, const guid_128_t guid)
{
	for (size_t i = 0; i < records->used; i += GUID_128_SIZE) {
		if (memcmp(CONST_PTR_OFFSET(records->data, i), guid,
			   GUID_128_SIZE) == 0)
			return TRUE;
	}
	return FALSE;
}

int delivered_find(const char *dir, const guid_128_t guid, const char **error_r)
{
	buffer_t *records = buffer_create_dynamic(default_pool, 1024);
	int ret = read_all(dir, records, error_r);

	if (ret > 0)
		ret = has_record(records, guid) ? 1 : 0;
	buffer_free(&records);
	return ret;
}

static int forget_older_half(const char *dir, const char **error_r)
{
	buffer_t *records = buffer_create_dynamic(default_pool, MAX_SIZE);
	int ret = read_all(dir, records, error_r);
	size_t half = MAX_SIZE / 2;

	if (ret > 0 && records->used > half) {
		ret = migration_dir_replace(dir, FOLDER, NAME,
			CONST_PTR_OFFSET(records->data, records->used - half),
			half, error_r);
	}
	buffer_free(&records);
	return ret < 0 ? -1 : 0;
}

/* Over what is incomplete. */
static int append(int fd, const guid_128_t guid, const char **error_r)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed("fstat", error_r);
	st.st_size -= st.st_size % GUID_128_SIZE;
	if (pwrite_full(fd, guid, GUID_128_SIZE, st.st_size) < 0)
		return failed("pwrite", error_r);
	if (fdatasync(fd) < 0)
		return failed("fdatasync", error_r);
	return 0;
}

static int add_to_file(const char *dir, const char *path, const guid_128_t guid,
		       const char **error_r)
{
	int ret, fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1)
		return failed("open", error_r);
	ret = append(fd, guid, error_r);
	i_close_fd(&fd);
	return ret < 0 ? -1 : migration_dir_sync(dir, FOLDER, error_r);
}

int delivered_add(const char *dir, const guid_128_t guid, const char **error_r)
{
	const char *path;
	struct stat st;

	if (migration_dir_path(dir, FOLDER, NAME, &path, error_r) < 0)
		return -1;
	if (stat(path, &st) == 0 && st.st_size >= MAX_SIZE &&
	    forget_older_half(dir, error_r) < 0)
		return -1;
	return add_to_file(dir, path, guid, error_r);
}
