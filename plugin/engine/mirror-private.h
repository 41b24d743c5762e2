#ifndef MIRROR_PRIVATE_H
#define MIRROR_PRIVATE_H

/*
 * mirror-private: what the files of the mirror share.
 *
 *   mirror.c          life, and what the worker asks for
 *   mirror-box.c      mailboxes: opened, selected, brought up to date
 *   mirror-write.c    a turn's writes, in rounds of one burst each
 *   mirror-op.c       an op of a burst: its commands, and their answers
 *   mirror-burst.c    a burst, and what the old server shows meanwhile
 *   mirror-store.c    what a STORE says, and whether it is so
 *   mirror-apply.c    what the old server has done, to the copy
 *   mirror-settle.c   the connection was lost: was it done?
 *   mirror-seen.c     what was read while the old server was away
 *   mirror-cutover.c  cutover
 */

#include "lib.h"
#include "array.h"
#include "inventory.h"
#include "fill.h"
#include "message-digest.h"
#include "mirror.h"
#include "name-map.h"

struct old_client;

struct mirror_box {
	char *vname, *old_name;
	struct fill_kept kept;
	/* The connection knows of the UIDs below: others may be ignored by a
	   STORE that says OK. */
	uint32_t known_uid;
	/* something is on the old server that the copy hasn't got */
	bool behind;
	/* unix seconds of the last one */
	time_t checkpoint;
};

struct mirror {
	struct migration_user *muser;
	struct old_client *client;
	const struct fill_observer *observer;
	struct name_map map;
	struct inventory_keywords *keywords;
	/* the one used last is the last */
	ARRAY(struct mirror_box *) boxes;
	/* selected on the connection, as long as that isn't lost */
	struct mirror_box *selected;
	unsigned int selected_losses;
	/* unix seconds of its last answer */
	time_t answered;
	unsigned int rtt_msecs;
};

/*
 * mirror-box.c
 */

struct mirror_error {
	enum mail_error code;
	/* in the data stack */
	const char *text;
};

/* Is it mirrored (MIRROR_DONE), and if not, why not? */
enum mirror_answer
mirror_box_state(struct mirror *mirror, const char *vname,
		 struct mirror_error *error_r);
/* The same, and the mailbox when it is. */
enum mirror_answer
mirror_box_get(struct mirror *mirror, const char *vname,
	       struct mirror_box **box_r, struct mirror_error *error_r);
/* It isn't the next one to be closed when another is opened. */
void mirror_box_used(struct mirror *mirror, struct mirror_box *box);
/* Bring it up to date; it is selected then. */
enum mirror_answer
mirror_box_refresh(struct mirror *mirror, struct mirror_box *box,
		   enum fill_flags flags, struct fill_result *result_r,
		   struct mirror_error *error_r);
/* Select it, and bring it up to date, when either isn't so. */
enum mirror_answer
mirror_box_select(struct mirror *mirror, struct mirror_box *box,
		  struct mirror_error *error_r);
/* All UIDs of the copy are known to the connection from then on. */
int mirror_box_noop(struct mirror *mirror, struct mirror_box *box,
		    struct mirror_error *error_r);
/* Everything durable, all closed. */
void mirror_boxes_close(struct mirror *mirror);
uint32_t mirror_box_uid_next(const struct mirror_box *box);
/* A round trip that began then has ended. */
void mirror_measure(struct mirror *mirror, const struct timeval *start);

/*
 * mirror-store.c
 */

struct mirror_store {
	/* '+', '-', '=' */
	char sign;
	enum mail_flags flags;
	/* of mirror->keywords, NULL for none */
	const char *const *keywords;
};

/* Returns 0, -1 when the words aren't those of a STORE. */
int mirror_store_parse(struct inventory_keywords *keywords, const char *args,
		       struct mirror_store *store_r);
/* Do it to item. */
void mirror_store_do(struct inventory_keywords *keywords,
		     const struct mirror_store *store,
		     struct inventory_item *item);
/* Is it done in item, as far as the mailbox can keep such flags? */
bool mirror_store_is_done(const struct mirror_store *store,
			  const struct old_mailbox *mailbox,
			  const struct inventory_item *item);

