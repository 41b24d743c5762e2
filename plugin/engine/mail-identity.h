#ifndef MAIL_IDENTITY_H
#define MAIL_IDENTITY_H

/*
 * mail-identity: which mail a message is, however it came here.
 *
 * The same mail that came to both servers differs in what relays add: Received,
 * Return-Path, DKIM-Signature, X-..., the order and folding of headers. What
 * stays: Message-ID, From, Date, Subject, List-Id and the body but for its line
 * ends and empty lines at its end. Two mails that share a Message-ID differ in
 * the digest.
 *
 * Computed from a stream; nothing here logs, and every input may be hostile.
 */

#include "guid.h"

struct istream;
struct arrival_key;

#define MAIL_IDENTITY_HASH_SIZE 16

struct mail_identity {
	/* a Message-ID was there */
	bool has_message_id;
	/* it came by SMTP: it has a Received header; else a client saved it */
	bool arrived;
	/* it has an arrival tag that verifies (common/arrival-tag.h) */
	bool tagged;
	/* marked as spam by headers: X-Spam-Flag: YES, X-Spam-Status: Yes... */
	bool spam;
	/* SHA-256, its first half: of the Message-ID; of what stays (above); of
	   the tag's at, host, id and t */
	unsigned char message_id[MAIL_IDENTITY_HASH_SIZE];
	unsigned char digest[MAIL_IDENTITY_HASH_SIZE];
	unsigned char tag[MAIL_IDENTITY_HASH_SIZE];
	/* the Message-ID as it is written, for reports; in the data stack, "" for
	   none; valid UTF-8 isn't promised */
	const char *message_id_text;
};

/* Reads input to its end. key NULL: tags aren't looked at. Returns 0, -1 with an
   error when the stream fails. */
int mail_identity_get(struct istream *input, const struct arrival_key *key,
		      struct mail_identity *identity_r, const char **error_r);

#endif
