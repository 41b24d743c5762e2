#ifndef OLD_LIMITS_H
#define OLD_LIMITS_H

/*
 * old-limits: this process's part in what all of them take from one old server:
 * bytes and quiet (old-budget.h), and connections (old-slots.h).
 *
 * Those who move mail have limits: doveadm, migration-mover and migration-worker,
 * which were given the files. In others (sessions, deliveries) there are none,
 * and nothing is counted or refused. One object a server and process, which stays
 * to its end; old_settings_read() finds it, old-client asks it.
 */

#include "net.h"

struct migration_settings;
struct old_limits;

/* For whom is it? */
enum old_claim {
	/* a client waits: counted, neither held up nor refused */
	OLD_CLAIM_WAITED,
	/* catch-up, a look at folders: it takes its turn */
	OLD_CLAIM_LOOK,
	/* bulk: nothing any more when a day's bytes are used up */
	OLD_CLAIM_FILL,
};

/* What it means for others that something failed at the old server. */
enum old_failure {
	OLD_FAILURE_NONE,
	/* it's this user's, or this mailbox's */
	OLD_FAILURE_USER,
	/* his login is refused */
	OLD_FAILURE_LOGIN,
	/* it wants less of us: it's left alone for a while */
	OLD_FAILURE_THROTTLED,
	/* it can't be reached, or ends sessions: the same */
	OLD_FAILURE_UNREACHABLE,
	/* migration_old_daily is used up */
	OLD_FAILURE_DAILY,
	/* all of migration_old_connections are taken */
	OLD_FAILURE_NO_SLOT,
};

/* The descriptors of the files, which root has opened and which stay the
   caller's; -1: it couldn't. Where this is never called there are no limits. A
   process that counts its connections itself has no slots_fd. */
void old_limits_set_files(int budget_fd, int slots_fd);
/* An administrator waits: that others were refused doesn't keep this process from
   trying, until it is refused itself. */
void old_limits_set_by_hand(void);
/* For plugins that end. */
void old_limits_deinit_all(void);

/* NULL: there are none. */
struct old_limits *
old_limits_get(const char *host, in_port_t port,
	       const struct migration_settings *set);
/* "host:port" in lower case. */
const char *old_limits_server(const struct old_limits *limits);
const struct old_budget *old_limits_budget(const struct old_limits *limits);

/*
 * For old-client, whose limits may all be NULL
 */

/* May it connect? NONE: it does, until old_limits_disconnected(). NO_SLOT: not
   yet. Else not, and *error_r says why. */
enum old_failure
old_limits_connect(struct old_limits *limits, enum old_claim claim,
		   const char **error_r);
void old_limits_disconnected(struct old_limits *limits);
/* bytes have come. *msecs_r: for how long nothing more is to be read. Returns
   DAILY with an error when it is to be ended, else NONE. */
enum old_failure
old_limits_read(struct old_limits *limits, enum old_claim claim, uint64_t bytes,
		unsigned int *msecs_r, const char **error_r);
/* Remembers it. When the server is to be left alone, returns the seconds, 0 else. */
unsigned int
old_limits_failed(struct old_limits *limits, enum old_failure failure);
void old_limits_succeeded(struct old_limits *limits);

/* Why something failed last, NONE when nothing has; then it's forgotten. */
enum old_failure old_limits_take_failure(struct old_limits *limits);

#endif
