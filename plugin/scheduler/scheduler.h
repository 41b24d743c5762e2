#ifndef SCHEDULER_H
#define SCHEDULER_H

/*
 * scheduler: moves all users, by migration-movers, as move-queue and move-choice
 * say. What others may ask of it is here; scheduler-private.h says which file does
 * what.
 */

struct scheduler;
struct scheduler_settings;

/* base_dir and state_dir are Dovecot's. It begins by itself, once no other
   scheduler has the state_dir any more. set must stay. */
struct scheduler *
scheduler_init(const struct scheduler_settings *set, const char *base_dir,
	       const char *state_dir);
/* Ends the movers. */
void scheduler_deinit(struct scheduler **scheduler);

/* mailbox: "" for none */
void scheduler_want(struct scheduler *scheduler, const char *username,
		    const char *mailbox);
/* These return 0, -1 with an error. */
int scheduler_set_paused(struct scheduler *scheduler, bool paused,
			 const char **error_r);
int scheduler_prioritize(struct scheduler *scheduler, const char *username,
			 const char **error_r);
/* NULL: all of them */
int scheduler_retry(struct scheduler *scheduler, const char *username,
		    const char **error_r);
/* The lines of STATUS (scheduler-protocol.h), without OK. */
int scheduler_status(struct scheduler *scheduler, string_t *str,
		     const char **error_r);

#endif
