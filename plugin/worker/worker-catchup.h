#ifndef WORKER_CATCHUP_H
#define WORKER_CATCHUP_H

/*
 * worker-catchup: when the worker looks for late mail: when it's asked to, each
 * migration_catchup_interval after the last look while anybody is connected, and
 * when the old server's INBOX is heard to have changed, once a second at most.
 *
 * Nothing of this happens before somebody asked for it, while no mailbox is
 * local, or with migration_catchup_interval = 0 (but for requests).
 */

struct migration_user;
struct mirror_status;
struct worker_catchup;
struct worker_turns;

struct worker_catchup_callbacks {
	/* Is anybody connected? */
	bool (*is_watched)(void *context);
	/* The user's migration was closed: the worker is to end. */
	void (*closed)(void *context);
};

/* In the current ioloop. */
struct worker_catchup *
worker_catchup_init(struct migration_user *muser, struct worker_turns *turns,
		    const struct worker_catchup_callbacks *callbacks,
		    void *context);
void worker_catchup_deinit(struct worker_catchup **catchup);

/* It was asked for. Was there a look so recently that there's no need to? */
bool worker_catchup_is_recent(struct worker_catchup *catchup,
			      unsigned int max_age_msecs);

/* Is the old server's INBOX to be heard of, although it's local here? */
bool worker_catchup_wants_inbox(struct worker_catchup *catchup);
/* Heard of it, whatever it is. */
void worker_catchup_heard(struct worker_catchup *catchup,
			  const struct mirror_status *status);

/* From worker_turns_callbacks. */
void worker_catchup_looked(struct worker_catchup *catchup, bool success);
void worker_catchup_turn_ended(struct worker_catchup *catchup);

#endif
