/*
 * case-mirror: what tests of mirrored mailboxes do over and over
 *
 * Fails aloud, as in case.h.
 */
#ifndef CASE_MIRROR_H
#define CASE_MIRROR_H

#include "case-mail.h"

/* CASE_MIRROR, and changes on the old server are looked for often. */
#define CASE_MIRROR_QUICK CASE_MIRROR \
	"plugin {\n  migration_mirror_interval = 2 s\n}\n"
/* How long anything may take before it's said to hang. */
#define CASE_MIRROR_PATIENCE_MS 20000

/* A session on each server, past everything that stands between them. */
struct case_pair {
	struct imap_client *old, *new;
};

bool case_pair_open(struct case_pair *pair, unsigned int user);
void case_pair_close(struct case_pair *pair);
/* Asserts that both servers have the same message under this UID, with these
   flags unless flags is NULL. */
bool case_pair_same(struct case_pair *pair, const char *mailbox, uint32_t uid,
		    const char *flags, const char *what);
/* Asserts that neither has it. */
bool case_pair_gone(struct case_pair *pair, const char *mailbox, uint32_t uid,
		    const char *what);

/* A mailbox's name as clients of this lab know it: "Work" or "INBOX.Work". As
   many as three are valid at a time. */
const char *case_mirror_name(const char *name);
/* CREATEs it on the old server, with so many messages: NAME-N@case.example. */
bool case_mirror_make(unsigned int user, const char *name,
		      unsigned int messages);
/* Fills all, and asserts that these, ended by NULL, are mirrored then. */
bool case_mirror_fill(unsigned int user, const char *const *mailboxes);
/* Asserts that both servers show all the same, at once or a little later;
   nobody may write. pop3: and their UIDLs. */
bool case_mirror_settles(unsigned int user, bool pop3, const char *what);
/* Does that hold for all of the picture, silently? */
bool case_mirror_is_equal(unsigned int user, bool pop3);

/* The workers of this lab; how many there are, max at most. */
unsigned int case_mirror_workers(pid_t *pids, unsigned int max);
/* kill -9 of the workers; how many there were. */
unsigned int case_mirror_kill_workers(void);

#endif
