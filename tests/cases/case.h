/*
 * case: the frame of a test program that needs a lab
 *
 * case_main() runs the tests in a child of its own, so that whatever becomes of
 * it, the labs that it brought up are ended, and their folder is removed. The
 * program's lab is up before the first test; a test may bring up more of them.
 * With MIGRATION_KEEP=1 they are left running, to look at.
 *
 * All calls fail aloud: with a failed CUnit assertion that says why, and a value
 * that stands for failure. Strings are valid until the same call comes again.
 * Users count from 0, times are milliseconds.
 */
#ifndef CASE_H
#define CASE_H

#include "imap-client.h"
#include "lab.h"
#include "lmtp-client.h"
#include "process.h"
#include "snapshot.h"
#include "../unit/unit.h"

#define CASE_TIMEOUT_MS 60000
/* The test cuts over itself. What is filled is served by proxy... */
#define CASE_MANUAL "plugin {\n  migration_cutover = manual\n" \
	"  migration_mirror = no\n}\n"
/* ...or becomes a mirror. */
#define CASE_MIRROR "plugin {\n  migration_cutover = manual\n}\n"
/* No worker looks for late mail by itself: for who removes homes, too. */
#define CASE_NO_LOOKS "plugin {\n  migration_catchup_interval = 0\n}\n"

struct case_program {
	const char *name;
	/* The table ends in a NULL name. */
	const struct unit_test *tests;
	/* For `lab up`, ended by NULL. NULL: the tests bring up their own. */
	const char *const *lab_args;
	/* More lines for the new server's dovecot.conf; may be NULL. */
	const char *settings;
	/* After so many seconds it failed: 0 for 400, ten times that in soak. */
	unsigned int deadline_secs;
};

/* Returns the exit status: 0 when at least one test ran and none failed, 77 when
   this machine can't have the lab. */
int case_main(const struct case_program *program);
/* Long rounds are wanted (MIGRATION_SOAK=1). */
bool case_soak(void);

/* The lab of what follows; at first the program's. */
extern struct lab *case_lab;
/* Brings up another one and makes it that of what follows. 0; 1 when this
   machine can't have it, which is said; -1. */
int case_lab_up(const char *const *args, const char *settings);
/* Ends it; *lab becomes NULL, and so does case_lab if it was that one. */
void case_lab_down(struct lab **lab);
/* The value of a key of `lab env`; a key without a value is a failure. */
const char *case_get(const char *key);
const char *case_user(unsigned int user);
/* Replaces what was added to the new server's dovecot.conf. doveadm has it at
   once, sessions when restart is set. */
bool case_settings(const char *settings, bool restart);
/* `lab SERVER ACTION [--no-plugin]`, as in "new", "restart". */
bool case_server(const char *server, const char *action, const char *option);
/* The user as if the new server had never seen him. No session of his may be
   open. */
bool case_forget_user(unsigned int user);

/* Runs doveadm, stdout and stderr together. Returns its exit status (128 + n
   for a signal, -1 when the time was over); that it's 0 isn't asserted. */
int case_doveadm(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What it said. */
const char *case_output(void);
/* The beginning of a command for a shell that runs doveadm with a fault, as
   fault-at.c has them: "kill any 12". */
const char *case_faulty(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
/* The same in a shell, with the status asserted to be 0. */
bool case_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* `doveadm migration WORDS`, asserted to succeed: "fill -u %s". */
bool case_migration(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* A column of `doveadm migration status` for that mailbox, "*" for the total;
   "" when there's no such mailbox. */
const char *case_status(unsigned int user, const char *mailbox,
			const char *column);
bool case_is_state(unsigned int user, const char *mailbox, const char *state);

/* server: a key of `lab env`: "NEW_IMAP", "OLD_IMAP_DIRECT"... NULL on failure. */
struct imap_client *case_imap(const char *server, unsigned int user);
/* Delivers over LMTP; 0 on success, else the code. */
int case_lmtp(const char *server, unsigned int user, const char *data,
	      size_t size);
/* side: "NEW" or "OLD" (with the POP3 UIDLs when pop3 is set). */
struct snapshot *case_snapshot(const char *side, unsigned int user, bool pop3);
/* Asserts that there's no difference but in what is ignored
   (SNAPSHOT_IGNORE_...); says each of them, and frees both. */
bool case_same(struct snapshot **a, struct snapshot **b, unsigned int ignore,
	       const char *what);

/* A message of about size bytes, with this Message-ID (without <>), CRLFs;
   from malloc(). */
#define CASE_MESSAGE_FROM "sender@example.org"
#define CASE_MESSAGE_DATE "Mon, 05 Jan 2026 10:11:12 +0100"
char *case_message(const char *id, size_t size, size_t *size_r);

/* Has the new server this module of Dovecot's, as "lib90_sieve_plugin.so"? */
bool case_has_module(const char *name);
/* How many lines of the new server's log have that text; of the old one's. */
unsigned int case_log_count(const char *text);
unsigned int case_old_log_count(const char *text);
/* Asserts that nothing of the new server crashed (panics, fatals, signals). */
bool case_no_crash(void);

#endif
