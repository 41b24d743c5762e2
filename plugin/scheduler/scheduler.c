#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "time-util.h"
#include "master-service.h"
#include "engine/migration-report.h"
#include "engine/old-budget.h"
#include "pause-file.h"
#include "scheduler-backends.h"
#include "scheduler-private.h"
#include "user-list.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEDULER_DIR "migration"
#define LOCK_NAME "lock"
#define TICK_MSECS 1000
/* until the one before has ended */
#define LOCK_MSECS 100
/* users who are new, and who are no more; after a failure */
#define LIST_MSECS (5 * 60 * 1000)
#define LIST_RETRY_MSECS (30 * 1000)
/* how much the clock may be set back without anything being begun anew */
#define CLOCK_BACK_SECS 60
/* what is looked at, in a run, of what could be begun */
#define MAX_BEGUN 64

uint64_t scheduler_msecs(void)
{
	return i_microseconds() / 1000;
}

/*
 * Who is next
 */

static bool may_begin(const struct scheduler *scheduler)
{
	return scheduler->listed && !scheduler->paused &&
		ioloop_time >= scheduler->no_service_until;
}

static bool begin_one(struct scheduler *scheduler, struct move_server *server)
{
	struct move_limits limits;
	struct move_user *user;
	enum move_work work;

	if (scheduler_server_wait(server) > 0)
		return FALSE;
	scheduler_server_limits(scheduler, server, &limits);
	if (!move_choice_next(server, &limits, ioloop_time, &user, &work))
		return FALSE;
	move_job_begin(scheduler, user, work);
	return TRUE;
}

static void stop_one(struct scheduler *scheduler, struct move_server *server)
{
	struct move_limits limits;
	struct move_user *user;

	if (scheduler_server_wait(server) > 0)
		return;
	scheduler_server_limits(scheduler, server, &limits);
	user = move_choice_stop(server, &limits, ioloop_time);
	if (user != NULL)
		move_job_stop(user->run->context);
}

/* One of each server in turn, so that they share what there is for all. */
static bool begin_round(struct scheduler *scheduler)
{
	const ARRAY_TYPE(move_server) *servers =
		move_queue_servers(scheduler->queue);
	unsigned int i, count = array_count(servers);
	bool begun = FALSE;

	for (i = 0; i < count; i++) {
		if (begin_one(scheduler, array_idx_elem(servers,
				(scheduler->first_server + i) % count)))
			begun = TRUE;
	}
	scheduler->first_server = (scheduler->first_server + 1) % count;
	return begun;
}

static void run(struct scheduler *scheduler)
{
	struct move_server *server;
	unsigned int rounds = 0;

	timeout_remove(&scheduler->to_run);
	array_foreach_elem(move_queue_servers(scheduler->queue), server)
		move_queue_wake(scheduler->queue, server, ioloop_time);
	if (!may_begin(scheduler))
		return;
	while (rounds++ < MAX_BEGUN && begin_round(scheduler)) ;
	array_foreach_elem(move_queue_servers(scheduler->queue), server)
		stop_one(scheduler, server);
}

void scheduler_run_soon(struct scheduler *scheduler)
{
	if (scheduler->to_run == NULL)
		scheduler->to_run = timeout_add_short(0, run, scheduler);
}

/* All that waits for a time would wait for too long. What the ledger says is
   believed only as far as it can be; the master starts another one. */
static void check_clock(struct scheduler *scheduler)
{
	if (ioloop_time < scheduler->ticked - CLOCK_BACK_SECS) {
		i_warning("migration: The clock was set back by %"PRIdTIME_T
			  " seconds: the service begins anew",
			  scheduler->ticked - ioloop_time);
		master_service_stop(master_service);
	}
	scheduler->ticked = ioloop_time;
}

static void tick(struct scheduler *scheduler)
{
	check_clock(scheduler);
	scheduler_run_soon(scheduler);
	scheduler_report_progress(scheduler, ioloop_time);
}

/* All that run; aborted ones leave the list. */
static void running_users(struct scheduler *scheduler,
			  ARRAY_TYPE(move_user) *users)
{
	struct move_server *server;

	t_array_init(users, 16);
	array_foreach_elem(move_queue_servers(scheduler->queue), server)
		array_append_array(users, &server->running);
}

/*
 * The list of users
 */

static void list_begin(struct scheduler *scheduler);

static void list_user(void *context, const char *name)
{
	struct scheduler *scheduler = context;

	(void)move_queue_add(scheduler->queue, name, ioloop_time);
}

static void report_started(struct scheduler *scheduler)
{
	scheduler->listed = TRUE;
	migration_report_service("service_started", "users",
		dec2str(move_queue_totals(scheduler->queue)->users), NULL);
}

