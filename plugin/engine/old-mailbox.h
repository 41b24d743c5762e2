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

/* The UIDs of all messages that are in the open mailbox now. */
int old_mailbox_uids(struct old_client *client,
		     ARRAY_TYPE(seq_range) *uids_r,
		     enum mail_error *error_code_r, const char **error_r);

#endif
