/* worker-turn: the turns, one kind after the other. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "strescape.h"
#include "worker-answer.h"
#include "worker-server.h"
#include "worker-turns-private.h"

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
		    null_strcmp(task->vname, first->vname) == 0 &&
		    !worker_task_is_left(task)) {
			DLLIST2_REMOVE(&turns->head, &turns->tail, task);
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
		worker_turn_succeeded(turns);
		break;
	case MIRROR_LOCAL:
	case MIRROR_GONE:
		turns->callbacks.states_changed(turns->context);
		break;
	case MIRROR_FAILED:
		worker_turn_failed(turns, error_code, error);
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
	turns->tasks = &tasks;
	mirror_write(turns->mirror, first->vname, &writes);
	turns->tasks = NULL;
	array_foreach_elem(&tasks, task) {
		write = &task->request->write;
		turn_note_answer(turns, write->answer, write->error_code,
				 write->error);
		worker_task_answer(task, worker_answer_write(write));
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
	if (answer != MIRROR_FAILED)
		turns->callbacks.refreshed(turns->context, first->vname);
	line = worker_answer_mirror(answer, error_code, error);
	array_foreach_elem(&tasks, task)
		worker_task_answer(task, line);
}

static void tell_alive(const struct worker_task *task)
{
	/* who asks for FRESH doesn't wait so long */
	if (task->request != NULL && task->type != WORKER_FRESH)
		worker_server_tell(task->request, "PROGRESS");
}

void worker_turn_tell_alive(struct worker_turns *turns)
{
	struct worker_task *task;

	for (task = turns->head; task != NULL; task = task->next)
		tell_alive(task);
	if (turns->tasks != NULL) {
		array_foreach_elem(turns->tasks, task)
			tell_alive(task);
	}
	if (turns->progress_request != NULL)
		worker_server_tell(turns->progress_request, "PROGRESS");
}

static void turn_fill_begin(void *context, const char *vname ATTR_UNUSED,
			    const char *what, unsigned int messages,
			    uint64_t bytes)
{
	struct worker_turns *turns = context;

	if (turns->progress_request != NULL)
		worker_server_tell(turns->progress_request, t_strdup_printf(
			"PROGRESS\t%s\t%u\t%"PRIu64, str_tabescape(what),
			messages, bytes));
}

static void turn_fill_progress(void *context, uint64_t bytes)
{
	struct worker_turns *turns = context;

	if (turns->progress_request != NULL)
		worker_server_tell(turns->progress_request, t_strdup_printf(
			"PROGRESS\t%"PRIu64, bytes));
}

void worker_turn_observe(struct worker_turns *turns)
{
	turns->observer.begin = turn_fill_begin;
	turns->observer.progress = turn_fill_progress;
	turns->observer.context = turns;
	mirror_set_observer(turns->mirror, &turns->observer);
}

static void turn_fill(struct worker_turns *turns, struct worker_task *task)
{
	struct worker_request *request = task->request;
	struct fill_result result;
	enum mirror_answer answer;
	enum mail_error error_code = MAIL_ERROR_NONE;
	const char *error = NULL;

	turns->progress_request = task->request;
	answer = mirror_fill(turns->mirror, task->vname, request->fill_flags,
			     &result, &error_code, &error);
	turns->progress_request = NULL;
	turn_note_answer(turns, answer, error_code, error);
	worker_task_answer(task, answer == MIRROR_DONE ?
		    worker_answer_fill(&result) :
		    worker_answer_mirror(answer, error_code, error));
	turns->callbacks.states_changed(turns->context);
}

/* What any of those wants who wait for it. */
static enum catchup_flags catchup_flags(const ARRAY_TYPE(worker_task) *tasks)
{
	enum catchup_flags flags, all = 0;
	struct worker_task *task;
	bool background = TRUE;

	array_foreach_elem(tasks, task) {
		if (task->request == NULL)
			continue;
		flags = task->request->catchup_flags;
		all |= flags;
		if ((flags & CATCHUP_FLAG_BACKGROUND) == 0)
			background = FALSE;
	}
	return background ? all | CATCHUP_FLAG_BACKGROUND :
		all & ENUM_NEGATE(CATCHUP_FLAG_BACKGROUND);
}

/* Another process that has the lease does the same. */
static void turn_catchup(struct worker_turns *turns, struct worker_task *first)
{
	ARRAY_TYPE(worker_task) tasks;
	struct worker_task *task;
	struct catchup_result result;
	enum mail_error error_code;
	const char *error, *line;
	int ret;

	take_alike(turns, first, &tasks);
	turns->tasks = &tasks;
	ret = mirror_catchup(turns->mirror, catchup_flags(&tasks), &result, &error_code,
			     &error);
	turns->tasks = NULL;
	if (ret < 0)
		worker_turn_failed(turns, error_code, error);
	else
		worker_turn_succeeded(turns);
	turns->callbacks.caught_up(turns->context, ret == 0);
	line = ret < 0 ? worker_answer_no(error_code, error) :
		worker_answer_catchup(&result);
	array_foreach_elem(&tasks, task)
		worker_task_answer(task, line);
}

static void turn_cutover_failed(struct worker_turns *turns,
				struct worker_task *task,
				enum mail_error error_code, const char *error)
{
	worker_turn_failed(turns, error_code, error);
	worker_task_answer(task, worker_answer_no(error_code, error));
}

static void turn_prepare(struct worker_turns *turns, struct worker_task *task)
{
	enum mail_error error_code;
	const char *error;
	int ret;

	turns->progress_request = task->request;
	ret = mirror_cutover_prepare(turns->mirror, &task->request->vnames,
				     &error_code, &error);
	turns->progress_request = NULL;
	if (ret < 0) {
		turn_cutover_failed(turns, task, error_code, error);
		return;
	}
	worker_turn_succeeded(turns);
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
		worker_turn_succeeded(turns);
		worker_task_answer(task, worker_answer_cutover(&results));
	}
	turns->callbacks.states_changed(turns->context);
}

/* Or an administrator; a look in the background has time. */
static bool somebody_waits(const struct worker_task *task)
{
	return task->request != NULL && task->type != WORKER_CATCHUP;
}

void worker_turn(struct worker_turns *turns, struct worker_task *task)
{
	mirror_set_claim(turns->mirror, somebody_waits(task) ?
			 OLD_CLAIM_WAITED : OLD_CLAIM_LOOK);
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
	case WORKER_CATCHUP:
		turn_catchup(turns, task);
		break;
	case WORKER_PAUSE:
	case WORKER_RESUME:
	case WORKER_WATCH:
	case WORKER_UNWATCH:
	case WORKER_END:
		i_unreached();
	}
}
