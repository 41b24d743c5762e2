#ifndef FILLER_H
#define FILLER_H

/*
 * filler: brings the local copies of one user's mailboxes up to date with the
 * old server: fill, delta and verification are the same work on more or less
 * of a mailbox.
 *
 * One filler a user at a time, over all processes (lease_fill). It may be
 * killed at any instruction: the next one goes on from what is durable.
 */

#include "mail-error.h"

struct migration_user;
struct old_client;
struct filler;

enum fill_flags {
	/* Read all messages back from disk, not only those that are new, and
	   compare everything with the old server. */
	FILL_FLAG_VERIFY = 0x01,
	/* The caller has lease_tree(), and clients wait: don't begin the copy
	   anew. */
	FILL_FLAG_TREE_HELD = 0x02,
	/* Most messages went on the old server, or it has begun the mailbox
	   anew with few: the administrator says that this was meant. */
	FILL_FLAG_FOLLOW_EXPUNGES = 0x04,
	/* The caller is the worker, whose the mirrored mailboxes are. */
	FILL_FLAG_MIRRORED = 0x08,
	/* It becomes local at once: not a mirror before, if it isn't one. */
	FILL_FLAG_CUTOVER = 0x10,
};

/* What went on in a mailbox, counted. */
struct fill_result {
	/* it is local by now: nothing was done */
	bool local;
	/* the copy is complete, verified, and the same as the old mailbox was
	   when this began */
	bool filled;
	/* it is mirrored by now */
	bool mirrored;
	/* messages and bytes that came over the wire */
	unsigned int fetched;
	uint64_t fetched_bytes;
	/* messages whose flags were changed, that were expunged */
	unsigned int changed, expunged;
	/* messages that were read back and compared */
	unsigned int verified;
	uint64_t verified_bytes;
	/* of these, not as on the wire or as the old server has it */
	unsigned int mismatched;
	/* messages whose bytes Dovecot can't keep as they are */
	unsigned int altered;
	/* messages that can't be had */
	unsigned int bad;
	/* the copy was begun anew */
	bool rebuilt;
	/* in the copy, when this ended */
	unsigned int messages;
	/* the old mailbox when this began */
	uint32_t old_messages, old_uid_next;
	uint64_t old_modseq;
	unsigned int usecs;
};

struct fill_observer {
	/* So much is to be fetched (or verified) in this mailbox. */
	void (*begin)(void *context, const char *vname, const char *what,
		      unsigned int messages, uint64_t bytes);
	/* One more message. */
	void (*progress)(void *context, uint64_t bytes);
	void *context;
};
/* Looks away. */
extern const struct fill_observer fill_no_observer;

/* Waits for another filler of this user at most timeout_secs, then it's
   MAIL_ERROR_INUSE. Connects when the first mailbox asks for it. The observer may
   be NULL. Returns 0, -1 with an error. */
int filler_init(struct migration_user *muser, unsigned int timeout_secs,
		const struct fill_observer *observer,
		struct filler **filler_r,
		enum mail_error *error_code_r, const char **error_r);
/* The same for the worker, on its own connection. */
int filler_init_mirrored(struct migration_user *muser, struct old_client *client,
			 unsigned int timeout_secs, struct filler **filler_r,
			 enum mail_error *error_code_r, const char **error_r);
void filler_deinit(struct filler **filler);
struct migration_user *filler_user(struct filler *filler);
struct old_client *filler_client(struct filler *filler);

/* filler_run() ends as soon as nothing is lost by it, with an error that is neither
   stored nor reported; so does each one that comes, until filler_go_on(). Also from
   within the observer, and from an ioloop that filler_run() has made. */
void filler_stop(struct filler *filler);
void filler_go_on(struct filler *filler);

/* Bring one mailbox up to date. Returns 0 when it could be looked at
   (result_r->filled tells), -1 with an error, which is in its state as
   well. */
int filler_run(struct filler *filler, const char *vname, enum fill_flags flags,
	       struct fill_result *result_r,
	       enum mail_error *error_code_r, const char **error_r);

/* These mailboxes will be asked for, in this order and with these flags: then what
   can be done for many at once is done with the first of them. */
void filler_expect(struct filler *filler, const ARRAY_TYPE(const_string) *vnames,
		   enum fill_flags flags);

/* Was it done with others, and has filler_run() its result already? */
bool filler_has_result(struct filler *filler, const char *vname);

#endif
