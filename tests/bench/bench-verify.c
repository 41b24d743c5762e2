/*
 * bench-verify: how fast a filled copy is read back and compared
 *
 * Each run fills an empty home and then verifies it, as `doveadm migration
 * verify` does at any later time: start of the process and the question to the
 * old server what has changed included. Verifying must not be slower than
 * filling: ratio=verify/fill is the median of the runs'. tool=raw is what it
 * takes to read all files of the home and digest them, not knowing what is in
 * them.
 */
#include "bench.h"
#include "bench-figures.h"
#include "copy-tool.h"

#include <stdio.h>
#include <stdlib.h>

enum step {
	STEP_FILL,
	STEP_VERIFY,
	STEP_RAW,
	STEPS
};

static const char *const step_tools[STEPS] = {
	NULL, "dovecot-migration", "raw"
};

static struct {
	double wall[BENCH_MAX_RUNS], cpu[BENCH_MAX_RUNS], rss[BENCH_MAX_RUNS];
	/* Verifying by it */
	double ratio[BENCH_MAX_RUNS];
} figures[STEPS];

static char *step_command(const struct bench *bench, enum step step)
{
	const char *user = bench_user(bench, 0);
	char *command = NULL;
	int ret = 0;

	switch (step) {
	case STEP_FILL:
		return copy_command(bench, COPY_OURS, 0, NULL);
	case STEP_VERIFY:
		ret = asprintf(&command, "exec %s migration verify -u %s",
			       bench_get(bench, "DOVEADM"), user);
		break;
	case STEP_RAW:
		ret = asprintf(&command, "find '%s/%s' -type f -print0 | "
			       "xargs -0 cat | sha256sum",
			       bench_get(bench, "NEW_HOME"), user);
		break;
	case STEPS:
		abort();
	}
	if (ret < 0)
		abort();
	return command;
}

static void run_step(const struct bench *bench, enum step step,
		     unsigned int run)
{
	char *command = step_command(bench, step);
	struct bench_usage usage;

	usage = bench_run(bench, command);
	free(command);
	figures[step].wall[run] = usage.wall_s;
	figures[step].cpu[run] = usage.cpu_s;
	figures[step].rss[run] = usage.rss_mb;
}

static void run_once(const struct bench *bench, unsigned int run,
		     const struct bench_sum *sum)
{
	unsigned int s;

	bench_settle(bench);
	for (s = 0; s < STEPS; s++)
		run_step(bench, s, run);
	for (s = 0; s < STEPS; s++) {
		figures[s].ratio[run] = figures[STEP_VERIFY].wall[run] /
			figures[s].wall[run];
	}
	bench_say("run %u of %u: fill %.2f s, verify %.2f s", run + 1,
		  bench->runs, figures[STEP_FILL].wall[run],
		  figures[STEP_VERIFY].wall[run]);
	copy_check(bench, COPY_OURS, 0, NULL, sum);
	bench_move_aside(bench, bench_user(bench, 0));
}

static void print_conditions(const struct bench *bench)
{
	printf("corpus=%s rtt_ms=%u store=%s", bench->corpus, bench->rtt_ms,
	       bench->store);
}

static void print_step(const struct bench *bench, enum step step,
		       const struct bench_sum *sum)
{
	double wall = bench_median(figures[step].wall, bench->runs);

	printf("bench: part=verify tool=%s ", step_tools[step]);
	print_conditions(bench);
	printf(" messages=%llu wall_s=%.3f msgs_per_s=%.0f mb_per_s=%.1f "
	       "cpu_s=%.2f rss_mb=%.0f runs=%u\n",
	       (unsigned long long)sum->messages, wall,
	       (double)sum->messages / wall, (double)sum->bytes / 1e6 / wall,
	       bench_median(figures[step].cpu, bench->runs),
	       bench_median(figures[step].rss, bench->runs), bench->runs);
}

static void print_ratio(const struct bench *bench, enum step step,
			const char *name)
{
	printf("bench: part=verify ratio=verify/%s ", name);
	print_conditions(bench);
	printf(" value=%.2f\n", bench_median(figures[step].ratio, bench->runs));
}

static void run(struct bench *bench)
{
	struct bench_sum sum;
	unsigned int i;

	/* nobody may have a copy open that is moved aside */
	bench_corpus_up(bench, 1, BENCH_PROXIED);
	if (bench->tls)
		bench_lab_tls(bench);
	copy_warm_up(bench, 0);
	sum = bench_sum_old(bench, 0);
	for (i = 0; i < bench->runs; i++)
		run_once(bench, i, &sum);
	print_step(bench, STEP_VERIFY, &sum);
	print_step(bench, STEP_RAW, &sum);
	print_ratio(bench, STEP_FILL, "fill");
	print_ratio(bench, STEP_RAW, "raw");
}

const struct bench_part bench_verify = {
	.name = "verify",
	.run = run,
	.any_layout = true,
	.runs = 3,
	.messages_small = 10000,
	.messages_medium = 3000,
};
