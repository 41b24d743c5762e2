#include "lib.h"
#include "buffer.h"
#include "fdpass.h"
#include "worker/worker-protocol.h"
#include "worker-link.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#define READ_SIZE 4096
/* who may be killed is asked so often */
#define KILLED_MSECS 100

struct worker_link {
	int fd;
	/* what was read, and how much of it the last line was */
	buffer_t *input;
	size_t line_size;
	bool (*killed)(void);
};

uint64_t worker_link_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		i_fatal("clock_gettime() failed: %m");
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t msecs_left(uint64_t deadline)
{
	uint64_t now = worker_link_now();

	return now < deadline ? deadline - now : 0;
}

struct worker_link *worker_link_init(int fd)
{
	struct worker_link *link = i_new(struct worker_link, 1);

	link->fd = fd;
	link->input = buffer_create_dynamic(default_pool, READ_SIZE);
	return link;
}

void worker_link_deinit(struct worker_link **_link)
{
	struct worker_link *link = *_link;

	if (link == NULL)
		return;
	*_link = NULL;
	i_close_fd(&link->fd);
	buffer_free(&link->input);
	i_free(link);
}

int worker_link_fd(const struct worker_link *link)
{
	return link->fd;
}

bool worker_link_is_alive(struct worker_link *link)
{
	char c;
	ssize_t ret = recv(link->fd, &c, 1, MSG_PEEK);

	return ret > 0 || (ret < 0 && (errno == EAGAIN || errno == EINTR));
}

void worker_link_set_killed(struct worker_link *link, bool (*killed)(void))
{
	link->killed = killed;
}

/* Returns 1; 0 when the time is over; -1 with an error. */
static int wait_for(struct worker_link *link, short events, uint64_t deadline,
		    const char **error_r)
{
	struct pollfd pfd = { .fd = link->fd, .events = events };
	uint64_t msecs;
	int ret;

	do {
		msecs = msecs_left(deadline);
		if (msecs == 0)
			return 0;
		if (link->killed != NULL && link->killed()) {
			*error_r = "Interrupted";
			return -1;
		}
		ret = poll(&pfd, 1, I_MIN(msecs, link->killed != NULL ?
					  KILLED_MSECS : INT_MAX));
	} while (ret == 0 || (ret < 0 && errno == EINTR));
	if (ret < 0)
		*error_r = t_strdup_printf("poll() failed: %m");
	return ret < 0 ? -1 : 1;
}

int worker_link_send(struct worker_link *link, const char *line, int fd,
		     uint64_t deadline, const char **error_r)
{
	size_t left = strlen(line);
	ssize_t sent;
	int ret;

	while (left > 0) {
		ret = wait_for(link, POLLOUT, deadline, error_r);
		if (ret == 0)
			*error_r = "It takes no request in time";
		if (ret <= 0)
			return -1;
		sent = fd_send(link->fd, fd, line, left);
		if (sent > 0) {
			line += sent;
			left -= sent;
			fd = -1;
		} else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			*error_r = t_strdup_printf("send() failed: %m");
			return -1;
		}
	}
	return 0;
}

static bool next_line(struct worker_link *link, const char **line_r)
{
	char *line = buffer_get_modifiable_data(link->input, NULL);
	char *end = memchr(line, '\n', link->input->used);

	if (end == NULL)
		return FALSE;
	*end = '\0';
	*line_r = line;
	link->line_size = end - line + 1;
	return TRUE;
}

/* Returns 1, 0 when there is nothing yet, -1 with an error. */
static int read_more(struct worker_link *link, const char **error_r)
{
	size_t used = link->input->used;
	ssize_t ret;

	if (used >= WORKER_MAX_LINE) {
		*error_r = "It sends too long a line";
		return -1;
	}
	ret = recv(link->fd, buffer_append_space_unsafe(link->input, READ_SIZE),
		   READ_SIZE, 0);
	buffer_set_used_size(link->input, used + I_MAX(ret, 0));
	if (ret > 0 || (ret < 0 && (errno == EAGAIN || errno == EINTR)))
		return ret > 0 ? 1 : 0;
	*error_r = ret == 0 ? "It closed the connection" :
		t_strdup_printf("recv() failed: %m");
	return -1;
}

int worker_link_read(struct worker_link *link, uint64_t deadline,
		     const char **line_r, const char **error_r)
{
	int ret;

	buffer_delete(link->input, 0, link->line_size);
	link->line_size = 0;
	while (!next_line(link, line_r)) {
		ret = read_more(link, error_r);
		if (ret == 0)
			ret = wait_for(link, POLLIN, deadline, error_r);
		if (ret <= 0)
			return ret;
	}
	return 1;
}
