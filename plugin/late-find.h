#ifndef LATE_FIND_H
#define LATE_FIND_H

/*
 * late-find: does a mailbox have a late mail already, from a delivery that didn't
 * come to its end?
 *
 * It has the GUID of late_mail_guid(). Only messages are looked at that were
 * saved since that delivery was begun.
 */

struct late_mail;
struct mailbox;

/* The mailbox may have open transactions: another object is opened. Returns 1, 0,
   -1 with the storage's error set. */
int late_find(struct mailbox *box, const struct late_mail *mail);

#endif
