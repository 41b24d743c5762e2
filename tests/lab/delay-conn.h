#ifndef DELAY_CONN_H
#define DELAY_CONN_H

/*
 * delay-conn: one connection through the proxy: the client's socket, the
 * server's socket and a delay queue for each direction.
 *
 * A connection owns its sockets and ends itself when both directions are
 * shut or one socket fails. Every socket has a delay_watch as epoll data.
 */

#include "delay-queue.h"

#include <netinet/in.h>
#include <stdbool.h>

enum delay_side {
	DELAY_CLIENT,
	DELAY_SERVER,
	DELAY_SIDES
};

/* What an epoll event of a connection points to. The first member says what
   kind of object it is; others put their own kind first. */
enum delay_watch_kind {
	DELAY_WATCH_CONN,
	DELAY_WATCH_LISTENER,
	DELAY_WATCH_TIMER,
	DELAY_WATCH_CONTROL,
	DELAY_WATCH_SIGNAL,
};

struct delay_watch {
	enum delay_watch_kind kind;
	void *owner;
	enum delay_side side;
};

/* What all connections of the proxy share. */
struct delay_net {
	int epoll_fd;
	uint64_t rtt;
	bool stalled;
	struct delay_conn *conns;
	unsigned int count;
	uint64_t accepted, bytes;
};

uint64_t delay_now(void);

/* Take over the accepted socket and begin to connect to the server. */
void delay_conn_start(struct delay_net *net, int client_fd,
		      const struct sockaddr_in *server);
/* An event on one of the connection's sockets. The connection may be gone
   afterwards; no other one is. */
void delay_conn_event(struct delay_watch *watch, uint32_t events);
/* Move all that is due, after a timer, a stall or its end. */
void delay_net_move(struct delay_net *net);
/* The time at which something is due next, or 0. */
uint64_t delay_net_next_due(const struct delay_net *net);
/* Reset every connection on both sides. */
void delay_net_cut(struct delay_net *net);

#endif
