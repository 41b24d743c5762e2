#ifndef DELIVER_PROTOCOL_H
#define DELIVER_PROTOCOL_H

/*
 * deliver-protocol: what is said to migration-deliver, which delivers late mail
 * as LMTP would.
 *
 * It is started by connecting to the service socket
 * <base_dir>/migration-deliver and saying VERSION and USER
 * (service/user-service.h). When that is answered by OK, mails may be sent, one
 * after the other, each answered by one line:
 *
 *   DELIVER <guid> <size> <date> <tz_offset> <flags> <uidl> <from> <to> <begun>
 *       as any delivery: into INBOX, with Sieve
 *   SAVE <mailbox> <guid> ...
 *       into that mailbox; the rest as above
 *
 *   OK                            it is delivered, and durable
 *   NO <mail_error> <sentence>    it may be in some mailboxes already
 *
 * Words are separated by TAB and escaped as str_tabescape() does. The file with
 * the mail's bytes goes along with the first byte of the line (SCM_RIGHTS).
 * guid is 32 hex digits; flags are as in IMAP, without parentheses; uidl, from
 * and to may be empty. See engine/late-deliver.h for what they mean.
 *
 * Deliveries of a user follow one another: lease_deliver(). A mail whose asker
 * has gone before it is its turn isn't delivered.
 */

#define DELIVER_PROTOCOL_NAME "migration-deliver"
#define DELIVER_PROTOCOL_MAJOR 1
#define DELIVER_PROTOCOL_MINOR 0
/* in base_dir */
#define DELIVER_SERVICE_SOCKET "migration-deliver"
/* longest line: mails may have many keywords */
#define DELIVER_MAX_LINE (1024 * 1024)

#endif
