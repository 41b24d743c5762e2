#include "lib.h"
#include "net.h"
#include "worker-protocol.h"
#include "worker-socket.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

static const char *socket_path(const char *dir)
{
	return t_strconcat(dir, "/"WORKER_USER_SOCKET, NULL);
}

/* Returns what to do with a path of the socket that is short enough. */
static int with_path(const char *dir, int (*call)(const char *path))
{
	const char *path = socket_path(dir);
	int dir_fd, fd;

	if (strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return call(path);
	dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd == -1)
		return -1;
	fd = call(t_strdup_printf("/proc/self/fd/%d/"WORKER_USER_SOCKET,
				  dir_fd));
	i_close_fd(&dir_fd);
	return fd;
}

static int listen_at(const char *path)
{
	mode_t old_umask = umask(0177);
	int fd = net_listen_unix(path, BACKLOG);

	(void)umask(old_umask);
	return fd;
}

int worker_socket_connect(const char *dir)
{
	return with_path(dir, net_connect_unix);
}

int worker_socket_listen(const char *dir)
{
	worker_socket_unlink(dir);
	return with_path(dir, listen_at);
}

void worker_socket_unlink(const char *dir)
{
	i_unlink_if_exists(socket_path(dir));
}
