/*
 * bench-milter: what a milter costs Postfix
 *
 * smtp-source sends --messages mails of 5 KB in 10 sessions at a time, each mail
 * in a session of its own or many in one (-d), to an smtpd that asks a milter, and
 * what is accepted is discarded. The mail has one signature, which opendkim
 * verifies, with Debian's settings and the key in a file instead of in DNS. The
 * tools take turns; figures are medians, and a ratio is the median of the runs'
 * own ratios. All milters log to the same syslog daemon, and a line for each mail
 * must be found there. CPU seconds and resident set are the milter's own.
 *
 * With --soak N only the memory of ours is looked at, over N mails.
 */
#include "bench.h"
#include "bench-figures.h"
#include "bench-lab.h"
#include "milter-lane.h"
#include "process-usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 10
/* Of each lane before anything is measured. */
#define WARM_UP 200
#define SOAK_STEPS 100
#define LANES (2 * MILTER_TOOLS)
#define LOG_WAIT_MS 60000

enum { REUSE, MAIL, WAYS };

static const struct {
	const char *name, *option;
} ways[WAYS] = {
	[REUSE] = { "reuse", "-d" },
	[MAIL] = { "mail", "" },
};

struct figures {
	double rate[BENCH_MAX_RUNS], cpu[BENCH_MAX_RUNS], rss[BENCH_MAX_RUNS];
};

static const char *mail;
static struct milter_lane lanes[LANES];
static struct figures figures[LANES][WAYS];

static struct milter_lane *get_lane(enum milter_tool tool, bool inet)
{
	return &lanes[(inet ? 0 : MILTER_TOOLS) + tool];
}

static bool is_wanted(const struct bench *bench, bool inet)
{
	return (bench->sockets & (inet ? BENCH_INET : BENCH_UNIX)) != 0;
}

static void start_lane(const struct bench *bench, enum milter_tool tool,
		       bool inet)
{
	struct milter_lane *lane = get_lane(tool, inet);

	lane->tool = tool;
	lane->inet = inet;
	lane->port = bench->port_base + BENCH_FREE_PORT +
		2 * (unsigned int)(lane - lanes);
	milter_lane_start(bench, lane);
}

/*
 * Sending
 */

struct proofs_goal {
	const struct bench *bench;
	const struct milter_lane *lane;
	unsigned int count;
};

static bool are_proven(void *context)
{
	const struct proofs_goal *goal = context;

	return milter_lane_proofs(goal->bench, goal->lane) >= goal->count;
}

static double send_mails(const struct bench *bench,
			 const struct milter_lane *lane, unsigned int way,
			 unsigned int messages)
{
	struct bench_usage usage;
	char command[600], output[300];

	snprintf(command, sizeof(command), "exec smtp-source %s -s %u -m %u "
		 "-F '%s' -f sender@sender.example -t %s@%s 127.0.0.1:%u",
		 ways[way].option, SESSIONS, messages, mail, bench_user(bench, 0),
		 bench_get(bench, "DOMAIN"), lane->port);
	snprintf(output, sizeof(output), "%s/log/bench.out",
		 bench_get(bench, "DIR"));
	if (bench_measure(command, output, &usage) != 0)
		bench_fail("smtp-source failed");
	return messages / usage.wall_s;
}

static struct process_usage get_usage(const struct milter_lane *lane)
{
	struct process_usage usage = { .cpu_s = 0 };

	if (lane->tool != MILTER_NONE && process_usage(lane->pid, &usage) < 0)
		bench_fail("%s has ended", milter_tool_name(lane->tool));
	return usage;
}

/* Sends, and sees that the milter has done its work. Returns mails a second. */
static double measure(const struct bench *bench, const struct milter_lane *lane,
		      unsigned int way, unsigned int messages)
{
	unsigned int before = milter_lane_proofs(bench, lane);
	struct proofs_goal goal = { .bench = bench, .lane = lane };
	double rate;

	bench_settle(bench);
	rate = send_mails(bench, lane, way, messages);
	if (lane->tool == MILTER_OURS || lane->tool == MILTER_OPENDKIM)
		goal.count = before + messages;
	if (!wait_until(are_proven, &goal, LOG_WAIT_MS) ||
	    milter_lane_proofs(bench, lane) != goal.count) {
		bench_fail("%s has logged %u mails, not %u",
			   milter_tool_name(lane->tool),
			   milter_lane_proofs(bench, lane) - before,
			   goal.count - before);
	}
	milter_lanes_check(bench);
	milter_lanes_drain(bench);
	return rate;
}

static void run_lane(const struct bench *bench, const struct milter_lane *lane,
		     unsigned int way, unsigned int run)
{
	struct figures *f = &figures[lane - lanes][way];
	struct process_usage before = get_usage(lane), after;

	f->rate[run] = measure(bench, lane, way, bench->messages);
	after = get_usage(lane);
	f->cpu[run] = after.cpu_s - before.cpu_s;
	f->rss[run] = after.rss_mb;
	bench_say("run %u of %u: %s, %s, session=%s: %.0f mails/s, CPU %.2f s",
		  run + 1, bench->runs, milter_tool_name(lane->tool),
		  lane->inet ? "inet" : "unix", ways[way].name, f->rate[run],
		  f->cpu[run]);
}

/*
 * Figures
 */

