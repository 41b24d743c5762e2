#include "lib.h"
#include "file-lock.h"
#include "ioloop.h"
#include "mkdir-parents.h"
#include "migration-user.h"
#include "engine/mailbox-state.h"
#include "engine/mirror.h"
#include "engine/old-settings.h"
#include "worker-answer.h"
#include "worker-catchup.h"
#include "worker-request.h"
#include "worker-server.h"
#include "engine/old-limits.h"
#include "engine/old-slots.h"
#include "worker-socket.h"
#include "worker-turns.h"
#include "worker-watch.h"
#include "worker.h"

#include <fcntl.h>
#include <unistd.h>

/* Another one listens, or it ends when its last turn is over. */
#define LOCK_SECS 30
/* Who asks in a turn isn't heard before it has taken so long. */
#define FOLLOW_MSECS 100

struct migration_worker {
	struct migration_user *muser;
	struct migration_worker_settings set;
	void (*ended)(void);

	struct ioloop *ioloop;
	int lock_fd;
	struct file_lock *lock;
	struct mirror *mirror;
	struct old_slots *slots;
	struct worker_turns *turns;
	struct worker_catchup *catchup;
	struct worker_watch *watch;
	struct worker_server *server;
	struct timeout *to_idle, *to_follow, *to_closed;
	/* all are in the inner ioloop that is current */
	bool followed;
	bool ending;
	/* the turn that just ends was a look for late mail */
	bool caught_up;
};

/* The callback has no context, and there's one worker in a process. */
static struct migration_worker *this_worker;

static void worker_move(struct migration_worker *worker)
{
	worker_server_switch_ioloop(worker->server);
	worker_watch_switch_ioloop(worker->watch);
	worker_turns_switch_ioloop(worker->turns);
}

static void worker_follow(struct migration_worker *worker)
{
	timeout_remove(&worker->to_follow);
	worker->followed = TRUE;
	worker_move(worker);
}

/* Turns have many ioloops that end as soon as the old server has answered. To
   move all connections each time would take longer than what they wait for. */
static void worker_switch_ioloop(struct ioloop *prev ATTR_UNUSED)
{
	struct migration_worker *worker = this_worker;
	unsigned int msecs = worker_turns_running_msecs(worker->turns);

	timeout_remove(&worker->to_follow);
	if (current_ioloop == worker->ioloop) {
		if (worker->followed)
			worker_move(worker);
		worker->followed = FALSE;
	} else if (worker->followed || msecs >= FOLLOW_MSECS) {
		worker_follow(worker);
	} else {
		worker->to_follow = timeout_add_short(FOLLOW_MSECS - msecs,
						      worker_follow, worker);
	}
}

/*
 * Its end
 */

static void worker_close(struct migration_worker *worker, bool force)
{
	timeout_remove(&worker->to_idle);
	if (!worker_server_close(worker->server, force))
		return;
	worker->ending = TRUE;
	if (worker_server_is_idle(worker->server))
		worker->ended();
}

static void worker_idle_end(struct migration_worker *worker)
{
	timeout_remove(&worker->to_idle);
	if (worker_server_is_idle(worker->server))
		worker_close(worker, FALSE);
}

static void worker_idle(void *context)
{
	struct migration_worker *worker = context;

	if (worker->ending) {
		worker->ended();
		return;
	}
	timeout_remove(&worker->to_idle);
	worker->to_idle = timeout_add_short_to(worker->ioloop,
					       worker->set.idle_secs * 1000,
					       worker_idle_end, worker);
}

static void migration_worker_end(struct migration_worker *worker)
{
	worker_close(worker, TRUE);
}

static void migration_worker_deinit(struct migration_worker **_worker)
{
	struct migration_worker *worker = *_worker;

	*_worker = NULL;
	if (this_worker != NULL) {
		io_loop_remove_switch_callback(worker_switch_ioloop);
		this_worker = NULL;
	}
	if (worker->turns != NULL)
		worker_turns_deinit(&worker->turns);
	if (worker->server != NULL)
		worker_server_deinit(&worker->server);
	if (worker->watch != NULL)
		worker_watch_deinit(&worker->watch);
	if (worker->catchup != NULL)
		worker_catchup_deinit(&worker->catchup);
	timeout_remove(&worker->to_closed);
	timeout_remove(&worker->to_idle);
	timeout_remove(&worker->to_follow);
	if (worker->mirror != NULL)
		mirror_deinit(&worker->mirror);
	if (worker->slots != NULL)
		old_slots_deinit(&worker->slots);
	if (worker->lock != NULL)
		file_unlock(&worker->lock);
	i_close_fd(&worker->lock_fd);
	i_free(worker);
}

/*
 * Requests
 */

