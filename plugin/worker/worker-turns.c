/* worker-turns: the queue, and when it isn't worked on. */

#include "lib.h"
#include "ioloop.h"
#include "time-util.h"
#include "worker-answer.h"
#include "worker-server.h"
#include "engine/old-slots.h"
#include "worker-turns-private.h"

/* a write may come each moment: not as late as a connection that waits */
#define MAX_BACKOFF_MSECS (30 * 1000)
#define PAUSE_MSECS (60 * 1000)
/* who waits hears so often that he isn't forgotten, however long a turn takes */
#define ALIVE_MSECS 5000
#define MAX_FRESHNESS_MSECS 2000
/* when nobody asks for anything, the copies are closed */
#define RELEASE_MSECS (60 * 1000)

static void turns_begin(struct worker_turns *turns);

static void turns_schedule(struct worker_turns *turns)
{
	if (turns->to == NULL && !turns->running && turns->head != NULL)
		turns->to = timeout_add_to(turns->ioloop, 0, turns_begin,
					   turns);
}

static void task_free(struct worker_task **_task)
{
	struct worker_task *task = *_task;

	*_task = NULL;
	i_assert(task->request == NULL);
	i_free(task->vname);
	i_free(task);
}

void worker_task_answer(struct worker_task *task, const char *line)
{
	if (task->request != NULL)
		worker_server_answer(&task->request, line);
	task_free(&task);
}

/* Who hadn't the patience has told his client that it failed: done now, it would
   be done twice when that client tries again. */
bool worker_task_is_left(const struct worker_task *task)
{
	return task->request != NULL && worker_server_is_left(task->request);
}

static void
task_add(struct worker_turns *turns, enum worker_request_type type,
	 const char *vname, struct worker_request *request)
{
	struct worker_task *task = i_new(struct worker_task, 1);

	task->type = type;
	task->vname = i_strdup(vname);
	task->request = request;
	DLLIST2_APPEND(&turns->head, &turns->tail, task);
	turns_schedule(turns);
}

static struct worker_task *
task_take(struct worker_turns *turns, struct worker_task *task)
{
	DLLIST2_REMOVE(&turns->head, &turns->tail, task);
	return task;
}

/*
 * Without an old server
 */

void worker_turns_old_server_seen(struct worker_turns *turns)
{
	i_zero(&turns->backoff);
	i_zero(&turns->retry_at);
}

void worker_turn_succeeded(struct worker_turns *turns)
{
	if (mirror_is_connected(turns->mirror))
		worker_turns_old_server_seen(turns);
}

static void turns_back_off(struct worker_turns *turns,
			   enum mail_error error_code, const char *error)
{
	bool refused = error_code == MAIL_ERROR_PERM;
	unsigned int msecs = mirror_backoff_failed(&turns->backoff, 0, refused);

	if (!refused)
		msecs = I_MIN(msecs, MAX_BACKOFF_MSECS);
	io_loop_time_refresh();
	turns->retry_at = turns->admin_retry_at = ioloop_timeval;
	timeval_add_msecs(&turns->retry_at, msecs);
	timeval_add_msecs(&turns->admin_retry_at, MIRROR_BACKOFF_MIN_MSECS);
	turns->error_code = error_code;
	i_free(turns->error);
	turns->error = i_strdup(error);
}

void worker_turn_failed(struct worker_turns *turns, enum mail_error error_code,
			const char *error)
{
	/* what we spare the old server says nothing about it: who waits is served */
	if (mirror_is_held_back(turns->mirror))
		return;
	switch (error_code) {
	case MAIL_ERROR_UNAVAILABLE:
	case MAIL_ERROR_TEMP:
	case MAIL_ERROR_PERM:
		if (!mirror_is_connected(turns->mirror)) {
			turns_back_off(turns, error_code, error);
			break;
		}
		/* fall through */
	default:
		worker_turn_succeeded(turns);
		break;
	}
}

