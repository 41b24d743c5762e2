#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "llist.h"
#include "time-util.h"
#include "worker-answer.h"
#include "worker-request.h"
#include "worker-server.h"
#include "worker-slots.h"
#include "worker-turns.h"

#define MIN_BACKOFF_MSECS 1000
#define MAX_BACKOFF_MSECS 30000
#define PAUSE_MSECS (60 * 1000)
#define MAX_FRESHNESS_MSECS 2000
/* how often an asker hears that he isn't forgotten */
#define PROGRESS_MSECS 5000

struct worker_task {
	struct worker_task *prev, *next;
	enum worker_request_type type;
	/* NULL: of none */
	char *vname;
	/* NULL: nobody asks */
	struct worker_request *request;
	/* CUTOVER: the first of its turns is over */
	bool prepared;
};
ARRAY_DEFINE_TYPE(worker_task, struct worker_task *);

struct worker_pause {
	struct worker_pause *prev, *next;
	struct worker_turns *turns;
	const struct worker_connection *conn;
	struct timeout *to;
};

struct worker_turns {
	struct mirror *mirror;
	struct worker_slots *slots;
	struct worker_turns_callbacks callbacks;
	void *context;

	struct ioloop *ioloop;
	/* the next turn */
	struct timeout *to;
	struct worker_task *head, *tail;
	struct worker_pause *pauses;

	/* of the turn that is under way */
	bool running;
	struct timeval started;
	struct worker_request *progress_request;
	struct timeout *to_progress;

	/* 0: the old server was there the last time */
	unsigned int backoff_msecs;
	struct timeval retry_at;
	enum mail_error error_code;
	char *error;
};

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

static void task_answer(struct worker_task *task, const char *line)
{
	if (task->request != NULL)
		worker_server_answer(&task->request, line);
	task_free(&task);
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
	turns->backoff_msecs = 0;
}

static bool is_for_want_of_server(enum mail_error error_code)
{
	return error_code == MAIL_ERROR_UNAVAILABLE ||
		error_code == MAIL_ERROR_TEMP || error_code == MAIL_ERROR_PERM;
}

static void turn_succeeded(struct worker_turns *turns)
{
	if (mirror_is_connected(turns->mirror))
		worker_turns_old_server_seen(turns);
}

static void turn_failed(struct worker_turns *turns, enum mail_error error_code,
			const char *error)
{
	if (mirror_is_connected(turns->mirror) ||
	    !is_for_want_of_server(error_code)) {
		turn_succeeded(turns);
		return;
	}
	turns->backoff_msecs = turns->backoff_msecs == 0 ? MIN_BACKOFF_MSECS :
		I_MIN(turns->backoff_msecs * 2, MAX_BACKOFF_MSECS);
	io_loop_time_refresh();
	turns->retry_at = ioloop_timeval;
	timeval_add_msecs(&turns->retry_at, turns->backoff_msecs);
	turns->error_code = error_code;
	i_free(turns->error);
	turns->error = i_strdup(error);
}

static bool
turns_refuse(struct worker_turns *turns, enum mail_error *error_code_r,
	     const char **error_r)
{
	if (turns->backoff_msecs > 0 &&
	    timeval_cmp(&ioloop_timeval, &turns->retry_at) < 0) {
		*error_code_r = turns->error_code;
		*error_r = t_strdup(turns->error);
		return TRUE;
	}
	if (worker_slots_want(turns->slots, 1) == 0) {
		*error_code_r = MAIL_ERROR_LIMIT;
		*error_r = "[LIMIT] Too many connections to the old server";
		return TRUE;
	}
	return FALSE;
}

/*
 * Turns
 */

/* All of its kind, the first one included, in their order. */
static void take_alike(struct worker_turns *turns, struct worker_task *first,
		       ARRAY_TYPE(worker_task) *tasks_r)
{
	struct worker_task *task, *next;

	t_array_init(tasks_r, 8);
	array_push_back(tasks_r, &first);
	for (task = turns->head; task != NULL; task = next) {
		next = task->next;
		if (task->type == first->type &&
		    strcmp(task->vname, first->vname) == 0) {
			task_take(turns, task);
			array_push_back(tasks_r, &task);
		}
	}
}

