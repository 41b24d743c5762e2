#ifndef LEDGER_H
#define LEDGER_H

/*
 * ledger: what the scheduler knows of the users, in a file of its own,
 * <dir>/ledger, replaced by write + fsync + rename.
 *
 * The truth is in each user's migration_dir: a ledger that is lost or broken
 * costs a survey of each user, and is begun anew. It's written a slice of the
 * users at a time, so that a million of them stop nobody, and takes a small part
 * of the time at most; each user's line stands for itself.
 */

struct ledger;
struct move_queue;

/* The folder must be there. */
struct ledger *ledger_init(const char *dir, struct move_queue *queue);
/* Writes what isn't yet. */
void ledger_deinit(struct ledger **ledger);

/* Tell the queue what it knows. Returns 1, 0 when there's none, -1 with an error:
   it may have told some of it. */
int ledger_read(struct ledger *ledger, time_t now, const char **error_r);

/* Something changed: it's written within seconds, or when it's worth it. */
void ledger_changed(struct ledger *ledger, bool soon);

#endif
