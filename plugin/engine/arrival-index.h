#ifndef ARRIVAL_INDEX_H
#define ARRIVAL_INDEX_H

/*
 * arrival-index: which mails are or were in the user's local mailboxes, by their
 * identity (mail-identity.h), wherever Sieve or the user has put them since.
 *
 * <migration_dir>/arrivals: the mails (arrival-records.h), and how far the
 * mailboxes were noted (arrival-noted.h). It is a cache: lost or damaged it is
 * made anew, but for mails that their users have expunged meanwhile. A mail is
 * known until it has been gone for 30 days, and the file loses the others when
 * it has doubled, or after ten days. The records are read when they are first
 * needed: a look at mailboxes that have nothing new doesn't need them.
 *
 * The caller has lease_catchup().
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
/* What wasn't synced may be lost. */
void arrival_index_close(struct arrival_index **index);
/* NULL: tags aren't believed. */
const struct arrival_key *arrival_index_key(struct arrival_index *index);

/* Note what the local mailbox has and isn't noted yet: messages received (saved,
   where that isn't known) since then, 0: all. Mailboxes whose authority is the
   old server, and those that aren't there, are left out; a message that can't be
   read as well, with a warning. Cheap when its UIDNEXT is as it was. Returns 0,
   -1 with an error. */
int arrival_index_note(struct arrival_index *index, const char *vname,
		       time_t since, const char **error_r);
/* The same for all of the user's mailboxes; the error is that of the first. */
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
   message that was found. When the records can't be read that is logged, and no
   mail is known: better twice than never. */
enum arrival_match
arrival_index_find(struct arrival_index *index, const char *vname,
		   const struct mail_identity *identity, guid_128_t guid_r);

#endif
