#ifndef CATCHUP_PRIVATE_H
#define CATCHUP_PRIVATE_H

/*
 * catchup-private: what the files of catch-up share.
 *
 *   catchup.c         the procedure for an account
 *   catchup-look.c    which mailboxes have news
 *   catchup-box.c     a mailbox with news: opened, and what is new in it
 *   catchup-boxes.c   the mailboxes with news, step by step
 *   catchup-late.c    late mails: fetched, delivered, recorded
 *   catchup-mail.c    one of them: is it here already, and where does it go?
 *   catchup-merge.c   flags and expunges, into the local mailbox
 *   catchup-uids.c    which local message is one that came later
 *   catchup-memory.c  what is remembered from one look to the next
 *   catchup-report.c  report lines
 *
 * Functions that return int give -1 with catchup->error and catchup->error_code
 * set.
 */

#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "arrival-index.h"
#include "baseline.h"
#include "catchup.h"
#include "catchup-account.h"
#include "catchup-look.h"
#include "copy-pairs.h"
#include "late-deliver.h"
#include "late-fetch.h"
#include "name-map.h"
#include "old-mailbox.h"
#include "received-header.h"

struct lease;
struct digest_file;
struct mailbox;
struct late_twins;

struct catchup_box {
	const char *vname, *old_name;
	/* by the look before it was opened */
	struct mirror_status status;
	bool opened;
	/* it isn't here any more: deleted or renamed */
	bool deleted;
	/* it was made here, after that one of its name was deleted or renamed: its
	   UIDs aren't the old server's */
	bool own;
	/* the old server has no such mailbox any more */
	bool missing;
	/* it has none of its messages any more */
	bool emptied;
	/* something failed: to be looked at again the next time */
	bool again;
	/* the same for a single message */
	bool unsettled;

	struct old_mailbox mailbox;
	struct baseline baseline;
	/* by the old server: new messages and those whose flags changed */
	struct inventory shown;
	/* to be delivered */
	ARRAY_TYPE(seq_range) late;
	/* of the baseline, and not there any more; without those that turned up in
	   another mailbox */
	ARRAY_TYPE(seq_range) gone;
	/* those */
	ARRAY_TYPE(seq_range) moved_uids;
	/* opened when it is needed */
	struct digest_file *digests;
	/* of those that came after the cutover, as far as they are shown */
	ARRAY_TYPE(copy_pair) local_uids;

	/* messages that came, and were gone before we looked */
	unsigned int missed;
	/* what clients did there, for event=old_client */
	unsigned int flags, seen, expunged, saved, moved;
};

struct catchup {
	struct migration_user *muser;
	struct old_client *client;
	bool client_is_ours;
	enum catchup_flags flags;
	struct catchup_result *result;
	pool_t pool;
	struct inventory_keywords *keywords;
	struct name_map map;
	struct lease *lease;

	struct catchup_account account;
	ARRAY_TYPE(catchup_seen) seen;
	struct catchup_last last;
	/* all flags are looked at by this one */
	bool look_at_flags;
	/* something is gone from one, that may have been moved to another */
	bool look_again;
	/* with news, opened */
	ARRAY(struct catchup_box *) boxes;
	/* which one is open on the connection; NULL: not known */
	struct catchup_box *selected;

	/* NULL before the first late mail */
	struct arrival_index *index;
	struct late_deliver *deliver;
	struct late_twins *twins;
	/* late mails that were delivered, or are here already, of any mailbox */
	unsigned int found;

	/* of the call that has just failed */
	enum mail_error error_code;
	/* of the first that has; NULL: none has */
	enum mail_error first_error_code;
	const char *error;
};

/* A late mail on its way. */
struct catchup_mail {
	struct catchup_box *box;
	const struct late_body *body;
	/* unix seconds; 0: it wasn't begun before */
	time_t begun;
	guid_128_t guid;
	struct mail_identity identity;
	struct received_header received;
	/* whether it is spam by its headers, or by its mailbox */
	bool spam;
};

/* catchup.c */
int catchup_fail(struct catchup *catchup, enum mail_error error_code,
		 const char *error);
