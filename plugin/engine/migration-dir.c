#include "lib.h"
#include "buffer.h"
#include "mkdir-parents.h"
#include "hostpid.h"
#include "write-full.h"
#include "migration-dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIGRATION_DIR_MODE 0700
#define MIGRATION_FILE_MODE 0600
#define MIGRATION_DIR_TMP "tmp"

static int
sync_dir_with(const char *path, const char *name, int (*sync)(int fd),
	      const char **error_r)
{
	int fd, ret = 0;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	if (sync(fd) < 0) {
		*error_r = t_strdup_printf("%s(%s) failed: %m", name, path);
		ret = -1;
	}
	i_close_fd(&fd);
	return ret;
}

static int fsync_dir(const char *path, const char **error_r)
{
	return sync_dir_with(path, "fsync", fsync, error_r);
}

int migration_dir_sync(const char *dir, const char *folder,
		       const char **error_r)
{
	return fsync_dir(t_strconcat(dir, "/", folder, NULL), error_r);
}

int migration_dir_syncfs(const char *path, const char **error_r)
{
	return sync_dir_with(path, "syncfs", syncfs, error_r);
}

static const char *parent_dir(const char *path)
{
	const char *p = strrchr(path, '/');

	return p == NULL || p == path ? "/" : t_strdup_until(path, p);
}

static int make_folder(const char *path, const char **error_r)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return 0;
	if (mkdir_parents(path, MIGRATION_DIR_MODE) < 0 && errno != EEXIST) {
		*error_r = t_strdup_printf("mkdir(%s) failed: %m", path);
		return -1;
	}
	const char *dir = parent_dir(path);
	if (fsync_dir(dir, error_r) < 0)
		return -1;
	return fsync_dir(parent_dir(dir), error_r);
}

int migration_dir_path(const char *dir, const char *folder, const char *name,
		       const char **path_r, const char **error_r)
{
	const char *folder_path = t_strconcat(dir, "/", folder, NULL);

	if (make_folder(folder_path, error_r) < 0)
		return -1;
	*path_r = t_strconcat(folder_path, "/", name, NULL);
	return 0;
}

static int write_file(const char *path, const void *data, size_t size,
		      bool durably, const char **error_r)
{
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		  MIGRATION_FILE_MODE);
	if (fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	if (write_full(fd, data, size) < 0) {
		*error_r = t_strdup_printf("write(%s) failed: %m", path);
		ret = -1;
	} else if (durably && fsync(fd) < 0) {
		*error_r = t_strdup_printf("fsync(%s) failed: %m", path);
		ret = -1;
	}
	if (close(fd) < 0 && ret == 0) {
		*error_r = t_strdup_printf("close(%s) failed: %m", path);
		ret = -1;
	}
	if (ret < 0)
		i_unlink_if_exists(path);
	return ret;
}

static int
rename_file(const char *tmp_path, const char *path, const char **error_r)
{
	if (rename(tmp_path, path) == 0)
		return 0;
	*error_r = t_strdup_printf("rename(%s, %s) failed: %m",
				   tmp_path, path);
	i_unlink_if_exists(tmp_path);
	return -1;
}

int migration_dir_replace(const char *dir, const char *folder,
			  const char *name, const void *data, size_t size,
			  const char **error_r)
{
	const char *path, *tmp_path;

	if (migration_dir_path(dir, folder, name, &path, error_r) < 0 ||
	    migration_dir_path(dir, MIGRATION_DIR_TMP, my_pid, &tmp_path,
			       error_r) < 0)
		return -1;
	if (write_file(tmp_path, data, size, TRUE, error_r) < 0 ||
	    rename_file(tmp_path, path, error_r) < 0)
		return -1;
	return fsync_dir(parent_dir(path), error_r);
}

static const char *
many_tmp_path(const char *tmp_folder, const char *name)
{
	return t_strdup_printf("%s/%s.%s", tmp_folder, my_pid, name);
}

static int
write_many(const char *tmp_folder, const struct migration_dir_file *files,
	   unsigned int count, const char **error_r)
{
	for (unsigned int i = 0; i < count; i++) {
		if (write_file(many_tmp_path(tmp_folder, files[i].name),
			       files[i].data, files[i].size, FALSE,
			       error_r) < 0)
			return -1;
	}
	return migration_dir_syncfs(tmp_folder, error_r);
}