/*
 * mirror-op.c, mirror-burst.c
 */

enum burst_state {
	BURST_PENDING,
	BURST_OK,
	BURST_REFUSED,
	/* the connection was lost: it may be done or not */
	BURST_LOST,
};

/* A command, or two (EXPUNGE). */
struct burst_op {
	struct mirror_burst *burst;
	struct mirror_write *write;
	/* count > 1: APPENDs in one command (RFC 3502) */
	const struct mirror_op *ops;
	unsigned int count;

	struct mirror_store store;
	/* STORE: not confirmed yet; EXPUNGE: not gone yet; COPY: all of them */
	ARRAY_TYPE(seq_range) uids;
	/* EXPUNGE: those that are \Deleted in the copy; of these, the ones that
	   somebody else has taken that from on the old server: they stay */
	ARRAY_TYPE(seq_range) deleted, spared;
	/* APPEND, COPY: UIDs that it got, as the server told them */
	uint32_t uid_validity;
	ARRAY_TYPE(seq_range) source_uids, new_uids;
	/* unless the server hasn't told them, or in no order to follow */
	bool uids_told;

	unsigned int unanswered;
	enum burst_state state;
	struct mirror_error error;
};

struct mirror_burst {
	struct mirror *mirror;
	/* which is selected */
	struct mirror_box *box;
	/* where APPEND and COPY go */
	struct mirror_box *dest;
	pool_t pool;
	ARRAY(struct burst_op *) ops;
	/* flags as the server has shown them in this burst */
	struct inventory shown;
	/* a NOOP has ended behind all that was saved */
	bool noop;
	bool lost;
};

/* mirror-op.c */
/* Add an op (with those behind it that go along, *used_r in all; 0 when it must
   wait for the next burst). Returns 0; -1 with the write answered. */
int mirror_op_add(struct mirror_burst *burst, struct mirror_write *write,
		  const struct mirror_op *ops, unsigned int count,
		  unsigned int *used_r);
/* Its commands go with the burst. */
void mirror_op_send(struct burst_op *op);

/* mirror-burst.c */
void mirror_burst_init(struct mirror_burst *burst, struct mirror *mirror,
		       struct mirror_box *box, struct mirror_box *dest);
void mirror_burst_deinit(struct mirror_burst *burst);
/* Send all and wait for the answers; what isn't confirmed is asked for, and tried
   once more. Each op's state tells. */
void mirror_burst_run(struct mirror_burst *burst);
/* On another connection: STOREs and EXPUNGEs that are OK, but for UIDs that aren't
   confirmed. */
void mirror_burst_resume(struct mirror_burst *burst);

/*
 * mirror-write.c, mirror-seen.c
 */

/* As mirror_write(), to an open mailbox. */
void mirror_write_all(struct mirror *mirror, struct mirror_box *box,
		      const ARRAY_TYPE(mirror_write) *writes);
/* Are there messages that the old server is to be told of? */
bool mirror_seen_waits(struct mirror *mirror, const char *vname,
		       uint32_t uid_validity);
/* Tell it; what fails is tried again at the next contact. */
void mirror_seen_replay(struct mirror *mirror, struct mirror_box *box);

/*
 * mirror-apply.c, mirror-settle.c
 */

/* Do to the copies what the burst has done. A copy that can't be written to is
   behind: the old server has it. */
void mirror_apply(struct mirror_burst *burst);
/* Of a lost burst: find out what of it is done. STORE and EXPUNGE can be done
   again; an APPEND or COPY that isn't done could still be, so that isn't: its ops
   are OK or REFUSED then. The copies are up to date as far as can be. */
void mirror_settle(struct mirror_burst *burst);
/* Digest of an APPEND's message. Returns 0, -1 when it can't be read. */
int mirror_append_digest(const struct mirror_write *write,
			 const struct mirror_op *op,
			 struct message_digest *digest_r);
struct istream *mirror_append_stream(const struct mirror_write *write,
				     const struct mirror_op *op);

#endif
