#define _GNU_SOURCE
#include "delay-conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Far above bandwidth times delay on loopback, so that the buffer, not the
   delay, never decides how fast bytes flow. */
#define DELAY_BUFFER_MAX (64u * 1024 * 1024)
#define DELAY_READ_SIZE (64 * 1024)

struct delay_socket {
	int fd;
	/* what epoll is asked for now; 0: not registered */
	uint32_t interest;
	bool read_ended, write_shut, write_blocked;
	/* bytes read from this socket, for the other one */
	struct delay_queue queue;
	struct delay_watch watch;
};

struct delay_conn {
	struct delay_net *net;
	struct delay_conn *prev, *next;
	/* when a TCP handshake over the distance would have ended, seen from
	   the server */
	uint64_t established;
	bool connecting;
	struct delay_socket sockets[DELAY_SIDES];
};

static unsigned char read_buffer[DELAY_READ_SIZE];

uint64_t delay_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void socket_interest(struct delay_conn *conn,
			    struct delay_socket *sock, uint32_t wanted)
{
	struct epoll_event event = { .events = wanted };
	int op;

	if (wanted == sock->interest)
		return;
	/* epoll reports EPOLLHUP even when nothing is asked for, hence DEL */
	op = wanted == 0 ? EPOLL_CTL_DEL :
		sock->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	event.data.ptr = &sock->watch;
	if (epoll_ctl(conn->net->epoll_fd, op, sock->fd, &event) < 0) {
		perror("delay-proxy: epoll_ctl");
		abort();
	}
	sock->interest = wanted;
}

static void conn_interest(struct delay_conn *conn)
{
	for (int side = 0; side < DELAY_SIDES; side++) {
		struct delay_socket *sock = &conn->sockets[side];
		uint32_t wanted = 0;

		if (!conn->net->stalled) {
			if (!sock->read_ended && !conn->connecting &&
			    sock->queue.bytes < DELAY_BUFFER_MAX)
				wanted |= EPOLLIN;
			if (sock->write_blocked ||
			    (conn->connecting && side == DELAY_SERVER))
				wanted |= EPOLLOUT;
		}
		socket_interest(conn, sock, wanted);
	}
}

static void conn_free(struct delay_conn *conn, bool reset)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	for (int side = 0; side < DELAY_SIDES; side++) {
		struct delay_socket *sock = &conn->sockets[side];

		if (reset) {
			(void)setsockopt(sock->fd, SOL_SOCKET, SO_LINGER,
					 &linger, sizeof(linger));
		}
		close(sock->fd);
		delay_queue_free(&sock->queue);
	}
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		conn->net->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	conn->net->count--;
	free(conn);
}

/* When bytes that come now from that side reach the other one. */
static uint64_t conn_due(const struct delay_conn *conn, enum delay_side from)
{
	uint64_t half = conn->net->rtt / 2, due = delay_now() + half;
	uint64_t first = conn->established +
		(from == DELAY_SERVER ? half : 0);

	return due < first ? first : due;
}

static void conn_read(struct delay_conn *conn, enum delay_side side)
{
	struct delay_socket *sock = &conn->sockets[side];

	while (sock->queue.bytes < DELAY_BUFFER_MAX) {
		ssize_t ret = read(sock->fd, read_buffer, sizeof(read_buffer));

		if (ret > 0) {
			delay_queue_add(&sock->queue, DELAY_DATA, read_buffer,
					(size_t)ret, conn_due(conn, side));
			conn->net->bytes += (uint64_t)ret;
			if ((size_t)ret < sizeof(read_buffer))
				break;
		} else if (ret < 0 && errno == EINTR) {
			continue;
		} else if (ret < 0 && errno == EAGAIN) {
			break;
		} else {
			sock->read_ended = true;
			delay_queue_add(&sock->queue,
					ret == 0 ? DELAY_FIN : DELAY_RESET,
					NULL, 0, conn_due(conn, side));
			break;
		}
	}
}

/* Write what is due in one direction. Returns -1 when the connection must be
   reset. */
