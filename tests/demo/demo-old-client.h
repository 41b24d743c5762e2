/*
 * demo-old-client: a mail program that still reaches the old server
 *
 * Its settings, or its DNS, are stale. After the cutover it flags a mail there,
 * moves one, and deletes one. At the new server the first two are to be
 * followed, and the last isn't: what is deleted on an old server never is here
 * of itself.
 */
#ifndef DEMO_OLD_CLIENT_H
#define DEMO_OLD_CLIENT_H

#include "demo.h"

struct old_client {
	/* In a folder that nobody else changes, the same UIDs on both servers;
	   in user->ids_after. NULL: the folder has none to take. */
	const struct message_place *flagged, *moved, *deleted;
};

/* Does that; nothing when the folder has too few mails. False after
   demo_problem(). */
bool old_client_work(struct old_client *client, struct demo_user *user);
/* Waits until the new server has followed; false after demo_problem(), when it
   hasn't within a minute. */
bool old_client_wait(const struct old_client *client, struct demo_user *user);

#endif