static void worker_fresh(struct migration_worker *worker,
			 struct worker_request *request)
{
	if (worker_watch_is_fresh(worker->watch, request->vname,
				  request->max_age_msecs))
		worker_server_answer(&request, worker_answer_ok());
	else
		worker_turns_add(worker->turns, request);
}

static void worker_queue(struct migration_worker *worker,
			 struct worker_request *request)
{
	worker_turns_add(worker->turns, request);
}

static void worker_watch(struct migration_worker *worker,
			 struct worker_request *request)
{
	worker_watch_add(worker->watch, request->conn, request->vname);
	worker_server_answer(&request, worker_answer_ok());
}

static void worker_unwatch(struct migration_worker *worker,
			   struct worker_request *request)
{
	worker_watch_remove(worker->watch, request->conn, request->vname);
	worker_server_answer(&request, worker_answer_ok());
}

/* Not from within a connection's input, which would be freed. */
static void worker_end_closed(struct migration_worker *worker)
{
	timeout_remove(&worker->to_closed);
	migration_worker_end(worker);
}

static void worker_migration_closed(void *context)
{
	struct migration_worker *worker = context;

	if (worker->to_closed == NULL)
		worker->to_closed = timeout_add_short_to(worker->ioloop, 0,
			worker_end_closed, worker);
}

static void worker_catch_up(struct migration_worker *worker,
			    struct worker_request *request)
{
	if (worker_catchup_is_recent(worker->catchup, request->max_age_msecs))
		worker_server_answer(&request, worker_answer_ok());
	else
		worker_turns_add(worker->turns, request);
	worker_watch_want_late(worker->watch);
}

static void worker_end(struct migration_worker *worker,
		       struct worker_request *request)
{
	worker_server_answer(&request, worker_answer_ok());
	worker_migration_closed(worker);
}

static void worker_resume(struct migration_worker *worker,
			  struct worker_request *request)
{
	worker_turns_resume(worker->turns, request->conn);
	worker_server_answer(&request, worker_answer_ok());
}

static void (*const request_handlers[])(struct migration_worker *worker,
					struct worker_request *request) = {
	[WORKER_FRESH] = worker_fresh,
	[WORKER_WATCH] = worker_watch,
	[WORKER_UNWATCH] = worker_unwatch,
	[WORKER_WRITE] = worker_queue,
	[WORKER_FILL] = worker_queue,
	[WORKER_CUTOVER] = worker_queue,
	[WORKER_CATCHUP] = worker_catch_up,
	[WORKER_PAUSE] = worker_queue,
	[WORKER_RESUME] = worker_resume,
	[WORKER_END] = worker_end,
};

static void worker_request(void *context, struct worker_request *request)
{
	request_handlers[request->type](context, request);
}

static void worker_closed(void *context, struct worker_connection *conn)
{
	struct migration_worker *worker = context;

	worker_watch_closed(worker->watch, conn);
	worker_turns_resume(worker->turns, conn);
}

static unsigned int worker_freshness(void *context)
{
	struct migration_worker *worker = context;

	return worker_turns_freshness_msecs(worker->turns);
}

/*
 * Its beginning
 */

static bool another_listens(const char *dir)
{
	int fd = worker_socket_connect(dir);

	if (fd == -1)
		return FALSE;
	i_close_fd(&fd);
	return TRUE;
}

/* Returns 1, 0 when another one listens, -1. */
static int
worker_lock_wait(struct migration_worker *worker, const char *path,
		 const char **error_r)
{
	const struct file_lock_settings set = {
		.lock_method = FILE_LOCK_METHOD_FLOCK,
	};
	int ret;

	ret = file_try_lock(worker->lock_fd, path, F_WRLCK, &set,
			    &worker->lock, error_r);
	for (unsigned int i = 0; ret == 0 && i < LOCK_SECS; i++) {
		if (another_listens(worker->muser->set.dir))
			return 0;
		ret = file_wait_lock(worker->lock_fd, path, F_WRLCK, &set, 1,
				     &worker->lock, error_r);
	}
	if (ret == 0) {
		*error_r = "Another worker of this user neither listens nor "
			"ends";
		ret = -1;
	}
	return ret;
}

