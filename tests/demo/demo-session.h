/*
 * demo-session: a mail program's connection to INBOX on the new server
 *
 * Keeps count of errors and of lost connections.
 */
#ifndef DEMO_SESSION_H
#define DEMO_SESSION_H

#include "demo.h"

struct demo_session {
	struct demo_user *user;
	struct demo_counts *counts;
	/* For messages. */
	const char *program;
	struct imap_client *client;
	uint32_t uidvalidity;
	/* INBOX was mirrored when it was selected. */
	bool is_mirrored;
};

/* Logs in and selects INBOX, and tries again for some time. -1 after noting the
   errors. */
int demo_session_open(struct demo_session *session);
void demo_session_close(struct demo_session *session);
/* The connection is gone: counts that, and comes again. 1 when the server had
   said that the mailbox was moved, 0 when not, -1 when it's no use. */
int demo_session_again(struct demo_session *session);
/* As people go from folder to folder, a program opens INBOX again every now and
   then: here when it has become mirrored, for what was open before stays what it
   was. -1: it's no use to go on. */
int demo_session_reopen(struct demo_session *session);
/* Counts a NO or BAD. Returns false. */
bool demo_session_refused(struct demo_session *session, const char *what);

#endif
