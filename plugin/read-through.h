#ifndef READ_THROUGH_H
#define READ_THROUGH_H

/*
 * read-through: bodies that are here already are read from here.
 *
 * A message of a UID never changes (RFC 9051 2.3.1.1), so of a redirected
 * mailbox whose local copy is being filled, messages up to the durable UID are
 * opened locally: their streams, headers, structures, sizes and dates. Flags
 * and existence are the old server's. Whatever doesn't work out here goes to
 * the old server as before.
 */

struct mail;
struct redirected_mailbox;
struct read_through;

/* The local copy behind a redirected mailbox, opened when first needed. */
struct read_through *read_through_init(struct redirected_mailbox *rbox);
void read_through_deinit(struct read_through **rt);

/* From the mail_allocated hook, for a mail of a redirected mailbox. */
void read_through_mail_allocated(struct mail *mail);

#endif