static void
turn_note_answer(struct worker_turns *turns, enum mirror_answer answer,
		 enum mail_error error_code, const char *error)
{
	switch (answer) {
	case MIRROR_DONE:
		turn_succeeded(turns);
		break;
	case MIRROR_LOCAL:
	case MIRROR_GONE:
		turns->callbacks.states_changed(turns->context);
		break;
	case MIRROR_FAILED:
		turn_failed(turns, error_code, error);
		break;
	}
}

static void turn_write(struct worker_turns *turns, struct worker_task *first)
{
	ARRAY_TYPE(worker_task) tasks;
	ARRAY_TYPE(mirror_write) writes;
	struct worker_task *task;
	struct mirror_write *write;

	take_alike(turns, first, &tasks);
	t_array_init(&writes, array_count(&tasks));
	array_foreach_elem(&tasks, task) {
		write = &task->request->write;
		array_push_back(&writes, &write);
	}
	mirror_write(turns->mirror, first->vname, &writes);
	array_foreach_elem(&tasks, task) {
		write = &task->request->write;
		turn_note_answer(turns, write->answer, write->error_code,
				 write->error);
		task_answer(task, worker_answer_write(write));
	}
}

static void turn_refresh(struct worker_turns *turns, struct worker_task *first)
{
	ARRAY_TYPE(worker_task) tasks;
	struct worker_task *task;
	enum mirror_answer answer;
	enum mail_error error_code = MAIL_ERROR_NONE;
	const char *error = NULL, *line;
	bool changed;

	take_alike(turns, first, &tasks);
	answer = mirror_refresh(turns->mirror, first->vname, &changed,
				&error_code, &error);
	turn_note_answer(turns, answer, error_code, error);
	line = worker_answer_mirror(answer, error_code, error);
	array_foreach_elem(&tasks, task)
		task_answer(task, line);
}

static void turn_progress(struct worker_turns *turns)
{
	worker_server_tell(turns->progress_request, "PROGRESS");
}

static void progress_begin(struct worker_turns *turns, struct worker_task *task)
{
	turns->progress_request = task->request;
	turns->to_progress = timeout_add(PROGRESS_MSECS, turn_progress, turns);
}

static void turn_fill(struct worker_turns *turns, struct worker_task *task)
{
	struct worker_request *request = task->request;
	struct fill_result result;
	enum mirror_answer answer;
	enum mail_error error_code = MAIL_ERROR_NONE;
	const char *error = NULL;

	progress_begin(turns, task);
	answer = mirror_fill(turns->mirror, task->vname, request->fill_flags,
			     &result, &error_code, &error);
	timeout_remove(&turns->to_progress);
	turn_note_answer(turns, answer, error_code, error);
	task_answer(task, answer == MIRROR_DONE ?
		    worker_answer_fill(&result) :
		    worker_answer_mirror(answer, error_code, error));
	turns->callbacks.states_changed(turns->context);
}

static void turn_cutover_failed(struct worker_turns *turns,
				struct worker_task *task,
				enum mail_error error_code, const char *error)
{
	turn_failed(turns, error_code, error);
	task_answer(task, worker_answer_no(error_code, error));
}

static void turn_prepare(struct worker_turns *turns, struct worker_task *task)
{
	enum mail_error error_code;
	const char *error;
	int ret;

	progress_begin(turns, task);
	ret = mirror_cutover_prepare(turns->mirror, &task->request->vnames,
				     &error_code, &error);
	timeout_remove(&turns->to_progress);
	if (ret < 0) {
		turn_cutover_failed(turns, task, error_code, error);
		return;
	}
	turn_succeeded(turns);
	task->prepared = TRUE;
	DLLIST2_APPEND(&turns->head, &turns->tail, task);
}

static void turn_cutover(struct worker_turns *turns, struct worker_task *task)
{
	ARRAY_TYPE(cutover_result) results;
	enum mail_error error_code;
	const char *error;

	if (!task->prepared) {
		turn_prepare(turns, task);
		return;
	}
	t_array_init(&results, array_count(&task->request->vnames));
	if (mirror_cutover(turns->mirror, &task->request->vnames, &results,
			   &error_code, &error) < 0) {
		turn_cutover_failed(turns, task, error_code, error);
	} else {
		turn_succeeded(turns);
		task_answer(task, worker_answer_cutover(&results));
	}
	turns->callbacks.states_changed(turns->context);
}

