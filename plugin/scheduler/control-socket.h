#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

/*
 * control-socket: what doveadm asks the service (scheduler-protocol.h).
 */

struct scheduler;
struct control_socket;

struct control_socket *control_socket_init(struct scheduler *scheduler);
void control_socket_deinit(struct control_socket **socket);
/* The descriptor becomes the socket's. */
void control_socket_add(struct control_socket *socket, int fd);

#endif
