/*
 * faulty-deliver: a deliverer to which harm is done at a certain call, as
 * fault-at.c has it
 *
 * Fails aloud, as in case.h.
 */
#ifndef FAULTY_DELIVER_H
#define FAULTY_DELIVER_H

#include <stdbool.h>

/* The new server starts the lab's deliverer with the fault from now on; more:
   its other settings. Restarts it. */
bool faulty_deliver_init(const char *more);
/* Of deliverers that are started from now on, as "kill any 12"; "" for none. */
bool faulty_deliver_set(const char *fault);
/* A lock of Maildir's that was made and doesn't say yet whose it is: Dovecot
   waits two minutes before it removes it. Call it when somebody was killed. */
bool faulty_deliver_unlock(unsigned int user);

#endif
