/*
 * bench-fill: how fast a user's mail comes from the old server, against peers
 *
 * The tools take turns, each run beginning with an empty new home and a synced
 * file system; figures are medians. What they do isn't the same work:
 * dovecot-migration's copies are durable when it ends, and each message has been
 * read back and compared with its digest; verify_s is what reading back takes by
 * itself, as `doveadm migration verify` of the filled mailboxes (process start
 * and the question what changed included). doveadm-tuned writes with
 * mail_fsync=never and compares nothing.
 */
#include "bench.h"
#include "bench-figures.h"
#include "bench-lab.h"

#include <stdio.h>
#include <string.h>

/* Without our plugin, in the new server's store */
#define STOCK "-o mail_plugins="

struct tool {
	const char *name;
	/* What comes after doveadm, before -u user and after it. */
	const char *command, *arguments;
	/* Timed after it, or NULL. */
	const char *verify;
	const char *durable, *verified;
};

static const struct tool tools[] = {
	{ "dovecot-migration", "migration fill", "", "migration verify",
	  "yes", "yes" },
	{ "doveadm-tuned", STOCK " -o mail_fsync=never -o imapc_features="
	  "'rfc822.size fetch-headers fetch-bodystructure' "
	  "-o mail_prefetch_count=1000 backup -R", "imapc:", NULL,
	  "no", "no" },
};
#define TOOLS (sizeof(tools) / sizeof(tools[0]))

struct figures {
	double wall[BENCH_MAX_RUNS], cpu[BENCH_MAX_RUNS], rss[BENCH_MAX_RUNS];
	double verify[BENCH_MAX_RUNS];
};

static struct figures figures[TOOLS];

static struct bench_usage
run_command(const struct bench *bench, const char *command,
	    const char *arguments)
{
	char line[1200], output[600];
	struct process_result result;
	struct bench_usage usage;
	int status;

	snprintf(line, sizeof(line), "exec %s %s -u %s %s",
		 bench_get(bench, "DOVEADM"), command, bench_user(bench, 0),
		 arguments);
	snprintf(output, sizeof(output), "%s/log/bench.out",
		 bench_get(bench, "DIR"));
	status = bench_measure(line, output, &usage);
	if (status != 0) {
		result = bench_shell("tail -n 5 '%s'", output);
		bench_fail("%s: status %d: %s", line, status, result.output);
	}
	return usage;
}

/* Everything has to be there, in the local store itself. */
static void check_copy(const struct bench *bench, const struct tool *tool,
		       const struct bench_sum *wanted)
{
	struct bench_sum sum;
	char doveadm[600];

	snprintf(doveadm, sizeof(doveadm), "%s %s",
		 bench_get(bench, "DOVEADM"), STOCK);
	sum = bench_sum_user(bench, doveadm, bench_user(bench, 0));
	if (sum.messages != wanted->messages || sum.bytes != wanted->bytes) {
		bench_fail("%s copied %llu messages, %llu bytes of %llu, %llu",
			   tool->name, (unsigned long long)sum.messages,
			   (unsigned long long)sum.bytes,
			   (unsigned long long)wanted->messages,
			   (unsigned long long)wanted->bytes);
	}
}

static void run_tool(const struct bench *bench, unsigned int t,
		     unsigned int run, const struct bench_sum *wanted)
{
	const struct tool *tool = &tools[t];
	struct figures *f = &figures[t];
	struct bench_usage usage;

	bench_settle(bench);
	usage = run_command(bench, tool->command, tool->arguments);
	bench_say("run %u of %u: %s: %.2f s, CPU %.2f s", run + 1, bench->runs,
		  tool->name, usage.wall_s, usage.cpu_s);
	f->wall[run] = usage.wall_s;
	f->cpu[run] = usage.cpu_s;
	f->rss[run] = usage.rss_mb;
	if (tool->verify != NULL)
		f->verify[run] = run_command(bench, tool->verify, "").wall_s;
	check_copy(bench, tool, wanted);
	bench_move_aside(bench, bench_user(bench, 0));
}

/* Also warms the page cache, as for the peers' figures. */
static struct bench_sum sum_old(const struct bench *bench)
{
	char doveadm[600];

	snprintf(doveadm, sizeof(doveadm), "doveadm -c '%s/old/dovecot.conf'",
		 bench_get(bench, "DIR"));
	return bench_sum_user(bench, doveadm, bench_user(bench, 0));
}

static void print_tool(const struct bench *bench, unsigned int t,
		       const struct bench_sum *sum)
{
	const struct tool *tool = &tools[t];
	struct figures *f = &figures[t];
	double wall = bench_median(f->wall, bench->runs);

	printf("bench: part=fill tool=%s corpus=%s rtt_ms=%u store=%s "
	       "messages=%llu wall_s=%.3f msgs_per_s=%.0f mb_per_s=%.1f "
	       "cpu_s=%.2f rss_mb=%.0f runs=%u durable=%s verified=%s",
	       tool->name, bench->corpus, bench->rtt_ms, bench->store,
	       (unsigned long long)sum->messages, wall,
	       (double)sum->messages / wall, (double)sum->bytes / 1e6 / wall,
	       bench_median(f->cpu, bench->runs),
	       bench_median(f->rss, bench->runs), bench->runs, tool->durable,
	       tool->verified);
	if (tool->verify != NULL)
		printf(" verify_s=%.3f", bench_median(f->verify, bench->runs));
	printf("\n");
}

static void run(struct bench *bench)
{
	struct bench_sum sum;
	unsigned int i, t;

	/* nobody may have a copy open that is moved aside */
	bench_lab_up(bench, 1, bench->messages, BENCH_PROXIED);
	sum = sum_old(bench);
	if (sum.messages != bench->messages)
		bench_fail("the old server has %llu messages, not %u",
			   (unsigned long long)sum.messages, bench->messages);
	for (i = 0; i < bench->runs; i++) {
		for (t = 0; t < TOOLS; t++)
			run_tool(bench, t, i, &sum);
	}
	for (t = 0; t < TOOLS; t++)
		print_tool(bench, t, &sum);
	for (t = 1; t < TOOLS; t++) {
		printf("bench: part=fill ratio=%s/%s value=%.2f\n",
		       tools[0].name, tools[t].name,
		       bench_median(figures[0].wall, bench->runs) /
		       bench_median(figures[t].wall, bench->runs));
	}
}

const struct bench_part bench_fill = {
	.name = "fill",
	.run = run,
	.runs = 3,
	.messages_small = 10000,
	.messages_medium = 3000,
};
