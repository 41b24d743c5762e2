#include "demo-move.h"
#include "demo-arrivals.h"
#include "demo-progress.h"
#include "process.h"

#include <stdlib.h>
#include <string.h>

#define MOVE_TIMEOUT_MS 300000
#define STATUS_TIMEOUT_MS 30000
#define ASK_EVERY_MS 250
#define MAX_COLUMNS 16

struct mover {
	struct demo *demo;
	struct demo_lab *lab;
	void (*move)(struct demo_user *user);
	atomic_uint *running;
};

/* Splits at each c; the rest of the array is "". Returns how many. */
static unsigned int split(char *line, char c, const char *words[MAX_COLUMNS])
{
	unsigned int i, count = 0;

	for (i = 0; i < MAX_COLUMNS; i++)
		words[i] = "";
	while (line != NULL && count < MAX_COLUMNS) {
		words[count++] = line;
		line = strchr(line, c);
		if (line != NULL)
			*line++ = '\0';
	}
	return count;
}

static int
doveadm(const struct demo_user *user, const char *command,
	unsigned int timeout_ms, struct process_result *result)
{
	return process_shell(timeout_ms, result, "%s -f tab migration %s -u %s",
			     lab_get(user->lab->lab, "DOVEADM"), command,
			     user->name);
}

/* Hands each line of the table but the heading to row, which may be NULL. */
static void
each_row(char *output, struct demo_user *user,
	 void (*row)(struct demo_user *user, const char *const *columns))
{
	const char *columns[MAX_COLUMNS];
	char *line, *save;
	bool heading = true;

	for (line = strtok_r(output, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, "Error:") != NULL ||
		    strstr(line, "Fatal:") != NULL ||
		    strstr(line, "Panic:") != NULL) {
			demo_problem("%s: %s", user->label, line);
		} else if (strchr(line, '\t') != NULL) {
			if (split(line, '\t', columns) > 1 && !heading &&
			    row != NULL)
				row(user, columns);
			heading = false;
		}
	}
}

/* mailbox state done messages done_bytes bytes rate seconds_left problem */
enum { STATUS_MAILBOX, STATUS_STATE, STATUS_DONE, STATUS_MESSAGES,
       STATUS_PROBLEM = 8 };

/* No problem, but an old server that can't do more. */
static bool is_never_mirrored(const char *const *columns)
{
	return strcmp(columns[STATUS_STATE], "filled") == 0 &&
		strncmp(columns[STATUS_PROBLEM], "Not mirrored: ", 14) == 0;
}

static void status_row(struct demo_user *user, const char *const *columns)
{
	const char *problem = columns[STATUS_PROBLEM];

	if (strcmp(columns[STATUS_MAILBOX], "*") == 0) {
		user->filled = (unsigned int)strtoul(columns[STATUS_DONE],
						     NULL, 10);
		user->total = (unsigned int)strtoul(columns[STATUS_MESSAGES],
						    NULL, 10);
	} else if (!user->filling && problem[0] != '\0' &&
		   !is_never_mirrored(columns)) {
		demo_problem("%s: %s: %s", user->label,
			     columns[STATUS_MAILBOX], problem);
	}
}

/* Once, when the fill is done. */
static void filled_row(struct demo_user *user, const char *const *columns)
{
	bool is_inbox = strcmp(columns[STATUS_MAILBOX], "INBOX") == 0;

	status_row(user, columns);
	if (strcmp(columns[STATUS_MAILBOX], "*") == 0)
		return;
	user->mailboxes++;
	if (strcmp(columns[STATUS_STATE], "mirrored") == 0) {
		user->mirrored_mailboxes++;
		if (is_inbox)
			user->inbox_is_mirrored = true;
	} else if (user->can_mirror || !is_never_mirrored(columns)) {
		demo_problem("%s: %s is %s after the fill", user->label,
			     columns[STATUS_MAILBOX], columns[STATUS_STATE]);
	} else if (is_inbox) {
		demo_say("%-14s %s", user->label, columns[STATUS_PROBLEM]);
	}
}

