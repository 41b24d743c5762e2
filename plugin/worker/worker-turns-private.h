#ifndef WORKER_TURNS_PRIVATE_H
#define WORKER_TURNS_PRIVATE_H

/* worker-turns-private: what the loop (worker-turns.c) and the turns themselves
   (worker-turn.c) share. */

#include "llist.h"
#include "engine/mirror-backoff.h"
#include "worker-request.h"
#include "worker-turns.h"

struct worker_task {
	struct worker_task *prev, *next;
	enum worker_request_type type;
	/* NULL: of none */
	char *vname;
	/* NULL: nobody asks */
	struct worker_request *request;
	/* CUTOVER: the first of its turns is over */
	bool prepared;
};
ARRAY_DEFINE_TYPE(worker_task, struct worker_task *);

struct worker_pause {
	struct worker_pause *prev, *next;
	struct worker_turns *turns;
	const struct worker_connection *conn;
	struct timeout *to;
};

struct worker_turns {
	struct mirror *mirror;
	struct fill_observer observer;
	struct old_slots *slots;
	struct worker_turns_callbacks callbacks;
	void *context;

	struct ioloop *ioloop;
	/* the next turn; when there's none */
	struct timeout *to, *to_release;
	struct worker_task *head, *tail;
	struct worker_pause *pauses;

	/* of the turn that is under way */
	bool running;
	struct timeval started;
	/* what isn't queued because of it; or NULL */
	const ARRAY_TYPE(worker_task) *tasks;
	/* who hears of its progress, or NULL */
	struct worker_request *progress_request;

	struct timeout *to_alive;

	struct mirror_backoff backoff;
	/* 0: the old server was there the last time */
	struct timeval retry_at, admin_retry_at;
	enum mail_error error_code;
	char *error;
};

/* The answer, if anybody asks. Frees the task, which isn't queued. */
void worker_task_answer(struct worker_task *task, const char *line);
/* Has nobody the patience to wait for it any more? */
bool worker_task_is_left(const struct worker_task *task);

/* The old server did or didn't do what was asked for. */
void worker_turn_succeeded(struct worker_turns *turns);
void worker_turn_failed(struct worker_turns *turns, enum mail_error error_code,
			const char *error);

/* Hear of the progress of fills, at the beginning. */
void worker_turn_observe(struct worker_turns *turns);
/* Tell all who wait, but for FRESH, that they aren't forgotten. */
void worker_turn_tell_alive(struct worker_turns *turns);
/* Does it, with those that are alike; the task isn't queued. Not for PAUSE. */
void worker_turn(struct worker_turns *turns, struct worker_task *task);

#endif
