#include "canned-server.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void serve(int listener, const char *data, size_t size, bool silent)
{
	char buf[65536];
	ssize_t ret;
	int fd;

	fd = accept(listener, NULL, NULL);
	while (size > 0) {
		ret = send(fd, data, size, MSG_NOSIGNAL);
		if (ret <= 0)
			_exit(0);
		data += ret;
		size -= (size_t)ret;
	}
	if (!silent)
		(void)shutdown(fd, SHUT_WR);
	while (read(fd, buf, sizeof(buf)) > 0) ;
	_exit(0);
}

void canned_server_start(struct canned_server *server, const void *data,
			 size_t size, bool silent)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
	} addr = {
		.in = {
			.sin_family = AF_INET,
			.sin_addr = { htonl(INADDR_LOOPBACK) }
		}
	};
	socklen_t len = sizeof(addr.in);
	int listener;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 ||
	    bind(listener, &addr.any, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, &addr.any, &len) < 0) {
		perror("canned-server");
		abort();
	}
	snprintf(server->hostport, sizeof(server->hostport), "127.0.0.1:%u",
		 (unsigned int)ntohs(addr.in.sin_port));
	server->pid = fork();
	if (server->pid < 0)
		abort();
	if (server->pid == 0)
		serve(listener, data, size, silent);
	close(listener);
}

void canned_server_stop(struct canned_server *server)
{
	(void)kill(server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
}
