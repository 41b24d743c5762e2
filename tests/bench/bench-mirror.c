/*
 * bench-mirror: a client's view of a mirrored mailbox, against other ways to it
 *
 * The tools (mirror-lane.h) take turns in each run. One visit is a session:
 * SELECT of INBOX, 50 envelopes that were read before, the body of one message,
 * UID STORE of one flag, APPEND of 4 KB, STATUS of 60 folders; login isn't
 * counted. Then 8 writers work on INBOX (busy-clients.h): writes8_per_s. And a
 * flag is changed and a mail appended on one side while a client of the other
 * side idles: seen_new_ms is of changes on the old server and a client of the
 * tool, seen_old_ms the other way round; a tool that has one server only has
 * both clients there. Figures are medians, times milliseconds; the first visit
 * of each tool isn't counted.
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
	double writes_per_s[BENCH_MAX_RUNS];
	double seen_new[MIRROR_CHANGES * BENCH_MAX_RUNS];
	double seen_old[MIRROR_CHANGES * BENCH_MAX_RUNS];
};

static struct mirror_lane lanes[MIRROR_LANES];
static struct figures figures[MIRROR_LANES];

static void visit(const struct bench *bench, unsigned int l, unsigned int n,
		  unsigned int run)
{
	double ms[MIRROR_STEPS];
	unsigned int i;

	mirror_visit(bench, &lanes[l], n, ms);
	for (i = 0; i < MIRROR_STEPS; i++)
		figures[l].step[i][run] = ms[i];
}

static void must(const struct mirror_lane *lane, const char *error)
{
	if (error != NULL)
		bench_fail("%s: writers: %s", lane->name, error);
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

/* Writes per second once all of them work. */
static double write_rate(const struct bench *bench,
			 const struct mirror_lane *lane)
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
	struct writes_goal goal;
	unsigned int before;
	double started, rate;

	goal.group = busy_clients_start(&target, WRITERS, 0);
	must(lane, busy_clients_wait(goal.group, 0, WAIT_MS));
	started = bench_now();
	before = busy_clients_acknowledged(goal.group);
	goal.wanted = before + WRITES;
	if (!wait_until(are_written, &goal, WAIT_MS))
		bench_fail("%s: writers don't get on", lane->name);
	rate = (busy_clients_acknowledged(goal.group) - before) * 1e3 /
		(bench_now() - started);
	must(lane, busy_clients_stop(goal.group, &seen));
	if (seen.disconnects > 0)
		bench_fail("%s: a writer lost its connection", lane->name);
	busy_clients_free(&goal.group);
	return rate;
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

static void run_tool(const struct bench *bench, unsigned int l,
		     unsigned int run)
{
	visit(bench, l, run + 1, run);
	figures[l].writes_per_s[run] = write_rate(bench, &lanes[l]);
	look(bench, l, run);
	bench_say("run %u of %u: %s: SELECT %.1f ms, STORE %.1f ms, %.0f "
		  "writes a second", run + 1, bench->runs, lanes[l].name,
		  figures[l].step[STEP_SELECT][run],
		  figures[l].step[STEP_STORE][run],
		  figures[l].writes_per_s[run]);
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
	printf(" runs=%u writes8_per_s=%.0f seen_new_ms=%.0f "
	       "seen_new_ms_max=%.0f seen_old_ms=%.0f seen_old_ms_max=%.0f "
	       "messages=%u corpus=%s store=%s\n", bench->runs,
	       bench_median(f->writes_per_s, bench->runs),
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

static void run(struct bench *bench)
{
	unsigned int i, l;

	mirror_lanes_up(bench, lanes);
	for (l = 0; l < MIRROR_LANES; l++)
		visit(bench, l, 0, 0);
	for (i = 0; i < bench->runs; i++) {
		for (l = 0; l < MIRROR_LANES; l++)
			run_tool(bench, l, i);
	}
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
