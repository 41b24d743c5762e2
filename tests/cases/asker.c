#include "asker.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION "VERSION\tmigration-worker\t1\t0\n"
#define LINE_MAX_SIZE 65536

struct asker {
	int fd;
	/* what came of the next lines */
	char input[LINE_MAX_SIZE];
	size_t used;
};

/* The credentials of who calls this are those that the peer sees. */
static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool pass_file(int fd, int file, const void *data, size_t size)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = { (void *)data, size };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (file != -1) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &file, sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Another uid is that of a process for the while. */
static int connect_as(const char *path, uid_t uid)
{
	int pair[2], fd = -1, status;
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	pid_t pid;

	if (uid == geteuid())
		return connect_to(path);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	if ((pid = fork()) == 0) {
		if (setgid(uid) < 0 || setuid(uid) < 0 ||
		    (fd = connect_to(path)) == -1)
			_exit(1);
		_exit(pass_file(pair[1], fd, "x", 1) ? 0 : 1);
	}
	close(pair[1]);
	if (recvmsg(pair[0], &msg, MSG_CMSG_CLOEXEC) == 1)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	close(pair[0]);
	(void)waitpid(pid, &status, 0);
	return fd;
}

static struct asker *asker_new(const char *path, uid_t uid)
{
	struct asker *asker;
	int fd = connect_as(path, uid);

	if (fd == -1)
		return NULL;
	asker = calloc(1, sizeof(*asker));
	asker->fd = fd;
	return asker;
}

void asker_close(struct asker **asker)
{
	if (*asker != NULL)
		close((*asker)->fd);
	free(*asker);
	*asker = NULL;
}

/* 1, 0 when the time is over, -1 when nobody is there any more. */
static int read_line(struct asker *asker, unsigned int timeout_ms, char *line)
{
	struct pollfd pfd = { .fd = asker->fd, .events = POLLIN };
	char *end;
	ssize_t got;

	while ((end = memchr(asker->input, '\n', asker->used)) == NULL) {
		if (poll(&pfd, 1, (int)timeout_ms) == 0)
			return 0;
		got = read(asker->fd, asker->input + asker->used,
			   sizeof(asker->input) - asker->used);
		if (got <= 0)
			return -1;
		asker->used += (size_t)got;
	}
	*end++ = '\0';
	memcpy(line, asker->input, (size_t)(end - asker->input));
	asker->used -= (size_t)(end - asker->input);
	memmove(asker->input, end, asker->used);
	return 1;
}

const char *asker_line(struct asker *asker, unsigned int timeout_ms)
{
	static char line[LINE_MAX_SIZE];
	int ret = read_line(asker, timeout_ms, line);

	return ret > 0 ? line : (ret == 0 ? "" : "lost");
}

const char *asker_answer(struct asker *asker, unsigned int timeout_ms)
{
	const char *line;

	do {
		line = asker_line(asker, timeout_ms);
	} while (strncmp(line, "PROGRESS", 8) == 0);
	return line;
}

static void send_fmt(struct asker *asker, int file, const char *fmt,
		     va_list args)
{
	char *line;
	int size = vasprintf(&line, fmt, args);

	line[size++] = '\n';
	/* one who isn't there any more is noticed by his answer */
	(void)pass_file(asker->fd, file, line, (size_t)size);
	free(line);
}

void asker_send(struct asker *asker, int file, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	send_fmt(asker, file, fmt, args);
	va_end(args);
}

const char *asker_ask(struct asker *asker, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	send_fmt(asker, -1, fmt, args);
	va_end(args);
	return asker_answer(asker, CASE_TIMEOUT_MS);
}

struct asker *asker_dial(const char *name, uid_t uid)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/new/run/%s", case_get("DIR"), name);
	return asker_new(path, uid);
}

struct asker *asker_start(const char *service, const char *user, uid_t uid,
			  const char **line_r)
{
	struct asker *asker = asker_dial(service, uid);

	*line_r = "";
	if (asker == NULL)
		return NULL;
	asker_send(asker, -1, "VERSION\t%s\t1\t0\nUSER\t%s", service, user);
	*line_r = asker_answer(asker, CASE_TIMEOUT_MS);
	return asker;
}

const char *asker_start_worker(const char *user, uid_t uid)
{
	const char *line;
	struct asker *asker = asker_start("migration-worker", user, uid,
					  &line);

	asker_close(&asker);
	return line;
}

struct asker *asker_connect(unsigned int user, uid_t uid)
{
	struct asker *asker;
	char path[200];

	snprintf(path, sizeof(path), "%s/%s/migration/worker",
		 case_get("NEW_HOME"), case_user(user));
	if ((asker = asker_new(path, uid)) == NULL)
		return NULL;
	(void)pass_file(asker->fd, -1, VERSION, strlen(VERSION));
	if (strncmp(asker_answer(asker, CASE_TIMEOUT_MS), VERSION,
		    strlen(VERSION) - 1) != 0 ||
	    strncmp(asker_answer(asker, CASE_TIMEOUT_MS), "FRESHNESS\t",
		    10) != 0)
		asker_close(&asker);
	return asker;
}

struct asker *asker_open(unsigned int user)
{
	struct asker *asker = asker_connect(user, geteuid());
	const char *line;

	if (asker != NULL)
		return asker;
	line = asker_start_worker(case_user(user), geteuid());
	if (!UNIT_CHECK(strcmp(line, "OK") == 0, "no worker: %s", line))
		return NULL;
	asker = asker_connect(user, geteuid());
	UNIT_CHECK(asker != NULL, "the worker doesn't listen");
	return asker;
}
