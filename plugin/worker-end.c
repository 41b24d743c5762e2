#include "lib.h"
#include "file-lock.h"
#include "worker/worker-socket.h"
#include "worker-end.h"
#include "worker-hello.h"
#include "worker-link.h"

#include <fcntl.h>
#include <unistd.h>

#define TELL_MSECS 2000
#define END_SECS 30

/* It may be in the middle of something: whether it has heard isn't waited for,
   its lock is. */
static void tell(const char *dir)
{
	const char *lines = t_strconcat(worker_hello_version(), "END\n", NULL);
	const char *line, *error;
	struct worker_link *link;
	uint64_t deadline = worker_link_now() + TELL_MSECS;
	int fd = worker_socket_connect(dir);

	if (fd == -1)
		return;
	link = worker_link_init(fd);
	if (worker_link_send(link, lines, -1, deadline, &error) == 0) {
		/* it is who closes the connection */
		while (worker_link_read(link, deadline, &line, &error) > 0) ;
	}
	worker_link_deinit(&link);
}

static int wait_for_lock(int fd, const char *path, const char **error_r)
{
	const struct file_lock_settings set = {
		.lock_method = FILE_LOCK_METHOD_FLOCK,
	};
	struct file_lock *lock;
	int ret;

	ret = file_wait_lock(fd, path, F_WRLCK, &set, END_SECS, &lock, error_r);
	if (ret > 0)
		file_unlock(&lock);
	else if (ret == 0)
		*error_r = "The user's worker doesn't end";
	return ret > 0 ? 0 : -1;
}

int worker_end(const char *dir, const char **error_r)
{
	const char *path = t_strconcat(dir, "/worker.lock", NULL);
	int fd, ret;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT)
			return 0;
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	tell(dir);
	ret = wait_for_lock(fd, path, error_r);
	i_close_fd(&fd);
	return ret;
}
