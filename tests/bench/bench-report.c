/*
 * bench-report: how fast migration-report reads a log, next to grep and pflogsumm
 *
 * Two generated logs of so many lines (--messages): a dense one, in which each
 * line is a report line, and an ordinary mail log, in which one of 20 is. The
 * tools take turns over the same file, which is in the page cache; figures are
 * medians. They don't do the same work: grep counts lines, pflogsumm sums up what
 * Postfix says. What migration-report counted must be what was written.
 */
#include "bench.h"
#include "bench-figures.h"
#include "bench-lab.h"
#include "log-world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ORDINARY 20

struct log {
	const char *name;
	unsigned int every;
	struct log_world_counts counts;
	char path[200];
};

static struct log logs[] = {
	{ .name = "dense", .every = 1 },
	{ .name = "ordinary", .every = ORDINARY },
};
#define LOGS (sizeof(logs) / sizeof(logs[0]))

struct tool {
	const char *name;
	/* What comes before the log's name. */
	const char *command;
	void (*check)(const struct log *log, const char *output);
};

static void check_report(const struct log *log, const char *output);
static void check_grep(const struct log *log, const char *output);

/* The main one last. */
static const struct tool tools[] = {
	{ "pflogsumm", "pflogsumm", NULL },
	{ "grep", "grep -c 'migration: event='", check_grep },
	{ "dovecot-migration", MIGRATION_REPORT " --json", check_report },
};
#define TOOLS (sizeof(tools) / sizeof(tools[0]))

struct figures {
	double wall[BENCH_MAX_RUNS], cpu[BENCH_MAX_RUNS], rss[BENCH_MAX_RUNS];
};

static struct figures figures[LOGS][TOOLS];

static void write_log(const struct bench *bench, struct log *log)
{
	struct log_world_settings settings = log_world_defaults;
	char line[LOG_WORLD_LINE_MAX];
	struct log_world *world;
	int64_t seconds;
	FILE *file;
	size_t size;

	snprintf(log->path, sizeof(log->path), "%s/%s.log", bench->folder,
		 log->name);
	bench_say("writing %u lines of a%s log", bench->messages,
		  log->every == 1 ? " dense" : "n ordinary");
	settings.lines = bench->messages;
	settings.every = log->every;
	/* heartbeats come each minute, and aren't to be all there is */
	seconds = (int64_t)(bench->messages / log->every) * 6 / 10;
	if (settings.seconds > seconds)
		settings.seconds = seconds;
	/* not in the future, for which lines aren't believed */
	settings.start = (int64_t)time(NULL) - settings.seconds;
	world = log_world_init(&settings);
	file = fopen(log->path, "w");
	if (file == NULL)
		bench_fail("%s can't be written", log->path);
	while ((size = log_world_line(world, line)) > 0) {
		if (fwrite(line, size, 1, file) != 1)
			bench_fail("%s can't be written", log->path);
	}
	if (fclose(file) != 0)
		bench_fail("%s can't be written", log->path);
	log->counts = *log_world_counts(world);
	log_world_deinit(&world);
}

static void must_have(const char *output, const char *key, uint64_t value)
{
	char wanted[100];

	snprintf(wanted, sizeof(wanted), "%s%llu", key,
		 (unsigned long long)value);
	if (strstr(output, wanted) == NULL)
		bench_fail("migration-report doesn't say %s", wanted);
}

static void check_report(const struct log *log, const char *output)
{
	const struct log_world_counts *counts = &log->counts;

	must_have(output, "\"lines\": ", counts->lines);
	must_have(output, "\"report_lines\": ", counts->report_lines);
	must_have(output, "\"doubles\": ", 0);
	must_have(output, "\"wanted\": {\"old\":{\"count\":", counts->wanted[0]);
	must_have(output, "\"new\":{\"count\":", counts->wanted[1]);
	must_have(output, "\"spam\": {\"old\":{\"count\":", counts->spam[0]);
	must_have(output, "\"new\":{\"count\":", counts->spam[1]);
}

static void check_grep(const struct log *log, const char *output)
{
	if (strtoull(output, NULL, 10) != log->counts.report_lines)
		bench_fail("grep counted %s", output);
}

static void run_tool(const struct bench *bench, unsigned int l, unsigned int t,
		     unsigned int run)
{
	const struct tool *tool = &tools[t];
	struct figures *f = &figures[l][t];
	char command[600], output[300];
	struct process_result result;
	struct bench_usage usage;

	snprintf(output, sizeof(output), "%s/%s.out", bench->folder, tool->name);
	snprintf(command, sizeof(command), "TZ=UTC exec %s '%s'", tool->command,
		 logs[l].path);
	/* it would be added to */
	(void)remove(output);
	if (bench_measure(command, output, &usage) != 0)
		bench_fail("%s failed: see %s", command, output);
	f->wall[run] = usage.wall_s;
	f->cpu[run] = usage.cpu_s;
	f->rss[run] = usage.rss_mb;
	bench_say("run %u of %u: %s, %s: %.2f s, CPU %.2f s", run + 1,
		  bench->runs, logs[l].name, tool->name, usage.wall_s,
		  usage.cpu_s);
	if (tool->check != NULL) {
		result = bench_shell("cat '%s'", output);
		tool->check(&logs[l], result.output);
		process_result_free(&result);
	}
}

static void print_tool(const struct bench *bench, unsigned int l,
		       unsigned int t)
{
	struct figures *f = &figures[l][t];
	double wall = bench_median(f->wall, bench->runs);
	double cpu = bench_median(f->cpu, bench->runs);

	printf("bench: part=report tool=%s log=%s lines=%u report_lines=%llu "
	       "wall_s=%.2f lines_per_s=%.0f cpu_s=%.2f lines_per_cpu_s=%.0f "
	       "rss_mb=%.0f runs=%u\n", tools[t].name, logs[l].name,
	       bench->messages, (unsigned long long)logs[l].counts.report_lines,
	       wall, (double)bench->messages / wall, cpu,
	       (double)bench->messages / cpu,
	       bench_median(f->rss, bench->runs), bench->runs);
}

static void print_ratios(const struct bench *bench, unsigned int l)
{
	unsigned int t;

	for (t = 0; t < TOOLS - 1; t++) {
		printf("bench: part=report ratio=%s/%s log=%s value=%.3f\n",
		       tools[TOOLS - 1].name, tools[t].name, logs[l].name,
		       bench_median(figures[l][TOOLS - 1].wall, bench->runs) /
		       bench_median(figures[l][t].wall, bench->runs));
	}
}

/* One log after the other: both may not have room in the page cache. */
static void run(struct bench *bench)
{
	unsigned int l, t, i;

	for (l = 0; l < LOGS; l++) {
		write_log(bench, &logs[l]);
		for (i = 0; i < bench->runs; i++) {
			for (t = 0; t < TOOLS; t++)
				run_tool(bench, l, t, i);
		}
		(void)remove(logs[l].path);
	}
	for (l = LOGS; l-- > 0; ) {
		for (t = 0; t < TOOLS; t++)
			print_tool(bench, l, t);
		print_ratios(bench, l);
	}
}

const struct bench_part bench_report = {
	.name = "report",
	.run = run,
	.without_lab = true,
	.runs = 3,
	.messages_small = 10000000,
	.messages_medium = 10000000,
};