static void
ask_status(struct demo_user *user,
	   void (*row)(struct demo_user *user, const char *const *columns))
{
	struct process_result result;

	if (doveadm(user, "status", STATUS_TIMEOUT_MS, &result) == 0)
		each_row(result.output, user, row);
	else if (!demo_is_interrupted())
		demo_problem("%s: doveadm migration status failed: %s",
			     user->label, result.output);
	process_result_free(&result);
}

static void fill(struct demo_user *user)
{
	struct process_result result;
	uint64_t started = now_ms();
	int ret;

	user->filling = true;
	ret = doveadm(user, "fill", MOVE_TIMEOUT_MS, &result);
	each_row(result.output, user, NULL);
	if (ret < 0)
		demo_problem("%s: doveadm migration fill ended with %d",
			     user->label, result.status);
	process_result_free(&result);
	user->filling = false;
	ask_status(user, filled_row);
	demo_say("%-14s filled: %u messages in %u mailboxes, %u of them "
		 "mirrored, %.1f s", user->label, user->filled,
		 user->mailboxes, user->mirrored_mailboxes,
		 (double)(now_ms() - started) / 1000);
}

/* mailbox state messages seconds */
static void cutover_row(struct demo_user *user, const char *const *columns)
{
	if (strcmp(columns[1], "local") != 0)
		demo_problem("%s: %s is %s after the cutover", user->label,
			     columns[0], columns[1]);
	if (user->cutovers == DEMO_MAX_CUTOVERS)
		abort();
	user->cutover_ms[user->cutovers++] =
		(unsigned int)(strtod(columns[3], NULL) * 1000 + 0.5);
	user->local_mailboxes++;
}

static unsigned int longest(const struct demo_user *user)
{
	unsigned int i, max = 0;

	for (i = 0; i < user->cutovers; i++)
		max = user->cutover_ms[i] > max ? user->cutover_ms[i] : max;
	return max;
}

static void cut_over(struct demo_user *user)
{
	struct process_result result;
	int ret;

	demo_arrivals_close_old(user);
	user->moving = true;
	ret = doveadm(user, "cutover", MOVE_TIMEOUT_MS, &result);
	each_row(result.output, user, cutover_row);
	if (ret < 0)
		demo_problem("%s: doveadm migration cutover ended with %d",
			     user->label, result.status);
	process_result_free(&result);
	user->is_cut_over = true;
	user->moving = false;
	ask_status(user, status_row);
	demo_say("%-14s cut over: %u of %u mailboxes are local, at most %u ms "
		 "each", user->label, user->local_mailboxes, user->mailboxes,
		 longest(user));
}

static void *mover_thread(void *context)
{
	struct mover *mover = context;
	unsigned int i;

	for (i = 0; i < mover->demo->user_count; i++) {
		if (mover->demo->users[i].lab == mover->lab &&
		    !demo_is_interrupted())
			mover->move(&mover->demo->users[i]);
	}
	(*mover->running)--;
	return NULL;
}

static bool none_runs(void *context)
{
	demo_progress_tick();
	return *(atomic_uint *)context == 0;
}

static void show_status(struct demo *demo, atomic_uint *running)
{
	unsigned int i;

	while (!wait_until(none_runs, running, ASK_EVERY_MS)) {
		for (i = 0; i < demo->user_count; i++) {
			if (demo->users[i].filling)
				ask_status(&demo->users[i], status_row);
		}
	}
}

static void move_all(struct demo *demo, void (*move)(struct demo_user *user))
{
	struct mover movers[DEMO_KINDS];
	pthread_t threads[DEMO_KINDS];
	atomic_uint running = DEMO_KINDS;
	unsigned int i;

	for (i = 0; i < DEMO_KINDS; i++) {
		movers[i].demo = demo;
		movers[i].lab = &demo->labs[i];
		movers[i].move = move;
		movers[i].running = &running;
		if (pthread_create(&threads[i], NULL, mover_thread,
				   &movers[i]) != 0)
			abort();
	}
	show_status(demo, &running);
	for (i = 0; i < DEMO_KINDS; i++)
		pthread_join(threads[i], NULL);
}

void demo_fill(struct demo *demo)
{
	move_all(demo, fill);
}

void demo_cutover(struct demo *demo)
{
	move_all(demo, cut_over);
}
