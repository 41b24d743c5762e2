#ifndef MIRROR_WATCH_H
#define MIRROR_WATCH_H

/*
 * mirror-watch: hears of what others do on the old server.
 *
 * A connection of its own, with no mailbox selected, that lives in the current
 * ioloop and never blocks (but to resolve the old server's name). It asks for
 * STATUS of those that are selected each second, and of all each
 * migration_mirror_interval: in one command with LIST-STATUS (RFC 5819),
 * pipelined STATUS commands else. One poll of a kind at a time, and a pause
 * behind it that is at least as long as it took.
 *
 * NOTIFY (RFC 5465) is held beside where the old server has it, with a NOOP
 * each 0.8 seconds that brings what the server holds back: most changes are
 * told in half a second then, and what isn't selected is known as well. It
 * doesn't replace the polls: Dovecot doesn't notice a mail that another program
 * puts into a Maildir, and now and then a change of INBOX. A mailbox of which
 * polls find what NOTIFY should have told isn't relied on it for.
 *
 * It asks for nothing while nobody wants anything.
 *
 * A lost connection is opened again, each time later, up to a minute
 * (mirror-backoff.h). Memory: a few hundred bytes for each wanted mailbox;
 * what the server tells of others is overheard.
 */

#include "array.h"

struct migration_user;
struct mirror_watch;

/* As STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ) tells it; 0 where it
   didn't. An event that has only what changed is completed from what was told
   before. */
struct mirror_status {
	uint32_t uid_validity, uid_next, messages;
	uint64_t modseq;
};

struct mirror_watch_callbacks {
	/* A mailbox of the old server has this status; told for each answer and
	   each event about a wanted mailbox, also where nothing is new. Inside it
	   mirror_watch_want() may be called, and nothing else of this file. */
	void (*status)(void *context, const char *vname,
		       const struct mirror_status *status);
};

/* Doesn't connect. Returns 0; -1 with an error when the settings can't do. */
int mirror_watch_init(struct migration_user *muser,
		      const struct mirror_watch_callbacks *callbacks,
		      void *context, struct mirror_watch **watch_r,
		      const char **error_r);
void mirror_watch_deinit(struct mirror_watch **watch);

/* From now on: these each second (clients have them selected, and INBOX), the
   others each interval. Both empty: disconnect, and ask for nothing. Names that
   the old server can't have are overlooked. */
void mirror_watch_want(struct mirror_watch *watch,
		       const ARRAY_TYPE(const_string) *selected,
		       const ARRAY_TYPE(const_string) *others);

/* Was all told that happened to it until max_age_msecs ago: by an answer to a
   STATUS, or to a NOOP while NOTIFY is held, that was sent since then? FALSE
   for a mailbox that isn't there. */
bool mirror_watch_is_fresh(const struct mirror_watch *watch, const char *vname,
			   unsigned int max_age_msecs);
/* Ask for it now; the callback tells. More than one at once is one question.
   While there's no connection it waits for the next. */
void mirror_watch_ask(struct mirror_watch *watch, const char *vname);

/* Lives on in the current ioloop: for io_loop_add_switch_callback(). */
void mirror_watch_switch_ioloop(struct mirror_watch *watch);

#endif
