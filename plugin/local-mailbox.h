#ifndef LOCAL_MAILBOX_H
#define LOCAL_MAILBOX_H

/*
 * local-mailbox: a mailbox that was cut over, as long as a rollback may take it
 * back: it holds its lease, and is given up when that is recalled. Nothing else
 * of it is ours.
 */

#include "mail-storage-private.h"
#include "session-drain.h"

struct migration_user;
struct redirect_decision;

/* From the mailbox_allocated hook; takes over the decision's lease. */
void local_mailbox_init(struct migration_user *muser, struct mailbox *box,
			struct redirect_decision *decision);

/* Would this transaction change messages? */
bool local_transaction_writes(struct mailbox_transaction_context *t);
/* Fail a write to it, because it was given up. Returns -1. */
int local_mailbox_refuse(struct session_hold *hold);

#endif
