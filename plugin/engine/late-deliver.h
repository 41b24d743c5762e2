#ifndef LATE_DELIVER_H
#define LATE_DELIVER_H

/*
 * late-deliver: gives late mail to the deliverer (deliver/deliver-protocol.h): the
 * service migration-deliver, which delivers as LMTP would (lib-lda, Sieve, the
 * plugins and settings of protocol lmtp), and keeps date, flags and UIDL.
 *
 * Each mail has a GUID that its place on the old server makes: by it a mail that
 * was delivered before a crash is known in whatever mailbox it was put.
 */

#include "guid.h"
#include "mail-error.h"

struct migration_user;
struct late_deliver;

struct late_mail {
	/* NULL: deliver it (INBOX, Sieve); else save it into this mailbox */
	const char *save_into;
	guid_128_t guid;
	/* its bytes, as IMAP shows them, from the file's beginning */
	int fd;
	uoff_t size;
	/* INTERNALDATE, UTC, and minutes */
	time_t date;
	int tz_offset;
	/* e.g. "\\Seen $Done", "" for none; never \Recent, \Deleted is kept */
	const char *flags;
	/* what the old server's POP3 shows, NULL: not known */
	const char *pop3_uidl;
	/* envelope; "" for the null sender */
	const char *from, *to;
	/* It may have been delivered before: mailboxes that have its GUID among
	   messages saved since then (unix seconds) aren't given it again. 0: it
	   wasn't. */
	time_t begun;
};

struct late_deliver *late_deliver_init(struct migration_user *muser);
void late_deliver_deinit(struct late_deliver **deliver);

/* GUID of the message with that place on the old server; resets: of its mailbox'
   baseline. */
void late_mail_guid(const char *username, const char *vname,
		    uint32_t uid_validity, uint32_t resets, uint32_t uid,
		    guid_128_t guid_r);

/* Blocks until it is delivered, and durable. Returns 0, also when Sieve discarded
   or forwarded it; -1 with an error: it may be in some mailboxes already, ask
   again with begun set. No mail is ever bounced. */
int late_deliver(struct late_deliver *deliver, const struct late_mail *mail,
		 enum mail_error *error_code_r, const char **error_r);

/* When nothing of a deliverer that was started for the user before is under way
   any more (a process that asked it may have been killed). Returns 0, -1 with an
   error when that isn't so after a minute. */
int late_deliver_settle(struct late_deliver *deliver, const char **error_r);

#endif
