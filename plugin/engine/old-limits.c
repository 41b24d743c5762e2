#include "lib.h"
#include "llist.h"
#include "time-util.h"
#include "migration-settings.h"
#include "old-budget.h"
#include "old-limits.h"
#include "old-slots.h"

struct old_limits {
	struct old_limits *prev, *next;
	char *server;
	unsigned int max_connections;
	struct old_budget_limits bytes;
	struct old_budget *budget;
	/* NULL: connections aren't counted here */
	struct old_slots *slots;
	unsigned int connections;
	enum old_failure failure;
	/* it has sent this process away */
	bool refused;
};

static struct {
	bool given, by_hand;
	int budget_fd, slots_fd;
	struct old_limits *all;
} process;

void old_limits_set_files(int budget_fd, int slots_fd)
{
	process.given = TRUE;
	process.budget_fd = budget_fd;
	process.slots_fd = slots_fd;
}

void old_limits_set_by_hand(void)
{
	process.by_hand = TRUE;
}

static void old_limits_free(struct old_limits *limits)
{
	if (limits->slots != NULL)
		old_slots_deinit(&limits->slots);
	old_budget_deinit(&limits->budget);
	i_free(limits->server);
	i_free(limits);
}

void old_limits_deinit_all(void)
{
	struct old_limits *limits;

	while ((limits = process.all) != NULL) {
		DLLIST_REMOVE(&process.all, limits);
		old_limits_free(limits);
	}
	process.given = process.by_hand = FALSE;
}

static struct old_limits *
limits_new(const char *host, const char *server,
	   const struct migration_settings *set)
{
	struct old_limits *limits = i_new(struct old_limits, 1);

	limits->server = i_strdup(server);
	limits->max_connections = set->old_connections;
	limits->bytes.rate = set->old_rate;
	limits->bytes.daily = set->old_daily;
	limits->budget = old_budget_init(process.budget_fd, server,
					 &limits->bytes);
	if (process.slots_fd != -1) {
		limits->slots = old_slots_init(process.slots_fd, host,
					       set->old_connections,
					       limits->budget);
	}
	DLLIST_PREPEND(&process.all, limits);
	return limits;
}

/* Users may have settings of their own. */
static bool has_settings(const struct old_limits *limits,
			 const struct migration_settings *set)
{
	return limits->max_connections == set->old_connections &&
		limits->bytes.rate == set->old_rate &&
		limits->bytes.daily == set->old_daily;
}

struct old_limits *
old_limits_get(const char *host, in_port_t port,
	       const struct migration_settings *set)
{
	const char *server = t_strdup_printf("%s:%u", t_str_lcase(host), port);
	struct old_limits *limits;

	if (!process.given)
		return NULL;
	for (limits = process.all; limits != NULL; limits = limits->next) {
		if (strcmp(limits->server, server) == 0 &&
		    has_settings(limits, set))
			return limits;
	}
	return limits_new(host, server, set);
}

const char *old_limits_server(const struct old_limits *limits)
{
	return limits->server;
}

const struct old_budget *old_limits_budget(const struct old_limits *limits)
{
	return limits->budget;
}

/*
 * For old-client
 */

/* Is it over for today? */
static bool day_is_over(struct old_limits *limits, enum old_claim claim,
			const char **error_r)
{
	int64_t until;

	if (claim != OLD_CLAIM_FILL ||
	    old_budget_has_today(limits->budget, &until))
		return FALSE;
	*error_r = t_strdup_printf("All that may be read from the old server "
		"today has been read (migration_old_daily): it goes on at %s",
		t_strflocaltime("%Y-%m-%d %H:%M", until));
	return TRUE;
}

static bool is_left_alone(struct old_limits *limits, enum old_claim claim,
			  const char **error_r)
{
	unsigned int msecs;

	if (claim == OLD_CLAIM_WAITED || (process.by_hand && !limits->refused))
		return FALSE;
	msecs = old_budget_wait_msecs(limits->budget);
	if (msecs == 0)
		return FALSE;
	*error_r = t_strdup_printf("The old server wanted less of us, or "
		"couldn't be reached: it's left alone for another %u seconds",
		(msecs + 999) / 1000);
	return TRUE;
}

static bool has_slot(struct old_limits *limits, enum old_claim claim)
{
	unsigned int wanted = limits->connections + 1;

	if (limits->slots == NULL)
		return TRUE;
	return (claim == OLD_CLAIM_WAITED ?
		old_slots_want(limits->slots, wanted) :
		old_slots_want_bulk(limits->slots, wanted)) >= wanted;
}

static enum old_failure
refusal(struct old_limits *limits, enum old_claim claim, const char **error_r)
{
	if (day_is_over(limits, claim, error_r))
		return OLD_FAILURE_DAILY;
	if (is_left_alone(limits, claim, error_r))
		return OLD_FAILURE_THROTTLED;
	return has_slot(limits, claim) ? OLD_FAILURE_NONE : OLD_FAILURE_NO_SLOT;
}

enum old_failure
old_limits_connect(struct old_limits *limits, enum old_claim claim,
		   const char **error_r)
{
	enum old_failure failure;

	*error_r = NULL;
	if (limits == NULL)
		return OLD_FAILURE_NONE;
	failure = refusal(limits, claim, error_r);
	if (failure == OLD_FAILURE_NONE)
		limits->connections++;
	if (failure != OLD_FAILURE_NONE ||
	    limits->failure == OLD_FAILURE_NO_SLOT)
		limits->failure = failure;
	return failure;
}

void old_limits_disconnected(struct old_limits *limits)
{
	if (limits == NULL)
		return;
	i_assert(limits->connections > 0);
	limits->connections--;
	if (limits->slots != NULL)
		old_slots_keep(limits->slots, limits->connections);
}

enum old_failure
old_limits_read(struct old_limits *limits, enum old_claim claim, uint64_t bytes,
		unsigned int *msecs_r, const char **error_r)
{
	*msecs_r = 0;
	if (limits == NULL)
		return OLD_FAILURE_NONE;
	*msecs_r = old_budget_take(limits->budget, bytes);
	if (claim == OLD_CLAIM_WAITED)
		*msecs_r = 0;
	if (!day_is_over(limits, claim, error_r))
		return OLD_FAILURE_NONE;
	limits->failure = OLD_FAILURE_DAILY;
	return OLD_FAILURE_DAILY;
}

unsigned int
old_limits_failed(struct old_limits *limits, enum old_failure failure)
{
	if (limits == NULL)
		return 0;
	limits->failure = failure;
	switch (failure) {
	case OLD_FAILURE_THROTTLED:
	case OLD_FAILURE_UNREACHABLE:
		limits->refused = TRUE;
		return (old_budget_back_off(limits->budget) + 999) / 1000;
	case OLD_FAILURE_NONE:
	case OLD_FAILURE_USER:
	case OLD_FAILURE_LOGIN:
	case OLD_FAILURE_DAILY:
	case OLD_FAILURE_NO_SLOT:
		break;
	}
	return 0;
}

void old_limits_succeeded(struct old_limits *limits)
{
	if (limits == NULL)
		return;
	limits->refused = FALSE;
	old_budget_succeeded(limits->budget);
}

enum old_failure old_limits_take_failure(struct old_limits *limits)
{
	enum old_failure failure;

	if (limits == NULL)
		return OLD_FAILURE_NONE;
	failure = limits->failure;
	limits->failure = OLD_FAILURE_NONE;
	return failure;
}
