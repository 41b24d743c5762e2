#include "lib.h"
#include "pause-file.h"

#include <fcntl.h>
#include <unistd.h>

#define PAUSE_NAME "/paused"

bool pause_file_exists(const char *dir)
{
	const char *path = t_strconcat(dir, PAUSE_NAME, NULL);

	if (access(path, F_OK) == 0)
		return TRUE;
	if (errno == ENOENT)
		return FALSE;
	i_error("migration: access(%s) failed: %m", path);
	return TRUE;
}

static int sync_dir(const char *dir, const char **error_r)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd == -1 ? -1 : fsync(fd);

	if (ret < 0)
		*error_r = t_strdup_printf("fsync(%s) failed: %m", dir);
	i_close_fd(&fd);
	return ret;
}

int pause_file_set(const char *dir, bool paused, const char **error_r)
{
	const char *path = t_strconcat(dir, PAUSE_NAME, NULL);
	int fd;

	if (!paused) {
		if (unlink(path) < 0 && errno != ENOENT) {
			*error_r = t_strdup_printf("unlink(%s) failed: %m",
						   path);
			return -1;
		}
		return sync_dir(dir, error_r);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	i_close_fd(&fd);
	return sync_dir(dir, error_r);
}
