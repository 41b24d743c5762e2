/*
 * bench-catchup: a look at the old server that finds nothing new
 *
 * 60 folders, all of them moved: our `doveadm migration catchup`, mbsync into a
 * Maildir and doveadm backup, each after it has copied everything once. The tools
 * take turns; figures are medians, CPU is that of the whole command. What it costs
 * to start doveadm and read the user's states, without any question to the old
 * server, is shown as tool=doveadm-start (`doveadm migration status`). Round trips
 * are what a command takes longer than without a delay, so that a bench without
 * --rtt has none.
 */
#include "bench.h"
#include "bench-figures.h"
#include "copy-tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TOOL_OURS,
	TOOL_START,
	TOOL_MBSYNC,
	TOOL_BACKUP,
	TOOLS
};

static const char *const tool_names[TOOLS] = {
	"dovecot-migration", "doveadm-start", "mbsync", "doveadm-tuned"
};

static char *commands[TOOLS];
static double wall[TOOLS][BENCH_MAX_RUNS], cpu[TOOLS][BENCH_MAX_RUNS];

static char *own_command(const struct bench *bench, const char *name)
{
	char *command;

	if (asprintf(&command, "exec %s migration %s -u %s",
		     bench_get(bench, "DOVEADM"), name,
		     bench_user(bench, 0)) < 0)
		abort();
	return command;
}

static void make_commands(const struct bench *bench)
{
	char folder[600];

	snprintf(folder, sizeof(folder), "%s/mbsync", bench->folder);
	commands[TOOL_OURS] = own_command(bench, "catchup");
	commands[TOOL_START] = own_command(bench, "status");
	commands[TOOL_MBSYNC] = copy_command(bench, COPY_MBSYNC, 0, folder);
	commands[TOOL_BACKUP] = copy_command(bench, COPY_TUNED, 1, NULL);
}

/* Each has everything, and there is nothing new. */
static void prepare(struct bench *bench)
{
	unsigned int t;

	bench_lab_up(bench, 2, 0, "");
	bench_say("filling %u folders", BENCH_FOLDERS);
	bench_corpus_folders(bench, 0, bench->messages);
	bench_copy_old_home(bench, 0, 1);
	bench_fill_user(bench, 0, "local");
	make_commands(bench);
	for (t = 0; t < TOOLS; t++) {
		bench_say("%s: the first time", tool_names[t]);
		(void)bench_run(bench, commands[t]);
		(void)bench_run(bench, commands[t]);
	}
}

static void print_tool(const struct bench *bench, unsigned int t)
{
	double start = bench_median(wall[TOOL_START], bench->runs);
	double took = bench_median(wall[t], bench->runs);

	printf("bench: part=catchup tool=%s folders=%u rtt_ms=%u store=%s "
	       "wall_s=%.3f cpu_s=%.4f", tool_names[t], BENCH_FOLDERS,
	       bench->rtt_ms, bench->store, took,
	       bench_median(cpu[t], bench->runs));
	if (bench->rtt_ms > 0)
		printf(" round_trips=%.1f",
		       (took - start) * 1000 / bench->rtt_ms);
	printf(" runs=%u\n", bench->runs);
}

static void run(struct bench *bench)
{
	struct bench_usage usage;
	unsigned int i, t;

	prepare(bench);
	for (i = 0; i < bench->runs; i++) {
		for (t = 0; t < TOOLS; t++) {
			usage = bench_run(bench, commands[t]);
			wall[t][i] = usage.wall_s;
			cpu[t][i] = usage.cpu_s;
		}
	}
	for (t = 0; t < TOOLS; t++) {
		print_tool(bench, t);
		free(commands[t]);
	}
}

const struct bench_part bench_catchup = {
	.name = "catchup",
	.run = run,
	.runs = 10,
	.messages_small = 3000,
	.messages_medium = 3000,
};