static void list_ended(void *context, const char *error)
{
	struct scheduler *scheduler = context;
	unsigned int before = move_queue_totals(scheduler->queue)->users;

	user_list_deinit(&scheduler->list);
	if (error != NULL) {
		i_error("migration: The users can't be listed: %s", error);
	} else if (move_queue_sweep_end(scheduler->queue) > 0 ||
		   before != scheduler->listed_users) {
		ledger_changed(scheduler->ledger, TRUE);
	}
	scheduler->listed_users = move_queue_totals(scheduler->queue)->users;
	if (!scheduler->listed)
		report_started(scheduler);
	scheduler->to_list = error == NULL ?
		timeout_add(LIST_MSECS, list_begin, scheduler) :
		timeout_add(LIST_RETRY_MSECS, list_begin, scheduler);
	scheduler_run_soon(scheduler);
}

static void list_begin(struct scheduler *scheduler)
{
	static const struct user_list_callbacks callbacks = {
		.user = list_user,
		.ended = list_ended,
	};

	timeout_remove(&scheduler->to_list);
	move_queue_sweep_begin(scheduler->queue);
	scheduler->list = user_list_init(scheduler->auth_path, &callbacks,
					 scheduler);
}

/*
 * What others ask
 */

int scheduler_check_ready(const struct scheduler *scheduler,
			  const char **error_r)
{
	if (!scheduler->set->enabled) {
		*error_r = "The service isn't wanted: set migration_service = "
			"yes";
		return -1;
	}
	if (scheduler->queue == NULL) {
		*error_r = "The service begins, and another one is ending";
		return -1;
	}
	return 0;
}

void scheduler_want(struct scheduler *scheduler, const char *username,
		    const char *mailbox)
{
	struct move_user *user;

	if (scheduler->queue == NULL)
		return;
	user = move_queue_find(scheduler->queue, username);
	if (user == NULL)
		return;
	if (move_queue_want(scheduler->queue, user, mailbox, ioloop_time) &&
	    user->run != NULL)
		move_job_want(user->run->context, mailbox);
	ledger_changed(scheduler->ledger, FALSE);
	scheduler_run_soon(scheduler);
}

static void stop_all(struct scheduler *scheduler)
{
	ARRAY_TYPE(move_user) users;
	struct move_user *user;

	running_users(scheduler, &users);
	array_foreach_elem(&users, user)
		move_job_stop(user->run->context);
}

int scheduler_set_paused(struct scheduler *scheduler, bool paused,
			 const char **error_r)
{
	if (scheduler_check_ready(scheduler, error_r) < 0)
		return -1;
	if (paused == scheduler->paused)
		return 0;
	if (pause_file_set(scheduler->dir, paused, error_r) < 0)
		return -1;
	scheduler->paused = paused;
	migration_report_service(paused ? "service_paused" : "service_resumed",
				 NULL);
	if (paused)
		stop_all(scheduler);
	else
		scheduler_run_soon(scheduler);
	return 0;
}

static int find_user(struct scheduler *scheduler, const char *username,
		     struct move_user **user_r, const char **error_r)
{
	if (scheduler_check_ready(scheduler, error_r) < 0)
		return -1;
	*user_r = move_queue_find(scheduler->queue, username);
	if (*user_r != NULL)
		return 0;
	*error_r = t_strdup_printf("User %s isn't in the list of users",
				   username);
	return -1;
}

int scheduler_prioritize(struct scheduler *scheduler, const char *username,
			 const char **error_r)
{
	struct move_user *user;

	if (find_user(scheduler, username, &user, error_r) < 0)
		return -1;
	move_queue_prioritize(scheduler->queue, user, ioloop_time);
	ledger_changed(scheduler->ledger, TRUE);
	scheduler_run_soon(scheduler);
	return 0;
}

int scheduler_retry(struct scheduler *scheduler, const char *username,
		    const char **error_r)
{
	struct move_user *user;

	if (username == NULL) {
		if (scheduler_check_ready(scheduler, error_r) < 0)
			return -1;
		move_queue_retry_all(scheduler->queue, ioloop_time);
	} else {
		if (find_user(scheduler, username, &user, error_r) < 0)
			return -1;
		move_queue_retry(scheduler->queue, user, ioloop_time);
	}
	ledger_changed(scheduler->ledger, TRUE);
	scheduler_run_soon(scheduler);
	return 0;
}

/*
 * Its life
 */

static void read_ledger(struct scheduler *scheduler)
{
	const char *error;

	scheduler->ledger = ledger_init(scheduler->dir, scheduler->queue);
	if (ledger_read(scheduler->ledger, ioloop_time, &error) < 0) {
		i_warning("migration: The ledger %s/ledger can't be used, and "
			  "is begun anew: %s", scheduler->dir, error);
	}
}

