#ifndef FILL_PRIVATE_H
#define FILL_PRIVATE_H

/*
 * fill-private: what the files of fill share. fill.c has the procedure,
 * fill-copy.c the mailbox on both sides and its state, fill-look.c what is to
 * be done, fill-move.c does it. Functions that return int give -1 with
 * fill->error and fill->error_code set.
 */

#include "delta.h"
#include "fill.h"
#include "inventory.h"
#include "mailbox-state.h"
#include "old-mailbox.h"

struct body_fetch_settings;
struct digest_file;
struct local_copy;

struct fill_failure {
	uint32_t uid;
	const char *reason;
};

struct fill {
	const struct fill_settings *set;
	struct fill_result *result;
	pool_t pool;

	/* the copy was kept open */
	bool was_kept;
	struct mailbox_state_file state;
	/* as it was read or written last; not while nothing is kept */
	struct mailbox_state_file written;
	struct old_mailbox mailbox;
	struct local_copy *copy;
	struct digest_file *digests;

	struct inventory_keywords *keywords;
	struct inventory old, local;
	/* old has all messages */
	bool complete;
	/* old has the dates of all its messages */
	bool dated;
	struct delta delta;
	/* of the file that was read for it */
	size_t own_expunges_size;

	/* messages that can't be had; why those of this look can't, and why the
	   first one of all can't */
	ARRAY_TYPE(seq_range) bad;
	ARRAY(struct fill_failure) failures;
	const char *bad_reason;
	/* given up by the administrator */
	ARRAY_TYPE(seq_range) without;
	/* messages in the copy whose bytes aren't quite those of the wire */
	ARRAY_TYPE(seq_range) altered;
	/* messages whose copy isn't as it was on the wire */
	ARRAY_TYPE(seq_range) mismatched;

	/* when the first message was asked for */
	struct timeval fetch_start;

	enum mail_error error_code;
	const char *error;
};

/* fill.c */
void fill_init(struct fill *fill);
void fill_deinit(struct fill *fill);
/* The state that comes of it, to be written. */
int fill_conclude(struct fill *fill);

/* fill-copy.c */
const char *fill_dir(struct fill *fill);
/* -1, for a fault that is ours */
int fill_local_error(struct fill *fill);
const char *fill_uid_set(struct fill *fill, const ARRAY_TYPE(seq_range) *uids);
/* Returns 1, 0 when the mailbox isn't the old server's (any more), -1. */
int fill_read_state(struct fill *fill);
int fill_write_state(struct fill *fill);
void fill_enter_state(struct fill *fill, enum mailbox_state state);
/* Open the old mailbox and the copy, which is then one of that mailbox. */
int fill_open(struct fill *fill);
/* What is kept goes back to where it is kept, the rest is closed. */
void fill_close(struct fill *fill);
/* Messages of the copy, and their bytes as they came over the wire. */
void fill_count_copy(struct local_copy *copy, const struct digest_file *digests,
		     unsigned int *messages_r, uint64_t *bytes_r);
/* Not before it is needed: it has a record for each message. */
int fill_open_digests(struct fill *fill);
int fill_recreate_copy(struct fill *fill, const char *reason);

/* fill-state.c */
/* All is here: FILLED or MIRRORED, and why it can't be the latter. */
int fill_enter_complete(struct fill *fill);
/* What of that is changed in the copy, before it is made durable. */
int fill_raise_uid_next(struct fill *fill);
/* Clients can't be served from the copy (any more). Always -1. */
int fill_degrade(struct fill *fill);

/* fill-look.c */
bool fill_nothing_new(struct fill *fill);
/* Both inventories, and the delta between them. */
int fill_take_inventories(struct fill *fill);
/* Returns -1 when the copy has messages that never came from the old server. */
int fill_refuse_foreign(struct fill *fill);

/* fill-expunge.c */
/* -1 when more goes than anybody asked for. */
int fill_check_expunges(struct fill *fill);
/* Of the copy, what was given up. */
void fill_expunge_without(struct fill *fill);
void fill_forget_own_expunges(struct fill *fill);

/* fill-move.c */
/* The message can't be had. That isn't told before it is known that it is still
   on the old server. */
void fill_message_failed(struct fill *fill, uint32_t uid, const char *reason);
void fill_report_failures(struct fill *fill);
int fill_apply_changes(struct fill *fill);
int fill_fetch_bodies(struct fill *fill);
/* Parts of it: for body_fetch_start(), and when the first message is about to
   come. */
void fill_get_body_settings(struct fill *fill,
			    struct body_fetch_settings *set_r);
void fill_begin_bodies(struct fill *fill);
/* Read back what came; all with FILL_FLAG_VERIFY. */
int fill_verify_new(struct fill *fill);

#endif
