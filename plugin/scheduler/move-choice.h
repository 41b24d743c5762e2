#ifndef MOVE_CHOICE_H
#define MOVE_CHOICE_H

/*
 * move-choice: what an old server's next free place is for, and who of those
 * that are moved is stopped for others.
 *
 * A client that waits goes first. Looks (catch-ups and refreshes) that are due
 * have one place in four, and otherwise at most every other start as long as
 * users are to be filled; surveys go before fills that nobody waits for, which
 * have one place in four meanwhile.
 */

#include "move-queue.h"

struct move_limits {
	/* users at once; that many run on other old servers, too */
	unsigned int limit;
	/* there's no place for one more, whatever the limit says */
	bool full;
	/* migration_old_daily is used up: only catch-ups and surveys */
	bool daily;
	/* users wait for a survey whose old server isn't known yet */
	bool surveys_wait;
};

/* FALSE when nobody is to be begun now. */
bool move_choice_next(struct move_server *server,
		      const struct move_limits *limits, time_t now,
		      struct move_user **user_r, enum move_work *work_r);
/* Who is to be stopped so that there's a place for one that waits; NULL: nobody.
   Must be followed by that. */
struct move_user *
move_choice_stop(struct move_server *server, const struct move_limits *limits,
		 time_t now);

#endif
