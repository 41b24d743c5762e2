#ifndef ARRIVAL_INDEX_H
#define ARRIVAL_INDEX_H

/*
 * arrival-index: which mails are or were in the user's local mailboxes, by their
 * identity (mail-identity.h), wherever Sieve or the user has put them since.
 *
 * <migration_dir>/arrivals: a header and records of fixed size, appended; an
 * incomplete one at the end is cut off. It is a cache: lost or damaged it is made
 * anew, but for mails that their users have expunged meanwhile. Old records go
 * when it has doubled.
 */

#include "mail-identity.h"

struct migration_user;
struct arrival_index;

enum arrival_match {
	ARRIVAL_UNKNOWN,
	/* the arrival tag's id */
	ARRIVAL_BY_TAG,
	/* Message-ID and digest */
	ARRIVAL_BY_DIGEST,
};

/* Returns 0, -1 with an error. Keys of tags are from migration_key_file; one that
   can't be read is logged once, and tags aren't believed. */
int arrival_index_open(struct migration_user *muser,
		       struct arrival_index **index_r, const char **error_r);
void arrival_index_close(struct arrival_index **index);
const struct arrival_key *arrival_index_key(struct arrival_index *index);

/* Note what the local mailbox has and isn't noted yet: messages received (saved,
   where that isn't known) since then, 0: all. Mailboxes whose authority is the
   old server, and those that aren't there, are left out. Cheap when its UIDNEXT
   is as it was. Returns 0, -1 with an error. */
int arrival_index_note(struct arrival_index *index, const char *vname,
		       time_t since, const char **error_r);
/* The same for all of the user's mailboxes. */
int arrival_index_note_all(struct arrival_index *index, time_t since,
			   const char **error_r);
/* A mail that isn't in a local mailbox yet. */
void arrival_index_add(struct arrival_index *index, const char *vname,
		       const guid_128_t guid,
		       const struct mail_identity *identity);
/* Make durable what was noted. Returns 0, -1 with an error. */
int arrival_index_sync(struct arrival_index *index, const char **error_r);

/* Is there such a mail? Two that arrived (identity->arrived) match wherever they
   are; one that a client saved only in the mailbox of that name. guid_r: of the
   message that was found. Without a Message-ID the digest alone decides. */
enum arrival_match
arrival_index_find(struct arrival_index *index, const char *vname,
		   const struct mail_identity *identity, guid_128_t guid_r);

#endif
