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
#include "bench-lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDERS 60
#define STOCK "-o mail_plugins="

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

static void fill_old(const struct bench *bench)
{
	struct imap_client *client = bench_imap(bench, "OLD_IMAP_DIRECT", 0);
	char name[16];
	unsigned int i;

	bench_say("filling %u folders", FOLDERS);
	for (i = 0; i < FOLDERS; i++) {
		snprintf(name, sizeof(name), "folder%02u", i);
		if (imap_run(client, "CREATE %s", name) != IMAP_OK)
			bench_fail("CREATE %s: %s", name, imap_error(client));
		bench_append(bench, client, name, bench->messages / FOLDERS);
		imap_clear(client);
	}
	imap_logout(&client);
	bench_copy_old_home(bench, 0, 1);
}

static void write_mbsync_conf(const struct bench *bench)
{
	const char *hostport = bench_get(bench, "OLD_IMAP");
	const char *port = strrchr(hostport, ':') + 1;
	struct process_result result;
	char path[600];
	FILE *file;

	result = bench_shell("mkdir -p '%s/mbsync'", bench->folder);
	process_result_free(&result);
	snprintf(path, sizeof(path), "%s/mbsyncrc", bench->folder);
	file = fopen(path, "w");
	if (file == NULL ||
	    fprintf(file, "IMAPAccount old\nHost 127.0.0.1\nPort %s\n"
		    "User %s\nPass %s\nSSLType None\nAuthMechs LOGIN\n"
		    "\n"
		    "IMAPStore far\nAccount old\n\n"
		    "MaildirStore near\nPath %s/mbsync/\n"
		    "Inbox %s/mbsync/INBOX\nSubFolders Verbatim\n\n"
		    "Channel all\nFar :far:\nNear :near:\nPatterns *\n"
		    "Create Near\nSync Pull\nSyncState *\n", port,
		    bench_user(bench, 0), bench_get(bench, "PASSWORD"),
		    bench->folder, bench->folder) < 0 ||
	    fclose(file) != 0)
		bench_fail("%s can't be written", path);
}

static void make_command(const struct bench *bench, unsigned int t)
{
	const char *doveadm = bench_get(bench, "DOVEADM");
	int ret;

	switch (t) {
	case TOOL_OURS:
		ret = asprintf(&commands[t], "exec %s migration catchup -u %s",
			       doveadm, bench_user(bench, 0));
		break;
	case TOOL_START:
		ret = asprintf(&commands[t], "exec %s migration status -u %s",
			       doveadm, bench_user(bench, 0));
		break;
	case TOOL_MBSYNC:
		ret = asprintf(&commands[t], "exec mbsync -q -c '%s/mbsyncrc' "
			       "-a", bench->folder);
		break;
	default:
		ret = asprintf(&commands[t], "exec %s " STOCK
			" -o mail_fsync=never -o imapc_features="
			"'rfc822.size fetch-headers fetch-bodystructure' "
			"-o mail_prefetch_count=1000 backup -R -u %s imapc:",
			doveadm, bench_user(bench, 1));
		break;
	}
	if (ret < 0)
		abort();
}

static struct bench_usage
run_tool(const struct bench *bench, unsigned int t)
{
	struct process_result result;
	struct bench_usage usage;
	char output[600];
	int status;

	snprintf(output, sizeof(output), "%s/log/bench.out",
		 bench_get(bench, "DIR"));
	status = bench_measure(commands[t], output, &usage);
	if (status != 0) {
		result = bench_shell("tail -n 5 '%s'", output);
		bench_fail("%s: status %d: %s", commands[t], status,
			   result.output);
	}
	return usage;
}

/* Each has everything, and there is nothing new. */
static void prepare(struct bench *bench)
{
	unsigned int t;

	bench_lab_up(bench, 2, 0, "");
	fill_old(bench);
	bench_fill_user(bench, 0, "local");
	write_mbsync_conf(bench);
	for (t = 0; t < TOOLS; t++) {
		make_command(bench, t);
		bench_say("%s: the first time", tool_names[t]);
		(void)run_tool(bench, t);
		(void)run_tool(bench, t);
	}
}

static void print_tool(const struct bench *bench, unsigned int t)
{
	double start = bench_median(wall[TOOL_START], bench->runs);
	double took = bench_median(wall[t], bench->runs);

	printf("bench: part=catchup tool=%s folders=%u rtt_ms=%u store=%s "
	       "wall_s=%.3f cpu_s=%.4f", tool_names[t], FOLDERS,
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
			usage = run_tool(bench, t);
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
