/*
 * bench-lab: the lab of a part: brought up, asked, put back between runs
 *
 * Failures end the program (bench_fail()).
 */
#ifndef BENCH_LAB_H
#define BENCH_LAB_H

#include "bench.h"
#include "bench-figures.h"
#include "imap-client.h"
#include "process.h"

#define BENCH_TIMEOUT_MS (20 * 60 * 1000)
/* Of one answer of a server, when the machine has other work. */
#define BENCH_IMAP_TIMEOUT_MS 120000
#define BENCH_MAX_RUNS 1000
/* From here on, counted from the port base, ports aren't the lab's. */
#define BENCH_FREE_PORT 20

/* Settings: only the bench cuts over; filled mailboxes stay as they are, or
   become mirrored. */
#define BENCH_PROXIED \
	"plugin {\n  migration_cutover = manual\n  migration_mirror = no\n}\n"
#define BENCH_MIRRORED "plugin {\n  migration_cutover = manual\n}\n"

/* An old Dovecot (Maildir) and a new one, with this many users. Each has so many
   messages of the corpus, half of them in INBOX. settings: more lines for the
   new server. */
void bench_lab_up(struct bench *bench, unsigned int users,
		  unsigned int messages, const char *settings);
/* From now on the old server speaks TLS from the first byte, at the same port,
   and the new one to it. */
void bench_lab_tls(struct bench *bench);
/* The certificate that it shows, which is its own authority. */
const char *bench_lab_certificate(const struct bench *bench);
/* No server crashed. */
void bench_lab_check(const struct bench *bench);
/* For the parent: what its logs say about a failure. */
void bench_lab_explain(const char *dir);
/* For the parent: ends the lab in that folder, if there is one. */
void bench_lab_end(const char *dir);

/* A key of `lab env`. */
const char *bench_get(const struct bench *bench, const char *key);
const char *bench_user(const struct bench *bench, unsigned int n);
/* `lab old stop` and the like. */
void bench_server(struct bench *bench, const char *server, const char *action);
/* A shell command that must succeed. Free the result. */
struct process_result bench_shell(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
/* The same, measured. Its output goes to the lab's bench.out. */
struct bench_usage bench_run(const struct bench *bench, const char *command);
/* Logs in; server is a key of `lab env`. */
struct imap_client *bench_imap(const struct bench *bench, const char *server,
			       unsigned int user);
struct imap_client *bench_imap_at(const struct bench *bench,
				  const char *hostport, unsigned int user);
/* `doveadm migration fill` of a user, whose mailboxes must all be in that state
   then ("filled"). */
void bench_fill_user(const struct bench *bench, unsigned int user,
		     const char *state);

struct bench_sum {
	uint64_t messages, bytes;
};
/* What the old server has of a user, by its own files. */
struct bench_sum bench_sum_old(const struct bench *bench, unsigned int user);
/* Of all mailboxes of a user, by a doveadm command and its options. Bytes are
   those of IMAP. */
struct bench_sum bench_sum_user(const struct bench *bench,
				const char *doveadm, const char *user);

/* Appends n messages of the corpus to a mailbox. */
void bench_append(const struct bench *bench, struct imap_client *client,
		  const char *mailbox, unsigned int n);
/* Gives a user of the old server the mail of another one, with the old server
   stopped. Message files are shared, which is all right: they never change. */
void bench_copy_old_home(const struct bench *bench, unsigned int from,
			 unsigned int to);
/* Moves what the new server has of a user out of the way, to be deleted in the
   end: ext4 is slow to create files just after many were deleted. */
void bench_move_aside(const struct bench *bench, const char *user);
/* Lets no run write what another one left in the page cache. */
void bench_settle(const struct bench *bench);

#endif
