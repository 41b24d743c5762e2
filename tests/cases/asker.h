/*
 * asker: talks to a user's migration-worker or migration-deliver as his
 * processes do (plugin/worker/worker-protocol.h,
 * plugin/deliver/deliver-protocol.h)
 *
 * Fails aloud, as in case.h. Words are separated by TAB and not escaped; lines
 * are without LF, static, and valid until the next call. Times are
 * milliseconds.
 */
#ifndef ASKER_H
#define ASKER_H

#include "case.h"

struct asker;

/* Connects to that service as a process of this uid, and wants the process of
   that user. line_r: what it answers; "" when it says nothing. */
struct asker *asker_start(const char *service, const char *user, uid_t uid,
			  const char **line_r);
/* What the service answers who wants that user's worker, as a process of this
   uid; "" when it says nothing. */
const char *asker_start_worker(const char *user, uid_t uid);
/* Starts the worker if there's none. NULL on failure. */
struct asker *asker_open(unsigned int user);
/* Only connects, as a process of this uid; NULL, silently, when the worker
   doesn't begin to talk. */
struct asker *asker_connect(unsigned int user, uid_t uid);
/* Only connects, as a process of this uid, to the socket of that name in the new
   server's base_dir; NULL, silently, when it can't. */
struct asker *asker_dial(const char *name, uid_t uid);
/* *asker becomes NULL; NULL is fine. */
void asker_close(struct asker **asker);

/* file: a descriptor to be passed, or -1. */
void asker_send(struct asker *asker, int file, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The answer, without PROGRESS; "lost" when there's no worker any more, "" when
   the time is over. */
const char *asker_answer(struct asker *asker, unsigned int timeout_ms);
/* The same for any line, PROGRESS as well. */
const char *asker_line(struct asker *asker, unsigned int timeout_ms);
/* asker_send() and asker_answer(). */
const char *asker_ask(struct asker *asker, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Asserts that the answer begins with this. */
#define ASKER_CHECK(asker, answer, ...) do { \
	const char *asker_got = asker_ask(asker, __VA_ARGS__); \
	UNIT_CHECK(strncmp(asker_got, answer, strlen(answer)) == 0, \
		   "'%s' instead of '%s'", asker_got, answer); \
} while (0)

#endif
