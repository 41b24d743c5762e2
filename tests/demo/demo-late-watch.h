/*
 * demo-late-watch: a client that idles in INBOX on the new server, and notes
 * when each late mail is seen there
 *
 * One thread at a time.
 */
#ifndef DEMO_LATE_WATCH_H
#define DEMO_LATE_WATCH_H

#include "demo.h"

struct late_watch {
	struct demo_user *user;
	struct imap_client *client;
};

/* For the first time before anything is sent. False after demo_problem(). */
bool late_watch_open(struct late_watch *watch, struct demo_user *user);
void late_watch_close(struct late_watch *watch);

/* Until all of user->late that was accepted has been seen; false after
   demo_problem() when that isn't so after a minute. */
bool late_watch_wait(struct late_watch *watch);

#endif
