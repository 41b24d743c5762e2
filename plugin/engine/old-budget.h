#ifndef OLD_BUDGET_H
#define OLD_BUDGET_H

/*
 * old-budget: what all processes together may take from one old server:
 * migration_old_rate, migration_old_daily, and its wish to be left alone for a
 * while.
 *
 * One small file, <state_dir>/migration-budget, that root opens before a process
 * becomes its user, is mapped by all of them (old-budget-file.h) and changed
 * with atomic operations alone: whoever dies in between leaves nothing locked.
 *
 * Rate: the generic cell rate algorithm (ITU-T I.371), whose only state is one
 * time stamp. A day is one of local time; its count survives restarts. What the
 * file says of times too far away is never believed: neither nonsense in it nor
 * a clock that was set back can stop the work for long.
 */

#include <stdint.h>
#include <stdbool.h>

struct old_budget;

#define OLD_BUDGET_FILE "migration-budget"

#define OLD_BUDGET_BACK_OFF_MIN_MSECS 5000
#define OLD_BUDGET_BACK_OFF_MAX_MSECS (15 * 60 * 1000)

struct old_budget_limits {
	/* bytes per second, bytes a day; 0: no limit */
	uint64_t rate, daily;
};

struct old_budget_status {
	/* bytes read today */
	uint64_t today;
	/* unix milliseconds before which nobody should connect; 0: none */
	uint64_t not_before;
	/* machines that share the limits, this one included */
	unsigned int machines;
};

/* Of the server "host:port", in lower case. fd is the caller's and may be closed
   afterwards; -1: nothing is shared, and only this process keeps to the limits.
   A file that isn't one, or can't be mapped, is begun anew, with a warning. */
struct old_budget *
old_budget_init(int fd, const char *server,
		const struct old_budget_limits *limits);
void old_budget_deinit(struct old_budget **budget);

/* bytes have been read. Returns for how many milliseconds nothing more should
   be, 0: go on. */
unsigned int old_budget_take(struct old_budget *budget, uint64_t bytes);
/* May something be begun that isn't needed today? FALSE when migration_old_daily
   is used up; *until_r is the unix second when the next day begins. */
bool old_budget_has_today(struct old_budget *budget, int64_t *until_r);

/* The server wants less: nobody connects for so long. Each time in a row it's
   twice as long, from 5 seconds to 15 minutes, with up to half of it by chance;
   returns the milliseconds. Many processes that hear it at once are one time: as
   long as it lasts, what is left of it is returned. */
unsigned int old_budget_back_off(struct old_budget *budget);
/* It went well. When it has done so for as long as was waited last, the next
   time is the first again. Cheap. */
void old_budget_succeeded(struct old_budget *budget);
/* How many milliseconds are left of that, 0: none. */
unsigned int old_budget_wait_msecs(struct old_budget *budget);

/* So many machines share the limits of all old servers, and this one has its
   part of them; kept in the file. */
void old_budget_set_share(struct old_budget *budget, unsigned int machines);
unsigned int old_budget_share(const struct old_budget *budget);

void old_budget_status(struct old_budget *budget,
		       struct old_budget_status *status_r);

/* The time in unix microseconds. Tests have their own. */
extern uint64_t (*old_budget_now_usecs)(void);

#endif
