#include "listen-socket.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool listens(int fd)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 &&
		value != 0;
}

int listen_socket_find(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int fd, found = -1;

	if (dir == NULL)
		return -1;
	while (found < 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		fd = atoi(entry->d_name);
		if (listens(fd))
			found = fd;
	}
	closedir(dir);
	if (found < 0)
		errno = ENOENT;
	return found;
}

int listen_socket_no_delay(int fd)
{
	struct sockaddr_storage addr;
	socklen_t size = sizeof(addr);
	int on = 1;

	if (getsockname(fd, (struct sockaddr *)&addr, &size) < 0)
		return -1;
	if (addr.ss_family != AF_INET && addr.ss_family != AF_INET6)
		return 0;
	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void listen_socket_remove(const char *socket)
{
	const char *path = strchr(socket, ':') + 1;

	/* whether it's still there, or may be removed: the next start copes */
	if (path[0] == '/')
		(void)unlink(path);
}
