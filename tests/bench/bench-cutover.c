/*
 * bench-cutover: how clients fare when a large mailbox is cut over
 *
 * Each run is another user with the same INBOX: filled, so that it's mirrored,
 * or with --proxied still served from the old server; then cut over while writers
 * and idlers work on it. cutover_ms is what `doveadm migration cutover` says.
 * disconnects counts connections that ended, command_ms_max is the longest
 * command of a writer from just before the cutover to when all have worked on the
 * local mailbox. Where connections end, an interruption is what a writer sees:
 * from its last acknowledged command before that to the first one after, with
 * reconnecting, login and SELECT. Afterwards the mailbox must have all that was
 * appended, once. selects_refused counts the logins and SELECTs that failed when
 * the clients began their work.
 */
#include "bench.h"
#include "bench-figures.h"
#include "bench-lab.h"
#include "busy-clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAILBOX "INBOX"
#define WAIT_MS 60000

struct figures {
	double *cutover_ms, *interruption_ms, command_ms_max;
	unsigned int interruptions, disconnects, refused;
};

static void make_old_users(struct bench *bench)
{
	struct imap_client *client;
	unsigned int user;

	bench_say("filling the old server");
	client = bench_imap(bench, "OLD_IMAP_DIRECT", 0);
	bench_append(bench, client, MAILBOX, bench->messages);
	imap_logout(&client);
	bench_server(bench, "old", "stop");
	for (user = 1; user < bench->runs; user++)
		bench_copy_old_home(bench, 0, user);
	bench_server(bench, "old", "start");
}

/* Milliseconds, as the command says. */
static double cut_over(const struct bench *bench, unsigned int user)
{
	struct process_result result;
	const char *line;
	double seconds;

	result = bench_shell("%s -f tab migration cutover -u %s " MAILBOX
			     " 2>>'%s/log/bench.out'",
			     bench_get(bench, "DOVEADM"),
			     bench_user(bench, user), bench_get(bench, "DIR"));
	line = strchr(result.output, '\n');
	if (line == NULL ||
	    sscanf(line + 1, MAILBOX " local %*u %lf", &seconds) != 1)
		bench_fail("not cut over: %s", result.output);
	process_result_free(&result);
	return seconds * 1e3;
}

static void check_messages(const struct bench *bench, unsigned int user,
			   const struct busy_figures *seen)
{
	unsigned int wanted = bench->messages + seen->appended;
	struct imap_client *client;
	struct imap_box box;

	client = bench_imap(bench, "NEW_IMAP", user);
	if (imap_examine(client, MAILBOX, &box) != IMAP_OK)
		bench_fail("EXAMINE: %s", imap_error(client));
	if (box.exists < wanted || box.exists > wanted + seen->maybe_appended)
		bench_fail("%u messages are there, not %u (or %u more)",
			   box.exists, wanted, seen->maybe_appended);
	imap_logout(&client);
}

static void must(const char *error)
{
	if (error != NULL)
		bench_fail("clients: %s", error);
}

static void add_run(struct figures *figures, const struct bench *bench,
		    unsigned int run, const struct busy_figures *seen)
{
	if (bench->proxied && (seen->interrupted != bench->writers ||
			       seen->disconnects_max != 1))
		bench_fail("a client wasn't interrupted exactly once");
	memcpy(figures->interruption_ms + figures->interruptions,
	       seen->interruption_ms,
	       seen->interrupted * sizeof(*seen->interruption_ms));
	figures->interruptions += seen->interrupted;
	figures->disconnects += seen->disconnects;
	figures->refused += seen->refused;
	if (seen->command_ms_max > figures->command_ms_max)
		figures->command_ms_max = seen->command_ms_max;
	bench_say("run %u of %u: cutover %.0f ms, %u disconnects, longest "
		  "command %.0f ms, %u commands acknowledged", run + 1,
		  bench->runs, figures->cutover_ms[run], seen->disconnects,
		  seen->command_ms_max, seen->acknowledged);
}

static void run_once(const struct bench *bench, unsigned int run,
		     struct figures *figures)
{
	const struct busy_target target = {
		.hostport = bench_get(bench, "NEW_IMAP"),
		.user = bench_user(bench, run),
		.password = bench_get(bench, "PASSWORD"),
		.mailbox = MAILBOX,
		.last_uid = bench->messages,
		.timeout_ms = BENCH_IMAP_TIMEOUT_MS,
	};
	struct busy_figures seen;
	struct busy_clients *group;

	bench_fill_user(bench, run, bench->proxied ? "filled" : "mirrored");
	bench_settle(bench);
	group = busy_clients_start(&target, bench->writers, bench->idlers);
	must(busy_clients_wait(group, 0, WAIT_MS));
	busy_clients_measure(group);
	figures->cutover_ms[run] = cut_over(bench, run);
	must(busy_clients_wait(group, bench->proxied ? 1 : 0, WAIT_MS));
	must(busy_clients_stop(group, &seen));
	check_messages(bench, run, &seen);
	add_run(figures, bench, run, &seen);
	busy_clients_free(&group);
}

static void print_figures(const struct bench *bench,
			  const struct figures *figures)
{
	double *cutover = figures->cutover_ms;
	double *interruption = figures->interruption_ms;
	unsigned int n = figures->interruptions;

	printf("bench: part=cutover mode=%s rtt_ms=%u messages=%u writers=%u "
	       "cutover_ms_median=%.1f cutover_ms_max=%.1f ",
	       bench->proxied ? "proxied" : "mirrored", bench->rtt_ms,
	       bench->messages, bench->writers,
	       bench_median(cutover, bench->runs),
	       bench_max(cutover, bench->runs));
	if (n > 0)
		printf("interruption_ms_median=%.1f interruption_ms_max=%.1f ",
		       bench_median(interruption, n),
		       bench_max(interruption, n));
	printf("runs=%u idlers=%u corpus=%s store=%s selects_refused=%u "
	       "disconnects=%u command_ms_max=%.1f\n", bench->runs,
	       bench->idlers, bench->corpus, bench->store, figures->refused,
	       figures->disconnects, figures->command_ms_max);
}

static void run(struct bench *bench)
{
	struct figures figures = {
		.cutover_ms = calloc(bench->runs, sizeof(double)),
		.interruption_ms = calloc((size_t)bench->runs * bench->writers,
					  sizeof(double)),
	};
	unsigned int i;

	if (figures.cutover_ms == NULL || figures.interruption_ms == NULL)
		abort();
	bench_lab_up(bench, bench->runs, 0,
		     bench->proxied ? BENCH_PROXIED : BENCH_MIRRORED);
	make_old_users(bench);
	for (i = 0; i < bench->runs; i++)
		run_once(bench, i, &figures);
	print_figures(bench, &figures);
	free(figures.cutover_ms);
	free(figures.interruption_ms);
}

const struct bench_part bench_cutover = {
	.name = "cutover",
	.run = run,
	.runs = 5,
	.messages_small = 100000,
	.messages_medium = 100000,
};