static int worker_lock(struct migration_worker *worker, const char **error_r)
{
	const char *dir = worker->muser->set.dir;
	const char *path = t_strconcat(dir, "/worker.lock", NULL);

	if (mkdir_parents(dir, 0700) < 0 && errno != EEXIST) {
		*error_r = t_strdup_printf("mkdir(%s) failed: %m", dir);
		return -1;
	}
	worker->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (worker->lock_fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	return worker_lock_wait(worker, path, error_r);
}

static int worker_slots(struct migration_worker *worker, const char **error_r)
{
	struct old_client_settings old_set;
	unsigned int limit = worker->muser->set.old_connections;

	if (old_settings_read(worker->muser->ns, &old_set, error_r) < 0)
		return -1;
	if (limit > 0 && worker->set.slots_fd == -1) {
		*error_r = "migration_old_connections can't be kept: there's "
			"no file for it, see the log";
		return -1;
	}
	worker->slots = old_slots_init(worker->set.slots_fd, old_set.host,
				       limit, old_set.limits == NULL ? NULL :
				       old_limits_budget(old_set.limits));
	return 0;
}

static void worker_states_changed(void *context)
{
	struct migration_worker *worker = context;

	worker_watch_states_changed(worker->watch);
}

static void worker_refreshed(void *context, const char *vname)
{
	struct migration_worker *worker = context;

	worker_watch_refreshed(worker->watch, vname);
}

/* A look needs a connection for a moment only. Where they are counted, other
   users' workers wait for theirs. */
static void worker_give_way(struct migration_worker *worker)
{
	const struct migration_settings *set = &worker->muser->set;

	if (set->old_connections == 0 ||
	    mailbox_state_any(set->dir, MAILBOX_STATE_MIRRORED))
		return;
	mirror_disconnect(worker->mirror);
	old_slots_release(worker->slots);
}

static void worker_turn_ended(void *context)
{
	struct migration_worker *worker = context;

	worker_catchup_turn_ended(worker->catchup);
	worker_watch_turn_ended(worker->watch);
	if (worker->caught_up)
		worker_give_way(worker);
	worker->caught_up = FALSE;
}

static void worker_caught_up(void *context, bool success)
{
	struct migration_worker *worker = context;

	worker->caught_up = TRUE;
	worker_catchup_looked(worker->catchup, success);
}

static bool worker_is_watched(void *context)
{
	struct migration_worker *worker = context;

	return !worker_server_is_idle(worker->server);
}

static void worker_work(struct migration_worker *worker)
{
	static const struct worker_turns_callbacks turns_callbacks = {
		.states_changed = worker_states_changed,
		.refreshed = worker_refreshed,
		.caught_up = worker_caught_up,
		.turn_ended = worker_turn_ended,
	};
	static const struct worker_catchup_callbacks catchup_callbacks = {
		.is_watched = worker_is_watched,
		.closed = worker_migration_closed,
	};

	worker->turns = worker_turns_init(worker->mirror, worker->slots,
					  &turns_callbacks, worker);
	worker->catchup = worker_catchup_init(worker->muser, worker->turns,
					      &catchup_callbacks, worker);
	worker->watch = worker_watch_init(worker->muser, worker->mirror,
					  worker->slots, worker->turns,
					  worker->catchup);
}

static int worker_listen(struct migration_worker *worker, const char **error_r)
{
	static const struct worker_server_callbacks callbacks = {
		.request = worker_request,
		.closed = worker_closed,
		.freshness = worker_freshness,
		.idle = worker_idle,
	};

	return worker_server_init(worker->muser->set.dir, &callbacks, worker,
				  &worker->server, error_r);
}

static int worker_start(struct migration_worker *worker, const char **error_r)
{
	int ret;

	if ((ret = worker_lock(worker, error_r)) <= 0)
		return ret;
	if (migration_user_is_closed(worker->muser)) {
		*error_r = "The migration of this user was just closed";
		return -1;
	}
	if (mirror_init(worker->muser, &worker->mirror, error_r) < 0 ||
	    worker_slots(worker, error_r) < 0)
		return -1;
	worker_work(worker);
	if (worker_listen(worker, error_r) < 0)
		return -1;
	this_worker = worker;
	io_loop_add_switch_callback(worker_switch_ioloop);
	worker_idle(worker);
	return 1;
}

static int
migration_worker_init(struct mail_user *user,
		      const struct migration_worker_settings *set,
		      void (*ended)(void), struct migration_worker **worker_r,
		      const char **error_r)
{
	struct migration_user *muser = MIGRATION_USER_CONTEXT(user);
	struct migration_worker *worker;
	int ret;

	if (muser == NULL) {
		*error_r = "The user isn't being moved: migration isn't on";
		return -1;
	}
	worker = i_new(struct migration_worker, 1);
	worker->muser = muser;
	worker->set = *set;
	/* it counts its connections by itself */
	old_limits_set_files(set->budget_fd, -1);
	worker->ended = ended;
	worker->ioloop = current_ioloop;
	worker->lock_fd = -1;
	if ((ret = worker_start(worker, error_r)) <= 0)
		migration_worker_deinit(&worker);
	else
		*worker_r = worker;
	return ret;
}

const struct migration_worker_class migration_worker_class = {
	.init = migration_worker_init,
	.end = migration_worker_end,
	.deinit = migration_worker_deinit,
};
