#ifndef WORKER_CLIENT_H
#define WORKER_CLIENT_H

/*
 * worker-client: asks the user's migration-worker (worker/worker-protocol.h).
 *
 * One connection per user and process, opened when it is first needed; the
 * worker is started when none listens. Calls block until the answer or the time
 * is there. A worker that dies in the middle is WORKER_LOST: what it was asked
 * may be done or not. The next request starts another one.
 */

#include "mail-error.h"

#include <stdbool.h>

struct migration_user;
struct worker_client;

enum worker_answer {
	WORKER_OK,
	/* local by now: the asker's to do */
	WORKER_LOCAL,
	/* not mirrored any more: to be opened again */
	WORKER_GONE,
	/* refused: error_code and error */
	WORKER_NO,
	/* no worker, or no answer in time: error_code is
	   MAIL_ERROR_UNAVAILABLE (remote-namespace.h), and error says so */
	WORKER_LOST,
};

struct worker_reply {
	enum worker_answer answer;
	/* OK: the words behind it, NULL-terminated; in the data stack */
	const char *const *args;
	enum mail_error error_code;
	const char *error;
	/* LOST: some of the request was sent, and may be done */
	bool sent;
};

/* Of that user; lives as long. Doesn't connect. */
struct worker_client *worker_client_get(struct migration_user *muser);
void worker_client_deinit(struct worker_client **client);

/* A request: its words, NULL-terminated, unescaped; a file or -1.
   timeout_msecs 0: as long as the old server may take (imapc_cmd_timeout), also
   from one PROGRESS line to the next. */
void worker_client_ask(struct worker_client *client, const char *const *words,
		       int fd, unsigned int timeout_msecs,
		       struct worker_reply *reply_r);
/* Sees the words of PROGRESS lines from now on. killed: asked often;
   TRUE ends the request as WORKER_LOST. */
void worker_client_set_progress(struct worker_client *client,
				void (*callback)(const char *const *words,
						 void *context),
				bool (*killed)(void), void *context);

/* A request that may as well not be answered: it is tried for so long, and what
   fails isn't logged. TRUE when there is an answer; else *error_r says why. */
bool worker_client_try(struct worker_client *client, const char *const *words,
		       unsigned int timeout_msecs, struct worker_reply *reply_r,
		       const char **error_r);
/* FRESH, within the time that freshness may take. TRUE when the copy is fresh,
   local, or the answer is GONE (*answer_r tells). Else *error_r says why. */
bool worker_client_fresh(struct worker_client *client, const char *vname,
			 unsigned int max_age_msecs,
			 enum worker_answer *answer_r, const char **error_r);

/* Which connection it is: another number after each new one, 0 while there is
   none. */
unsigned int worker_client_connection(struct worker_client *client);
/* Make one, if there is none. */
void worker_client_reconnect(struct worker_client *client);
/* Called from the current ioloop, once, when the connection that there is, is
   lost. NULL: never. The last one counts. */
void worker_client_set_lost(struct worker_client *client,
			    void (*callback)(void *context), void *context);
/* A request the answer of which nobody needs, on the connection that there is:
   WATCH, UNWATCH, RESUME. */
void worker_client_tell(struct worker_client *client, const char *const *words);

#endif
