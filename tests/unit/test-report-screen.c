/* test-report-screen: --follow on a terminal is drawn in place, and fits it */
#include "process.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 12
#define COLUMNS 60
#define TIMEOUT_MS 30000
#define DRAWING_END "\033[?7h"

static char path[] = "/tmp/dovecot-migration-screen.XXXXXX";
static char output[65536];
static size_t used;

static void write_log(const char *text)
{
	FILE *file = fopen(path, "a");

	CU_ASSERT_FATAL(file != NULL);
	fputs(text, file);
	fclose(file);
}

static void write_arrival(const char *id)
{
	char line[512];

	snprintf(line, sizeof(line), "2025-11-03T00:00:01Z mx "
		 "migration-milter[1]: migration: event=arrival at=old "
		 "host=mx.old.example id=%s client=192.0.2.1 from=a@b.example "
		 "to=anna@example.org via=direct\n", id);
	write_log(line);
}

static pid_t start(int *fd_r)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = COLUMNS };
	pid_t pid = forkpty(fd_r, NULL, NULL, &size);

	if (pid == 0) {
		execl(PROGRAM_PATH, PROGRAM_PATH, "--follow", path,
		      (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Reads until the text has come, and a whole drawing after it. */
static bool wait_for(int fd, const char *text)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint64_t deadline = now_ms() + TIMEOUT_MS;
	const char *found;
	ssize_t got;

	for (;;) {
		found = strstr(output, text);
		if (found != NULL && strstr(found, DRAWING_END) != NULL)
			return true;
		if (now_ms() >= deadline || used == sizeof(output) - 1 ||
		    poll(&poll_fd, 1, 1000) < 0)
			return UNIT_CHECK(false, "%s isn't in: %s", text,
					  output);
		if (poll_fd.revents == 0)
			continue;
		got = read(fd, output + used, sizeof(output) - 1 - used);
		if (got <= 0)
			return UNIT_CHECK(false, "it ended: %s", output);
		used += (size_t)got;
		output[used] = '\0';
	}
}

/* One drawing: begins at the top, and has no more lines than fit. */
static void check_drawing(void)
{
	char *end = strstr(output, DRAWING_END), *p;
	unsigned int lines = 0, cleared = 0;

	CU_ASSERT_FATAL(end != NULL);
	*end = '\0';
	CU_ASSERT(strncmp(output, "\033[?7l\033[H", 8) == 0);
	/* nothing is wiped before it's written anew */
	CU_ASSERT(strstr(output, "\033[2J") == NULL);
	for (p = output; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	for (p = output; (p = strstr(p, "\033[K")) != NULL; p++)
		cleared++;
	UNIT_CHECK(lines == ROWS - 1, "%u lines", lines);
	UNIT_CHECK(cleared == lines, "%u of %u lines cleared", cleared, lines);
}

static void test_terminal(void)
{
	int fd = mkstemp(path), status = -1;
	pid_t pid;

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	write_arrival("1");
	pid = start(&fd);
	CU_ASSERT_FATAL(pid > 0);
	if (wait_for(fd, "Read: 1 lines")) {
		write_arrival("2");
		if (wait_for(fd, "Read: 2 lines"))
			check_drawing();
	}
	kill(pid, SIGTERM);
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	UNIT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d",
		   status);
	close(fd);
	unlink(path);
}

static const struct unit_test tests[] = {
	{ "on a terminal", test_terminal },
	{ NULL, NULL }
};

int main(void)
{
	return unit_run("report-screen", tests);
}
