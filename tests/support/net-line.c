#include "net-line.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_HIGH_WATER (256 * 1024)
#define READ_PIECE (64 * 1024)

struct buffer {
	char *data;
	size_t pos, used, size;
};

struct net_line {
	int fd;
	unsigned int timeout_ms;
	struct buffer in, out;
	bool failed;
	char error[NET_LINE_MAX_ERROR];
};

static int buffer_reserve(struct buffer *buf, size_t more)
{
	size_t size;
	char *data;

	if (buf->pos > 0 && buf->pos == buf->used)
		buf->pos = buf->used = 0;
	if (buf->size - buf->used >= more)
		return 0;
	if (buf->pos >= buf->size / 2 && buf->pos > 0) {
		memmove(buf->data, buf->data + buf->pos, buf->used - buf->pos);
		buf->used -= buf->pos;
		buf->pos = 0;
		if (buf->size - buf->used >= more)
			return 0;
	}
	size = buf->size == 0 ? READ_PIECE : buf->size;
	while (size - buf->used < more)
		size *= 2;
	data = realloc(buf->data, size);
	if (data == NULL)
		return -1;
	buf->data = data;
	buf->size = size;
	return 0;
}

int net_line_fail(struct net_line *conn, const char *fmt, ...)
{
	va_list args;

	if (conn->failed)
		return -1;
	va_start(args, fmt);
	vsnprintf(conn->error, sizeof(conn->error), fmt, args);
	va_end(args);
	conn->failed = true;
	return -1;
}

static int wait_fd(int fd, short events, unsigned int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ret;

	do {
		ret = poll(&pfd, 1, (int)timeout_ms);
	} while (ret < 0 && errno == EINTR);
	if (ret <= 0)
		return ret;
	return pfd.revents;
}

