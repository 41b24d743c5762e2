#ifndef WORKER_PAUSE_H
#define WORKER_PAUSE_H

/*
 * worker-pause: the user's worker has no local copy open while folders are
 * deleted or renamed here.
 *
 * To be asked before the folder tree's lease is taken, for which the worker may
 * be waiting.
 */

#include <stdbool.h>

struct mailbox;
struct migration_user;

/* Does nothing where neither the mailbox nor one below it is mirrored. Returns
   1 when it was paused, 0 when there was no need, -1 with the box' error. */
int worker_pause(struct migration_user *muser, struct mailbox *box);
/* With what worker_pause() has returned. */
void worker_resume(struct migration_user *muser, int paused);

#endif
