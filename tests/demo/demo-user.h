/*
 * demo-user: the mail programs of a user at work on the new server
 *
 * The client appends, flags, moves, expunges, reads and idles without a break
 * and keeps a journal of what was acknowledged. When its connection ends in
 * the middle of a write, it logs in again and looks whether the write was
 * done. The watcher is a second program that only idles on INBOX.
 *
 * A NO, a BAD and a lost connection are errors. A BYE that tells of the move
 * isn't, when logging in again works at once.
 */
#ifndef DEMO_USER_H
#define DEMO_USER_H

#include "demo.h"

/* Threads: until the work ends. context: struct demo_user. */
void *demo_client_thread(void *context);
void *demo_watcher_thread(void *context);

#endif
