#include "lib.h"
#include "old-budget-file.h"
#include "old-budget.h"

#include <sys/time.h>
#include <time.h>

#define USECS 1000000ULL
/* Reads come as the network brings them: so much may come early. */
#define BURST_USECS (USECS / 5)
/* Nobody owes more than this, whatever the file says. */
#define MAX_OWED_USECS (3600 * USECS)

#define MAX_DAY_BYTES ((1ULL << OLD_BUDGET_DAY_BITS) - 1)
#define STEP_MASK ((1U << OLD_BUDGET_STEP_BITS) - 1)
#define MAX_STEP 9
/* more is nonsense */
#define MAX_MACHINES 1024
#define MAX_WAIT_MSECS (OLD_BUDGET_BACK_OFF_MAX_MSECS * 3ULL / 2)

struct old_budget {
	struct old_budget_map *map;
	struct old_budget_entry *entry;
	struct old_budget_limits limits;
	/* the day that it is, and the unix seconds when it begins and ends */
	uint64_t day;
	int64_t day_begin, day_end;
};

static uint64_t now_usecs(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) < 0)
		i_fatal("clock_gettime() failed: %m");
	return ts.tv_sec * USECS + ts.tv_nsec / 1000;
}

uint64_t (*old_budget_now_usecs)(void) = now_usecs;

struct old_budget *
old_budget_init(int fd, const char *server,
		const struct old_budget_limits *limits)
{
	struct old_budget *budget = i_new(struct old_budget, 1);

	budget->map = old_budget_map(fd);
	budget->entry = old_budget_find(budget->map, server);
	budget->limits = *limits;
	return budget;
}

void old_budget_deinit(struct old_budget **_budget)
{
	struct old_budget *budget = *_budget;

	if (budget == NULL)
		return;
	*_budget = NULL;
	old_budget_unmap(&budget->map);
	i_free(budget);
}

