#ifndef WORKER_SERVER_H
#define WORKER_SERVER_H

/*
 * worker-server: the user's socket and who is connected to it.
 *
 * Lives in the current ioloop and in all inner ones: requests come in while a
 * turn waits for the old server. One request of a connection at a time; until
 * it is answered, nothing more is read from it.
 *
 * Who connects must have the worker's uid or be root (SO_PEERCRED), whatever
 * the mode of the socket's file. What isn't a request is answered by NO, and
 * ends the connection.
 */

struct worker_connection;
struct worker_request;
struct worker_server;

struct worker_server_callbacks {
	/* The request is the callee's until it has answered. */
	void (*request)(void *context, struct worker_request *request);
	/* It has no request under way, and is gone when this returns. */
	void (*closed)(void *context, struct worker_connection *conn);
	/* FRESHNESS for a new one */
	unsigned int (*freshness)(void *context);
	/* There's no connection any more. */
	void (*idle)(void *context);
};

/* Listens in migration_dir; the caller has the user's lock. Returns 0, -1 with
   an error. */
int worker_server_init(const char *dir,
		       const struct worker_server_callbacks *callbacks,
		       void *context, struct worker_server **server_r,
		       const char **error_r);
/* Disconnects all without an answer; their requests must be dropped before. */
void worker_server_deinit(struct worker_server **server);

/* One line, without LF; frees the request. */
void worker_server_answer(struct worker_request **request, const char *line);
/* Frees a request that isn't answered: only at the end. */
void worker_server_drop(struct worker_request **request);
/* Has its asker gone, without having waited for the answer? */
bool worker_server_is_left(const struct worker_request *request);
/* A line that isn't the answer yet. */
void worker_server_tell(struct worker_request *request, const char *line);

/* Take nobody new, and end a connection when it has its answer. FALSE: someone
   has come meanwhile, and all goes on, unless force is set. */
bool worker_server_close(struct worker_server *server, bool force);
bool worker_server_is_idle(const struct worker_server *server);

/* Move to current_ioloop. */
void worker_server_switch_ioloop(struct worker_server *server);

#endif