const char *catchup_dir(const struct catchup *catchup);
/* Was it made here, without anything of the old server? */
bool catchup_is_own(struct catchup *catchup, const char *vname);
/* Ask for the status of all mailboxes. all: the names of those with a state. */
int catchup_look_at(struct catchup *catchup,
		    const ARRAY_TYPE(const_string) *all);

/* catchup-memory.c */
void catchup_read_memory(struct catchup *catchup);
bool catchup_status_equal(const struct mirror_status *s1,
			  const struct mirror_status *s2);
/* Is it other than by the last look? */
bool catchup_has_news(struct catchup *catchup,
		      const struct catchup_seen *seen);
int catchup_remember_look(struct catchup *catchup, uint32_t others_before);
void catchup_count_waiting(struct catchup *catchup);
int catchup_remember_account(struct catchup *catchup, bool ok,
			     const struct catchup_account *before);

/* catchup-boxes.c */
/* All that has news. */
int catchup_boxes(struct catchup *catchup,
		  const ARRAY_TYPE(const_string) *all);
/* NULL: it has none. */
struct catchup_box *catchup_find_box(struct catchup *catchup,
				     const char *vname);

/* catchup-box.c */
/* Open it, and see what is new. Returns 1; 0 when it isn't there; -1. */
int catchup_box_open(struct catchup *catchup, struct catchup_box *box);
/* It is open on the connection, as by catchup_box_open(). */
int catchup_box_select(struct catchup *catchup, struct catchup_box *box);
/* What was found goes into its baseline, durably. */
int catchup_box_record(struct catchup *catchup, struct catchup_box *box);
void catchup_box_close(struct catchup_box *box);

/* catchup-mail.c */
/* Deliver it, or see that it needn't be. Returns 0, -1 with an error of this mail
   alone. */
int catchup_mail(struct catchup *catchup, struct catchup_mail *mail,
		 const char **error_r);
int catchup_open_twins(struct catchup *catchup);

/* catchup-late.c */
/* All late mails of a mailbox. Single ones that fail are waiting in the baseline
   then. */
int catchup_late(struct catchup *catchup, struct catchup_box *box);

/* catchup-merge.c */
/* Flags of the messages that are shown. */
int catchup_merge_flags(struct catchup *catchup, struct catchup_box *box);
/* What is gone there, where that is wanted. */
int catchup_merge_expunges(struct catchup *catchup, struct catchup_box *box);
/* The local one of a message that was moved there, with its flags, into an empty
   inventory. Returns 1; 0 when it isn't there any more; -1. */
int catchup_merge_find(struct catchup *catchup, struct catchup_box *box,
		       uint32_t uid, struct inventory *local);
int catchup_merge_expunge_one(struct catchup *catchup, struct catchup_box *box,
			      uint32_t uid);

/* catchup-uids.c */
/* Has its local copy, if there is one, another UID? */
bool catchup_has_other_uid(const struct catchup_box *box, uint32_t old_uid);
/* Of all that are shown; box is the local mailbox. */
int catchup_find_local_uids(struct catchup *catchup, struct catchup_box *cbox,
			    struct mailbox *box);
/* After that; 0: it isn't here. */
uint32_t catchup_local_uid(const struct catchup_box *box, uint32_t old_uid);

/* catchup-report.c */
void catchup_report_poll(struct catchup *catchup, bool ok);
void catchup_report_late(struct catchup *catchup,
			 const struct catchup_mail *mail, const char *action);
void catchup_report_double(struct catchup *catchup,
			   const struct catchup_mail *mail, const char *of);
void catchup_report_moved(struct catchup *catchup,
			  const struct catchup_box *from, uint32_t uid,
			  const struct catchup_box *to);
void catchup_report_failed(struct catchup *catchup,
			   const struct catchup_box *box, uint32_t uid,
			   const char *reason);
void catchup_report_reset(struct catchup *catchup,
			  const struct catchup_box *box, const char *reason);
void catchup_report_count(struct catchup *catchup, const char *event,
			  const struct catchup_box *box, unsigned int messages);
void catchup_report_uids(struct catchup *catchup, const char *event,
			 const struct catchup_box *box,
			 const ARRAY_TYPE(seq_range) *uids);
/* What clients did in the mailbox, if anything. */
void catchup_report_old_client(struct catchup *catchup,
			       const struct catchup_box *box);

#endif
