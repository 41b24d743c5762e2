/*
 * case-mail: one message as a server shows it, to compare with what another one
 * shows
 *
 * Asking fails aloud, as in case.h; a message that isn't there has UID 0.
 * Instants are seconds since 1970, sizes bytes.
 */
#ifndef CASE_MAIL_H
#define CASE_MAIL_H

#include "case.h"

struct case_mail {
	uint32_t uid;
	/* Sorted, separated by a space, without \Recent. */
	char flags[400];
	time_t instant;
	uint64_t size;
	/* Of its bytes. */
	uint64_t hash;
};

/* In the mailbox that is selected. Untagged responses so far are forgotten. */
void case_mail_see(struct imap_client *client, uint32_t uid,
		   struct case_mail *mail_r);
/* The same in a mailbox that is selected for it, read-only. */
void case_mail_look(struct imap_client *client, const char *mailbox,
		    uint32_t uid, struct case_mail *mail_r);
/* The one with this Message-ID (without <>). More than one is a failure. */
uint32_t case_mail_find(struct imap_client *client, const char *mailbox,
			const char *id);
/* Asserts that all but the UIDs is equal, and that both are there. */
bool case_mail_same(const struct case_mail *a, const struct case_mail *b,
		    const char *what);

/* The members of FLAGS as in struct case_mail; static. */
const char *case_mail_flags(const struct imap_arg *flag);

#endif
