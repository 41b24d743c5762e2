#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "engine/migration-report.h"
#include "engine/old-budget.h"
#include "scheduler-private.h"

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
	return server->budget == NULL ? 0 :
		old_budget_wait_msecs(server->budget);
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
	int64_t until;

	limits_r->limit = server->bounds.limit;
	limits_r->full = move_queue_totals(scheduler->queue)->running >=
		scheduler->set->users;
	limits_r->daily = scheduler_server_is_daily(server, &until);
	limits_r->surveys_wait = priorityq_count(
		scheduler_server(scheduler, scheduler->set->host)->
		heaps[MOVE_PLACE_SURVEYS]) > 0;
}

static void set_reason(struct move_server *server, const char *reason)
{
	i_free(server->reason);
	server->reason = i_strdup(reason);
}

/* Many that were refused at once are one refusal. */
void scheduler_server_refused(struct move_server *server,
			      enum move_failure failure, time_t begun,
			      const char *reason)
{
	unsigned int msecs = 0;

	set_reason(server, reason);
	if (server->budget != NULL)
		msecs = old_budget_back_off(server->budget);
	if (failure == MOVE_FAILURE_THROTTLED)
		(void)server_bounds_throttled(&server->bounds, begun,
					      ioloop_time);
	if (ioloop_time < server->refused_until)
		return;
	server->refused_until = ioloop_time + msecs / 1000;
	migration_report_service("throttled", "host", server->name,
			 "seconds", dec2str((msecs + 999) / 1000),
			 "kind", move_failure_to_str(failure),
			 "users", dec2str(server->bounds.limit),
			 "reason", reason, NULL);
}

void scheduler_server_daily(struct move_server *server)
{
	struct old_budget_status status;
	int64_t until;

	if (!scheduler_server_is_daily(server, &until) ||
	    server->daily_reported == until)
		return;
	server->daily_reported = until;
	old_budget_status(server->budget, &status);
	migration_report_service("daily_limit", "host", server->name,
			 "bytes", dec2str(status.today),
			 "until", dec2str(until), NULL);
}
