#ifndef WORKER_REQUEST_H
#define WORKER_REQUEST_H

/*
 * worker-request: a line of worker-protocol.h as a request.
 *
 * Whatever the words are, what is parsed is safe to be sent to the old server:
 * UIDs are a sequence-set, STORE's arguments and flags are nothing else, names
 * are UTF-8. No limits but those of a line.
 */

#include "engine/mirror.h"

struct worker_connection;

enum worker_request_type {
	WORKER_FRESH,
	WORKER_WATCH,
	WORKER_UNWATCH,
	WORKER_WRITE,
	WORKER_FILL,
	WORKER_CUTOVER,
	WORKER_CATCHUP,
	WORKER_PAUSE,
	WORKER_RESUME,
	WORKER_END,
};

struct worker_request {
	pool_t pool;
	enum worker_request_type type;
	/* whom to answer */
	struct worker_connection *conn;
	/* NULL: of none, or of those in vnames */
	const char *vname;
	/* FRESH, CATCHUP */
	unsigned int max_age_msecs;
	/* WRITE; its fd is the request's */
	struct mirror_write write;
	/* it has an APPEND */
	bool needs_file;
	/* the file must have so many bytes */
	uoff_t file_size;
	/* FILL */
	enum fill_flags fill_flags;
	/* CATCHUP */
	enum catchup_flags catchup_flags;
	/* CUTOVER */
	ARRAY_TYPE(const_string) vnames;
};

/* words: NULL-terminated, unescaped; they are copied. Returns 0; -1 with an
   error that says what was expected. */
int worker_request_parse(const char *const *words,
			 struct worker_request **request_r,
			 const char **error_r);
/* Closes its file. */
void worker_request_free(struct worker_request **request);

#endif
