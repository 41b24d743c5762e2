/*
 * demo: six users move from their old servers to a new one, at work
 *
 * demo [--dir DIR] [--port-base PORT] [--messages N] [--rented] [--keep]
 *
 * The plot. Everything runs on loopback, in labs of its own, and is ended
 * again. The last line is "demo: ok ..." with what was counted, or
 * "demo: FAILED ..." with the reason. Exits 0, 1 failed, 64 wrong usage, 130
 * interrupted.
 */
#include "demo.h"
#include "demo-arrivals.h"
#include "demo-compare.h"
#include "demo-delivery.h"
#include "demo-lab.h"
#include "demo-late.h"
#include "demo-late-count.h"
#include "demo-mail.h"
#include "demo-move.h"
#include "demo-progress.h"
#include "demo-report.h"
#include "demo-sides.h"
#include "demo-user.h"
#include "options.h"
#include "process.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARM_UP_WRITES 15
#define MIRRORED_WRITES 25
#define AFTERWARDS_WRITES 40
#define PHASE_MS 60000

/*
 * The plot
 */

static void begin_work(struct demo *demo)
{
	static void *(*const programs[])(void *) = {
		demo_client_thread, demo_watcher_thread, demo_delivery_thread
	};
	unsigned int i, j;

	for (i = 0; i < demo->user_count; i++) {
		for (j = 0; j < 3; j++) {
			if (pthread_create(&demo->users[i].threads[j], NULL,
					   programs[j], &demo->users[i]) != 0)
				abort();
		}
	}
}

static void end_work(struct demo *demo)
{
	unsigned int i, j;

	demo->work_ends = true;
	for (i = 0; i < demo->user_count; i++) {
		for (j = 0; j < 3; j++)
			pthread_join(demo->users[i].threads[j], NULL);
	}
}

struct work_goal {
	struct demo *demo;
	unsigned int writes[DEMO_USERS];
};

static bool goal_reached(void *context)
{
	struct work_goal *goal = context;
	unsigned int i;

	demo_progress_tick();
	for (i = 0; i < goal->demo->user_count && !demo_is_interrupted(); i++) {
		if (goal->demo->users[i].client.writes < goal->writes[i])
			return false;
	}
	return true;
}

static bool goes_on(void)
{
	return !demo_is_interrupted() && demo_problems() == 0;
}

/* Until every client has done so many writes more. */
static bool let_work(struct demo *demo, unsigned int writes)
{
	struct work_goal goal = { .demo = demo };
	unsigned int i;

	for (i = 0; i < demo->user_count; i++)
		goal.writes[i] = demo->users[i].client.writes + writes;
	if (!wait_until(goal_reached, &goal, PHASE_MS)) {
		demo_problem("a client doesn't get on with its work");
		return false;
	}
	return !demo_is_interrupted();
}

/* What goes wrong is told, but only a standstill ends it early. */
static void move_users(struct demo *demo)
{
	bool working;

	demo_progress_phase("users log in at the new server and work; mail "
			    "arrives at both");
	begin_work(demo);
	working = let_work(demo, WARM_UP_WRITES);
	if (working) {
		demo_progress_phase("doveadm migration fill");
		demo_fill(demo);
	}
	if (working && !demo_is_interrupted()) {
		demo_progress_phase("users work on, the old servers still in "
				    "charge");
		demo_sides_show(demo);
		working = let_work(demo, MIRRORED_WRITES);
	}
	if (working && !demo_is_interrupted()) {
		demo_progress_phase("doveadm migration cutover; a user's mail "
				    "comes to the new server from then on");
		demo_cutover(demo);
	}
	if (working && !demo_is_interrupted()) {
		demo_progress_phase("users work on, now without the old "
				    "servers");
		(void)let_work(demo, AFTERWARDS_WRITES);
	}
	demo_progress_phase("ending the users' work");
	end_work(demo);
	demo_progress_phase("waiting for the last mail in the queues");
	demo_each_user(demo, demo_arrivals_finish);
}

static void print_longest(const struct demo_verdict *verdict)
{
	if (verdict->accounts == 0)
		return;
	printf("\ndisconnects of mirrored mailboxes %u; announced ones of the "
	       "others %u, each followed\nby a login, with at most %u ms "
	       "between two answers; slowest command %u ms; slowest\n"
	       "delivery %u ms\n", verdict->disconnects, verdict->reconnects,
	       verdict->interrupted_ms, verdict->slowest_ms,
	       verdict->slowest_delivery_ms);
}

/* What comes of it. */
struct outcome {
	struct demo_verdict verdict;
	struct demo_arrival_counts arrivals;
	struct demo_late_counts late;
	struct demo_reports reports;
};

/* The propagation period, until the old servers can go. */
static void propagate(struct demo *demo, struct outcome *outcome)
{
	demo_late_run(demo);
	demo_arrivals_count(demo, &outcome->arrivals);
	if (goes_on()) {
		demo_report_not_yet(demo, &outcome->reports);
		demo_late_end(demo);
		demo_report_safe(demo, &outcome->reports);
		demo_arrivals_count(demo, &outcome->arrivals);
	}
	demo_late_count(demo, &outcome->late);
}