static void turn_run(struct worker_turns *turns, struct worker_task *task)
{
	switch (task->type) {
	case WORKER_WRITE:
		turn_write(turns, task);
		break;
	case WORKER_FRESH:
		turn_refresh(turns, task);
		break;
	case WORKER_FILL:
		turn_fill(turns, task);
		break;
	case WORKER_CUTOVER:
		turn_cutover(turns, task);
		break;
	case WORKER_PAUSE:
	case WORKER_RESUME:
	case WORKER_WATCH:
	case WORKER_UNWATCH:
		i_unreached();
	}
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
	task_answer(task, worker_answer_ok());
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

	if (task->type == WORKER_PAUSE)
		turn_pause(turns, task);
	else if (turns_refuse(turns, &error_code, &error))
		task_answer(task, worker_answer_no(error_code, error));
	else
		turn_run(turns, task);
}

static void turns_begin(struct worker_turns *turns)
{
	struct worker_task *task = turns_next(turns);

	timeout_remove(&turns->to);
	if (task == NULL)
		return;
	turns->running = TRUE;
	turns->started = ioloop_timeval;
	T_BEGIN {
		turn(turns, task_take(turns, task));
	} T_END;
	turns->running = FALSE;
	turns->callbacks.turn_ended(turns->context);
	turns_schedule(turns);
}

/* Nobody waits so long, not even for an answer that would come now. */
static bool turn_takes_long(struct worker_turns *turns)
{
	return turns->running &&
		timeval_diff_msecs(&ioloop_timeval, &turns->started) >
		MAX_FRESHNESS_MSECS;
}

void worker_turns_add(struct worker_turns *turns,
		      struct worker_request *request)
{
	enum mail_error error_code = MAIL_ERROR_UNAVAILABLE;
	const char *error = "The old server doesn't answer";

	if (request->type == WORKER_FRESH &&
	    (turn_takes_long(turns) ||
	     turns_refuse(turns, &error_code, &error)))
		worker_server_answer(&request,
				     worker_answer_no(error_code, error));
	else
		task_add(turns, request->type, request->vname, request);
}

void worker_turns_refresh(struct worker_turns *turns, const char *vname)
{
	struct worker_task *task;

	for (task = turns->head; task != NULL; task = task->next) {
		if (task->type == WORKER_FRESH &&
		    strcmp(task->vname, vname) == 0)
			return;
	}
	task_add(turns, WORKER_FRESH, vname, NULL);
}

bool worker_turns_running(const struct worker_turns *turns)
{
	return turns->running;
}

unsigned int worker_turns_freshness_msecs(const struct worker_turns *turns)
{
	unsigned int msecs = 2 * mirror_rtt_msecs(turns->mirror) + 200;

	return I_MIN(msecs, MAX_FRESHNESS_MSECS);
}

struct worker_turns *
worker_turns_init(struct mirror *mirror, struct worker_slots *slots,
		  const struct worker_turns_callbacks *callbacks,
		  void *context)
{
	struct worker_turns *turns = i_new(struct worker_turns, 1);

	turns->mirror = mirror;
	turns->slots = slots;
	turns->callbacks = *callbacks;
	turns->context = context;
	turns->ioloop = current_ioloop;
	return turns;
}

void worker_turns_deinit(struct worker_turns **_turns)
{
	struct worker_turns *turns = *_turns;
	struct worker_task *task;

	*_turns = NULL;
	while ((task = turns->head) != NULL) {
		task_take(turns, task);
		if (task->request != NULL)
			worker_server_drop(&task->request);
		task_free(&task);
	}
	while (turns->pauses != NULL)
		pause_end(turns->pauses);
	timeout_remove(&turns->to);
	i_free(turns->error);
	i_free(turns);
}

void worker_turns_switch_ioloop(struct worker_turns *turns)
{
	if (turns->to_progress != NULL)
		turns->to_progress = io_loop_move_timeout(&turns->to_progress);
}
