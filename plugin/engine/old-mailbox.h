#ifndef OLD_MAILBOX_H
#define OLD_MAILBOX_H

/*
 * old-mailbox: one mailbox of the old server, opened for reading.
 *
 * EXAMINE (RFC 3501 6.3.2), or SELECT where EXAMINE lies, with CONDSTORE
 * where the server has it (RFC 7162).
 */

#include "old-client.h"

struct old_mailbox {
	uint32_t uid_validity;
	uint32_t uid_next;
	uint32_t messages;
	/* HIGHESTMODSEQ, 0 where the mailbox has no MODSEQs */
	uint64_t modseq;
	/* VANISHED can be asked for */
	bool qresync;
};

/* Returns 0, -1 with an error (MAIL_ERROR_NOTFOUND when it isn't there). */
int old_mailbox_open(struct old_client *client, const char *old_name,
		     struct old_mailbox *mailbox_r,
		     enum mail_error *error_code_r, const char **error_r);

/* The UIDs of all messages that are in the open mailbox now. */
int old_mailbox_uids(struct old_client *client,
		     ARRAY_TYPE(seq_range) *uids_r,
		     enum mail_error *error_code_r, const char **error_r);

#endif
