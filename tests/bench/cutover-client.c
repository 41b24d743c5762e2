#include "cutover-client.h"
#include "bench-figures.h"
#include "imap-client.h"
#include "process.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Acknowledged commands that tell that a writer works */
#define STEADY_COMMANDS 10
#define APPEND_EVERY 8
#define IDLE_POLL_MS 50

struct client {
	struct cutover_group *group;
	pthread_t thread;
	struct imap_client *imap;
	unsigned int number, commands;
	bool writer;
	double acknowledged_at, interruption_ms;
	unsigned int acknowledged, appended, maybe_appended;
	/* How often it came again, and commands acknowledged since; an idler's
	   count is that of IDLEs begun. */
	atomic_uint interruptions, steady;
};

struct cutover_group {
	struct cutover_target target;
	struct client *clients;
	double *interruption_ms;
	unsigned int writers, count, started;
	atomic_bool stop, failed;
	atomic_uint refused;
	pthread_mutex_t lock;
	char error[400];
	/* Of cutover_group_wait() */
	unsigned int wanted;
};

/* Only the first one counts. Returns false. */
static bool __attribute__((format(printf, 2, 3)))
fail(struct client *client, const char *fmt, ...)
{
	struct cutover_group *group = client->group;
	va_list args;

	pthread_mutex_lock(&group->lock);
	if (!atomic_load(&group->failed)) {
		va_start(args, fmt);
		vsnprintf(group->error, sizeof(group->error), fmt, args);
		va_end(args);
		atomic_store(&group->failed, true);
	}
	pthread_mutex_unlock(&group->lock);
	return false;
}

static bool ending(const struct client *client)
{
	return atomic_load(&client->group->stop) ||
		atomic_load(&client->group->failed);
}

/* Until it can: what comes before the cutover isn't measured, but counted. */
static bool come_first(struct client *client)
{
	const struct cutover_target *target = &client->group->target;
	struct imap_box box;
	const char *error;

	while (!ending(client)) {
		if (imap_open(target->hostport, target->user, target->password,
			      target->timeout_ms, &client->imap, &error) == 0 &&
		    imap_select(client->imap, target->mailbox, &box) == IMAP_OK)
			return true;
		imap_free(&client->imap);
		atomic_fetch_add(&client->group->refused, 1);
	}
	return false;
}

static bool come_again(struct client *client)
{
	const struct cutover_target *target = &client->group->target;
	struct imap_box box;
	const char *error;

	atomic_store(&client->steady, 0);
	atomic_fetch_add(&client->interruptions, 1);
	imap_free(&client->imap);
	if (imap_open(target->hostport, target->user, target->password,
		      target->timeout_ms, &client->imap, &error) < 0)
		return fail(client, "login: %s", error);
	if (imap_select(client->imap, target->mailbox, &box) != IMAP_OK)
		return fail(client, "SELECT: %s", imap_error(client->imap));
	imap_clear(client->imap);
	return true;
}

static bool is_append(const struct client *client)
{
	return client->commands % APPEND_EVERY == APPEND_EVERY - 1;
}

static enum imap_status append(struct client *client)
{
	char text[200];
	int size;

	size = snprintf(text, sizeof(text), "From: w%u@example.org\r\n"
			"Subject: number %u\r\n\r\nwritten\r\n", client->number,
			client->commands);
	return imap_append(client->imap, client->group->target.mailbox, NULL,
			   NULL, text, (size_t)size, NULL);
}

static enum imap_status store(struct client *client)
{
	uint32_t uid = 1 + (client->number * 7919 + client->commands * 31) %
		client->group->target.last_uid;

	return imap_run(client->imap, "UID STORE %u %cFLAGS (\\Flagged)",
			uid, client->commands % 2 == 0 ? '+' : '-');
}

static void acknowledged(struct client *client)
{
	double now = bench_now();

	/* the first one after it came again */
	if (atomic_load(&client->steady) == 0 && client->acknowledged > 0)
		client->interruption_ms = now - client->acknowledged_at;
	client->acknowledged_at = now;
	client->acknowledged++;
	client->appended += is_append(client) ? 1 : 0;
	atomic_fetch_add(&client->steady, 1);
}

