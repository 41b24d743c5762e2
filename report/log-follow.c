#include "log-follow.h"
#include "memory.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

struct log_follow {
	int fd;
	/* How many of the set have a watch. */
	size_t watched;
	struct pollfd *polls;
};

struct log_follow *log_follow_init(void)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct log_follow *follow;

	if (fd < 0)
		return NULL;
	follow = memory_new(sizeof(*follow));
	follow->fd = fd;
	return follow;
}

void log_follow_deinit(struct log_follow **_follow)
{
	struct log_follow *follow = *_follow;

	if (follow == NULL)
		return;
	*_follow = NULL;
	(void)close(follow->fd);
	free(follow->polls);
	free(follow);
}

static int watch_folder(struct log_follow *follow, const char *path)
{
	char *copy = memory_copy(path);
	int ret = inotify_add_watch(follow->fd, dirname(copy),
				    IN_MODIFY | IN_CREATE | IN_MOVED_TO);

	free(copy);
	return ret < 0 ? -1 : 0;
}

int log_follow_watch(struct log_follow *follow, const struct log_set *set)
{
	const char *path;

	for (; follow->watched < log_set_count(set); follow->watched++) {
		path = log_input_path(log_set_input(set, follow->watched));
		if (path != NULL && watch_folder(follow, path) < 0)
			return -1;
	}
	return 0;
}

/* What happened isn't asked: all logs are looked at. */
static void drain(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof(events)) > 0) ;
}

bool log_follow_wait(struct log_follow *follow, const struct log_set *set,
		     int timeout_ms)
{
	size_t i, count = log_set_count(set) + 1;
	int ret;

	follow->polls = memory_resize(follow->polls, count,
				      sizeof(*follow->polls));
	follow->polls[0] = (struct pollfd){ .fd = follow->fd,
					    .events = POLLIN };
	for (i = 1; i < count; i++) {
		follow->polls[i] = (struct pollfd){
			.fd = log_input_wait_fd(log_set_input(set, i - 1)),
			.events = POLLIN
		};
	}
	ret = poll(follow->polls, count, timeout_ms);
	if (ret > 0 && follow->polls[0].revents != 0)
		drain(follow->fd);
	return ret > 0;
}
