/* test-milter-socket: the socket on which libmilter listens is found, what it
   accepts has TCP_NODELAY, and a worker that can't have one doesn't count */
#include "milter/listen-socket.h"
#include "milter/worker-set.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has_no_delay(int fd)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0 &&
		value != 0;
}

static void test_none(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	errno = 0;
	CU_ASSERT_EQUAL(listen_socket_find(), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	close(fd);
}

static void try_inet(int family, struct sockaddr *addr, socklen_t size)
{
	int other = socket(family, SOCK_STREAM, 0);
	int fd = socket(family, SOCK_STREAM, 0), client, accepted;

	CU_ASSERT_EQUAL_FATAL(bind(fd, addr, size), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
	CU_ASSERT_EQUAL(listen_socket_find(), fd);
	CU_ASSERT_EQUAL(listen_socket_no_delay(fd), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, addr, &size), 0);
	client = socket(family, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL_FATAL(connect(client, addr, size), 0);
	accepted = accept(fd, NULL, NULL);
	CU_ASSERT(has_no_delay(accepted));
	CU_ASSERT(!has_no_delay(client));
	close(accepted);
	close(client);
	close(fd);
	close(other);
}

static void test_inet(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};

	try_inet(AF_INET, (struct sockaddr *)&addr, sizeof(addr));
}

static void test_local(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char name[sizeof(addr.sun_path) + 8];
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path),
		 "/tmp/test-milter-socket.%ld", (long)getpid());
	CU_ASSERT_EQUAL_FATAL(bind(fd, &addr, sizeof(addr)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
	CU_ASSERT_EQUAL(listen_socket_find(), fd);
	CU_ASSERT_EQUAL(listen_socket_no_delay(fd), 0);
	listen_socket_remove("inet:8891@localhost");
	CU_ASSERT_EQUAL(stat(addr.sun_path, &st), 0);
	snprintf(name, sizeof(name), "local:%s", addr.sun_path);
	listen_socket_remove(name);
	CU_ASSERT_EQUAL(stat(addr.sun_path, &st), -1);
	close(fd);
}

/* It doesn't count as one that serves its socket, though its process may be there
   still: a heartbeat would say that somebody watches. */
static void test_worker_without(void)
{
	char name[] = "local:/nowhere/at/all", *names[] = { name };
	const struct config_list sockets = { names, 1 };
	const struct milter_overrides overrides = { 0 };
	struct worker_set *set = worker_set_init(&sockets, &overrides, true);

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT(!worker_set_is_whole(set));
	CU_ASSERT(!worker_set_start(set));
	CU_ASSERT(!worker_set_is_whole(set));
	while (wait(NULL) > 0) ;
	worker_set_deinit(&set);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "none", test_none },
		{ "inet", test_inet },
		{ "local", test_local },
		{ "a worker without a socket", test_worker_without },
		{ NULL, NULL }
	};

	return unit_run("milter-socket", tests);
}
