#ifndef WORKER_LINK_H
#define WORKER_LINK_H

/*
 * worker-link: lines over a unix socket, with deadlines.
 *
 * For processes that have nothing else to do until the answer is there: poll(2)
 * and no ioloop. Deadlines are milliseconds of worker_link_now().
 */

#include <stdbool.h>
#include <stdint.h>

struct worker_link;

uint64_t worker_link_now(void);

/* A connected, non-blocking socket, which becomes the link's. */
struct worker_link *worker_link_init(int fd);
void worker_link_deinit(struct worker_link **link);

int worker_link_fd(const struct worker_link *link);
/* FALSE when the other end is gone. Doesn't wait. */
bool worker_link_is_alive(struct worker_link *link);
/* Asked often while it waits: TRUE ends that with an error. */
void worker_link_set_killed(struct worker_link *link, bool (*killed)(void));

/* Send a line (with its LF), and a file along with its first byte unless it's
   -1. Returns 0; -1 with an error: some of it may be sent. */
int worker_link_send(struct worker_link *link, const char *line, int fd,
		     uint64_t deadline, const char **error_r);
/* The next line, without its LF, until the next call. Returns 1; 0 when the
   time is over (with a deadline of 0 it doesn't wait); -1 with an error. */
int worker_link_read(struct worker_link *link, uint64_t deadline,
		     const char **line_r, const char **error_r);

#endif
