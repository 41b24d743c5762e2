#ifndef PROXY_TRANSACTION_H
#define PROXY_TRANSACTION_H

/*
 * proxy-transaction: changes to mails of redirected mailboxes.
 *
 * What a transaction wants of flags, keywords and expunges is recorded; its
 * commit does it on the old server first, and only when that has confirmed it
 * does the index have it, as a change that was already synced. Otherwise
 * the commit fails with the old server's reason and leaves no trace here.
 */

struct mail;
struct mailbox_vfuncs;

/* Override what is ours. */
void proxy_transaction_init(struct mailbox_vfuncs *v);
/* The mail_allocated hook's part, for mails of redirected mailboxes. */
void proxy_mail_init(struct mail *mail);

#endif
