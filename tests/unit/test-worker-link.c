/* test-worker-link: lines come whole or not at all, and nothing is waited for
   longer than was said. */
#include "engine-unit.h"
#include "fdpass.h"
#include "net.h"
#include "str.h"
#include "write-full.h"
#include "plugin/worker-link.h"
#include "plugin/worker/worker-protocol.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SHORT_MSECS 100
#define LONG_MSECS 20000

static struct worker_link *conn;
/* the other end; blocks */
static int peer;

static void begin(void)
{
	int fds[2];

	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	net_set_nonblock(fds[0], TRUE);
	conn = worker_link_init(fds[0]);
	peer = fds[1];
}

static void end(void)
{
	worker_link_deinit(&conn);
	CU_ASSERT(conn == NULL);
	i_close_fd(&peer);
}

static void says(const char *text)
{
	CU_ASSERT(write_full(peer, text, strlen(text)) == 0);
}

static int read_line(const char **line_r, unsigned int msecs)
{
	const char *error = NULL;
	int ret = worker_link_read(conn, worker_link_now() + msecs, line_r,
				   &error);

	CU_ASSERT((ret < 0) == (error != NULL));
	return ret;
}

static void reads(const char *expected)
{
	const char *line;

	CU_ASSERT_FATAL(read_line(&line, LONG_MSECS) == 1);
	CU_ASSERT_STRING_EQUAL(line, expected);
}

static void test_lines(void)
{
	const char *line;

	begin();
	says("one\ntwo\n\nthr");
	reads("one");
	reads("two");
	reads("");
	CU_ASSERT(read_line(&line, 0) == 0);
	CU_ASSERT(read_line(&line, SHORT_MSECS) == 0);
	says("ee\n");
	reads("three");
	/* what came before the end is read */
	says("last\nhalf");
	i_close_fd(&peer);
	reads("last");
	CU_ASSERT(read_line(&line, LONG_MSECS) == -1);
	end();
}

static void test_alive(void)
{
	begin();
	CU_ASSERT(worker_link_is_alive(conn));
	says("x");
	CU_ASSERT(worker_link_is_alive(conn));
	end();
	begin();
	i_close_fd(&peer);
	CU_ASSERT(!worker_link_is_alive(conn));
	end();
}

static void test_too_long(void)
{
	char data[4096];
	const char *line;
	pid_t pid;

	begin();
	memset(data, 'x', sizeof(data));
	if ((pid = fork()) == 0) {
		worker_link_deinit(&conn);
		for (size_t i = 0; i < 2 * WORKER_MAX_LINE; i += sizeof(data)) {
			if (write_full(peer, data, sizeof(data)) < 0)
				break;
		}
		_exit(0);
	}
	i_close_fd(&peer);
	CU_ASSERT(read_line(&line, LONG_MSECS) == -1);
	end();
	CU_ASSERT(engine_unit_wait(pid) == 0);
}

/* A worker that takes nothing. */
static void test_not_taken(void)
{
	string_t *str = str_new(default_pool, 1024 * 1024);
	const char *error = NULL;

	begin();
	while (str_len(str) < 1024 * 1024)
		str_append(str, "0123456789abcdef");
	CU_ASSERT(worker_link_send(conn, str_c(str), -1, worker_link_now() +
				   SHORT_MSECS, &error) == -1);
	CU_ASSERT(error != NULL);
	i_close_fd(&peer);
	CU_ASSERT(worker_link_send(conn, str_c(str), -1, worker_link_now() +
				   LONG_MSECS, &error) == -1);
	str_free(&str);
	end();
}

/* With the first byte, however the line is cut. */
static void test_file(void)
{
	int pipe_fds[2], fd = -1;
	const char *error;
	char c = '\0';

	begin();
	CU_ASSERT_FATAL(pipe(pipe_fds) == 0);
	CU_ASSERT(worker_link_send(conn, "WRITE\n", pipe_fds[0],
				   worker_link_now() + LONG_MSECS,
				   &error) == 0);
	i_close_fd(&pipe_fds[0]);
	CU_ASSERT(fd_read(peer, &c, 1, &fd) == 1);
	CU_ASSERT(c == 'W');
	CU_ASSERT_FATAL(fd != -1);
	CU_ASSERT(write_full(pipe_fds[1], "f", 1) == 0);
	CU_ASSERT(read(fd, &c, 1) == 1 && c == 'f');
	i_close_fd(&fd);
	i_close_fd(&pipe_fds[1]);
	end();
}

static volatile sig_atomic_t signals;

static void signalled(int sig ATTR_UNUSED)
{
	signals++;
}

static bool is_killed(void)
{
	return signals >= 2;
}

/* A signal is no answer; one that ends it is asked for. */
static void test_signals(void)
{
	const struct sigaction action = { .sa_handler = signalled };
	struct itimerval timer = {
		.it_interval = { .tv_usec = SHORT_MSECS * 500 },
		.it_value = { .tv_usec = SHORT_MSECS * 500 },
	};
	struct sigaction old_action;
	const char *line;

	begin();
	signals = 0;
	CU_ASSERT_FATAL(sigaction(SIGALRM, &action, &old_action) == 0);
	CU_ASSERT_FATAL(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	worker_link_set_killed(conn, is_killed);
	CU_ASSERT(read_line(&line, LONG_MSECS) == -1);
	CU_ASSERT(signals == 2);
	worker_link_set_killed(conn, NULL);
	CU_ASSERT(read_line(&line, SHORT_MSECS * 2) == 0);
	i_zero(&timer);
	CU_ASSERT(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	CU_ASSERT(sigaction(SIGALRM, &old_action, NULL) == 0);
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "lines", test_lines },
		{ "an end is noticed", test_alive },
		{ "a line without an end", test_too_long },
		{ "a request that isn't taken", test_not_taken },
		{ "a file goes along", test_file },
		{ "signals", test_signals },
		{ NULL, NULL }
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return engine_unit_run("worker-link", tests);
}