/* The administrator may have put right what was wrong, but all of his mailboxes
   needn't each wait for an old server that hangs. */
static bool
turns_wait_to_retry(struct worker_turns *turns, enum worker_request_type type)
{
	bool admin = type == WORKER_FILL || type == WORKER_CUTOVER;

	return turns->retry_at.tv_sec != 0 &&
		timeval_cmp(&ioloop_timeval, admin ? &turns->admin_retry_at :
			    &turns->retry_at) < 0;
}

static bool
turns_refuse(struct worker_turns *turns, enum worker_request_type type,
	     enum mail_error *error_code_r, const char **error_r)
{
	if (turns_wait_to_retry(turns, type)) {
		*error_code_r = turns->error_code;
		*error_r = t_strdup(turns->error);
		return TRUE;
	}
	if (old_slots_want(turns->slots, 1) == 0) {
		*error_code_r = MAIL_ERROR_LIMIT;
		*error_r = "[LIMIT] Too many connections to the old server";
		return TRUE;
	}
	return FALSE;
}

/*
 * PAUSE
 */

static void pause_end(struct worker_pause *pause)
{
	struct worker_turns *turns = pause->turns;

	DLLIST_REMOVE(&turns->pauses, pause);
	timeout_remove(&pause->to);
	i_free(pause);
	turns_schedule(turns);
}

static void pause_timeout(struct worker_pause *pause)
{
	i_warning("migration: The folders are being changed for more than "
		  "%u seconds: going on", PAUSE_MSECS / 1000);
	pause_end(pause);
}

static void turn_pause(struct worker_turns *turns, struct worker_task *task)
{
	struct worker_pause *pause = i_new(struct worker_pause, 1);

	mirror_release(turns->mirror);
	worker_turns_resume(turns, task->request->conn);
	pause->turns = turns;
	pause->conn = task->request->conn;
	pause->to = timeout_add_to(turns->ioloop, PAUSE_MSECS, pause_timeout,
				   pause);
	DLLIST_PREPEND(&turns->pauses, pause);
	worker_task_answer(task, worker_answer_ok());
}

void worker_turns_resume(struct worker_turns *turns,
			 const struct worker_connection *conn)
{
	struct worker_pause *pause;

	for (pause = turns->pauses; pause != NULL; pause = pause->next) {
		if (pause->conn == conn) {
			pause_end(pause);
			break;
		}
	}
}

/*
 * The loop
 */

/* During a pause others may pause as well. */
static struct worker_task *turns_next(struct worker_turns *turns)
{
	struct worker_task *task = turns->head;

	if (turns->pauses != NULL) {
		while (task != NULL && task->type != WORKER_PAUSE)
			task = task->next;
	}
	return task;
}

static void turn(struct worker_turns *turns, struct worker_task *task)
{
	enum mail_error error_code;
	const char *error;

	if (worker_task_is_left(task))
		worker_task_answer(task, worker_answer_no(MAIL_ERROR_TEMP,
				   "Nobody waits for it"));
	else if (task->type == WORKER_PAUSE)
		turn_pause(turns, task);
	else if (turns_refuse(turns, task->type, &error_code, &error))
		worker_task_answer(task, worker_answer_no(error_code, error));
	else
		worker_turn(turns, task);
}

static void turns_release(struct worker_turns *turns)
{
	timeout_remove(&turns->to_release);
	turns->running = TRUE;
	mirror_release(turns->mirror);
	turns->running = FALSE;
	turns_schedule(turns);
}

static void turns_begin(struct worker_turns *turns)
{
	struct worker_task *task = turns_next(turns);

	timeout_remove(&turns->to);
	if (task == NULL)
		return;
	timeout_remove(&turns->to_release);
	turns->running = TRUE;
	turns->started = ioloop_timeval;
	T_BEGIN {
		turn(turns, task_take(turns, task));
	} T_END;
	turns->running = FALSE;
	turns->to_release = timeout_add_to(turns->ioloop, RELEASE_MSECS,
					   turns_release, turns);
	turns->callbacks.turn_ended(turns->context);
	turns_schedule(turns);
}

