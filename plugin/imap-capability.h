#ifndef IMAP_CAPABILITY_H
#define IMAP_CAPABILITY_H

/*
 * imap-capability: CONDSTORE and QRESYNC (RFC 7162) aren't offered, nor
 * enabled, to clients of a user who has a mailbox at the old server (I2).
 *
 * MODSEQs of the two servers differ: a client that meets now the one and now
 * the other would miss changes. Does nothing but in an imap process.
 */

void imap_capability_init(void);
void imap_capability_deinit(void);

#endif
