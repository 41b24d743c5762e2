#ifndef MIRRORED_TRANSACTION_H
#define MIRRORED_TRANSACTION_H

/*
 * mirrored-transaction: changes to mails of mirrored mailboxes.
 *
 * The transaction goes on as it would in any local mailbox, and what it wants
 * is recorded. Its commit sends that to the worker as one WRITE. When the old
 * server and the copy have it, the transaction itself is taken back, but for
 * what it has learnt for the cache, and the next sync shows what the worker
 * did. If the mailbox is local by then it is committed.
 */

struct mail;
struct mailbox_vfuncs;

/* Override what is ours. */
void mirrored_transaction_init(struct mailbox_vfuncs *v);
/* An internal mail_allocated hook's part, for mails of mirrored mailboxes. */
void mirrored_mail_init(struct mail *mail);

#endif
