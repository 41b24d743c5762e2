#ifndef WORKER_WATCH_H
#define WORKER_WATCH_H

/*
 * worker-watch: what the worker hears of the old server (mirror-watch.h), for
 * whom, and what becomes of it.
 *
 * Wanted at once are the INBOX and what clients have selected, the others that
 * are mirrored now and then. A local INBOX is one of the first while late mail is
 * wanted: what is heard of the old one is worker-catchup's to judge. News that
 * the mirror doesn't know make a refresh; those that come in a turn may be what it has just written, and wait for its
 * end. Without a second slot (old-slots.h) nothing is heard: the first are
 * refreshed now and then. Nor is it listened before somebody asks for anything
 * but writes.
 *
 * Which mailboxes are mirrored is known from their states, which are looked at
 * again when they may have changed.
 */

struct migration_user;
struct mirror;
struct worker_catchup;
struct worker_connection;
struct old_slots;
struct worker_turns;
struct worker_watch;

/* In the current ioloop. */
struct worker_watch *
worker_watch_init(struct migration_user *muser, struct mirror *mirror,
		  struct old_slots *slots, struct worker_turns *turns,
		  struct worker_catchup *catchup);
void worker_watch_deinit(struct worker_watch **watch);

/* A client of this connection has it selected. They count. */
void worker_watch_add(struct worker_watch *watch,
		      const struct worker_connection *conn, const char *vname);
void worker_watch_remove(struct worker_watch *watch,
			 const struct worker_connection *conn,
			 const char *vname);
/* It's gone: with it all that it watched. */
void worker_watch_closed(struct worker_watch *watch,
			 const struct worker_connection *conn);

/* Late mail is looked for: worker_catchup_wants_inbox() may have changed. */
void worker_watch_want_late(struct worker_watch *watch);

/* Is all in the copy that the old server had so long ago? */
bool worker_watch_is_fresh(struct worker_watch *watch, const char *vname,
			   unsigned int max_age_msecs);

/* From worker_turns_callbacks. */
void worker_watch_states_changed(struct worker_watch *watch);
void worker_watch_refreshed(struct worker_watch *watch, const char *vname);
void worker_watch_turn_ended(struct worker_watch *watch);

/* For io_loop_add_switch_callback(). */
void worker_watch_switch_ioloop(struct worker_watch *watch);

#endif