unsigned int worker_turns_running_msecs(const struct worker_turns *turns)
{
	int msecs = !turns->running ? 0 :
		timeval_diff_msecs(&ioloop_timeval, &turns->started);

	return I_MAX(msecs, 0);
}

/* Nobody waits so long, not even for an answer that would come now. */
static bool turn_takes_long(const struct worker_turns *turns)
{
	return worker_turns_running_msecs(turns) > MAX_FRESHNESS_MSECS;
}

void worker_turns_add(struct worker_turns *turns,
		      struct worker_request *request)
{
	enum mail_error error_code = MAIL_ERROR_UNAVAILABLE;
	const char *error = "The old server doesn't answer";

	/* what runs may be held up by migration_old_rate: it's waited for now */
	if (turns->running)
		mirror_set_claim(turns->mirror, OLD_CLAIM_WAITED);
	if (request->type == WORKER_FRESH &&
	    (turn_takes_long(turns) ||
	     turns_refuse(turns, request->type, &error_code, &error)))
		worker_server_answer(&request,
				     worker_answer_no(error_code, error));
	else
		task_add(turns, request->type, request->vname, request);
}

/* Somebody else may have asked for it. */
static void
task_want(struct worker_turns *turns, enum worker_request_type type,
	  const char *vname)
{
	struct worker_task *task;

	for (task = turns->head; task != NULL; task = task->next) {
		if (task->type == type && null_strcmp(task->vname, vname) == 0)
			return;
	}
	task_add(turns, type, vname, NULL);
}

void worker_turns_refresh(struct worker_turns *turns, const char *vname)
{
	task_want(turns, WORKER_FRESH, vname);
}

void worker_turns_catchup(struct worker_turns *turns)
{
	task_want(turns, WORKER_CATCHUP, NULL);
}

bool worker_turns_running(const struct worker_turns *turns)
{
	return turns->running;
}

unsigned int worker_turns_freshness_msecs(const struct worker_turns *turns)
{
	unsigned int rtt = mirror_rtt_msecs(turns->mirror);

	/* 0: there was no connection yet, and the login takes longer */
	return rtt == 0 ? MAX_FRESHNESS_MSECS :
		I_MIN(2 * rtt + 200, MAX_FRESHNESS_MSECS);
}

struct worker_turns *
worker_turns_init(struct mirror *mirror, struct old_slots *slots,
		  const struct worker_turns_callbacks *callbacks,
		  void *context)
{
	struct worker_turns *turns = i_new(struct worker_turns, 1);

	turns->mirror = mirror;
	turns->slots = slots;
	turns->callbacks = *callbacks;
	turns->context = context;
	turns->ioloop = current_ioloop;
	turns->to_alive = timeout_add(ALIVE_MSECS, worker_turn_tell_alive,
				      turns);
	worker_turn_observe(turns);
	return turns;
}

void worker_turns_deinit(struct worker_turns **_turns)
{
	struct worker_turns *turns = *_turns;
	struct worker_task *task;

	*_turns = NULL;
	mirror_set_observer(turns->mirror, NULL);
	while ((task = turns->head) != NULL) {
		task_take(turns, task);
		if (task->request != NULL)
			worker_server_drop(&task->request);
		task_free(&task);
	}
	while (turns->pauses != NULL)
		pause_end(turns->pauses);
	timeout_remove(&turns->to);
	timeout_remove(&turns->to_release);
	timeout_remove(&turns->to_alive);
	i_free(turns->error);
	i_free(turns);
}

void worker_turns_switch_ioloop(struct worker_turns *turns)
{
	turns->to_alive = io_loop_move_timeout(&turns->to_alive);
}
