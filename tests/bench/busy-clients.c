#include "busy-clients.h"
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
	struct busy_clients *group;
	pthread_t thread;
	struct imap_client *imap;
	unsigned int number, commands;
	bool writer;
	/* It came again, and hasn't had a command acknowledged since. */
	bool is_back;
	double acknowledged_at, interruption_ms, command_ms_max;
	unsigned int appended, maybe_appended;
	/* How often it came again; signs of work since busy_clients_wait() was
	   called or it came again: commands acknowledged, or as many for an
	   IDLE that begins or tells something. */
	atomic_uint interruptions, steady;
	atomic_uint acknowledged;
};

struct busy_clients {
	struct busy_target target;
	struct client *clients;
	double *interruption_ms;
	unsigned int writers, count, started;
	atomic_bool stop, failed, measures;
	atomic_uint refused;
	pthread_mutex_t lock;
	char error[400];
	/* Of busy_clients_wait() */
	unsigned int wanted;
};

/* Only the first one counts. Returns false. */
static bool __attribute__((format(printf, 2, 3)))
fail(struct client *client, const char *fmt, ...)
{
	struct busy_clients *group = client->group;
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
	const struct busy_target *target = &client->group->target;
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
	const struct busy_target *target = &client->group->target;
	struct imap_box box;
	const char *error;

	client->is_back = true;
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

static void acknowledged(struct client *client, double started)
{
	double now = bench_now();

	if (client->is_back && atomic_load(&client->acknowledged) > 0)
		client->interruption_ms = now - client->acknowledged_at;
	client->is_back = false;
	client->acknowledged_at = now;
	client->appended += is_append(client) ? 1 : 0;
	if (atomic_load(&client->group->measures) &&
	    now - started > client->command_ms_max)
		client->command_ms_max = now - started;
	atomic_fetch_add(&client->acknowledged, 1);
	atomic_fetch_add(&client->steady, 1);
}

/* One command. False when it can't go on. */
static bool write_once(struct client *client)
{
	double started = bench_now();
	enum imap_status status;

	status = is_append(client) ? append(client) : store(client);
	if (status == IMAP_OK) {
		acknowledged(client, started);
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
			if (imap_idle_poll(client->imap, IDLE_POLL_MS) > 0)
				atomic_fetch_add(&client->steady,
						 STEADY_COMMANDS);
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

/* One that doesn't work, or NULL. */
static struct client *find_unsteady(struct busy_clients *group)
{
	struct client *client;

	for (client = group->clients;
	     client < group->clients + group->started; client++) {
		if (atomic_load(&client->interruptions) < group->wanted ||
		    atomic_load(&client->steady) < STEADY_COMMANDS)
			return client;
	}
	return NULL;
}

static bool all_steady(void *context)
{
	struct busy_clients *group = context;

	return atomic_load(&group->failed) || find_unsteady(group) == NULL;
}

static void start_next(struct busy_clients *group)
{
	struct client *client = &group->clients[group->started];

	client->group = group;
	client->number = group->started;
	client->writer = group->started < group->writers;
	if (pthread_create(&client->thread, NULL, client_thread, client) != 0)
		abort();
	group->started++;
}

struct busy_clients *
busy_clients_start(const struct busy_target *target, unsigned int writers,
		    unsigned int idlers)
{
	struct busy_clients *group = calloc(1, sizeof(*group));

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

const char *busy_clients_wait(struct busy_clients *group,
			       unsigned int interruptions,
			       unsigned int timeout_ms)
{
	struct client *client;
	unsigned int i;

	group->wanted = interruptions;
	for (i = 0; i < group->started; i++)
		atomic_store(&group->clients[i].steady, 0);
	if (!wait_until(all_steady, group, timeout_ms) &&
	    (client = find_unsteady(group)) != NULL)
		(void)fail(client, "%s %u doesn't get on: %u commands, came "
			   "again %u times", client->writer ? "writer" : "idler",
			   client->number, atomic_load(&client->steady),
			   atomic_load(&client->interruptions));
	return atomic_load(&group->failed) ? group->error : NULL;
}

void busy_clients_measure(struct busy_clients *group)
{
	atomic_store(&group->measures, true);
}

unsigned int busy_clients_acknowledged(const struct busy_clients *group)
{
	unsigned int i, count = 0;

	for (i = 0; i < group->started; i++)
		count += atomic_load(&group->clients[i].acknowledged);
	return count;
}

static void add_client(struct busy_clients *group, const struct client *client,
		       struct busy_figures *figures)
{
	unsigned int lost = atomic_load(&client->interruptions);

	figures->disconnects += lost;
	if (lost > figures->disconnects_max)
		figures->disconnects_max = lost;
	if (client->command_ms_max > figures->command_ms_max)
		figures->command_ms_max = client->command_ms_max;
	if (client->writer && lost > 0)
		group->interruption_ms[figures->interrupted++] =
			client->interruption_ms;
	figures->appended += client->appended;
	figures->maybe_appended += client->maybe_appended;
}

const char *busy_clients_stop(struct busy_clients *group,
			      struct busy_figures *figures_r)
{
	unsigned int i;

	memset(figures_r, 0, sizeof(*figures_r));
	figures_r->interruption_ms = group->interruption_ms;
	atomic_store(&group->stop, true);
	for (i = 0; i < group->started; i++) {
		pthread_join(group->clients[i].thread, NULL);
		add_client(group, &group->clients[i], figures_r);
	}
	figures_r->acknowledged = busy_clients_acknowledged(group);
	figures_r->refused = atomic_load(&group->refused);
	return atomic_load(&group->failed) ? group->error : NULL;
}

void busy_clients_free(struct busy_clients **_group)
{
	struct busy_clients *group = *_group;

	*_group = NULL;
	pthread_mutex_destroy(&group->lock);
	free(group->interruption_ms);
	free(group->clients);
	free(group);
}
