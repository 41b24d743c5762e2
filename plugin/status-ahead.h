#ifndef STATUS_AHEAD_H
#define STATUS_AHEAD_H

/*
 * status-ahead: which mailboxes' STATUS is asked for next, for certain.
 *
 * Clients send STATUS of all their folders in one go (pipelined), or one LIST
 * with RETURN (STATUS), RFC 5819; lib-storage asks for one mailbox at a time. What
 * is known here lets remote-status ask the old server for all of them at once.
 *
 * An answer that was asked for ahead is as good as one asked for when its turn
 * comes only if its command had arrived before the old server was asked. So each
 * name has the mark of its command, and only that command may use the answer.
 */

#include "mailbox-list-iter.h"

struct migration_user;

struct status_ahead {
	const char *vname;
	/* of the command; > 0, and larger for a later one */
	uint64_t mark;
};
ARRAY_DEFINE_TYPE(status_ahead, struct status_ahead);

/* The mark of the command that is being answered now, or 0 when nothing is known
   of what comes next. */
uint64_t status_ahead_mark(struct migration_user *muser);
/* What comes after the mailbox vname, in that order: as far as it is known, and
   not more than max. Other namespaces' mailboxes may be among them. */
void status_ahead_get(struct migration_user *muser, const char *vname,
		      unsigned int max, pool_t pool,
		      ARRAY_TYPE(status_ahead) *next);

/* A listing of the user's mailboxes with these patterns begins, and ends. Where
   they are nested only the outermost one counts. */
void status_ahead_list_begin(struct migration_user *muser,
			     const char *const *patterns,
			     enum mailbox_list_iter_flags flags);
void status_ahead_list_end(struct migration_user *muser);

#endif
