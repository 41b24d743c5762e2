#ifndef WORKER_SOCKET_H
#define WORKER_SOCKET_H

/*
 * worker-socket: the user's socket, <migration_dir>/worker (unix(7)). The path
 * may be longer than a socket's address can be, where /proc is to be had.
 */

/* Both return the descriptor; -1 and errno, as connect(2) and bind(2). Who
   listens has the user's lock: a socket that a killed worker left is replaced.
   */
int worker_socket_connect(const char *dir);
int worker_socket_listen(const char *dir);
/* From now on nobody connects any more. */
void worker_socket_unlink(const char *dir);

#endif