static void run(struct demo *demo, struct outcome *outcome)
{
	demo_progress_phase("starting old and new servers (the first time "
			    "this installs Cyrus and Courier in roots of "
			    "their own, which takes minutes)");
	if (demo_labs_up(demo) < 0)
		return;
	demo_assign_users(demo);
	demo_progress_phase("filling the old servers with mail");
	demo_each_user(demo, demo_mail_make);
	if (goes_on()) {
		demo_progress_phase("reading all mail from the old servers");
		demo_each_user(demo, demo_picture_before);
	}
	if (!goes_on())
		return;
	move_users(demo);
	if (demo_is_interrupted())
		return;
	if (!demo->users[0].is_cut_over)
		return;
	demo_progress_phase("reading all mail from both servers");
	demo_each_user(demo, demo_picture_after);
	propagate(demo, outcome);
	demo_progress_deinit();
	demo_compare(demo, &outcome->verdict);
	print_longest(&outcome->verdict);
	demo_reports_print(&outcome->reports);
}

static bool is_good(const struct outcome *outcome)
{
	const struct demo_verdict *verdict = &outcome->verdict;

	return !demo_is_interrupted() && demo_problems() == 0 &&
		verdict->accounts == DEMO_USERS && verdict->lost == 0 &&
		verdict->doubled == 0 && verdict->changed == 0 &&
		verdict->client_errors == 0 && verdict->disconnects == 0 &&
		outcome->late.lost == 0 && outcome->late.doubled == 0;
}

static void print_figures(const struct outcome *outcome)
{
	const struct demo_arrival_counts *arrivals = &outcome->arrivals;

	demo_verdict_print(&outcome->verdict);
	printf(" arrivals_old=%u arrivals_new=%u arrivals_reported=%u",
	       arrivals->accepted[DEMO_OLD], arrivals->accepted[DEMO_NEW],
	       arrivals->reported[DEMO_OLD] + arrivals->reported[DEMO_NEW]);
	printf(" mirrored=%u disconnects=%u", outcome->verdict.mirrored,
	       outcome->verdict.disconnects);
	printf(" late=%u late_lost=%u late_doubled=%u", outcome->late.late,
	       outcome->late.lost, outcome->late.doubled);
}

static int finish(const struct outcome *outcome)
{
	if (is_good(outcome)) {
		printf("demo: ok ");
		print_figures(outcome);
		printf("\n");
		return EXIT_SUCCESS;
	}
	printf("demo: FAILED ");
	if (demo_is_interrupted())
		printf("interrupted");
	else if (outcome->verdict.accounts > 0)
		print_figures(outcome);
	if (!demo_is_interrupted() && demo_problems() > 0)
		printf(" problems=%u: %s", demo_problems(),
		       demo_first_problem());
	printf("\n");
	return demo_is_interrupted() ? 130 : EXIT_FAILURE;
}

static void clean_up(struct demo *demo)
{
	struct demo_user *user;
	unsigned int i;

	for (i = 0; i < demo->user_count; i++) {
		user = &demo->users[i];
		snapshot_free(&user->before);
		snapshot_free(&user->after);
		snapshot_free(&user->old_after);
		message_ids_free(&user->ids_after);
		journal_deinit(&user->journal);
		demo_delivery_free(&user->delivered);
		free(user->late.mails);
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: demo [--dir DIR] [--port-base PORT] "
		"[--messages N] [--rented] [--keep]\n"
		"Moves six users with N messages (5000) from old servers to "
		"new ones, on loopback,\nin DIR (/var/tmp/dovecot-migration-"
		"demo) and on 60 ports from PORT (24100) on.\n"
		"--rented: without a milter at the old servers.\n"
		"--keep leaves the servers up; the next demo ends them.\n");
	exit(64);
}

static unsigned int number(const char *str, unsigned int min, unsigned int max)
{
	return (unsigned int)option_number(str, min, max, usage);
}

static void
parse_options(struct demo_options *options, int argc, char *const *argv)
{
	static const struct option known[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "port-base", required_argument, NULL, 'p' },
		{ "messages", required_argument, NULL, 'm' },
		{ "rented", no_argument, NULL, 'r' },
		{ "keep", no_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'd': options->dir = optarg; break;
		case 'p': options->port_base = number(optarg, 1024, 65000); break;
		case 'm': options->messages = number(optarg, 600, 1000000); break;
		case 'r': options->rented = true; break;
		case 'k': options->keep = true; break;
		default: usage();
		}
	}
	if (optind != argc || options->dir[0] != '/' ||
	    strlen(options->dir) > 200)
		usage();
}

int main(int argc, char *argv[])
{
	static struct demo demo = {
		.options = {
			.dir = "/var/tmp/dovecot-migration-demo",
			.port_base = 24100, .messages = 5000
		}
	};
	struct outcome outcome = { .verdict = { .accounts = 0 } };
	int status;

	parse_options(&demo.options, argc, argv);
	if (geteuid() != 0) {
		fprintf(stderr, "demo: must be run as root\n");
		return EXIT_FAILURE;
	}
	demo_catch_signals();
	demo_progress_init(&demo);
	run(&demo, &outcome);
	demo_progress_deinit();
	(void)demo_labs_down(&demo);
	status = finish(&outcome);
	demo_reports_free(&outcome.reports);
	clean_up(&demo);
	return status;
}
