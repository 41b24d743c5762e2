#ifndef MAILBOX_STATE_H
#define MAILBOX_STATE_H

/*
 * mailbox-state: where a mailbox stands between the two servers.
 *
 * One small file per mailbox in <migration_dir>/state/, named after the
 * mailbox (see mailbox_state_key), replaced by write + fsync + rename +
 * fsync(dir). The rename is the one atomic step of a cutover (I3).
 *
 * A file that can't be read, has an unknown version, key or state is an error
 * (-1), never "local". No file is 0: the mailbox isn't ours, lib-storage does
 * as it would without the plugin. But where there are digests of it the file
 * was there once, and is lost: an error too. So the digests go before the state,
 * and come behind it.
 */

enum mailbox_state {
	/* authority: the old server */
	MAILBOX_STATE_REMOTE = 0,
	MAILBOX_STATE_FILLING,
	MAILBOX_STATE_FILLED,
	MAILBOX_STATE_MIRRORED,
	/* authority: the local mailbox */
	MAILBOX_STATE_LOCAL,
	/* deleted by the user after it was local; the old server may still
	   have a folder of that name, which must not come back */
	MAILBOX_STATE_DELETED,
};

/* Why a copy is of no use. */
enum mailbox_copy_stale {
	MAILBOX_COPY_GOOD = 0,
	/* after a rollback it has messages under other UIDs than the old server */
	MAILBOX_COPY_ROLLED_BACK = 1,
	/* it is being filled together with others: nothing of it counts yet */
	MAILBOX_COPY_UNFINISHED = 2,
};

struct mailbox_state_file {
	enum mailbox_state state;
	/* of the old server's mailbox; 0 as long as it isn't known */
	uint32_t uid_validity;
	/* Bodies up to this UID are in the local mailbox and durable. */
	uint32_t durable_uid;
	/* ...and up to this one were read back and have the digest that they
	   had on the wire. */
	uint32_t verified_uid;
	/* HIGHESTMODSEQ that the local copy corresponds to; 0 without
	   CONDSTORE */
	uint64_t modseq;
	/* counted at the last look at the old server */
	uint32_t messages;
	uint64_t bytes;
	/* what of it is here, durable or not */
	uint32_t done_messages;
	uint64_t done_bytes;
	/* bytes per second of the last fill that fetched anything */
	uint64_t rate;
	/* unix seconds when the state was entered */
	time_t since;
	/* why it doesn't go on, "" when it does; one line of UTF-8 */
	const char *error;
	/* UIDs that couldn't be fetched or don't verify (IMAP sequence-set),
	   "" when there are none */
	const char *bad_uids;
	/* UIDs of messages whose bytes can't be kept here as they are on the
	   old server */
	const char *altered_uids;
	/* UIDs that the administrator gave up with cutover --without */
	const char *without_uids;
	/* UIDs from this one on are given out here; 0: it was never local. While
	   it is local: messages with lower UIDs have them on the old server as
	   well. Else: a next cutover begins there, or above (I9). */
	uint32_t uid_floor;
	/* local: UIDNEXT of the old server at the cutover */
	uint32_t old_uid_next;
	/* HIGHESTMODSEQ that clients were shown here before a rollback (I2) */
	uint64_t modseq_floor;
	/* enum mailbox_copy_stale: the copy is to be made anew */
	uint32_t copy_is_stale;
};

const char *mailbox_state_to_str(enum mailbox_state state);
/* Who has the word on this mailbox (I1)? */
bool mailbox_state_authority_is_old(enum mailbox_state state);

/* Is all of it the same? */
bool mailbox_state_equals(const struct mailbox_state_file *state1,
			  const struct mailbox_state_file *state2);

/* File name for a mailbox name: safe for any name, distinct for distinct
   names, at most NAME_MAX bytes. Allocated from the data stack. */
const char *mailbox_state_key(const char *vname);

/* Read the state of vname under the migration dir. Strings come from pool.
   Returns 1, 0 when there is none, -1 with an error. */
int mailbox_state_read(const char *dir, const char *vname, pool_t pool,
		       struct mailbox_state_file *state_r,
		       const char **error_r);
/* Is this its state? FALSE as well when it can't be told. */
bool mailbox_state_is(const char *dir, const char *vname,
		      enum mailbox_state state);
/* Is any mailbox in this state? FALSE as well when it can't be told. */
bool mailbox_state_any(const char *dir, enum mailbox_state state);
/* Replace it durably. Returns 0, -1 with an error: the old one stands. */
int mailbox_state_write(const char *dir, const char *vname,
			const struct mailbox_state_file *state,
			const char **error_r);
/* Write the same state for many mailboxes, durably. Returns 0, -1 with an
   error: some may be written. */
int mailbox_state_write_many(const char *dir,
			     const ARRAY_TYPE(const_string) *vnames,
			     const struct mailbox_state_file *state,
			     const char **error_r);
/* The same, with a state each: states[i] is that of vnames[i]. */
int mailbox_state_write_each(const char *dir,
			     const ARRAY_TYPE(const_string) *vnames,
			     const struct mailbox_state_file *const *states,
			     const char **error_r);
/* Forget it durably. One that isn't there is fine. */
int mailbox_state_remove(const char *dir, const char *vname,
			 const char **error_r);

/* The names of all mailboxes that have a state and whose key isn't in known:
   keys by mailbox_state_key(). Those that can't be read are left out. Returns
   0, -1 with an error. */
int mailbox_state_find_others(const char *dir,
			      const ARRAY_TYPE(const_string) *known,
			      pool_t pool, ARRAY_TYPE(const_string) *vnames_r,
			      const char **error_r);

#endif
