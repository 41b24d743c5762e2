/*
 * demo-write: what a mail program changes in INBOX, one write at a time
 *
 * The session has INBOX selected, before and after. A write whose connection is
 * lost may have been done or not: that can be looked up on a new one.
 */
#ifndef DEMO_WRITE_H
#define DEMO_WRITE_H

#include "corpus.h"
#include "demo-session.h"

enum demo_write_type { WRITE_APPEND, WRITE_FLAG, WRITE_MOVE, WRITE_EXPUNGE };

struct demo_write {
	enum demo_write_type type;
	/* Index in the journal, and UID; for WRITE_APPEND not before it's
	   done. */
	size_t message;
	uint32_t uid;
	/* It began after the user was cut over. */
	bool is_after;
	/* WRITE_FLAG */
	bool add;
	const char *flag;
	/* WRITE_APPEND: the message to write. WRITE_MOVE (to Trash): where it's
	   found again. */
	char message_id[96];
	struct corpus_message *data;
	char flags[64];
	/* What APPEND or MOVE gave it. */
	uint32_t new_uid;
};

/* Does it; on IMAP_OK new_uid is set. */
enum imap_status
demo_write_run(struct demo_session *session, struct demo_write *write);
/* Was it done? *done_r counts on IMAP_OK; when it was, new_uid is set. */
enum imap_status
demo_write_look(struct demo_session *session, struct demo_write *write,
		bool *done_r);

#endif
