/*
 * late-mail: mails for migration-deliver, as catch-up gives them to it, and
 * what became of them
 *
 * Fails aloud, as in case.h. Strings are static and valid until the next call.
 */
#ifndef LATE_MAIL_H
#define LATE_MAIL_H

#include "asker.h"

struct late_mail {
	/* of its Message-ID, without <>; makes its GUID */
	const char *id;
	/* NULL: deliver */
	const char *save_into;
	/* one more header line, with CRLF; "" and NULL for none */
	const char *header;
	/* envelope; NULL for "" */
	const char *from, *to;
	/* unix seconds; 0: not begun */
	long begun;
};

/* What all of them have. */
#define LATE_DATE 1700000000
#define LATE_FLAGS "\\Seen $Late"
/* followed by the id */
#define LATE_UIDL "old-"

/* A deliverer; NULL unless it says OK. */
struct asker *late_mail_asker(unsigned int user, const char **line_r);
/* Without waiting for the answer. */
void late_mail_say(struct asker *asker, const struct late_mail *mail);
/* Gives it to a deliverer of its own. The answer; "lost" when that died. */
const char *late_mail_give(unsigned int user, const struct late_mail *mail);
/* Asserts OK. */
bool late_mail_ok(unsigned int user, const struct late_mail *mail);

/* How many mails with that id the mailbox has. */
unsigned int late_mail_count(unsigned int user, const char *mailbox,
			     const char *id);
/* Asserts that it's there once, with all that it's to keep; and with this flag,
   "" for none. */
bool late_mail_kept(unsigned int user, const char *mailbox, const char *id,
		    const char *flag);
/* The user's script. */
bool late_mail_sieve(unsigned int user, const char *script);
/* 32 hex digits; static. */
const char *late_mail_guid(const char *id);

#endif
