#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "str.h"
#include "strescape.h"
#include "engine/migration-report.h"
#include "engine/old-budget.h"
#include "scheduler-private.h"

#define MAX_FAILED 100
#define PROGRESS_SECS (10 * 60)
/* of users, those who may be unseen for the time left to be computed */
#define MAX_UNSEEN_PERCENT 50

static void add_str(string_t *str, const char *key, const char *value)
{
	str_printfa(str, "\t%s=", key);
	if (value != NULL)
		str_append_tabescaped(str, value);
}

static void add_number(string_t *str, const char *key, uint64_t value)
{
	str_printfa(str, "\t%s=%"PRIu64, key, value);
}

/*
 * In all
 */

/* Those who weren't seen yet have as much as the others, it's taken. */
static uint64_t bytes_left(const struct move_queue_totals *totals)
{
	uint64_t unseen = totals->phases[MOVE_PHASE_UNSEEN];
	uint64_t seen = totals->phases[MOVE_PHASE_MOVING] +
		totals->phases[MOVE_PHASE_LOCAL];
	uint64_t left = totals->bytes -
		I_MIN(totals->bytes, totals->done_bytes);

	return seen == 0 ? left : left + totals->bytes / seen * unseen;
}

/* "": not known yet */
static const char *seconds_left(const struct scheduler *scheduler)
{
	const struct move_queue_totals *totals =
		move_queue_totals(scheduler->queue);
	unsigned int unseen = totals->phases[MOVE_PHASE_UNSEEN];
	uint64_t rate = rate_meter_get(&scheduler->left_rate,
				       scheduler_msecs());
	uint64_t left = bytes_left(totals);

	if (unseen > totals->users / 100 * MAX_UNSEEN_PERCENT)
		return "";
	if (left == 0)
		return unseen == 0 && scheduler->listed ? "0" : "";
	return rate == 0 ? "" : dec2str(left / rate);
}

/* The user whose look is the longest ago is about the one whose next is due
   first. */
static time_t oldest_catchup(const struct scheduler *scheduler)
{
	struct move_server *server;
	struct move_user *user;
	time_t oldest = 0;

	array_foreach_elem(move_queue_servers(scheduler->queue), server) {
		user = (struct move_user *)priorityq_peek(
			server->heaps[MOVE_PLACE_CATCHUPS]);
		if (user != NULL && user->looked != 0 &&
		    (oldest == 0 || user->looked < oldest))
			oldest = user->looked;
	}
	return oldest;
}

static void add_total(struct scheduler *scheduler, string_t *str)
{
	const struct move_queue_totals *totals =
		move_queue_totals(scheduler->queue);

	str_append(str, "total");
	add_number(str, "paused", scheduler->paused ? 1 : 0);
	add_number(str, "users", totals->users);
	for (unsigned int i = 0; i < N_ELEMENTS(totals->phases); i++)
		add_number(str, move_phase_to_str(i), totals->phases[i]);
	add_number(str, "failed", totals->failed);
	add_number(str, "running", totals->running);
	add_number(str, "messages", totals->messages);
	add_number(str, "done_messages", totals->done_messages);
	add_number(str, "bytes", totals->bytes);
	add_number(str, "done_bytes", totals->done_bytes);
	add_number(str, "rate", rate_meter_get(&scheduler->rate,
					       scheduler_msecs()));
	add_str(str, "seconds_left", seconds_left(scheduler));
	add_number(str, "since", scheduler->since);
	add_number(str, "catchup_oldest", oldest_catchup(scheduler));
	str_append_c(str, '\n');
}

/*
 * Servers
 */

static void add_state(const struct move_server *server, string_t *str)
{
	unsigned int wait = scheduler_server_wait(server);
	int64_t daily_until;
	bool daily = scheduler_server_is_daily(server, &daily_until);

	if (wait > 0) {
		add_str(str, "state", "backoff");
		add_number(str, "until", ioloop_time + (wait + 999) / 1000);
		add_str(str, "reason", server->reason);
	} else if (daily) {
		add_str(str, "state", "daily");
		add_number(str, "until", daily_until);
		add_str(str, "reason", "migration_old_daily is used up");
	} else {
		add_str(str, "state", "ok");
		add_number(str, "until", 0);
		add_str(str, "reason", "");
	}
}

static uint64_t server_rate(const struct move_server *server)
{
	struct move_user *user;
	const struct move_job *job;
	uint64_t rate = 0;

	array_foreach_elem(&server->running, user) {
		job = user->run->context;
		rate += rate_meter_get(&job->rate, scheduler_msecs());
	}
	return rate;
}

static bool server_is_known(const struct move_server *server)
{
	return *server->name != '\0' || array_count(&server->running) > 0;
}

