#ifndef DEMAND_SOCKET_H
#define DEMAND_SOCKET_H

/*
 * demand-socket: WANT, from sessions (scheduler-protocol.h). Whoever may be on
 * this machine may connect: what isn't understood is left alone, and of too many
 * connections the oldest are closed.
 */

struct scheduler;
struct demand_socket;

struct demand_socket *demand_socket_init(struct scheduler *scheduler);
void demand_socket_deinit(struct demand_socket **socket);
/* The descriptor becomes the socket's. */
void demand_socket_add(struct demand_socket *socket, int fd);

#endif
