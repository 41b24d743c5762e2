#ifndef WORKER_HELLO_H
#define WORKER_HELLO_H

/*
 * worker-hello: how a connection to the user's worker begins
 * (worker/worker-protocol.h), for who waits and for who doesn't: nothing here
 * blocks. Strings are in the data stack.
 */

struct migration_user;
struct worker_link;

/* Connect to the one that there is. Returns 1; 0 when nobody listens, -1; the
   latter two with an error. */
int worker_hello_user(struct migration_user *muser,
		      struct worker_link **link_r, const char **error_r);

/* What is said first to a worker; with LF. */
const char *worker_hello_version(void);
/* The worker's line: is it one that can be talked to? Returns 0, -1 with an
   error. */
int worker_hello_check_version(const char *const *words, const char **error_r);

#endif