static int
rename_many(const char *tmp_folder, const char *folder,
	    const struct migration_dir_file *files, unsigned int count,
	    const char **error_r)
{
	for (unsigned int i = 0; i < count; i++) {
		const char *path = t_strconcat(folder, "/", files[i].name,
					       NULL);

		if (rename_file(many_tmp_path(tmp_folder, files[i].name), path,
				error_r) < 0)
			return -1;
	}
	return fsync_dir(folder, error_r);
}

int migration_dir_replace_many(const char *dir, const char *folder,
			       const struct migration_dir_file *files,
			       unsigned int count, const char **error_r)
{
	const char *folder_path = t_strconcat(dir, "/", folder, NULL);
	const char *tmp_folder = t_strconcat(dir, "/"MIGRATION_DIR_TMP, NULL);

	if (count == 0)
		return 0;
	if (make_folder(folder_path, error_r) < 0 ||
	    make_folder(tmp_folder, error_r) < 0)
		return -1;
	if (write_many(tmp_folder, files, count, error_r) < 0)
		return -1;
	return rename_many(tmp_folder, folder_path, files, count, error_r);
}

int migration_dir_unlink(const char *dir, const char *folder,
			 const char *name, const char **error_r)
{
	const char *path;

	if (migration_dir_path(dir, folder, name, &path, error_r) < 0)
		return -1;
	if (unlink(path) < 0) {
		if (errno == ENOENT)
			return 0;
		*error_r = t_strdup_printf("unlink(%s) failed: %m", path);
		return -1;
	}
	return fsync_dir(parent_dir(path), error_r);
}

int migration_dir_rename(const char *dir, const char *folder,
			 const char *from, const char *to,
			 const char **error_r)
{
	const char *from_path, *to_path;

	if (migration_dir_path(dir, folder, from, &from_path, error_r) < 0 ||
	    migration_dir_path(dir, folder, to, &to_path, error_r) < 0)
		return -1;
	if (rename(from_path, to_path) < 0) {
		if (errno == ENOENT)
			return 0;
		*error_r = t_strdup_printf("rename(%s, %s) failed: %m",
					   from_path, to_path);
		return -1;
	}
	return fsync_dir(parent_dir(to_path), error_r);
}

/* A crash may have left one file under both names. */
static bool is_same_file(const char *path1, const char *path2)
{
	struct stat st1, st2;

	return stat(path1, &st1) == 0 && stat(path2, &st2) == 0 &&
		CMP_DEV_T(st1.st_dev, st2.st_dev) && st1.st_ino == st2.st_ino;
}

/* link() and unlink(): renameat2() isn't to be had on all file systems. */
int migration_dir_rename_new(const char *dir, const char *folder,
			     const char *from, const char *to,
			     const char **error_r)
{
	const char *from_path, *to_path;

	if (migration_dir_path(dir, folder, from, &from_path, error_r) < 0 ||
	    migration_dir_path(dir, folder, to, &to_path, error_r) < 0)
		return -1;
	if (link(from_path, to_path) < 0) {
		if (errno == ENOENT)
			return 1;
		if (errno != EEXIST) {
			*error_r = t_strdup_printf("link(%s, %s) failed: %m",
						   from_path, to_path);
			return -1;
		}
		if (!is_same_file(from_path, to_path))
			return 0;
	}
	/* the new name before the old one is gone */
	if (fsync_dir(parent_dir(to_path), error_r) < 0)
		return -1;
	return migration_dir_unlink(dir, folder, from, error_r) < 0 ? -1 : 1;
}

static int read_all(int fd, const char *path, size_t max_size, buffer_t *data,
		    const char **error_r)
{
	char block[4096];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0) {
		if (data->used + n > max_size) {
			*error_r = t_strdup_printf(
				"%s is larger than %zu bytes", path, max_size);
			return -1;
		}
		buffer_append(data, block, n);
	}
	if (n < 0) {
		*error_r = t_strdup_printf("read(%s) failed: %m", path);
		return -1;
	}
	return 1;
}

int migration_dir_read(const char *dir, const char *folder, const char *name,
		       size_t max_size, buffer_t *data, const char **error_r)
{
	const char *path = t_strconcat(dir, "/", folder, "/", name, NULL);
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT)
			return 0;
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	ret = read_all(fd, path, max_size, data, error_r);
	i_close_fd(&fd);
	return ret;
}
