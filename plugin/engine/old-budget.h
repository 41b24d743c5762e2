#ifndef OLD_BUDGET_H
#define OLD_BUDGET_H

/*
 * old-budget: what all processes together may take from one old server:
 * migration_old_rate, migration_old_daily, and its wish to be left alone for a
 * while.
 *
 * One small file, <state_dir>/migration-budget, that root opens before a process
 * becomes its user, is mapped by all of them (mmap(2), MAP_SHARED) and changed
 * with atomic operations alone: whoever dies in between leaves nothing locked. An
 * entry is found by the server's name; should the table be full, or two names be
 * one to it, servers share an entry, which costs speed and nothing else.
 *
 * Rate: the generic cell rate algorithm (ITU-T I.371), whose only state is one
 * time stamp. A day is one of local time; its count survives restarts.
 */

#include <stdint.h>
#include <stdbool.h>

struct old_budget;

struct old_budget_limits {
	/* bytes per second, bytes a day; 0: no limit */
	uint64_t rate, daily;
};

struct old_budget_status {
	/* bytes read today */
	uint64_t today;
	/* unix milliseconds before which nobody should connect; 0: none */
	uint64_t not_before;
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
   returns the milliseconds. */
unsigned int old_budget_back_off(struct old_budget *budget);
/* It went well: the next time is the first again. */
void old_budget_succeeded(struct old_budget *budget);
/* How many milliseconds are left of that, 0: none. */
unsigned int old_budget_wait_msecs(struct old_budget *budget);

void old_budget_status(struct old_budget *budget,
		       struct old_budget_status *status_r);

#endif
