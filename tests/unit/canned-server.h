/*
 * canned-server: a server on loopback that says what it was told, then closes
 *
 * Runs in a child process. Everything is sent at once, so that answers may wait
 * before they are asked for; then the child reads until the client hangs up.
 */
#ifndef CANNED_SERVER_H
#define CANNED_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct canned_server {
	pid_t pid;
	/* "127.0.0.1:PORT" */
	char hostport[32];
};

/* Serves one connection. silent: doesn't close its side after the data. */
void canned_server_start(struct canned_server *server, const void *data,
			 size_t size, bool silent);
void canned_server_stop(struct canned_server *server);

#endif
