/*
 * bench-fill: how fast a user's mail comes from the old server, against peers
 *
 * The tools (copy-tool.h, which says what each of them does and leaves out) take
 * turns, each run beginning with an empty new home and a synced file system. A
 * tool's figures are medians, best_s is its fastest run. A ratio is the median of
 * the runs' ratios, ours by the peer's time of the same turn, since a machine with
 * other work is slow for both; best is that of the fastest runs. Of the corpus huge, a second user's mailbox, of a
 * thirtieth of the mail, is filled as well: ratio=rate-huge/rate-part says how the
 * rate holds. With --users N it's N users at once and in turn instead
 * (bench-fill-users.h).
 */
#include "bench.h"
#include "bench-figures.h"
#include "bench-fill-users.h"
#include "copy-tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct figures {
	double wall[BENCH_MAX_RUNS], cpu[BENCH_MAX_RUNS], rss[BENCH_MAX_RUNS];
	/* Ours by it */
	double ratio[BENCH_MAX_RUNS];
};

static struct figures figures[COPY_TOOLS];
/* Of the corpus huge: messages a second, all by a part */
static double rates[BENCH_MAX_RUNS];

static struct bench_usage
copy(const struct bench *bench, enum copy_tool_id id, unsigned int user,
     unsigned int run, const struct bench_sum *wanted)
{
	struct bench_usage usage;
	char folder[600], *command;

	snprintf(folder, sizeof(folder), "%s/%s-%u",
		 bench_get(bench, "DIR"), copy_tools[id].name, run);
	command = copy_command(bench, id, user, folder);
	bench_settle(bench);
	usage = bench_run(bench, command);
	free(command);
	bench_say("run %u of %u: %s: %.2f s, CPU %.2f s", run + 1, bench->runs,
		  copy_tools[id].name, usage.wall_s, usage.cpu_s);
	copy_check(bench, id, user, folder, wanted);
	if (copy_tools[id].into_store)
		bench_move_aside(bench, bench_user(bench, user));
	return usage;
}

static void run_tools(const struct bench *bench, unsigned int run,
		      const struct bench_sum *wanted)
{
	struct bench_usage usage;
	struct figures *f;
	unsigned int i, t;

	for (i = 0; i < COPY_TOOLS; i++) {
		/* each is the first one in its turn */
		t = (i + run) % COPY_TOOLS;
		if (!copy_tool_wanted(bench, t))
			continue;
		f = &figures[t];
		usage = copy(bench, t, 0, run, wanted);
		f->wall[run] = usage.wall_s;
		f->cpu[run] = usage.cpu_s;
		f->rss[run] = usage.rss_mb;
	}
	for (t = 0; t < COPY_TOOLS; t++) {
		figures[t].ratio[run] = figures[COPY_OURS].wall[run] /
			figures[t].wall[run];
	}
}

static void run_part(const struct bench *bench, unsigned int run,
		     const struct bench_sum *all)
{
	struct bench_sum part = bench_sum_old(bench, 1);
	struct bench_usage usage;

	usage = copy(bench, COPY_OURS, 1, run, &part);
	rates[run] = (double)all->messages / figures[COPY_OURS].wall[run] /
		((double)part.messages / usage.wall_s);
}

static void print_conditions(const struct bench *bench)
{
	printf("corpus=%s rtt_ms=%u store=%s tls=%s", bench->corpus,
	       bench->rtt_ms, bench->store, bench->tls ? "yes" : "no");
}

static void print_tool(const struct bench *bench, unsigned int t,
		       const struct bench_sum *sum)
{
	struct figures *f = &figures[t];
	double wall = bench_median(f->wall, bench->runs);

	printf("bench: part=fill tool=%s ", copy_tools[t].name);
	print_conditions(bench);
	/* sorted by now */
	printf(" messages=%llu wall_s=%.3f best_s=%.3f msgs_per_s=%.0f "
	       "mb_per_s=%.1f cpu_s=%.2f rss_mb=%.0f runs=%u durable=%s "
	       "verified=%s\n", (unsigned long long)sum->messages, wall,
	       f->wall[0], (double)sum->messages / wall,
	       (double)sum->bytes / 1e6 / wall,
	       bench_median(f->cpu, bench->runs),
	       bench_median(f->rss, bench->runs), bench->runs,
	       copy_tools[t].durable, copy_tools[t].verified);
}

static void print_ratio(const struct bench *bench, const char *name,
			double *values)
{
	printf("bench: part=fill ratio=%s ", name);
	print_conditions(bench);
	printf(" value=%.2f", bench_median(values, bench->runs));
}

static void print_ratio_to(const struct bench *bench, unsigned int t)
{
	char name[80];

	snprintf(name, sizeof(name), "%s/%s", copy_tools[COPY_OURS].name,
		 copy_tools[t].name);
	print_ratio(bench, name, figures[t].ratio);
	/* sorted by now */
	printf(" best=%.2f\n", figures[COPY_OURS].wall[0] /
	       figures[t].wall[0]);
}

static void print_all(const struct bench *bench, const struct bench_sum *sum)
{
	unsigned int t;

	for (t = 0; t < COPY_TOOLS; t++) {
		if (copy_tool_wanted(bench, t))
			print_tool(bench, t, sum);
	}
	if (!copy_tool_wanted(bench, COPY_OURS))
		return;
	for (t = COPY_OURS + 1; t < COPY_TOOLS; t++) {
		if (copy_tool_wanted(bench, t))
			print_ratio_to(bench, t);
	}
	if (bench->layout == BENCH_LAYOUT_HUGE) {
		print_ratio(bench, "rate-huge/rate-part", rates);
		printf("\n");
	}
}

static void run(struct bench *bench)
{
	struct bench_sum sum;
	unsigned int i;

	/* nobody may have a copy open that is moved aside */
	bench_corpus_up(bench, bench->users, BENCH_PROXIED);
	if (bench->tls)
		bench_lab_tls(bench);
	for (i = 0; i < bench->users; i++)
		copy_warm_up(bench, i);
	if (bench->users > 1) {
		bench_fill_users(bench);
		return;
	}
	sum = bench_sum_old(bench, 0);
	if (sum.messages != bench->messages)
		bench_fail("the old server has %llu messages, not %u",
			   (unsigned long long)sum.messages, bench->messages);
	for (i = 0; i < bench->runs; i++) {
		run_tools(bench, i, &sum);
		if (bench->layout == BENCH_LAYOUT_HUGE &&
		    copy_tool_wanted(bench, COPY_OURS))
			run_part(bench, i, &sum);
	}
	print_all(bench, &sum);
}

const struct bench_part bench_fill = {
	.name = "fill",
	.run = run,
	.any_layout = true,
	.runs = 3,
	.messages_small = 10000,
	.messages_medium = 3000,
};
