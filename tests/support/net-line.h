/*
 * net-line: a blocking TCP connection that is read by lines and counted bytes
 *
 * Shared by the test clients for IMAP, POP3 and LMTP. Output is buffered until
 * net_line_flush(), or until 256 KB wait. While it writes, it also takes in what
 * the peer sends, so that any depth of pipelining can't deadlock; what is taken
 * in unread is bounded (NET_LINE_MAX_PENDING).
 *
 * Times are milliseconds and bound the wait for each piece of progress, not the
 * whole exchange. Results are 0 (or as stated) for success and -1 for failure;
 * after a failure the connection is dead and net_line_error() says why.
 */
#ifndef NET_LINE_H
#define NET_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define NET_LINE_MAX_LINE (64UL * 1024 * 1024)
#define NET_LINE_MAX_PENDING (1024UL * 1024 * 1024)
#define NET_LINE_MAX_ERROR 512

struct net_line;

/* Gets the bytes of a counted read in pieces of any size. */
typedef void net_line_sink_t(void *context, const void *data, size_t size);

/* hostport is "host:port" or "[v6]:port". *error_r is static text, valid until
   the next failure in this thread. */
int net_line_connect(const char *hostport, unsigned int timeout_ms,
		     struct net_line **conn_r, const char **error_r);
/* Closes without a word. *conn becomes NULL; NULL is fine. */
void net_line_close(struct net_line **conn);

/* Reads a line, ended by LF or CRLF, which is taken off. The line ends in a NUL
   that *size_r doesn't count, may have others inside, and stays valid until the
   next read or flush. */
int net_line_read(struct net_line *conn, const char **line_r, size_t *size_r);
/* Reads exactly size bytes into sink. */
int net_line_read_bytes(struct net_line *conn, size_t size,
			net_line_sink_t *sink, void *context);
/* 1 when a byte can be read within timeout_ms, 0 when not, -1 on failure. */
int net_line_wait_input(struct net_line *conn, unsigned int timeout_ms);

int net_line_write(struct net_line *conn, const void *data, size_t size);
int net_line_flush(struct net_line *conn);

void net_line_set_timeout(struct net_line *conn, unsigned int timeout_ms);
/* The descriptor, for poll(2) and for tests that break the connection. */
int net_line_fd(const struct net_line *conn);
const char *net_line_error(const struct net_line *conn);
/* Marks the connection as failed, with a reason of the caller's. Returns -1. */
int net_line_fail(struct net_line *conn, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
