/*
 * test-service-view: what the administrator sees of the service, on real servers
 *
 * Its screen and its commands, the metrics that 90-migration.conf proposes, and
 * what sessions tell it.
 */
#include "case.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define USERS "2"
#define MESSAGES "60"
#define MESSAGES_IN_ALL 120
#define ROWS 20
#define COLUMNS 90
#define DRAWING_END "\033[?7h"
/* sysexits.h */
#define USAGE 64
#define REFUSED 65

/*
 * What sessions say: the test is the service
 */

static int listen_demand(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path),
		 "%s/new/run/migration-demand", case_get("DIR"));
	(void)unlink(address.sun_path);
	if (!UNIT_CHECK(fd != -1 &&
			bind(fd, (struct sockaddr *)&address,
			     sizeof(address)) == 0 &&
			chmod(address.sun_path, 0666) == 0 &&
			listen(fd, 8) == 0,
			"%s: %s", address.sun_path, strerror(errno))) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}

static void hears(int listen_fd, const char *mailbox)
{
	struct pollfd poll_fd = { .fd = listen_fd, .events = POLLIN };
	char expected[200], text[200] = "";
	ssize_t size;
	int fd;

	snprintf(expected, sizeof(expected),
		 "VERSION\tmigration-demand\t1\t0\nWANT\t%s\t%s\n",
		 case_user(0), mailbox);
	if (!UNIT_CHECK(poll(&poll_fd, 1, CASE_TIMEOUT_MS) == 1,
			"nothing is said of '%s'", mailbox))
		return;
	fd = accept(listen_fd, NULL, NULL);
	size = read(fd, text, sizeof(text) - 1);
	text[size < 0 ? 0 : size] = '\0';
	close(fd);
	UNIT_CHECK(strcmp(text, expected) == 0, "'%s', not '%s'", text,
		   expected);
}

static void sessions_tell(void)
{
	int fd = listen_demand();
	struct imap_client *session;
	struct imap_box box;

	if (fd == -1)
		return;
	if ((session = case_imap("NEW_IMAP", 0)) != NULL) {
		hears(fd, "");
		CU_ASSERT(imap_select(session, "INBOX", &box) == IMAP_OK);
		hears(fd, "INBOX");
		imap_logout(&session);
	}
	close(fd);
}

/*
 * The service itself
 */

static bool start_service(void)
{
	return case_settings("plugin {\n  migration_service = yes\n}\n",
			     false) &&
		case_shell("sed -n '/^#metric/,/^#}/s/^#//p' "
			   "\"$(dirname '%s')/conf.d/90-migration.conf\" >>'%s'",
			   case_get("QUICKSTART"), case_get("NEW_EXTRA_CONF")) &&
		case_server("new", "restart", NULL);
}

static bool is_shown(void *text)
{
	return case_doveadm("migration status --once") == 0 &&
		strstr(case_output(), text) != NULL;
}

static bool shows(char *text)
{
	return UNIT_CHECK(wait_until(is_shown, text, CASE_TIMEOUT_MS),
			  "no %s in\n%s", text, case_output());
}

/* The sum of a metric's field. */
static unsigned long metric_sum(const char *metric, const char *field)
{
	unsigned long count, sum;
	char key[100];
	const char *line;

	snprintf(key, sizeof(key), "\n%s\t%s\t", metric, field);
	if (case_doveadm("-f tab stats dump") != 0 ||
	    (line = strstr(case_output(), key)) == NULL ||
	    sscanf(line + strlen(key), "%lu\t%lu", &count, &sum) != 2)
		return 0;
	return sum;
}

static bool has_metrics(void *context)
{
	(void)context;
	return metric_sum("migration_cutover", "messages") ==
			MESSAGES_IN_ALL &&
		metric_sum("migration_fetched", "fetched") ==
			MESSAGES_IN_ALL &&
		metric_sum("migration_cutover", "msecs") > 0;
}

static void all_become_local(void)
{
	if (!start_service() || !shows("all users are local\n" USERS " users"))
		return;
	UNIT_CHECK(wait_until(has_metrics, NULL, CASE_TIMEOUT_MS),
		   "metrics:\n%s", case_output());
}

static void commands(void)
{
	CU_ASSERT(case_migration("pause"));
	shows("PAUSED");
	CU_ASSERT(case_migration("resume"));
	shows("all users are local");
	CU_ASSERT(case_migration("prioritize -u %s", case_user(0)));
	CU_ASSERT(case_migration("retry"));
	CU_ASSERT(case_doveadm("migration prioritize -u nobody") == REFUSED);
	CU_ASSERT(case_doveadm("migration prioritize") == USAGE);
	CU_ASSERT(case_doveadm("migration status --watch --interval 0") ==
		  USAGE);
	/* a user's mailboxes, as ever */
	CU_ASSERT_STRING_EQUAL(case_status(0, "*", "state"), "local");
}

/*
 * The screen
 */

static pid_t start_screen(int *fd_r)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = COLUMNS };
	char command[1024];
	pid_t pid;

	snprintf(command, sizeof(command), "exec %s migration status --watch",
		 case_get("DOVEADM"));
	if ((pid = forkpty(fd_r, NULL, NULL, &size)) == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Reads until a text has come, and then a drawing's end. */
static bool screen_has(int fd, const char *text)
{
	static char output[256 * 1024];
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint64_t deadline = now_ms() + CASE_TIMEOUT_MS;
	const char *found;
	size_t used = 0;
	ssize_t ret;

	while (now_ms() < deadline && used < sizeof(output) - 1) {
		output[used] = '\0';
		found = strstr(output, text);
		if (found != NULL && strstr(found, DRAWING_END) != NULL)
			return true;
		if (poll(&poll_fd, 1, 100) != 1)
			continue;
		ret = read(fd, output + used, sizeof(output) - 1 - used);
		if (ret <= 0)
			break;
		used += (size_t)ret;
	}
	return UNIT_CHECK(false, "no %s in\n%s", text, output);
}

static bool kill_service(void)
{
	return case_shell("kill -9 $(ps -o pid=,comm= --sid "
			  "$(cut -d' ' -f1 %s/sessions/new) | "
			  "sed -n 's/ migration-sched.*//p')",
			  case_get("DIR"));
}

static void screen(void)
{
	int fd, status;
	pid_t pid;

	CU_ASSERT(case_migration("pause"));
	pid = start_screen(&fd);
	CU_ASSERT_FATAL(pid > 0);
	if (screen_has(fd, "PAUSED") && kill_service()) {
		/* another one is waited for, and knows it */
		screen_has(fd, "The service is waited for");
		screen_has(fd, "PAUSED");
	}
	CU_ASSERT(kill(pid, SIGINT) == 0);
	while (read(fd, &status, sizeof(status)) > 0)
		/* what it draws meanwhile */;
	CU_ASSERT_FATAL(waitpid(pid, &status, 0) == pid);
	UNIT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		   "it ends with %d", status);
	close(fd);
	case_no_crash();
}

int main(void)
{
	static const char *const lab_args[] = {
		"--users", USERS, "--messages", MESSAGES, NULL
	};
	static const struct unit_test tests[] = {
		{ "sessions tell what their clients wait for", sessions_tell },
		{ "all become local, and metrics count it", all_become_local },
		{ "commands", commands },
		{ "the screen", screen },
		{ NULL, NULL }
	};
	static const struct case_program program = {
		.name = "service-view",
		.tests = tests,
		.lab_args = lab_args,
	};

	return case_main(&program);
}
