/*
 * bench-proxy: a client's view of a mailbox at the old server, through us and
 * through others
 *
 * The tools (proxy-lane.h) take turns. One visit is a session (proxy-visit.h):
 * login and SELECT of INBOX, 50 envelopes that nobody asked for before and the
 * same once more, a body, UID STORE of one flag, STATUS of 60 folders by 60
 * pipelined commands and by LIST-STATUS, SEARCH of a header in 50 mails. The
 * first visit of each tool isn't counted. Figures are medians and 99th
 * percentiles in milliseconds; old_logins is how many connections to the old
 * server a visit needs.
 */
#include "bench.h"
#include "bench-figures.h"
#include "proxy-lane.h"
#include "proxy-visit.h"

#include <stdio.h>

struct figures {
	double step[PROXY_STEPS][BENCH_MAX_RUNS];
	double logins;
};

static struct proxy_lane lanes[PROXY_LANES];
static struct figures figures[PROXY_LANES];

static void visit(const struct bench *bench, unsigned int l, unsigned int run)
{
	double ms[PROXY_STEPS];
	unsigned int i;

	proxy_visit(bench, &lanes[l], run, ms);
	for (i = 0; i < PROXY_STEPS && run > 0; i++)
		figures[l].step[i][run - 1] = ms[i];
}

static void visit_all(const struct bench *bench)
{
	unsigned int before[PROXY_LANES], i, l;

	for (i = 0; i <= bench->runs; i++) {
		bench_say("visits: %u of %u", i, bench->runs);
		for (l = 0; l < PROXY_LANES; l++) {
			visit(bench, l, i);
			if (i == 0)
				before[l] = proxy_lane_logins(bench, &lanes[l]);
		}
	}
	for (l = 0; l < PROXY_LANES; l++) {
		figures[l].logins = (double)(proxy_lane_logins(bench, &lanes[l]) -
					     before[l]) / bench->runs;
	}
}

static double median(unsigned int l, enum proxy_step step,
		     const struct bench *bench)
{
	return bench_median(figures[l].step[step], bench->runs);
}

static void print_tool(const struct bench *bench, unsigned int l)
{
	unsigned int i;

	printf("bench: part=proxy tool=%s state=%s rtt_ms=%u", lanes[l].name,
	       lanes[l].state, bench->rtt_ms);
	for (i = 0; i < PROXY_STEPS; i++) {
		printf(" %s_ms=%.2f %s_p99_ms=%.2f", proxy_step_name(i),
		       median(l, i, bench), proxy_step_name(i),
		       bench_percentile(figures[l].step[i], bench->runs, 99));
	}
	printf(" old_logins=%.1f messages=%u corpus=%s store=%s runs=%u\n",
	       figures[l].logins, bench->messages, bench->corpus, bench->store,
	       bench->runs);
}

static void print_ratio(const struct bench *bench, unsigned int ours,
			unsigned int peer)
{
	unsigned int i;

	printf("bench: part=proxy ratio=%s/%s state=%s rtt_ms=%u",
	       lanes[ours].name, lanes[peer].name, lanes[ours].state,
	       bench->rtt_ms);
	for (i = 0; i < PROXY_STEPS; i++)
		printf(" %s=%.2f", proxy_step_name(i),
		       median(ours, i, bench) / median(peer, i, bench));
	printf("\n");
}

static void run(struct bench *bench)
{
	unsigned int l;

	if (bench->messages < PROXY_WINDOW)
		bench_fail("it needs %u messages", PROXY_WINDOW);
	proxy_lanes_up(bench, lanes);
	visit_all(bench);
	for (l = 0; l < PROXY_LANES; l++)
		print_tool(bench, l);
	for (l = 0; l < PROXY_OURS; l++)
		print_ratio(bench, PROXY_OURS, l);
	print_ratio(bench, PROXY_FILLED, PROXY_DIRECT);
	print_ratio(bench, PROXY_FILLED, PROXY_LOCAL);
}

const struct bench_part bench_proxy = {
	.name = "proxy",
	.run = run,
	.runs = 30,
	.messages_small = 10000,
	.messages_medium = 3000,
};
