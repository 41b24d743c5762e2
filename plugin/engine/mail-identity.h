#ifndef MAIL_IDENTITY_H
#define MAIL_IDENTITY_H

/*
 * mail-identity: which mail a message is, however it came here.
 *
 * The same mail that came to both servers differs in what relays add: Received,
 * Return-Path, DKIM-Signature, X-..., a missing Message-ID, the order and folding
 * of headers, encoded words (RFC 2047), transfer encodings. What stays is From,
 * Date, Subject and List-Id, the first of each with a value, of the mail and of
 * those attached to it, and what its parts say (part-digest.h). Two mails that
 * share a Message-ID differ in that. To and Cc aren't looked at: some relays
 * rewrite them, and a mail to two addresses of a user is one.
 *
 * Computed from a stream of any size in constant memory; 32 kB are read of a
 * header. Nothing here logs, and every input may be hostile.
 */

#include "guid.h"

struct istream;
struct arrival_key;

#define MAIL_IDENTITY_HASH_SIZE 16

struct mail_identity {
	/* a Message-ID was there; a Date that can be read */
	bool has_message_id, has_date;
	/* it came by SMTP: it has a Received header; else a client saved it */
	bool arrived;
	/* it has an arrival tag that verifies (common/arrival-tag.h) */
	bool tagged;
	/* marked as spam by headers: X-Spam-Flag: YES, X-Spam-Status: Yes... */
	bool spam;
	/* SHA-256, its first half: of the Message-ID; of what stays (above); of
	   the tag's at, host, id and t. Zeros where there is none. */
	unsigned char message_id[MAIL_IDENTITY_HASH_SIZE];
	unsigned char digest[MAIL_IDENTITY_HASH_SIZE];
	unsigned char tag[MAIL_IDENTITY_HASH_SIZE];
	/* the Message-ID as it is written, for reports; in the data stack, "" for
	   none; valid UTF-8 isn't promised */
	const char *message_id_text;
};

/* Reads input, which blocks, to its end. key NULL: tags aren't looked at. Returns
   0, -1 with an error when the stream fails. */
int mail_identity_get(struct istream *input, const struct arrival_key *key,
		      struct mail_identity *identity_r, const char **error_r);

/* Are they one mail? Without a Message-ID in one of them the digest alone tells;
   and only when they have a Date, or all that some device ever sends would be
   one mail. Tags aren't looked at. */
bool mail_identity_same(const struct mail_identity *a,
			const struct mail_identity *b);

#endif