static void add_server(struct scheduler *scheduler,
		       const struct move_server *server, string_t *str)
{
	struct old_budget_status status;

	i_zero(&status);
	if (server->budget != NULL)
		old_budget_status(server->budget, &status);
	str_append(str, "server");
	add_str(str, "host", server->name);
	add_number(str, "connections", array_count(&server->running));
	add_number(str, "limit", server->bounds.limit);
	add_state(server, str);
	add_number(str, "today", status.today);
	add_number(str, "daily", scheduler->set->old_daily);
	add_number(str, "rate", server_rate(server));
	str_append_c(str, '\n');
}

/*
 * Users
 */

static void add_running(const struct move_user *user, string_t *str)
{
	static const char *const works[] = {
		[MOVE_WORK_SURVEY] = "survey",
		[MOVE_WORK_FILL] = "fill",
		[MOVE_WORK_REFRESH] = "fill",
		[MOVE_WORK_CATCHUP] = "catchup",
	};
	const struct move_job *job = user->run->context;

	str_append(str, "running");
	add_str(str, "user", user->name);
	add_str(str, "host", user->server->name);
	add_str(str, "doing", works[user->run->work]);
	add_str(str, "mailbox", job->mailbox);
	add_str(str, "what", job->what);
	add_number(str, "messages", user->totals.messages);
	add_number(str, "done_messages", user->totals.done_messages);
	add_number(str, "bytes", user->totals.bytes);
	add_number(str, "done_bytes", user->totals.done_bytes);
	add_number(str, "rate", rate_meter_get(&job->rate,
					       scheduler_msecs()));
	add_number(str, "since", user->run->begun);
	str_append_c(str, '\n');
}

static void add_failed(const struct move_failed *failed, string_t *str)
{
	str_append(str, "failed");
	add_str(str, "user", failed->user->name);
	add_str(str, "failure", move_failure_to_str(failed->failure));
	add_str(str, "reason", failed->reason);
	add_number(str, "since", failed->since);
	add_number(str, "retry", failed->user->not_before);
	str_append_c(str, '\n');
}

static void add_users(struct scheduler *scheduler, string_t *str)
{
	struct move_server *server;
	const struct move_failed *failed;
	struct move_user *user;
	unsigned int count = 0;

	array_foreach_elem(move_queue_servers(scheduler->queue), server) {
		array_foreach_elem(&server->running, user)
			add_running(user, str);
	}
	failed = move_queue_failed_users(scheduler->queue);
	for (; failed != NULL && count < MAX_FAILED; failed = failed->next) {
		add_failed(failed, str);
		count++;
	}
}

int scheduler_status(struct scheduler *scheduler, string_t *str,
		     const char **error_r)
{
	struct move_server *server;

	if (scheduler_check_ready(scheduler, error_r) < 0)
		return -1;
	add_total(scheduler, str);
	array_foreach_elem(move_queue_servers(scheduler->queue), server) {
		if (server_is_known(server))
			add_server(scheduler, server, str);
	}
	add_users(scheduler, str);
	return 0;
}

/*
 * The progress line
 */

static bool all_is_local(const struct move_queue_totals *totals)
{
	return totals->users > 0 &&
		totals->users == totals->phases[MOVE_PHASE_LOCAL] +
		totals->phases[MOVE_PHASE_CLOSED];
}

static void report(struct scheduler *scheduler)
{
	const struct move_queue_totals *totals =
		move_queue_totals(scheduler->queue);

	migration_report_service("service_progress",
		"users", dec2str(totals->users),
		"unseen", dec2str(totals->phases[MOVE_PHASE_UNSEEN]),
		"moving", dec2str(totals->phases[MOVE_PHASE_MOVING]),
		"local", dec2str(totals->phases[MOVE_PHASE_LOCAL]),
		"closed", dec2str(totals->phases[MOVE_PHASE_CLOSED]),
		"failed", dec2str(totals->failed),
		"messages", dec2str(totals->messages),
		"done_messages", dec2str(totals->done_messages),
		"bytes", dec2str(totals->bytes),
		"done_bytes", dec2str(totals->done_bytes),
		"rate", dec2str(rate_meter_get(&scheduler->rate,
					       scheduler_msecs())), NULL);
	scheduler->progress_reported = ioloop_time;
}

void scheduler_report_progress(struct scheduler *scheduler, time_t now)
{
	bool local = scheduler->listed &&
		all_is_local(move_queue_totals(scheduler->queue));

	if (local ? !scheduler->local_reported :
	    now - scheduler->progress_reported >= PROGRESS_SECS)
		report(scheduler);
	scheduler->local_reported = local;
}