static void print_lane(const struct bench *bench,
		       const struct milter_lane *lane, unsigned int way)
{
	struct figures copy = figures[lane - lanes][way];

	printf("bench: part=milter tool=%s socket=%s session=%s "
	       "msgs_per_s=%.0f cpu_s=%.2f rss_mb=%.1f runs=%u messages=%u\n",
	       milter_tool_name(lane->tool), lane->inet ? "inet" : "unix",
	       ways[way].name, bench_median(copy.rate, bench->runs),
	       bench_median(copy.cpu, bench->runs),
	       bench_median(copy.rss, bench->runs), bench->runs,
	       bench->messages);
}

static void print_ratio(const struct bench *bench, enum milter_tool to,
			bool inet, unsigned int way)
{
	const struct milter_lane *ours = get_lane(MILTER_OURS, inet);
	const struct milter_lane *other = get_lane(to, inet);
	double ratios[BENCH_MAX_RUNS];
	unsigned int run;

	for (run = 0; run < bench->runs; run++)
		ratios[run] = figures[ours - lanes][way].rate[run] /
			figures[other - lanes][way].rate[run];
	printf("bench: part=milter ratio=%s/%s socket=%s session=%s "
	       "value=%.2f\n", milter_tool_name(MILTER_OURS),
	       milter_tool_name(to), inet ? "inet" : "unix", ways[way].name,
	       bench_median(ratios, bench->runs));
}

/* What each socket and way is to be done for, the main one last. */
static void
each(const struct bench *bench, unsigned int run,
     void (*act)(const struct bench *bench, bool inet, unsigned int way,
		 unsigned int run))
{
	unsigned int socket, way;

	for (socket = 0; socket < 2; socket++) {
		for (way = 0; way < WAYS; way++) {
			if (is_wanted(bench, socket == 0))
				act(bench, socket == 0, way, run);
		}
	}
}

static void run_turn(const struct bench *bench, bool inet, unsigned int way,
		     unsigned int run)
{
	unsigned int i;

	/* another one begins in each run */
	for (i = 0; i < MILTER_TOOLS; i++)
		run_lane(bench, get_lane((run + i) % MILTER_TOOLS, inet), way,
			 run);
}

static void print_turn(const struct bench *bench, bool inet, unsigned int way,
		       unsigned int run)
{
	unsigned int tool;

	(void)run;
	for (tool = 0; tool < MILTER_TOOLS; tool++)
		print_lane(bench, get_lane(tool, inet), way);
}

static void print_ratios(const struct bench *bench, bool inet,
			 unsigned int way, unsigned int run)
{
	(void)run;
	print_ratio(bench, MILTER_NONE, inet, way);
	print_ratio(bench, MILTER_OPENDKIM, inet, way);
	print_ratio(bench, MILTER_DO_NOTHING, inet, way);
}

/*
 * The two ways to run it
 */

static void compare(const struct bench *bench)
{
	unsigned int socket, tool, i, run;

	for (socket = 0; socket < 2; socket++) {
		for (tool = 0; tool < MILTER_TOOLS; tool++) {
			if (is_wanted(bench, socket == 0))
				start_lane(bench, tool, socket == 0);
		}
	}
	milter_lanes_open(bench);
	for (i = 0; i < LANES; i++) {
		if (lanes[i].port != 0)
			(void)measure(bench, &lanes[i], MAIL, WARM_UP);
	}
	for (run = 0; run < bench->runs; run++)
		each(bench, run, run_turn);
	each(bench, 0, print_turn);
	each(bench, 0, print_ratios);
}

static void soak(const struct bench *bench)
{
	const bool inet = bench->sockets == BENCH_INET;
	const struct milter_lane *lane = get_lane(MILTER_OURS, inet);
	unsigned int step, messages = bench->soak / SOAK_STEPS;
	double rss[SOAK_STEPS], rates[SOAK_STEPS];

	start_lane(bench, MILTER_OURS, inet);
	milter_lanes_open(bench);
	(void)measure(bench, lane, REUSE, WARM_UP);
	for (step = 0; step < SOAK_STEPS; step++) {
		rates[step] = measure(bench, lane, REUSE, messages);
		rss[step] = get_usage(lane).rss_mb;
		bench_say("%u of %u mails: %.1f MB", (step + 1) * messages,
			  SOAK_STEPS * messages, rss[step]);
	}
	printf("bench: part=milter tool=%s socket=%s session=reuse soak=%u "
	       "rss_mb_start=%.1f rss_mb_middle=%.1f rss_mb_end=%.1f "
	       "rss_mb_max=%.1f msgs_per_s=%.0f\n",
	       milter_tool_name(MILTER_OURS), inet ? "inet" : "unix",
	       SOAK_STEPS * messages, rss[0], rss[SOAK_STEPS / 2 - 1],
	       rss[SOAK_STEPS - 1], bench_max(rss, SOAK_STEPS),
	       bench_median(rates, SOAK_STEPS));
}

static void run(struct bench *bench)
{
	bench_lab_up(bench, 1, 0, "");
	mail = milter_mail_make(bench);
	if (bench->soak > 0)
		soak(bench);
	else
		compare(bench);
}

const struct bench_part bench_milter = {
	.name = "milter",
	.run = run,
	.runs = 3,
	.messages_small = 10000,
	.messages_medium = 10000,
};
