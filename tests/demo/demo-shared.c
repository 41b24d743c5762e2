#include "demo.h"
#include "demo-progress.h"
#include "mutf7.h"
#include "process.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PHASE_MS 60000
#define MAX_SHOWN 50

static atomic_bool interrupted;
static struct {
	pthread_mutex_t mutex;
	unsigned int count;
	char first[600];
} problems = { .mutex = PTHREAD_MUTEX_INITIALIZER };

bool demo_is_interrupted(void)
{
	return interrupted;
}

bool demo_user_ends(const struct demo_user *user)
{
	return interrupted || user->demo->work_ends;
}

void demo_problem(const char *fmt, ...)
{
	char text[600];
	va_list args;
	unsigned int count;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	pthread_mutex_lock(&problems.mutex);
	count = ++problems.count;
	if (count == 1)
		memcpy(problems.first, text, sizeof(text));
	pthread_mutex_unlock(&problems.mutex);
	if (count <= MAX_SHOWN)
		demo_say("PROBLEM: %s", text);
}

unsigned int demo_problems(void)
{
	unsigned int count;

	pthread_mutex_lock(&problems.mutex);
	count = problems.count;
	pthread_mutex_unlock(&problems.mutex);
	return count;
}

const char *demo_first_problem(void)
{
	return problems.first;
}

const char *demo_folder_name(const struct demo_user *user, const char *name)
{
	static _Thread_local char full[256];
	char *encoded;

	if (strcmp(name, "INBOX") == 0)
		return name;
	encoded = mutf7_encode(name);
	if (encoded == NULL)
		abort();
	snprintf(full, sizeof(full), "%s%s",
		 lab_get(user->lab->lab, "OLD_PREFIX"), encoded);
	free(encoded);
	return full;
}

void demo_counts_time(struct demo_counts *counts, uint64_t started)
{
	unsigned int ms = (unsigned int)(now_ms() - started);

	if (ms > counts->slowest_ms)
		counts->slowest_ms = ms;
}

/*
 * Threads
 */

struct user_run {
	struct demo_user *user;
	void (*run)(struct demo_user *user);
	atomic_uint *running;
};

static void *user_thread(void *context)
{
	struct user_run *run = context;

	run->run(run->user);
	(*run->running)--;
	return NULL;
}

static bool none_runs(void *context)
{
	demo_progress_tick();
	return *(atomic_uint *)context == 0;
}

void demo_each_user(struct demo *demo, void (*run)(struct demo_user *user))
{
	struct user_run runs[DEMO_USERS];
	pthread_t threads[DEMO_USERS];
	atomic_uint running = demo->user_count;
	unsigned int i;

	for (i = 0; i < demo->user_count; i++) {
		runs[i].user = &demo->users[i];
		runs[i].run = run;
		runs[i].running = &running;
		if (pthread_create(&threads[i], NULL, user_thread,
				   &runs[i]) != 0)
			abort();
	}
	while (!wait_until(none_runs, &running, PHASE_MS)) ;
	for (i = 0; i < demo->user_count; i++)
		pthread_join(threads[i], NULL);
}

/* Ctrl-C ends the phases in order, so that nothing stays behind. */
static void *signal_thread(void *context)
{
	const sigset_t *signals = context;
	int number;

	while (sigwait(signals, &number) == 0) {
		if (!interrupted)
			demo_say("ending everything that was started");
		interrupted = true;
	}
	return NULL;
}

void demo_catch_signals(void)
{
	static sigset_t signals;
	pthread_t thread;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (pthread_create(&thread, NULL, signal_thread, &signals) != 0)
		abort();
	pthread_detach(thread);
}
