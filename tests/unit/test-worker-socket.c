/* The worker's socket, and its slots at the old server. */

#include "lib.h"
#include "mkdir-parents.h"
#include "net.h"
#include "engine/old-slots.h"
#include "worker/worker-socket.h"

#include "engine-unit.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_socket(const char *dir)
{
	struct stat st;
	int fd, stale_fd, client_fd;

	CU_ASSERT(worker_socket_connect(dir) == -1 && errno == ENOENT);
	stale_fd = worker_socket_listen(dir);
	CU_ASSERT_FATAL(stale_fd != -1);
	/* nobody listens any more */
	i_close_fd(&stale_fd);
	CU_ASSERT(worker_socket_connect(dir) == -1 && errno == ECONNREFUSED);
	fd = worker_socket_listen(dir);
	CU_ASSERT_FATAL(fd != -1);
	CU_ASSERT(stat(t_strconcat(dir, "/worker", NULL), &st) == 0 &&
		  S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600);
	client_fd = worker_socket_connect(dir);
	CU_ASSERT_FATAL(client_fd != -1);
	i_close_fd(&client_fd);
	worker_socket_unlink(dir);
	CU_ASSERT(worker_socket_connect(dir) == -1 && errno == ENOENT);
	i_close_fd(&fd);
}

static void test_socket(void)
{
	check_socket(engine_unit_dir());
}

/* An address of a socket has 108 bytes. */
static void test_long_path(void)
{
	char name[151];
	const char *dir;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	dir = t_strconcat(engine_unit_dir(), "/", name, NULL);
	CU_ASSERT(mkdir_parents(dir, 0700) == 0);
	check_socket(dir);
}

static int slots_file(void)
{
	int fd = open(t_strconcat(engine_unit_dir(), "/slots", NULL),
		      O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	CU_ASSERT_FATAL(fd != -1);
	return fd;
}

/* Another worker, with so many of host's slots until it is killed. */
static pid_t have_slots(int fd, const char *host, unsigned int limit,
			unsigned int count)
{
	struct old_slots *slots;
	int pipe_fds[2];
	char byte;
	pid_t pid;

	CU_ASSERT_FATAL(pipe(pipe_fds) == 0);
	fflush(NULL);
	if ((pid = fork()) == 0) {
		slots = old_slots_init(fd, host, limit, NULL);
		if (old_slots_want(slots, count) != count)
			_exit(1);
		if (write(pipe_fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	i_close_fd(&pipe_fds[1]);
	CU_ASSERT(read(pipe_fds[0], &byte, 1) == 1);
	i_close_fd(&pipe_fds[0]);
	return pid;
}

static void kill_worker(pid_t pid)
{
	CU_ASSERT(kill(pid, SIGKILL) == 0);
	CU_ASSERT(engine_unit_wait(pid) == -1);
}

static void test_slots(void)
{
	int fd = slots_file();
	struct old_slots *slots, *others;
	pid_t pid;

	pid = have_slots(fd, "old.example", 3, 2);
	slots = old_slots_init(fd, "OLD.example", 3, NULL);
	CU_ASSERT(old_slots_want(slots, 1) == 1);
	CU_ASSERT(old_slots_want(slots, 2) == 1);
	others = old_slots_init(fd, "older.example", 1, NULL);
	CU_ASSERT(old_slots_want(others, 2) == 1);
	old_slots_deinit(&others);
	kill_worker(pid);
	CU_ASSERT(old_slots_want(slots, 2) == 2);
	/* those that there are stay */
	CU_ASSERT(old_slots_want(slots, 1) == 2);
	old_slots_deinit(&slots);
	pid = have_slots(fd, "old.example", 3, 3);
	slots = old_slots_init(fd, "old.example", 3, NULL);
	CU_ASSERT(old_slots_want(slots, 1) == 0);
	old_slots_deinit(&slots);
	kill_worker(pid);
	i_close_fd(&fd);
}

/* However much is filled, who waits for a mailbox gets a connection. */
static void test_bulk(void)
{
	int fd = slots_file();
	struct old_slots *slots = old_slots_init(fd, "old.example", 8, NULL);
	pid_t pid;

	CU_ASSERT(old_slots_want_bulk(slots, 8) == 6);
	pid = have_slots(fd, "old.example", 8, 2);
	old_slots_release(slots);
	CU_ASSERT(old_slots_want_bulk(slots, 8) == 6);
	kill_worker(pid);
	old_slots_deinit(&slots);
	slots = old_slots_init(fd, "old.example", 1, NULL);
	CU_ASSERT(old_slots_want_bulk(slots, 2) == 1);
	old_slots_deinit(&slots);
	i_close_fd(&fd);
}

static void test_no_limit(void)
{
	struct old_slots *slots = old_slots_init(-1, "old.example", 0, NULL);

	CU_ASSERT(old_slots_want(slots, 2) == 2);
	old_slots_deinit(&slots);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "socket", test_socket },
		{ "long path", test_long_path },
		{ "slots", test_slots },
		{ "slots for bulk", test_bulk },
		{ "no limit", test_no_limit },
		{ NULL, NULL }
	};

	return engine_unit_run("worker-socket", tests);
}
