#ifndef LATE_SAVE_H
#define LATE_SAVE_H

/*
 * late-save: what is kept of a late mail, in whatever mailboxes it is saved.
 *
 * While a late mail is delivered, every mailbox that is opened for deliveries
 * (MAILBOX_FLAG_POST_SESSION: by lib-lda, by Sieve, by the deliverer itself)
 * gives its copy the GUID, the date, the flags and the POP3 UIDL of the mail,
 * beside what Sieve sets, and is durable when the transaction is committed.
 * With late_mail.begun a mailbox that has the mail already is left out: to the
 * caller it looks as if it had been saved.
 *
 * Our hook is the outermost of all plugins': what is left out is seen by none.
 */

#include "engine/late-deliver.h"

struct late_save;
struct migration_user;

/* The mail must live until late_save_end(). One at a time. */
struct late_save *
late_save_begin(struct migration_user *muser, const struct late_mail *mail);
void late_save_end(struct late_save **save);

/* The mailbox_opened hook. */
void late_save_mailbox_opened(struct mailbox *box);

#endif
