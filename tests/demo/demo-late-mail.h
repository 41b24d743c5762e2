/*
 * demo-late-mail: mail of the propagation period, by where it was sent
 *
 * A user's; one thread at a time.
 */
#ifndef DEMO_LATE_MAIL_H
#define DEMO_LATE_MAIL_H

#include "sent-mail.h"

enum late_kind {
	/* To the old server only, to both, to the new one only. */
	LATE_AT_OLD, LATE_AT_BOTH, LATE_AT_NEW
};

struct late_mail {
	enum late_kind kind;
	char message_id[SENT_MAIL_ID_SIZE];
	/* now_ms(); 0: not yet. */
	uint64_t accepted_ms, seen_ms;
};

struct late_list {
	struct late_mail *mails;
	unsigned int count, room;
	/* Below that, INBOX on the new server was looked at. */
	uint32_t next_uid;
};

#endif
