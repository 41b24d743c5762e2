#ifndef MIRROR_H
#define MIRROR_H

/*
 * mirror: the mirrored mailboxes of one user, for the worker.
 *
 * The old server has the word (I1); the local copy is read by everybody. A write
 * is done on the old server, confirmed, applied to the copy under the old
 * server's UIDs, and only then answered. What others do there comes with
 * mirror_refresh(), which is idempotent and looks at everything again.
 *
 * One connection, one mailbox selected at a time; the copies stay open. All
 * calls block, at most as long as the old server may be silent: a call is one
 * turn of the worker's loop, and nothing else of this user runs meanwhile. So
 * no lock is held across the network.
 *
 * Durability: an acknowledged write is safe on the old server. The copy is
 * behind it after a power cut, and the MODSEQ in its state isn't ahead of the
 * copy: the next refresh does the rest.
 */

#include "array.h"
#include "seq-range-array.h"
#include "mail-error.h"
#include "catchup.h"
#include "cutover.h"
#include "filler.h"
#include "local-copy.h"
#include "old-limits.h"

struct migration_user;
struct mirror;
struct mirror_status;

enum mirror_op_type {
	/* UID STORE uids args */
	MIRROR_STORE,
	/* UID EXPUNGE uids, whatever their flags */
	MIRROR_EXPUNGE,
	/* a message of the write's file */
	MIRROR_APPEND,
	/* UID COPY from another mirrored mailbox (or the same) to this one */
	MIRROR_COPY,
};

struct mirror_op {
	enum mirror_op_type type;
	/* STORE, EXPUNGE, COPY: sequence-set without '*' */
	const char *uids;
	/* STORE: e.g. "+FLAGS (\\Seen $Done)", never .SILENT */
	const char *args;
	/* APPEND: where it is in the file, bytes as IMAP shows them (CRLF) */
	uoff_t offset, size;
	/* UTC, and minutes */
	time_t date;
	int tz_offset;
	/* APPEND: e.g. "\\Seen $Done", "" for none */
	const char *flags;
	/* COPY: the mailbox it comes from */
	const char *source;
	uint32_t source_uid_validity;
};
ARRAY_DEFINE_TYPE(mirror_op, struct mirror_op);

enum mirror_answer {
	/* the old server has it, the copy as well */
	MIRROR_DONE,
	/* the mailbox is local: nothing was done, it's the asker's to do */
	MIRROR_LOCAL,
	/* it isn't mirrored (any more), or it is another one: open it again. Or
	   the source of a COPY isn't. Nothing was done. */
	MIRROR_GONE,
	/* not done, or it isn't known whether it was; error says why */
	MIRROR_FAILED,
};

/* One transaction of a session. Done in its order; the first op that fails ends
   it, what was done before stays done, as with any IMAP server. */
struct mirror_write {
	/* of the mailbox as the asker knows it */
	uint32_t uid_validity;
	ARRAY_TYPE(mirror_op) ops;
	/* the messages of APPEND, -1 for none; the caller closes it */
	int fd;

	enum mirror_answer answer;
	enum mail_error error_code;
	/* one sentence for the client; a response code may be its beginning */
	const char *error;
	/* UIDs that APPEND and COPY gave, in the order of the ops */
	ARRAY(uint32_t) saved_uids;
	/* Its flag changes in the transaction log of the copy: the asker may
	   hide them from its own view (mail_index_view_add_hidden_transaction).
	   length 0: there are none */
	struct local_copy_log_area log;
};
ARRAY_DEFINE_TYPE(mirror_write, struct mirror_write *);

/* Returns 0; -1 with an error when the user's settings can't do. Doesn't
   connect. */
int mirror_init(struct migration_user *muser, struct mirror **mirror_r,
		const char **error_r);
void mirror_deinit(struct mirror **mirror);

/* Writes of several sessions to one mailbox, answered all, in as few round trips
   as can be. Strings of the answers are from the data stack. */
void mirror_write(struct mirror *mirror, const char *vname,
		  const ARRAY_TYPE(mirror_write) *writes);

/* Bring the copy to what the old server has. *changed_r: anything was. */
enum mirror_answer
mirror_refresh(struct mirror *mirror, const char *vname, bool *changed_r,
	       enum mail_error *error_code_r, const char **error_r);
/* Who sees how mirror_fill() goes on; NULL: nobody. Must stay. */
void mirror_set_observer(struct mirror *mirror,
			 const struct fill_observer *observer);
/* The same with all that doveadm migration fill and verify do and tell. */
enum mirror_answer
mirror_fill(struct mirror *mirror, const char *vname, enum fill_flags flags,
	    struct fill_result *result_r,
	    enum mail_error *error_code_r, const char **error_r);

/* What STATUS or NOTIFY told of the old mailbox: is all of it in the copy? */
bool mirror_knows(struct mirror *mirror, const char *vname,
		  const struct mirror_status *status);

/* Everything on disk and the copy up to date, so that mirror_cutover() has little
   to do. Writes may come between the two. */
int mirror_cutover_prepare(struct mirror *mirror,
			   const ARRAY_TYPE(const_string) *vnames,
			   enum mail_error *error_code_r, const char **error_r);
/* As cutover(): afterwards they are local. Mailboxes that aren't mirrored but
   filled are cut over as well. */
int mirror_cutover(struct mirror *mirror,
		   const ARRAY_TYPE(const_string) *vnames,
		   ARRAY_TYPE(cutover_result) *results_r,
		   enum mail_error *error_code_r, const char **error_r);

/* As catchup_run(), on the mirror's connection, which is made if there's none. No
   mailbox is selected on it afterwards. */
int mirror_catchup(struct mirror *mirror, enum catchup_flags flags,
		   struct catchup_result *result_r,
		   enum mail_error *error_code_r, const char **error_r);

/* Close all copies and make what they have durable: before a session changes the
   folders, when nobody asks for anything, and at the end. */
void mirror_release(struct mirror *mirror);

/* For whom is the next call? */
void mirror_set_claim(struct mirror *mirror, enum old_claim claim);
/* Nothing is wanted of the old server for now: the next call connects anew. */
void mirror_disconnect(struct mirror *mirror);

/* How long the last round trip to the old server took; 0 before the first. */
unsigned int mirror_rtt_msecs(const struct mirror *mirror);
/* As old_client_held_back(). */
bool mirror_is_held_back(const struct mirror *mirror);
/* Is there a connection? */
bool mirror_is_connected(const struct mirror *mirror);

#endif
