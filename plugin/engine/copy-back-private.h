#ifndef COPY_BACK_PRIVATE_H
#define COPY_BACK_PRIVATE_H

/*
 * copy-back-private: what the files of copy-back and rollback share. copy-back.c
 * has the procedure, copy-back-append.c the messages, copy-back-find.c looks for
 * them on the old server, copy-back-flags.c the flags. Functions that return int
 * give -1 with cb->error and cb->error_code set.
 */

#include "copy-back.h"
#include "copy-pairs.h"
#include "inventory.h"
#include "late-places.h"
#include "mailbox-state.h"
#include "old-mailbox.h"

struct mail;
struct local_copy;

struct copy_back_settings {
	struct migration_user *muser;
	struct old_client *client;
	const char *vname, *old_name;
	/* All that is here and not there, not only what came since the cutover;
	   \Deleted too. */
	bool rollback;
	/* Look, and change nothing. */
	bool plan;
	/* rollback: mailboxes whose late mail clients see there again, when this
	   one is rolled back */
	const ARRAY_TYPE(const_string) *others;
	/* rollback: of all of them, before the first one's are forgotten */
	struct late_places *places;
};

struct copy_back {
	const struct copy_back_settings *set;
	struct baseline *baseline;
	struct copy_back_result *result;
	pool_t pool;

	struct mailbox_state_file state;
	struct old_mailbox mailbox;
	/* plan: the old server hasn't got it */
	bool gone;
	/* the baseline was of another one of that name */
	bool replaced;
	/* as the old server opened it: messages below the floor have their UIDs
	   there */
	bool same_uids;
	struct local_copy *copy;
	struct inventory local;
	/* in the old mailbox when it was opened, and since */
	ARRAY_TYPE(seq_range) old_uids;
	struct copy_pairs pairs;
	/* Nothing is remembered, and there are messages that copy-back made. */
	bool pairs_lost;
	/* NULL before it is needed; its own, unless the settings have them */
	struct late_places *places;

	/* messages that the old server refuses */
	unsigned int refused;
	enum mail_error error_code;
	/* in the pool */
	const char *error;
};

/* copy-back.c */
/* Both mailboxes open. The local one must be local. */
int copy_back_open(struct copy_back *cb, const struct copy_back_settings *set,
		   struct baseline *baseline, struct copy_back_result *result);
void copy_back_close(struct copy_back *cb);
/* Again, on a new connection or to see what is new. */
int copy_back_select(struct copy_back *cb);
/* All of it. */
int copy_back_run(struct copy_back *cb);
int copy_back_fail(struct copy_back *cb, enum mail_error error_code,
		   const char *error);
/* Durably. */
int copy_back_remember(struct copy_back *cb);
/* The UID of a local message on the old server, 0: it hasn't got one. */
uint32_t copy_back_old_uid(const struct copy_back *cb, uint32_t local_uid);
/* Flags that the old server can keep, and that it is to have. */
enum mail_flags copy_back_flags_mask(const struct copy_back *cb);

/* copy-back-find.c */
/* Messages with these bytes among those of the old server that are nobody's yet,
   from first_uid on. *uids_r gets a UID for each, 0: it isn't there. */
int copy_back_find(struct copy_back *cb, const ARRAY_TYPE(copy_intent) *wanted,
		   uint32_t first_uid, ARRAY_TYPE(uint32_t) *uids_r);
/* What was under way: pairs for what got there. Returns 1, 0 when the rest could
   still come, -1. */
int copy_back_find_intents(struct copy_back *cb);

/* copy-back-append.c */
/* Local messages that aren't there. */
int copy_back_missing(struct copy_back *cb, ARRAY_TYPE(seq_range) *uids_r);
int copy_back_append(struct copy_back *cb, const ARRAY_TYPE(seq_range) *uids);
/* local_uid is there as old_uid, with these flags. */
void copy_back_add(struct copy_back *cb, uint32_t local_uid, uint32_t old_uid);
/* Digest of the bytes that IMAP shows. Returns 1, 0 when it is gone, -1. */
int copy_back_digest(struct copy_back *cb, struct mail *mail,
		     struct message_digest *digest_r);

/* copy-back-flags.c */
int copy_back_flags(struct copy_back *cb);

#endif
