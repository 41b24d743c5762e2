#ifndef LATE_FIND_H
#define LATE_FIND_H

/*
 * late-find: does a mailbox have a late mail already, from a delivery that
 * didn't come to its end?
 *
 * A local mailbox tells by the GUID of late_mail_guid(); only messages are
 * looked at that were saved since that delivery was begun. One that Sieve has
 * filled and that is still the old server's keeps no GUID: there the bytes
 * decide.
 */

struct late_mail;
struct mail;
struct mailbox;

/* src: the mail that is to be saved. The mailbox may have open transactions:
   another object is opened. Returns 1, 0, -1 with the storage's error set. */
int late_find(struct mailbox *box, const struct late_mail *late,
	      struct mail *src);

#endif