static int conn_write(struct delay_conn *conn, enum delay_side from)
{
	struct delay_queue *queue = &conn->sockets[from].queue;
	struct delay_socket *to = &conn->sockets[1 - from];
	uint64_t now = delay_now();
	struct delay_chunk *chunk;

	to->write_blocked = false;
	while ((chunk = delay_queue_due(queue, now)) != NULL) {
		ssize_t ret = 0;

		if (chunk->kind == DELAY_RESET)
			return -1;
		if (chunk->kind == DELAY_FIN) {
			(void)shutdown(to->fd, SHUT_WR);
			to->write_shut = true;
		} else {
			ret = send(to->fd, chunk->data + chunk->offset,
				   chunk->size - chunk->offset, MSG_NOSIGNAL);
		}
		if (ret < 0 && errno == EAGAIN) {
			to->write_blocked = true;
			return 0;
		}
		if (ret < 0 && errno != EINTR)
			return -1;
		if (ret >= 0)
			delay_queue_skip(queue, (size_t)ret);
	}
	return 0;
}

/* Returns false when the connection is gone. */
static bool conn_move(struct delay_conn *conn)
{
	if (conn->net->stalled) {
		conn_interest(conn);
		return true;
	}
	if (!conn->connecting &&
	    (conn_write(conn, DELAY_CLIENT) < 0 ||
	     conn_write(conn, DELAY_SERVER) < 0)) {
		conn_free(conn, true);
		return false;
	}
	if (conn->sockets[DELAY_CLIENT].write_shut &&
	    conn->sockets[DELAY_SERVER].write_shut) {
		conn_free(conn, false);
		return false;
	}
	conn_interest(conn);
	return true;
}

static bool conn_connected(struct delay_conn *conn)
{
	int fd = conn->sockets[DELAY_SERVER].fd, error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ||
	    error != 0)
		return false;
	conn->connecting = false;
	return true;
}

void delay_conn_event(struct delay_watch *watch, uint32_t events)
{
	struct delay_conn *conn = watch->owner;

	if (conn->connecting) {
		if (!conn_connected(conn)) {
			conn_free(conn, true);
			return;
		}
	} else if ((events & ~(uint32_t)EPOLLOUT) != 0 &&
		   !conn->sockets[watch->side].read_ended) {
		conn_read(conn, watch->side);
	}
	(void)conn_move(conn);
}

void delay_conn_start(struct delay_net *net, int client_fd,
		      const struct sockaddr_in *server)
{
	struct delay_conn *conn = calloc(1, sizeof(*conn));
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (conn == NULL || fd < 0) {
		perror("delay-proxy: socket");
		if (fd >= 0)
			close(fd);
		close(client_fd);
		free(conn);
		return;
	}
	conn->net = net;
	conn->established = delay_now() + net->rtt + net->rtt / 2;
	conn->connecting = true;
	conn->sockets[DELAY_CLIENT].fd = client_fd;
	conn->sockets[DELAY_SERVER].fd = fd;
	for (int side = 0; side < DELAY_SIDES; side++) {
		struct delay_socket *sock = &conn->sockets[side];

		sock->watch.kind = DELAY_WATCH_CONN;
		sock->watch.owner = conn;
		sock->watch.side = (enum delay_side)side;
		(void)setsockopt(sock->fd, IPPROTO_TCP, TCP_NODELAY,
				 &on, sizeof(on));
	}
	conn->next = net->conns;
	if (net->conns != NULL)
		net->conns->prev = conn;
	net->conns = conn;
	net->count++;
	net->accepted++;
	if (connect(fd, (const struct sockaddr *)server,
		    sizeof(*server)) < 0 && errno != EINPROGRESS) {
		conn_free(conn, true);
		return;
	}
	conn_interest(conn);
}

void delay_net_move(struct delay_net *net)
{
	struct delay_conn *conn, *next;

	for (conn = net->conns; conn != NULL; conn = next) {
		next = conn->next;
		(void)conn_move(conn);
	}
}

uint64_t delay_net_next_due(const struct delay_net *net)
{
	uint64_t next_due = 0;

	if (net->stalled)
		return 0;
	for (const struct delay_conn *conn = net->conns; conn != NULL;
	     conn = conn->next) {
		if (conn->connecting)
			continue;
		for (int side = 0; side < DELAY_SIDES; side++) {
			const struct delay_chunk *chunk =
				conn->sockets[side].queue.head;

			if (chunk != NULL &&
			    !conn->sockets[1 - side].write_blocked &&
			    (next_due == 0 || chunk->due < next_due))
				next_due = chunk->due;
		}
	}
	return next_due;
}

void delay_net_cut(struct delay_net *net)
{
	while (net->conns != NULL)
		conn_free(net->conns, true);
}