static void begin_backends(struct scheduler *scheduler)
{
	const struct scheduler_settings *set = scheduler->set;
	const char *error;

	scheduler_servers_share(scheduler, 1);
	if (*set->backends_dict != '\0' &&
	    scheduler_backends_init(set->backends, set->backends_dict,
				    scheduler->base_dir,
				    scheduler_servers_share, scheduler,
				    &scheduler->backends, &error) < 0)
		i_fatal("%s", error);
}

static void begin(struct scheduler *scheduler)
{
	const struct move_queue_settings set = {
		.refresh = scheduler->set->refresh,
		.catchup = scheduler->set->catchup,
		.server_max = scheduler_server_max(scheduler),
		.server = scheduler->set->host,
	};

	scheduler->paused = pause_file_exists(scheduler->dir);
	scheduler->queue = move_queue_init(&set);
	read_ledger(scheduler);
	scheduler_servers_init(scheduler);
	begin_backends(scheduler);
	scheduler->since = scheduler->progress_reported = ioloop_time;
	scheduler->ticked = ioloop_time;
	rate_meter_init(&scheduler->rate, SCHEDULER_RATE_MSECS,
			scheduler_msecs());
	rate_meter_init(&scheduler->left_rate, SCHEDULER_LEFT_MSECS,
			scheduler_msecs());
	scheduler->to_tick = timeout_add(TICK_MSECS, tick, scheduler);
	list_begin(scheduler);
}

/* After a reload the old one may be there for a moment. */
static void lock_timeout(struct scheduler *scheduler)
{
	if (flock(scheduler->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return;
		i_error("migration: flock(%s/"LOCK_NAME") failed: %m",
			scheduler->dir);
	}
	timeout_remove(&scheduler->to_lock);
	begin(scheduler);
}

static void open_files(struct scheduler *scheduler, const char *state_dir)
{
	const char *path = t_strconcat(scheduler->dir, "/"LOCK_NAME, NULL);

	if (mkdir(scheduler->dir, 0700) < 0 && errno != EEXIST)
		i_fatal("mkdir(%s) failed: %m", scheduler->dir);
	scheduler->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (scheduler->lock_fd == -1)
		i_fatal("open(%s) failed: %m", path);
	path = t_strconcat(state_dir, "/"OLD_BUDGET_FILE, NULL);
	scheduler->budget_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (scheduler->budget_fd == -1)
		i_error("migration: open(%s) failed: %m", path);
}

struct scheduler *
scheduler_init(const struct scheduler_settings *set, const char *base_dir,
	       const char *state_dir)
{
	struct scheduler *scheduler = i_new(struct scheduler, 1);

	scheduler->set = set;
	scheduler->mover_path =
		i_strconcat(base_dir, "/"MOVER_SERVICE_SOCKET, NULL);
	scheduler->auth_path =
		i_strdup(*set->auth_socket == '/' ? set->auth_socket :
			 t_strconcat(base_dir, "/", set->auth_socket, NULL));
	scheduler->dir = i_strconcat(state_dir, "/"SCHEDULER_DIR, NULL);
	scheduler->base_dir = i_strdup(base_dir);
	scheduler->machines = 1;
	scheduler->lock_fd = scheduler->budget_fd = -1;
	if (set->enabled) {
		open_files(scheduler, state_dir);
		scheduler->to_lock = timeout_add_short(LOCK_MSECS,
						       lock_timeout,
						       scheduler);
	}
	return scheduler;
}

static void abort_all(struct scheduler *scheduler)
{
	ARRAY_TYPE(move_user) users;
	struct move_user *user;

	running_users(scheduler, &users);
	array_foreach_elem(&users, user) {
		struct move_job *job = user->run->context;

		move_job_abort(&job);
	}
}

static void end(struct scheduler *scheduler)
{
	abort_all(scheduler);
	scheduler_backends_deinit(&scheduler->backends);
	timeout_remove(&scheduler->to_tick);
	timeout_remove(&scheduler->to_list);
	if (scheduler->list != NULL)
		user_list_deinit(&scheduler->list);
	ledger_deinit(&scheduler->ledger);
	scheduler_servers_deinit(scheduler);
	move_queue_deinit(&scheduler->queue);
}

void scheduler_deinit(struct scheduler **_scheduler)
{
	struct scheduler *scheduler = *_scheduler;

	*_scheduler = NULL;
	if (scheduler->queue != NULL)
		end(scheduler);
	timeout_remove(&scheduler->to_run);
	timeout_remove(&scheduler->to_lock);
	i_close_fd(&scheduler->budget_fd);
	i_close_fd(&scheduler->lock_fd);
	i_free(scheduler->base_dir);
	i_free(scheduler->mover_path);
	i_free(scheduler->auth_path);
	i_free(scheduler->dir);
	i_free(scheduler);
}
