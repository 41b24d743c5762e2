/*
 * bench-mirror: a client's view of a mirrored mailbox, against other ways to it
 *
 * The tools (mirror-lane.h) take turns. One visit is a session: SELECT of INBOX,
 * 50 envelopes that were read before, the body of one message, UID STORE of one
 * flag, APPEND of 4 KB, STATUS of 60 folders; login isn't counted. Then 8 writers
 * work on INBOX (busy-clients.h): writes8_per_s, and in writes8_failed runs one of
 * them failed. And a flag is changed and a mail appended on one side while a
 * client of the other side idles: seen_new_ms is of changes on the old server and
 * a client of the tool, seen_old_ms the other way round; a tool that has one
 * server only has both clients there. Figures are medians, times milliseconds;
 * the first visit of each tool isn't counted.
 */
#include "bench.h"
#include "bench-figures.h"
#include "busy-clients.h"
#include "mirror-lane.h"
#include "mirror-seen.h"
#include "mirror-visit.h"

#include <stdio.h>
#include <string.h>

#define WRITERS 8
#define WRITES (50 * WRITERS)
#define WAIT_MS 300000

struct figures {
	double step[MIRROR_STEPS][BENCH_MAX_RUNS];
	/* Of the runs in which no writer failed. */
	double writes_per_s[BENCH_MAX_RUNS];
	unsigned int writes;
	double seen_new[MIRROR_CHANGES * BENCH_MAX_RUNS];
	double seen_old[MIRROR_CHANGES * BENCH_MAX_RUNS];
};

static struct mirror_lane lanes[MIRROR_LANES];
static struct figures figures[MIRROR_LANES];

static void visit(const struct bench *bench, unsigned int l, unsigned int run)
{
	double ms[MIRROR_STEPS];
	unsigned int i;

	/* the first one isn't counted */
	mirror_visit(bench, &lanes[l], run, ms);
	for (i = 0; i < MIRROR_STEPS && run > 0; i++)
		figures[l].step[i][run - 1] = ms[i];
}

struct writes_goal {
	struct busy_clients *group;
	unsigned int wanted;
};

static bool are_written(void *context)
{
	const struct writes_goal *goal = context;

	return busy_clients_acknowledged(goal->group) >= goal->wanted;
}

/* Writes per second once all of them work. NULL, or what went wrong. */
static const char *measure_writes(struct busy_clients *group, double *rate_r)
{
	struct writes_goal goal = { .group = group };
	const char *error = busy_clients_wait(group, 0, WAIT_MS);
	unsigned int before = busy_clients_acknowledged(group);
	double started = bench_now();

	if (error != NULL)
		return error;
	goal.wanted = before + WRITES;
	if (!wait_until(are_written, &goal, WAIT_MS))
		return "they don't get on";
	*rate_r = (busy_clients_acknowledged(group) - before) * 1e3 /
		(bench_now() - started);
	return NULL;
}

/* -1: a writer was refused something, or lost its connection. */
static int write_rate(const struct bench *bench,
		      const struct mirror_lane *lane, double *rate_r)
{
	const struct busy_target target = {
		.hostport = lane->here,
		.user = bench_user(bench, lane->user),
		.password = bench_get(bench, "PASSWORD"),
		.mailbox = "INBOX",
		.last_uid = bench->messages,
		.timeout_ms = BENCH_IMAP_TIMEOUT_MS,
	};
	struct busy_figures seen;
	struct busy_clients *group;
	const char *error, *stop_error;

	group = busy_clients_start(&target, WRITERS, 0);
	error = measure_writes(group, rate_r);
	stop_error = busy_clients_stop(group, &seen);
	if (stop_error != NULL)
		error = stop_error;
	else if (error == NULL && seen.disconnects > 0)
		error = "a connection was lost";
	if (error != NULL)
		bench_say("%s: writers: %s", lane->name, error);
	busy_clients_free(&group);
	return error == NULL ? 0 : -1;
}

/* What others can't do is a figure as well. */
static void count_writes(const struct bench *bench, unsigned int l,
			 unsigned int run __attribute__((unused)))
{
	struct figures *f = &figures[l];

	if (write_rate(bench, &lanes[l], &f->writes_per_s[f->writes]) == 0)
		f->writes++;
	else if (l == LANE_OURS)
		bench_fail("%s: writers failed", lanes[l].name);
}

static void look(const struct bench *bench, unsigned int l, unsigned int run)
{
	const struct mirror_lane *lane = &lanes[l];
	unsigned int i, n;

	for (i = 0; i < MIRROR_CHANGES; i++) {
		n = run * MIRROR_CHANGES + i;
		figures[l].seen_new[n] =
			mirror_seen(bench, lane, lane->there, lane->here, i,
				    2 * run);
		figures[l].seen_old[n] =
			mirror_seen(bench, lane, lane->here, lane->there, i,
				    2 * run + 1);
	}
}

static void print_tool(const struct bench *bench, unsigned int l)
{
	const unsigned int seen = bench->runs * MIRROR_CHANGES;
	struct figures *f = &figures[l];
	unsigned int i;

	printf("bench: part=mirror tool=%s rtt_ms=%u", lanes[l].name,
	       bench->rtt_ms);
	for (i = 0; i < MIRROR_STEPS; i++)
		printf(" %s_ms=%.2f", mirror_step_name(i),
		       bench_median(f->step[i], bench->runs));
	printf(" runs=%u", bench->runs);
	if (f->writes > 0)
		printf(" writes8_per_s=%.0f",
		       bench_median(f->writes_per_s, f->writes));
	printf(" writes8_failed=%u seen_new_ms=%.0f seen_new_ms_max=%.0f "
	       "seen_old_ms=%.0f seen_old_ms_max=%.0f messages=%u corpus=%s "
	       "store=%s\n", bench->runs - f->writes,
	       bench_median(f->seen_new, seen), bench_max(f->seen_new, seen),
	       bench_median(f->seen_old, seen), bench_max(f->seen_old, seen),
	       bench->messages, bench->corpus, bench->store);
}

static void print_ratios(const struct bench *bench)
{
	unsigned int i;

	printf("bench: part=mirror ratio=%s/%s", lanes[LANE_OURS].name,
	       lanes[LANE_LOCAL].name);
	for (i = 0; i < MIRROR_STEPS; i++)
		printf(" %s=%.2f", mirror_step_name(i),
		       bench_median(figures[LANE_OURS].step[i], bench->runs) /
		       bench_median(figures[LANE_LOCAL].step[i], bench->runs));
	printf("\n");
}

/* Each is a phase, so that a visit finds what the last one left behind. */
static void take_turns(const struct bench *bench, const char *what,
		       unsigned int runs,
		       void (*measure)(const struct bench *bench,
				       unsigned int l, unsigned int run))
{
	unsigned int i, l;

	for (i = 0; i < runs; i++) {
		bench_say("%s: %u of %u", what, i + 1, runs);
		for (l = 0; l < MIRROR_LANES; l++)
			measure(bench, l, i);
	}
}

static void run(struct bench *bench)
{
	unsigned int l;

	mirror_lanes_up(bench, lanes);
	take_turns(bench, "visits", bench->runs + 1, visit);
	take_turns(bench, "writers", bench->runs, count_writes);
	take_turns(bench, "idlers", bench->runs, look);
	for (l = 0; l < MIRROR_LANES; l++)
		print_tool(bench, l);
	print_ratios(bench);
}

const struct bench_part bench_mirror = {
	.name = "mirror",
	.run = run,
	.runs = 9,
	.messages_small = 10000,
	.messages_medium = 3000,
};
