#ifndef MAILBOX_DURABLE_H
#define MAILBOX_DURABLE_H

/*
 * mailbox-durable: makes what was committed in a local mailbox survive a power
 * cut, whatever mail_fsync is: with one syncfs(2) for each file system when
 * messages changed, by fsync of Dovecot's own files when only these did.
 */

struct mailbox;

/* The mailbox is open. Returns 0, -1 with an error. */
int mailbox_durable(struct mailbox *box, bool messages, const char **error_r);

/* The messages of them all, and the file system of dir. */
int mailboxes_durable(struct mailbox *const *boxes, unsigned int count,
		      const char *dir, const char **error_r);

#endif
