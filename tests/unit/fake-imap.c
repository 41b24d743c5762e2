#include "fake-imap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_TAGS 10
#define MAX_LINE 8192

struct server {
	int fd_listen, fd;
	char tags[MAX_TAGS][32];
};

static void server_fail(const char *what, const char *text)
{
	fprintf(stderr, "fake-imap: %s: %s\n", what, text);
	_exit(1);
}

static void server_accept(struct server *server)
{
	int on = 1;

	if (server->fd >= 0)
		close(server->fd);
	server->fd = accept(server->fd_listen, NULL, NULL);
	if (server->fd < 0)
		server_fail("accept", "failed");
	setsockopt(server->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* The client may have gone already: then the next read says so. */
static void server_write(struct server *server, const char *data, size_t size)
{
	ssize_t ret;

	while (size > 0 &&
	       (ret = send(server->fd, data, size, MSG_NOSIGNAL)) > 0) {
		data += ret;
		size -= (size_t)ret;
	}
}

static void server_read_line(struct server *server, const char *expected,
			     char *line)
{
	size_t len = 0;

	while (len < MAX_LINE - 1 && read(server->fd, line + len, 1) == 1) {
		if (line[len] == '\n') {
			line[len - (len > 0 && line[len - 1] == '\r')] = '\0';
			return;
		}
		len++;
	}
	server_fail("no line where expected", expected);
}

static void server_expect(struct server *server, const char *text, int tagged)
{
	char line[MAX_LINE], *rest = line;

	server_read_line(server, text, line);
	if (tagged) {
		rest = strchr(line, ' ');
		if (rest == NULL)
			server_fail("line without a tag", line);
		*rest++ = '\0';
		memmove(server->tags[1], server->tags[0],
			sizeof(server->tags) - sizeof(server->tags[0]));
		snprintf(server->tags[0], sizeof(server->tags[0]), "%.31s",
			 line);
	}
	if (strcmp(rest, text) != 0) {
		fprintf(stderr, "fake-imap: expected: %s\n", text);
		server_fail("got", rest);
	}
}

static void server_send(struct server *server, const char *text, int trickle)
{
	const char *tag;

	for (; *text != '\0'; text++) {
		size_t size = trickle ? 1 : strcspn(text, "$");

		if (*text == '$' && text[1] >= '0' && text[1] <= '9') {
			tag = server->tags[text[1] - '0'];
			server_write(server, tag, strlen(tag));
			text++;
			continue;
		}
		if (text[0] == '$' && text[1] == 'z') {
			server_write(server, "", 1);
			text++;
			continue;
		}
		if (size == 0)
			size = 1;
		server_write(server, text, size);
		text += size - 1;
	}
}

static void server_repeat(struct server *server, const char *text, size_t count)
{
	size_t len = strlen(text), i;
	char *block = malloc(len * 1024);

	if (block == NULL)
		server_fail("malloc", "failed");
	for (i = 0; i < 1024; i++)
		memcpy(block + i * len, text, len);
	for (; count >= 1024; count -= 1024)
		server_write(server, block, len * 1024);
	server_write(server, block, len * count);
	free(block);
}

static void server_wait_close(struct server *server)
{
	char buf[MAX_LINE];

	while (read(server->fd, buf, sizeof(buf)) > 0) ;
}

static void server_step(struct server *server, const struct fake_step *step)
{
	switch (step->action) {
	case FAKE_END:
		break;
	case FAKE_ACCEPT:
		server_accept(server);
		break;
	case FAKE_EXPECT:
		server_expect(server, step->text, 1);
		break;
	case FAKE_EXPECT_RAW:
		server_expect(server, step->text, 0);
		break;
	case FAKE_SEND:
		server_send(server, step->text, 0);
		break;
	case FAKE_TRICKLE:
		server_send(server, step->text, 1);
		break;
	case FAKE_REPEAT:
		server_repeat(server, step->text, step->count);
		break;
	case FAKE_CLOSE:
		close(server->fd);
		server->fd = -1;
		break;
	case FAKE_WAIT_CLOSE:
		server_wait_close(server);
		break;
	}
}

static void server_run(int fd_listen, const struct fake_step *steps)
{
	struct server server = { .fd_listen = fd_listen, .fd = -1 };

	signal(SIGALRM, SIG_DFL);
	alarm(FAKE_DEADLINE_SECS);
	for (; steps->action != FAKE_END; steps++)
		server_step(&server, steps);
	_exit(0);
}

int fake_imap_start(struct fake_imap *fake, const struct fake_step *steps)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (void *)&addr, len) < 0 ||
	    listen(fd, 4) < 0 ||
	    getsockname(fd, (void *)&addr, &len) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	fake->port = ntohs(addr.sin_port);
	fflush(NULL);
	fake->pid = fork();
	if (fake->pid == 0)
		server_run(fd, steps);
	close(fd);
	return fake->pid < 0 ? -1 : 0;
}

int fake_imap_finish(struct fake_imap *fake)
{
	int status;

	if (waitpid(fake->pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
