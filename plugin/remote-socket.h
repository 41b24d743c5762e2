#ifndef REMOTE_SOCKET_H
#define REMOTE_SOCKET_H

/*
 * remote-socket: the sockets to the old server, which lib-imap-client doesn't
 * give away: found among the process's descriptors by the port they are
 * connected to.
 */

#include "net.h"

/* The first descriptor after fd (-1: of all) with this port at its other end,
   or -1. */
int remote_socket_next(int fd, in_port_t port);

/* Send at once what is written to them, and what was. With Nagle's algorithm the
   second of two segments waits for the answer to the first. Each time that an
   ostream is uncorked it turns this off again. */
void remote_sockets_set_nodelay(in_port_t port);

/* Bytes that came from and were acknowledged by the other ends of all of them
   (tcp(7), TCP_INFO). Unlike what was written they tell whether anything still
   moves. */
uint64_t remote_socket_bytes_moved(in_port_t port);

#endif
