#ifndef WORKER_SLOTS_H
#define WORKER_SLOTS_H

/*
 * worker-slots: migration_old_connections, how many connections the workers of
 * all users have to one old server.
 *
 * All workers share one file, <base_dir>/migration-slots, that root opens
 * before a worker becomes its user. A slot is a lock on one byte of it
 * (fcntl(2)), at a place that the server's name gives; whoever dies loses his
 * slots.
 */

struct worker_slots;

/* limit 0: as many as there are askers. fd is the caller's, -1 for none: then
   only limit 0 is possible. */
struct worker_slots *
worker_slots_init(int fd, const char *host, unsigned int limit);
/* Gives all slots back. */
void worker_slots_deinit(struct worker_slots **slots);

/* Have so many slots, if they are free. Those that there are stay. Returns how
   many there are then. */
unsigned int worker_slots_want(struct worker_slots *slots, unsigned int count);
/* Give all back; more may be wanted later. */
void worker_slots_release(struct worker_slots *slots);

#endif
