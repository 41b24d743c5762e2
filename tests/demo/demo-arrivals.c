#include "demo-arrivals.h"
#include "process.h"
#include "report-log.h"

#include <stdio.h>
#include <string.h>

#define DELIVERY_MS 60000
#define LOG_MS 10000

/* As they are named in `lab env` and in report lines. */
static const struct {
	const char *smtp, *smtp_log, *milter, *at;
} servers[DEMO_SERVERS] = {
	[DEMO_OLD] = { "OLD_SMTP", "OLD_SMTP_LOG", "MILTER_OLD", "old" },
	[DEMO_NEW] = { "NEW_SMTP", "NEW_SMTP_LOG", "MILTER_NEW", "new" },
};

/* They take turns; the old server comes first for who knows it. */
static const struct {
	const char *from;
	bool to_old, to_new;
} senders[] = {
	{ "news@quick.example", false, true },
	{ "office@slow.example", true, true },
	{ "invoices@yearly.example", true, false },
};
#define SENDERS (sizeof(senders) / sizeof(senders[0]))

const char *demo_arrivals_smtp(const struct demo_user *user,
			       enum demo_server server)
{
	return lab_get(user->lab->lab, servers[server].smtp);
}

const char *demo_arrivals_address(const struct demo_user *user)
{
	static _Thread_local char address[128];

	snprintf(address, sizeof(address), "%s@%s", user->name,
		 lab_get(user->lab->lab, "DOMAIN"));
	return address;
}

/* Holds the way to the old server open until it's used. */
static bool take_old(struct demo_user *user)
{
	struct demo_arrivals *arrivals = &user->arrivals;

	if (*demo_arrivals_smtp(user, DEMO_OLD) == '\0')
		return false;
	pthread_mutex_lock(&arrivals->at_old);
	if (!arrivals->old_is_closed)
		return true;
	pthread_mutex_unlock(&arrivals->at_old);
	return false;
}

struct demo_arrival demo_arrivals_begin(struct demo_user *user)
{
	const size_t n = user->delivered.count % SENDERS;
	struct demo_arrival arrival = {
		.server = DEMO_NEW, .from = senders[n].from
	};

	if (senders[n].to_old && take_old(user))
		arrival.server = DEMO_OLD;
	else if (!senders[n].to_new)
		arrival.from = senders[0].from;
	return arrival;
}

void demo_arrivals_end(struct demo_user *user,
		       const struct demo_arrival *arrival, bool accepted)
{
	if (accepted && *demo_arrivals_smtp(user, arrival->server) != '\0')
		user->arrivals.accepted[arrival->server]++;
	if (arrival->server == DEMO_OLD)
		pthread_mutex_unlock(&user->arrivals.at_old);
}

/*
 * Waiting for what was accepted
 */

static unsigned int
count_deliveries(const struct demo_user *user, enum demo_server server,
		 const char *status)
{
	return postfix_log_count(lab_get(user->lab->lab,
					 servers[server].smtp_log),
				 demo_arrivals_address(user), status);
}

struct delivery_goal {
	const struct demo_user *user;
	enum demo_server server;
};

static bool is_delivered(void *context)
{
	const struct delivery_goal *goal = context;

	return demo_is_interrupted() ||
		count_deliveries(goal->user, goal->server, "sent") >=
		goal->user->arrivals.accepted[goal->server];
}

void demo_arrivals_wait(const struct demo_user *user, enum demo_server server)
{
	struct delivery_goal goal = { .user = user, .server = server };

	if (!wait_until(is_delivered, &goal, DELIVERY_MS)) {
		demo_problem("%s: the %s server has %u of %u accepted mails",
			     user->label, servers[server].at,
			     count_deliveries(user, server, "sent"),
			     user->arrivals.accepted[server]);
	}
}

void demo_arrivals_close_old(struct demo_user *user)
{
	pthread_mutex_lock(&user->arrivals.at_old);
	user->arrivals.old_is_closed = true;
	pthread_mutex_unlock(&user->arrivals.at_old);
	demo_arrivals_wait(user, DEMO_OLD);
}

void demo_arrivals_finish(struct demo_user *user)
{
	static const char *const trouble[] = { "deferred", "bounced" };
	unsigned int server, i, count;

	for (server = 0; server < DEMO_SERVERS; server++) {
		demo_arrivals_wait(user, server);
		for (i = 0; i < 2; i++) {
			count = count_deliveries(user, server, trouble[i]);
			if (count > 0)
				demo_problem("%s: %u deliveries at the %s "
					     "server were %s", user->label,
					     count, servers[server].at,
					     trouble[i]);
		}
	}
}

/*
 * The milters' lines
 */

/* It has milters. */
static bool has_log(const struct demo_lab *lab)
{
	return lab->lab != NULL && *lab_get(lab->lab, "REPORT_LOG") != '\0';
}

static unsigned int
count_reported(const struct demo *demo, enum demo_server server)
{
	unsigned int i, count = 0;

	for (i = 0; i < DEMO_KINDS; i++) {
		if (!has_log(&demo->labs[i]))
			continue;
		count += report_log_count(lab_get(demo->labs[i].lab,
						  "REPORT_LOG"), "arrival",
					  "at", servers[server].at);
	}
	return count;
}

struct report_goal {
	const struct demo *demo;
	const struct demo_arrival_counts *counts;
};

static bool is_reported(void *context)
{
	const struct report_goal *goal = context;
	unsigned int i;

	for (i = 0; i < DEMO_SERVERS; i++) {
		if (count_reported(goal->demo, i) < goal->counts->watched[i])
			return false;
	}
	return true;
}

static void
count_accepted(const struct demo_user *user, enum demo_server server,
	       struct demo_arrival_counts *counts)
{
	const unsigned int accepted = user->arrivals.accepted[server];

	counts->accepted[server] += accepted;
	if (*lab_get(user->lab->lab, servers[server].milter) != '\0')
		counts->watched[server] += accepted;
}

void demo_arrivals_count(struct demo *demo,
			 struct demo_arrival_counts *counts_r)
{
	struct report_goal goal = { .demo = demo, .counts = counts_r };
	unsigned int server, i;

	memset(counts_r, 0, sizeof(*counts_r));
	for (server = 0; server < DEMO_SERVERS; server++) {
		for (i = 0; i < demo->user_count; i++)
			count_accepted(&demo->users[i], server, counts_r);
	}
	(void)wait_until(is_reported, &goal, LOG_MS);
	for (server = 0; server < DEMO_SERVERS; server++) {
		counts_r->reported[server] = count_reported(demo, server);
		if (counts_r->reported[server] != counts_r->watched[server])
			demo_problem("%u mails arrived at the %s servers, but "
				     "%u were reported",
				     counts_r->watched[server],
				     servers[server].at,
				     counts_r->reported[server]);
	}
}
