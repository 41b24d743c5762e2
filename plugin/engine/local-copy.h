#ifndef LOCAL_COPY_H
#define LOCAL_COPY_H

/*
 * local-copy: the local mailbox that is being filled, opened behind the
 * redirect's back and exempt from quota, ACL and notifications.
 *
 * Group commit: nothing is fsynced message by message. What was saved,
 * changed or expunged is durable when local_copy_commit() has returned 0, and
 * not before.
 */

#include "inventory.h"

struct migration_user;
struct delta;
struct mailbox;
struct mailbox_update;
struct istream;
struct local_copy;

/* A transaction as it lies in a mailbox's transaction log. */
struct local_copy_log_area {
	uint32_t seq;
	uoff_t offset;
	unsigned int length;
};

struct local_copy_status {
	uint32_t uid_validity;
	uint32_t uid_next;
	uint32_t messages;
};

/* Returns 0, -1 with an error. */
int local_copy_open(struct migration_user *muser, const char *vname,
		    struct local_copy **copy_r, const char **error_r);
/* What wasn't committed is rolled back. */
void local_copy_close(struct local_copy **copy);
struct mailbox *local_copy_box(struct local_copy *copy);
/* Does the store keep CR LF (mail_save_crlf)? */
bool local_copy_saves_crlf(struct local_copy *copy);
void local_copy_status(struct local_copy *copy,
		       struct local_copy_status *status_r);

/* See what changed since it was opened. Returns 0, -1 with an error. */
int local_copy_sync(struct local_copy *copy, const char **error_r);
/* Give an empty mailbox the old one's UIDVALIDITY. */
int local_copy_set_uid_validity(struct local_copy *copy, uint32_t uid_validity,
				const char **error_r);
/* Remove files of messages that a crash kept out of the index: sdbox would fail
   to save another under the same UID. Returns 0, -1 with an error. */
int local_copy_remove_strays(struct local_copy *copy, const char **error_r);
/* As mailbox_update(). */
int local_copy_update(struct local_copy *copy,
		      const struct mailbox_update *update, const char **error_r);
/* Delete and make it anew, empty: the only way to add a UID below UIDNEXT. */
int local_copy_recreate(struct local_copy *copy, const char **error_r);

/* UIDs, flags and keywords of all messages; no dates, no sizes. */
void local_copy_inventory(struct local_copy *copy, struct inventory *inventory);

/* The same for those messages alone that are in wanted as well. */
void local_copy_inventory_of(struct local_copy *copy,
			     const struct inventory *wanted,
			     struct inventory *inventory);
/* The same for those with these UIDs. */
void local_copy_inventory_of_uids(struct local_copy *copy,
				  const ARRAY_TYPE(seq_range) *uids,
				  struct inventory *inventory);
/* UIDs of all messages. */
void local_copy_uids(struct local_copy *copy, ARRAY_TYPE(seq_range) *uids);

/* Save one message under item's UID, which must be at least UIDNEXT and above
   all that were saved since. continue: read what input has now. finish must
   follow when input has reached its end, else cancel. */
int local_copy_save_begin(struct local_copy *copy,
			  const struct inventory_item *item,
			  struct istream *input, const char **error_r);
int local_copy_save_continue(struct local_copy *copy, const char **error_r);
int local_copy_save_finish(struct local_copy *copy, const char **error_r);
void local_copy_save_cancel(struct local_copy *copy);
/* Was the last save cancelled? A commit would lose the files of all others
   then: dbox takes the failure for that of the transaction. */
bool local_copy_must_rollback(struct local_copy *copy);
/* Forget what was saved since the last commit. */
void local_copy_rollback(struct local_copy *copy);

/* Save a message that another copy has, the same way: one step for the three. */
int local_copy_save_from(struct local_copy *copy,
			 const struct inventory_item *item,
			 struct local_copy *source, uint32_t source_uid,
			 const char **error_r);

/* Set flags and keywords of these UIDs as they are in old, in one transaction.
   Returns 0, -1 with an error. area_r may be NULL. */
int local_copy_set_flags(struct local_copy *copy, const struct inventory *old,
			 const ARRAY_TYPE(seq_range) *uids,
			 struct local_copy_log_area *area_r,
			 const char **error_r);
/* Expunge what delta says, and set the flags of the changed as they are in
   old. */
int local_copy_apply(struct local_copy *copy, const struct inventory *old,
		     const struct delta *delta, const char **error_r);

/* Make the mailbox durable with all that belongs to it, at the next commit. */
void local_copy_want_all_durable(struct local_copy *copy);
/* What is committed needn't be durable before local_copy_make_durable(). */
void local_copy_set_lazy(struct local_copy *copy);
/* It becomes durable together with others: their caller sees to that. */
void local_copy_set_deferred(struct local_copy *copy);
/* Commit and make durable: with one syncfs when messages changed, by fsync of
   the index files when only these did. On failure what isn't committed is gone. */
int local_copy_commit(struct local_copy *copy, const char **error_r);
/* What is committed. Returns 0, -1 with an error. */
int local_copy_make_durable(struct local_copy *copy, const char **error_r);

#endif
