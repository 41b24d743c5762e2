/*
 * test-mirror-session: the session that test-mirror's parts work with, and what
 * is to hold after each step of theirs
 */
#ifndef TEST_MIRROR_SESSION_H
#define TEST_MIRROR_SESSION_H

#include "case-mirror.h"

/* Has INBOX of the new server selected. */
extern struct imap_client *session;
/* Look on at both servers. */
extern struct case_pair session_watch;

/* Of the message with this sequence number, 0 on failure; of the last one. */
uint32_t session_uid(uint32_t seq);
uint32_t session_last_uid(void);
/* Runs it and asserts that it's OK. */
bool session_ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same of what was run. */
bool session_done(enum imap_status status, const char *what);
/* How many untagged answers of that name there were. */
unsigned int session_untagged(const char *name);
/* Asserts that the session, where INBOX is meant, and both servers show the
   same message under that UID, with these flags unless NULL. */
void session_check(const char *mailbox, uint32_t uid, const char *flags,
		   const char *what);

/* Each is run in a session of its own. The tables end in a NULL name. */
struct mirror_part {
	const char *name;
	void (*run)(void);
};
extern const struct mirror_part mirror_writes[], mirror_news[];

#endif
