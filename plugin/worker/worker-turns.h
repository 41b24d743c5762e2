#ifndef WORKER_TURNS_H
#define WORKER_TURNS_H

/*
 * worker-turns: the worker's loop of turns: what is asked of the mirror, one
 * after the other.
 *
 * A turn takes the oldest request, and all others of its kind for the same
 * mailbox with it where one burst does for all of them (WRITE, FRESH, CATCHUP:
 * of no mailbox). It blocks in inner ioloops, in which more is queued and no turn begins. A
 * CUTOVER is two turns, between which others have theirs.
 *
 * After a turn that failed for want of the old server there's none for a while,
 * 1 s at first and 30 s at last (mirror-backoff.h): requests are refused with
 * its error, at once; those of the administrator (FILL, CUTOVER) for 1 s only.
 * FRESH is refused as well when a turn has taken longer than anybody waits for
 * freshness. Without a slot (old-slots.h) all is refused.
 */

#include "engine/mirror.h"

struct worker_connection;
struct worker_request;
struct old_slots;
struct worker_turns;

struct worker_turns_callbacks {
	/* The states of mailboxes may be others now. */
	void (*states_changed)(void *context);
	/* Within a turn: the copy has what the old server had when it began. */
	void (*refreshed)(void *context, const char *vname);
	/* Within a turn: late mail was looked for; with success? */
	void (*caught_up)(void *context, bool success);
	/* The mirror can be asked again. */
	void (*turn_ended)(void *context);
};

/* Turns begin in what is the current ioloop now. */
struct worker_turns *
worker_turns_init(struct mirror *mirror, struct old_slots *slots,
		  const struct worker_turns_callbacks *callbacks,
		  void *context);
/* Drops the requests. */
void worker_turns_deinit(struct worker_turns **turns);

/* FRESH, WRITE, FILL, CUTOVER, CATCHUP or PAUSE: will be answered. */
void worker_turns_add(struct worker_turns *turns,
		      struct worker_request *request);
/* Nobody asks, but there is something new. */
void worker_turns_refresh(struct worker_turns *turns, const char *vname);
/* Nobody asks, but late mail is to be looked for. */
void worker_turns_catchup(struct worker_turns *turns);
/* Ends its PAUSE, if there is one. */
void worker_turns_resume(struct worker_turns *turns,
			 const struct worker_connection *conn);

/* Is a turn under way? The mirror may not be asked then. */
bool worker_turns_running(const struct worker_turns *turns);
/* For how long; 0 without one. */
unsigned int worker_turns_running_msecs(const struct worker_turns *turns);
/* The old server is there again, as someone else knows. */
void worker_turns_old_server_seen(struct worker_turns *turns);
/* How long FRESH may take at most. */
unsigned int worker_turns_freshness_msecs(const struct worker_turns *turns);

/* For io_loop_add_switch_callback(). */
void worker_turns_switch_ioloop(struct worker_turns *turns);

#endif
