/*
 * mail-decision: what is to be done with a mail, from what was seen of it
 *
 * A function of its arguments alone. The rules:
 * - A mail without a recipient of a migrating domain isn't touched. When who sends
 *   it has logged in, and his domain migrates, it is a submission: he must be told
 *   of the new server.
 * - Tags that don't verify go, and so do doubles of one that does.
 * - A valid tag of this server: the mail went round. It was counted when it came
 *   first, so it is no arrival; the number of this server's tags is the number of
 *   rounds, because each round adds one more. From LoopLimit rounds on it is
 *   refused, as it is.
 * - Else a valid tag of the other server: it was relayed. The tag stays, and it is
 *   first heard of through the other server.
 * - Else it arrives here, and is tagged.
 * - A tag that couldn't be checked (OpenSSL failed) stays, and nothing is added.
 */
#ifndef MAIL_DECISION_H
#define MAIL_DECISION_H

#include "mail-headers.h"

enum mail_via {
	MAIL_VIA_DIRECT,
	MAIL_VIA_RELAYED,
	MAIL_VIA_SUBMISSION,
	MAIL_VIA_LOCAL
};

struct mail_facts {
	enum arrival_at server;
	/* 0: none */
	unsigned int loop_limit;
	/* Of migrating domains. */
	unsigned int recipients;
	bool sender_migrates;
	/* Who sends has logged in, or came to the door for those who do. */
	bool submitted;
	/* It didn't come over SMTP. */
	bool local;
	/* After the check. */
	const struct mail_tag *tags;
	unsigned int tag_count;
};

struct mail_decision {
	/* event=arrival; via and first are for it. */
	bool arrival;
	enum mail_via via;
	/* The earliest of the other server's tags, for relayed mail, else NULL. */
	const struct arrival_tag *first;
	bool submission;
	/* event=loop, if not 0. */
	unsigned int rounds;
	bool refuse;
	bool add_tag;
	/* A tag couldn't be checked. */
	bool unchecked;
	/* For each tag: NULL when it stays, else why it goes. Static. */
	const char *remove[MAIL_TAGS_MAX];
};

void mail_decide(const struct mail_facts *facts,
		 struct mail_decision *decision_r);
/* "direct", "relayed", "submission", "local" */
const char *mail_via_name(enum mail_via via);

#endif