static uint64_t get(const uint64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

/* Is it new_value now? Else *old_value is what it is. */
static bool change(uint64_t *value, uint64_t *old_value, uint64_t new_value)
{
	return __atomic_compare_exchange_n(value, old_value, new_value, FALSE,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/*
 * Machines
 */

void old_budget_set_share(struct old_budget *budget, unsigned int machines)
{
	__atomic_store_n(&budget->map->machines, machines, __ATOMIC_RELAXED);
}

unsigned int old_budget_share(const struct old_budget *budget)
{
	uint64_t machines = get(&budget->map->machines);

	return machines == 0 || machines > MAX_MACHINES ? 1 : machines;
}

static uint64_t share_of(const struct old_budget *budget, uint64_t limit)
{
	return I_MAX(limit / old_budget_share(budget), 1);
}

/*
 * A day
 */

static void day_look(struct old_budget *budget, int64_t now)
{
	time_t t = now;
	struct tm tm;

	if (now >= budget->day_begin && now < budget->day_end)
		return;
	if (localtime_r(&t, &tm) == NULL)
		i_fatal("localtime_r() failed: %m");
	budget->day = tm.tm_year * 366 + tm.tm_yday;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	budget->day_begin = mktime(&tm);
	tm.tm_mday++;
	tm.tm_isdst = -1;
	budget->day_end = mktime(&tm);
}

static uint64_t day_bytes(const struct old_budget *budget, uint64_t value)
{
	return value >> OLD_BUDGET_DAY_BITS != budget->day ? 0 : value & MAX_DAY_BYTES;
}

static uint64_t today(struct old_budget *budget)
{
	day_look(budget, old_budget_now_usecs() / USECS);
	return day_bytes(budget, get(&budget->entry->day));
}

static void day_take(struct old_budget *budget, uint64_t bytes)
{
	uint64_t sum, old_value = get(&budget->entry->day);

	do {
		sum = day_bytes(budget, old_value);
		sum = I_MIN(bytes, MAX_DAY_BYTES - sum) + sum;
	} while (!change(&budget->entry->day, &old_value,
			 budget->day << OLD_BUDGET_DAY_BITS | sum));
}

bool old_budget_has_today(struct old_budget *budget, int64_t *until_r)
{
	uint64_t bytes = today(budget);

	*until_r = budget->day_end;
	return budget->limits.daily == 0 ||
		bytes < share_of(budget, budget->limits.daily);
}

/*
 * The rate
 */

static uint64_t usecs_of(const struct old_budget *budget, uint64_t bytes)
{
	uint64_t rate = share_of(budget, budget->limits.rate);
	uint64_t secs = I_MIN(bytes / rate, MAX_OWED_USECS / USECS);

	/* a rate of 2^44 is none */
	return secs * USECS + ((bytes % rate) * USECS + rate - 1) / rate;
}

/* Returns for how many microseconds there's nothing. */
static uint64_t
rate_take(struct old_budget *budget, uint64_t now, uint64_t bytes)
{
	uint64_t usecs = usecs_of(budget, bytes);
	uint64_t until, old_value = get(&budget->entry->read_until);

	do {
		until = old_value < now || old_value > now + MAX_OWED_USECS ?
			now : old_value;
		until += usecs;
	} while (!change(&budget->entry->read_until, &old_value, until));
	return until > now + BURST_USECS ? until - now - BURST_USECS : 0;
}

unsigned int old_budget_take(struct old_budget *budget, uint64_t bytes)
{
	uint64_t now = old_budget_now_usecs();

	day_look(budget, now / USECS);
	day_take(budget, bytes);
	if (budget->limits.rate == 0 || budget->limits.rate > MAX_DAY_BYTES)
		return 0;
	return (rate_take(budget, now, bytes) + 999) / 1000;
}

/*
 * Backing off
 */

/* Without chance. */
static uint64_t back_off_msecs(unsigned int step)
{
	uint64_t msecs = OLD_BUDGET_BACK_OFF_MIN_MSECS;

	if (step == 0)
		return 0;
	return I_MIN(msecs << (I_MIN(step, MAX_STEP) - 1),
		     OLD_BUDGET_BACK_OFF_MAX_MSECS);
}

/* Unix milliseconds; 0 when the file says nonsense. */
static uint64_t back_off_until(uint64_t value, uint64_t now_msecs)
{
	uint64_t until = value >> OLD_BUDGET_STEP_BITS;

	return until > now_msecs + MAX_WAIT_MSECS ? 0 : until;
}

unsigned int old_budget_back_off(struct old_budget *budget)
{
	uint64_t now = old_budget_now_usecs() / 1000;
	uint64_t msecs, until, old_value = get(&budget->entry->back_off);
	unsigned int step;

	do {
		until = back_off_until(old_value, now);
		if (until > now)
			return until - now;
		step = I_MIN((old_value & STEP_MASK) + 1, MAX_STEP);
		msecs = back_off_msecs(step);
		msecs += i_rand_limit(msecs / 2 + 1);
	} while (!change(&budget->entry->back_off, &old_value,
			 (now + msecs) << OLD_BUDGET_STEP_BITS | step));
	return msecs;
}

void old_budget_succeeded(struct old_budget *budget)
{
	uint64_t now, old_value = get(&budget->entry->back_off);

	if (old_value == 0)
		return;
	now = old_budget_now_usecs() / 1000;
	if (back_off_until(old_value, now) +
	    back_off_msecs(old_value & STEP_MASK) <= now)
		(void)change(&budget->entry->back_off, &old_value, 0);
}

static uint64_t not_before(struct old_budget *budget, uint64_t now)
{
	uint64_t until = back_off_until(get(&budget->entry->back_off), now);

	return until > now ? until : 0;
}

unsigned int old_budget_wait_msecs(struct old_budget *budget)
{
	uint64_t now = old_budget_now_usecs() / 1000;
	uint64_t until = not_before(budget, now);

	return until == 0 ? 0 : until - now;
}

void old_budget_status(struct old_budget *budget,
		       struct old_budget_status *status_r)
{
	status_r->today = today(budget);
	status_r->not_before = not_before(budget,
					  old_budget_now_usecs() / 1000);
	status_r->machines = old_budget_share(budget);
}
