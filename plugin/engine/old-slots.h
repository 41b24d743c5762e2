#ifndef OLD_SLOTS_H
#define OLD_SLOTS_H

/*
 * old-slots: migration_old_connections, how many connections all processes have
 * to one old server.
 *
 * They share one file, <base_dir>/migration-slots, that root opens before a
 * process becomes its user. A slot is a lock on one byte of it (fcntl(2)), at a
 * place that the server's name gives; whoever dies loses his slots. To have them
 * more than once in a process, or to close another descriptor of that file in it,
 * gives them away: one object a process and server.
 */

struct old_budget;
struct old_slots;

#define OLD_SLOTS_FILE "migration-slots"

/* limit 0: as many as there are askers. fd is the caller's, -1 for none: then
   only limit 0 is possible. budget tells how many machines share the limit
   (old_budget_share); NULL: it's all of this one. Must stay. */
struct old_slots *
old_slots_init(int fd, const char *host, unsigned int limit,
	       const struct old_budget *budget);
/* Gives all slots back. */
void old_slots_deinit(struct old_slots **slots);

/* Have so many slots, if they are free. Those that there are stay. Returns how
   many there are then. */
unsigned int old_slots_want(struct old_slots *slots, unsigned int count);
/* The same for what nobody waits for: a quarter of the slots, and at least one if
   there are two, is left for those that clients wait for. */
unsigned int old_slots_want_bulk(struct old_slots *slots, unsigned int count);
/* Give back what is more than that; more may be wanted later. */
void old_slots_keep(struct old_slots *slots, unsigned int count);
/* Give all back. */
void old_slots_release(struct old_slots *slots);

#endif
