#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "engine/migration-report.h"
#include "engine/old-budget.h"
#include "scheduler-private.h"

/* users who are refused in this time have the same reason */
#define REFUSED_TOGETHER_SECS (5 * 60)
/* when so many users fail and none succeeds, it's no longer theirs alone: then
   one is tried after so long, twice as long each time */
#define FAILED_IN_A_ROW 5
#define BRAKE_SECS 60
#define BRAKE_MAX_SECS (15 * 60)

unsigned int scheduler_server_max(const struct scheduler *scheduler)
{
	const struct scheduler_settings *set = scheduler->set;
	unsigned int max = set->users;

	if (set->old_connections > 0) {
		max = I_MIN(max, I_MAX(set->old_connections /
				       scheduler->machines /
				       set->user_connections, 1));
	}
	return max;
}

static void server_init(struct scheduler *scheduler, struct move_server *server)
{
	const struct old_budget_limits limits = {
		.rate = scheduler->set->old_rate,
		.daily = scheduler->set->old_daily,
	};

	if (*server->name != '\0' && server->budget == NULL) {
		server->budget = old_budget_init(scheduler->budget_fd,
						 server->name, &limits);
		server_bounds_set_max(&server->bounds,
				      scheduler_server_max(scheduler));
	}
}

/* It's of all servers, and some may not be known yet. */
static void set_share(struct scheduler *scheduler)
{
	static const struct old_budget_limits no_limits;
	struct old_budget *budget = old_budget_init(scheduler->budget_fd, "",
						    &no_limits);

	old_budget_set_share(budget, scheduler->machines);
	old_budget_deinit(&budget);
}

void scheduler_servers_share(void *context, unsigned int machines)
{
	struct scheduler *scheduler = context;
	struct move_server *server;

	if (scheduler->machines != machines)
		migration_report_service("backends", "count",
					 dec2str(machines), NULL);
	scheduler->machines = machines;
	set_share(scheduler);
	array_foreach_elem(move_queue_servers(scheduler->queue), server) {
		server_bounds_set_max(&server->bounds,
				      scheduler_server_max(scheduler));
	}
}

struct move_server *
scheduler_server(struct scheduler *scheduler, const char *name)
{
	struct move_server *server = move_queue_server(scheduler->queue, name);

	server_init(scheduler, server);
	return server;
}

void scheduler_servers_init(struct scheduler *scheduler)
{
	struct move_server *server;

	array_foreach_elem(move_queue_servers(scheduler->queue), server)
		server_init(scheduler, server);
}

void scheduler_servers_deinit(struct scheduler *scheduler)
{
	struct move_server *server;

	array_foreach_elem(move_queue_servers(scheduler->queue), server) {
		if (server->budget != NULL)
			old_budget_deinit(&server->budget);
	}
}

unsigned int scheduler_server_wait(const struct move_server *server)
{
	unsigned int wait = server->budget == NULL ? 0 :
		old_budget_wait_msecs(server->budget);

	if (server->braked_until > ioloop_time) {
		wait = I_MAX(wait, (server->braked_until - ioloop_time) *
			     1000);
	}
	return wait;
}

bool scheduler_server_is_daily(const struct move_server *server,
			       int64_t *until_r)
{
	*until_r = 0;
	return server->budget != NULL &&
		!old_budget_has_today(server->budget, until_r);
}

void scheduler_server_limits(struct scheduler *scheduler,
			     const struct move_server *server,
			     struct move_limits *limits_r)
{
	const struct move_server *unknown =
		scheduler_server(scheduler, scheduler->set->host);
	int64_t until;

	limits_r->limit = server->failed_in_a_row < FAILED_IN_A_ROW ?
		server->bounds.limit : 1;
	limits_r->full = move_queue_totals(scheduler->queue)->running >=
		scheduler->set->users;
	limits_r->daily = scheduler_server_is_daily(server, &until);
	limits_r->surveys_wait = scheduler_server_wait(unknown) == 0 &&
		priorityq_count(unknown->heaps[MOVE_PLACE_SURVEYS]) > 0;
}

static void set_reason(struct move_server *server, const char *reason)
{
	i_free(server->reason);
	server->reason = i_strdup(reason);
}

static void report_wait(const struct move_server *server,
			enum move_failure failure, const char *reason)
{
	migration_report_service("throttled", "host", server->name,
		"seconds", dec2str((scheduler_server_wait(server) + 999) /
				   1000),
		"kind", move_failure_to_str(failure),
		"users", dec2str(server->bounds.limit),
		"reason", reason, NULL);
}

/* It may be that user alone: who has as many connections there as he may have.
   But another one who is refused soon after? */
static bool is_servers_own(struct move_server *server,
			   const struct move_user *user)
{
	bool own = server->refused != 0 &&
		server->refused_user != user->number &&
		ioloop_time - server->refused < REFUSED_TOGETHER_SECS;

	server->refused_user = user->number;
	server->refused = ioloop_time;
	return own;
}

/* Who asked the server has it left alone already (engine/old-budget.h). Many that
   were refused at once are one refusal. */
void scheduler_server_refused(struct move_server *server,
			      enum move_failure failure,
			      const struct move_user *user,
			      const char *reason)
{
	set_reason(server, reason);
	if (is_servers_own(server, user) &&
	    failure == MOVE_FAILURE_THROTTLED) {
		(void)server_bounds_throttled(&server->bounds,
					      user->run->begun, ioloop_time);
	}
	if (ioloop_time < server->refused_until)
		return;
	server->refused_until = ioloop_time +
		scheduler_server_wait(server) / 1000;
	report_wait(server, failure, reason);
}

/* A password of all that is wrong, a full disk: one user is tried now and then,
   until one succeeds. */
void scheduler_server_failed(struct move_server *server,
			     enum move_failure failure, const char *reason)
{
	unsigned int i, secs = BRAKE_SECS;

	if (++server->failed_in_a_row < FAILED_IN_A_ROW)
		return;
	for (i = FAILED_IN_A_ROW; i < server->failed_in_a_row &&
	     secs < BRAKE_MAX_SECS; i++)
		secs *= 2;
	server->braked_until = ioloop_time + I_MIN(secs, BRAKE_MAX_SECS);
	set_reason(server, reason);
	if (server->failed_in_a_row == FAILED_IN_A_ROW)
		report_wait(server, failure, reason);
}

void scheduler_server_succeeded(struct move_server *server)
{
	server->failed_in_a_row = 0;
	server->braked_until = 0;
	server_bounds_succeeded(&server->bounds, ioloop_time);
}

bool scheduler_server_daily(struct move_server *server)
{
	struct old_budget_status status;
	int64_t until;

	if (!scheduler_server_is_daily(server, &until))
		return FALSE;
	if (server->daily_reported == until)
		return TRUE;
	server->daily_reported = until;
	old_budget_status(server->budget, &status);
	migration_report_service("daily_limit", "host", server->name,
			 "bytes", dec2str(status.today),
			 "until", dec2str(until), NULL);
	return TRUE;
}