/* Takes in what is there. Returns 1 for some, 0 for nothing yet. */
static int take_input(struct net_line *conn)
{
	struct buffer *in = &conn->in;
	ssize_t ret;
	int one = 1;

	if (in->used - in->pos > NET_LINE_MAX_PENDING)
		return net_line_fail(conn, "the server sent too much unread");
	if (buffer_reserve(in, READ_PIECE) < 0)
		return net_line_fail(conn, "out of memory");
	ret = recv(conn->fd, in->data + in->used, READ_PIECE, 0);
	if (ret > 0) {
		in->used += (size_t)ret;
		/* else a server without TCP_NODELAY holds its next small
		   answer back for 40 ms; the option doesn't last */
		(void)setsockopt(conn->fd, IPPROTO_TCP, TCP_QUICKACK, &one,
				 sizeof(one));
		return 1;
	}
	if (ret < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (ret == 0)
		return net_line_fail(conn, "connection closed by the server");
	return net_line_fail(conn, "recv: %s", strerror(errno));
}

int net_line_wait_input(struct net_line *conn, unsigned int timeout_ms)
{
	int ret;

	if (conn->in.pos < conn->in.used)
		return 1;
	if (conn->failed)
		return -1;
	ret = wait_fd(conn->fd, POLLIN, timeout_ms);
	if (ret < 0)
		return net_line_fail(conn, "poll: %s", strerror(errno));
	if (ret == 0)
		return 0;
	return take_input(conn);
}

/* Waits until more input came. */
static int need_input(struct net_line *conn)
{
	int ret;

	if (conn->failed)
		return -1;
	do {
		ret = wait_fd(conn->fd, POLLIN, conn->timeout_ms);
		if (ret < 0)
			return net_line_fail(conn, "poll: %s", strerror(errno));
		if (ret == 0) {
			return net_line_fail(conn, "no answer within %u ms",
					     conn->timeout_ms);
		}
		ret = take_input(conn);
	} while (ret == 0);
	return ret < 0 ? -1 : 0;
}

int net_line_read(struct net_line *conn, const char **line_r, size_t *size_r)
{
	struct buffer *in = &conn->in;
	size_t scanned = 0, size;
	char *lf;

	for (;;) {
		size = in->used - in->pos;
		lf = size == scanned ? NULL :
			memchr(in->data + in->pos + scanned, '\n',
			       size - scanned);
		if (lf != NULL)
			break;
		scanned = size;
		if (size > NET_LINE_MAX_LINE)
			return net_line_fail(conn, "line too long");
		if (need_input(conn) < 0)
			return -1;
	}
	*line_r = in->data + in->pos;
	size = (size_t)(lf - *line_r);
	in->pos += size + 1;
	if (size > 0 && lf[-1] == '\r')
		size--;
	/* on the CR or LF, which nobody needs any more */
	in->data[(size_t)(*line_r - in->data) + size] = '\0';
	*size_r = size;
	return 0;
}

int net_line_read_bytes(struct net_line *conn, size_t size,
			net_line_sink_t *sink, void *context)
{
	struct buffer *in = &conn->in;
	size_t piece;

	while (size > 0) {
		if (in->pos == in->used && need_input(conn) < 0)
			return -1;
		piece = in->used - in->pos;
		if (piece > size)
			piece = size;
		sink(context, in->data + in->pos, piece);
		in->pos += piece;
		size -= piece;
	}
	return 0;
}

static int send_piece(struct net_line *conn)
{
	struct buffer *out = &conn->out;
	ssize_t ret;

	ret = send(conn->fd, out->data + out->pos, out->used - out->pos,
		   MSG_NOSIGNAL);
	if (ret >= 0)
		out->pos += (size_t)ret;
	else if (errno != EAGAIN && errno != EINTR)
		return net_line_fail(conn, "send: %s", strerror(errno));
	return 0;
}

int net_line_flush(struct net_line *conn)
{
	struct buffer *out = &conn->out;
	int ret;

	while (out->pos < out->used) {
		if (conn->failed || send_piece(conn) < 0)
			return -1;
		if (out->pos == out->used)
			break;
		ret = wait_fd(conn->fd, POLLIN | POLLOUT, conn->timeout_ms);
		if (ret < 0)
			return net_line_fail(conn, "poll: %s", strerror(errno));
		if (ret == 0) {
			return net_line_fail(conn, "can't send for %u ms",
					     conn->timeout_ms);
		}
		if ((ret & (POLLIN | POLLHUP | POLLERR)) != 0 &&
		    take_input(conn) < 0)
			return -1;
	}
	out->pos = out->used = 0;
	return conn->failed ? -1 : 0;
}

int net_line_write(struct net_line *conn, const void *data, size_t size)
{
	const char *bytes = data;
	size_t piece;

	while (size > 0) {
		piece = size < OUT_HIGH_WATER ? size : OUT_HIGH_WATER;
		if (buffer_reserve(&conn->out, piece) < 0)
			return net_line_fail(conn, "out of memory");
		memcpy(conn->out.data + conn->out.used, bytes, piece);
		conn->out.used += piece;
		bytes += piece;
		size -= piece;
		if (conn->out.used - conn->out.pos >= OUT_HIGH_WATER &&
		    net_line_flush(conn) < 0)
			return -1;
	}
	return conn->failed ? -1 : 0;
}

static int split_hostport(const char *hostport, char *host, size_t size,
			  const char **port_r)
{
	const char *colon = strrchr(hostport, ':');
	size_t len;

	if (colon == NULL || colon[1] == '\0')
		return -1;
	len = (size_t)(colon - hostport);
	if (len >= 2 && hostport[0] == '[' && hostport[len - 1] == ']') {
		hostport++;
		len -= 2;
	}
	if (len == 0 || len >= size)
		return -1;
	memcpy(host, hostport, len);
	host[len] = '\0';
	*port_r = colon + 1;
	return 0;
}

/* Returns the descriptor, non-blocking, or -1 with errno. */
static int connect_one(const struct addrinfo *ai, unsigned int timeout_ms)
{
	int fd, ret, err = 0, one = 1;
	socklen_t len = sizeof(err);

	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK |
		    SOCK_CLOEXEC, ai->ai_protocol);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS) {
		ret = wait_fd(fd, POLLOUT, timeout_ms);
		if (ret == 0)
			err = ETIMEDOUT;
		else if (ret < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &err,
					       &len) < 0)
			err = errno;
		if (err == 0)
			return fd;
		errno = err;
	}
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

int net_line_connect(const char *hostport, unsigned int timeout_ms,
		     struct net_line **conn_r, const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
	char host[256];
	const char *port;
	int ret, fd = -1;

	*error_r = error;
	*conn_r = NULL;
	if (split_hostport(hostport, host, sizeof(host), &port) < 0) {
		snprintf(error, sizeof(error), "not HOST:PORT: %s", hostport);
		return -1;
	}
	ret = getaddrinfo(host, port, &hints, &list);
	if (ret != 0) {
		snprintf(error, sizeof(error), "%s: %s", hostport,
			 gai_strerror(ret));
		return -1;
	}
	for (ai = list; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = connect_one(ai, timeout_ms);
	if (fd < 0) {
		snprintf(error, sizeof(error), "connect to %s: %s", hostport,
			 strerror(errno));
	} else if ((*conn_r = calloc(1, sizeof(**conn_r))) == NULL) {
		close(fd);
		snprintf(error, sizeof(error), "out of memory");
	} else {
		(*conn_r)->fd = fd;
		(*conn_r)->timeout_ms = timeout_ms;
	}
	freeaddrinfo(list);
	return *conn_r == NULL ? -1 : 0;
}

void net_line_close(struct net_line **_conn)
{
	struct net_line *conn = *_conn;

	*_conn = NULL;
	if (conn == NULL)
		return;
	close(conn->fd);
	free(conn->in.data);
	free(conn->out.data);
	free(conn);
}

void net_line_set_timeout(struct net_line *conn, unsigned int timeout_ms)
{
	conn->timeout_ms = timeout_ms;
}

int net_line_fd(const struct net_line *conn)
{
	return conn->fd;
}

const char *net_line_error(const struct net_line *conn)
{
	return conn->error;
}
