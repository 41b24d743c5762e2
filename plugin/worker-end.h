#ifndef WORKER_END_H
#define WORKER_END_H

/*
 * worker-end: has the worker of a user ended whose migration is closed, if there
 * is one, and waits for it: half a minute at most.
 */

/* Returns 0 when there's none any more, -1 with an error. */
int worker_end(const char *dir, const char **error_r);

#endif