/* One command. False when it can't go on. */
static bool write_once(struct client *client)
{
	enum imap_status status;

	status = is_append(client) ? append(client) : store(client);
	if (status == IMAP_OK) {
		acknowledged(client);
	} else if (status == IMAP_LOST) {
		client->maybe_appended += is_append(client) ? 1 : 0;
		if (!come_again(client))
			return false;
	} else {
		return fail(client, "%s: %s", is_append(client) ? "APPEND" :
			    "STORE", imap_error(client->imap));
	}
	imap_clear(client->imap);
	client->commands++;
	return true;
}

/* Idles until the connection ends, or all do. */
static bool idle(struct client *client)
{
	if (imap_idle_start(client->imap) == IMAP_OK) {
		atomic_fetch_add(&client->steady, STEADY_COMMANDS);
		while (!ending(client) && !imap_is_lost(client->imap)) {
			(void)imap_idle_poll(client->imap, IDLE_POLL_MS);
			imap_clear(client->imap);
		}
	}
	if (!imap_is_lost(client->imap))
		return !ending(client) && fail(client, "IDLE was refused");
	return come_again(client);
}

static void *client_thread(void *context)
{
	struct client *client = context;
	bool ok = come_first(client);

	while (ok && !ending(client))
		ok = client->writer ? write_once(client) : idle(client);
	imap_free(&client->imap);
	return NULL;
}

static bool all_steady(void *context)
{
	struct cutover_group *group = context;
	unsigned int i;

	if (atomic_load(&group->failed))
		return true;
	for (i = 0; i < group->started; i++) {
		if (atomic_load(&group->clients[i].interruptions) <
		    group->wanted ||
		    atomic_load(&group->clients[i].steady) < STEADY_COMMANDS)
			return false;
	}
	return true;
}

static void start_next(struct cutover_group *group)
{
	struct client *client = &group->clients[group->started];

	client->group = group;
	client->number = group->started;
	client->writer = group->started < group->writers;
	if (pthread_create(&client->thread, NULL, client_thread, client) != 0)
		abort();
	group->started++;
}

struct cutover_group *
cutover_group_start(const struct cutover_target *target, unsigned int writers,
		    unsigned int idlers)
{
	struct cutover_group *group = calloc(1, sizeof(*group));

	if (group == NULL)
		abort();
	group->target = *target;
	group->writers = writers;
	group->count = writers + idlers;
	group->clients = calloc(group->count, sizeof(*group->clients));
	group->interruption_ms = calloc(writers, sizeof(double));
	if (group->clients == NULL || group->interruption_ms == NULL)
		abort();
	pthread_mutex_init(&group->lock, NULL);
	/* the mailbox has been in use for some time when the others come */
	start_next(group);
	(void)wait_until(all_steady, group, target->timeout_ms);
	while (group->started < group->count)
		start_next(group);
	return group;
}

const char *cutover_group_wait(struct cutover_group *group,
			       unsigned int interruptions,
			       unsigned int timeout_ms)
{
	group->wanted = interruptions;
	if (!wait_until(all_steady, group, timeout_ms))
		return interruptions == 0 ? "the clients don't get to work" :
			"not all clients came again";
	return atomic_load(&group->failed) ? group->error : NULL;
}

const char *cutover_group_stop(struct cutover_group *group,
			       struct cutover_figures *figures_r)
{
	const struct client *client;
	unsigned int i;

	memset(figures_r, 0, sizeof(*figures_r));
	figures_r->interruption_ms = group->interruption_ms;
	atomic_store(&group->stop, true);
	for (i = 0; i < group->started; i++)
		pthread_join(group->clients[i].thread, NULL);
	figures_r->refused = atomic_load(&group->refused);
	for (i = 0; i < group->writers; i++) {
		client = &group->clients[i];
		group->interruption_ms[i] = client->interruption_ms;
		figures_r->acknowledged += client->acknowledged;
		figures_r->appended += client->appended;
		figures_r->maybe_appended += client->maybe_appended;
		if (atomic_load(&client->interruptions) != 1)
			figures_r->interruption_ms = NULL;
	}
	return atomic_load(&group->failed) ? group->error : NULL;
}

void cutover_group_free(struct cutover_group **_group)
{
	struct cutover_group *group = *_group;

	*_group = NULL;
	pthread_mutex_destroy(&group->lock);
	free(group->interruption_ms);
	free(group->clients);
	free(group);
}
