#ifndef OLD_MAILBOX_H
#define OLD_MAILBOX_H

/*
 * old-mailbox: one mailbox of the old server, opened.
 *
 * EXAMINE (RFC 3501 6.3.2) to read, or SELECT where EXAMINE lies, with CONDSTORE
 * where the server has it (RFC 7162).
 */

#include "mail-types.h"
#include "old-client.h"

struct old_mailbox {
	uint32_t uid_validity;
	uint32_t uid_next;
	uint32_t messages;
	/* HIGHESTMODSEQ, 0 where the mailbox has no MODSEQs */
	uint64_t modseq;
	/* VANISHED can be asked for */
	bool qresync;
	/* PERMANENTFLAGS: what a client can change, and whether it may make
	   keywords */
	enum mail_flags permanent_flags;
	bool new_keywords;
};

/* write: SELECT it. Returns 0, -1 with an error (MAIL_ERROR_NOTFOUND when it
   isn't there). */
int old_mailbox_open(struct old_client *client, const char *old_name,
		     bool write, struct old_mailbox *mailbox_r,
		     enum mail_error *error_code_r, const char **error_r);

/* The same for one of many in flight. */
struct old_mailbox_opening {
	struct old_mailbox mailbox;
	/* answered with OK, and all is known that old_mailbox_open() tells */
	bool ok;
	/* answered; or NULL */
	void (*opened)(void *context);
	void *context;
};
/* Connect, and say what every mailbox is to be opened with. */
int old_mailbox_prepare(struct old_client *client,
			enum mail_error *error_code_r, const char **error_r);
/* Only to read. opening must last until it is answered. */
void old_mailbox_open_send(struct old_client *client, const char *old_name,
			   struct old_mailbox_opening *opening);

/* The UIDs of all messages that are in the open mailbox now. */
int old_mailbox_uids(struct old_client *client,
		     ARRAY_TYPE(seq_range) *uids_r,
		     enum mail_error *error_code_r, const char **error_r);

#endif
