/*
 * listen-socket: what is to be done to the socket on which libmilter listens
 *
 * libmilter opens it and keeps the descriptor to itself. A worker listens on one
 * socket only, so it is the one among its descriptors that listens.
 */
#ifndef LISTEN_SOCKET_H
#define LISTEN_SOCKET_H

/* The descriptor, -1 with errno when there's none. */
int listen_socket_find(void);
/* TCP_NODELAY, which on Linux each accepted connection has from it. Without it
   Nagle's algorithm holds what we answer back until the MTA has acknowledged what
   came before, and that waits up to 40 ms for something to ride on. Nothing
   happens to a local socket. -1 with errno. */
int listen_socket_no_delay(int fd);
/* Removes the file of a local socket, given as libmilter wants it. */
void listen_socket_remove(const char *socket);

#endif
