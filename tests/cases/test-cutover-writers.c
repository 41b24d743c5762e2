/*
 * test-cutover-writers: mailboxes move while eight clients write (I1, I3)
 *
 * In each round a mailbox is written to through the old server, what was
 * acknowledged is looked for on the old server itself, the mailbox is cut over
 * under the writers, and everything is looked for on the new one. Idle clients
 * must get BYE and see everything when they are back. How long writers were
 * interrupted is printed, not judged. The old server has sdbox: under so many
 * sessions Dovecot 2.3.19 itself now and then loses a flag of a Maildir.
 */
#include "case.h"
#include "idler.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#define IMAP_WRITERS 6
#define LMTP_WRITERS 2
#define WRITERS (IMAP_WRITERS + LMTP_WRITERS)
#define IDLERS 8
#define ROUNDS 20
#define MAX_ROUNDS 60
#define OTHER "Kept"

static struct writers *writers;
static double gaps[MAX_ROUNDS * WRITERS];
static unsigned int gap_count;

static bool make_mailboxes(unsigned int rounds)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);
	unsigned int i;
	bool ok;

	if (client == NULL)
		return false;
	ok = imap_run(client, "CREATE " OTHER) == IMAP_OK;
	for (i = 0; i < rounds; i++)
		ok = imap_run(client, "CREATE Box%02u", i) == IMAP_OK && ok;
	UNIT_CHECK(ok, "CREATE: %s", imap_error(client));
	imap_logout(&client);
	return ok;
}

/* Returns how many messages it has. */
static unsigned int
check(const char *server, const char *mailbox, const char *when)
{
	struct writers_check result;
	const char *error = "";

	if (!UNIT_CHECK(writers_check(writers, case_get(server), mailbox,
				      stdout, &result, &error) == 0,
			"%s: %s", when, error))
		return 0;
	UNIT_CHECK(result.lost + result.doubled + result.changed +
		   result.strange == 0,
		   "%s %s: lost=%u doubled=%u changed=%u strange=%u", mailbox,
		   when, result.lost, result.doubled, result.changed,
		   result.strange);
	return result.messages;
}

static void cut_over(const char *mailbox)
{
	writers_watch_begin(writers);
	case_migration("cutover -u %s %s", case_user(0), mailbox);
	UNIT_CHECK(writers_wait(writers, 2), "%s: nobody writes after the "
		   "cutover", mailbox);
	gap_count += writers_watch_end(writers, gaps + gap_count);
	case_is_state(0, mailbox, "local");
}

static struct idlers *start_idlers(const char *mailbox)
{
	struct idlers_settings set = {
		.imap = case_get("NEW_IMAP"),
		.user = case_user(0),
		.password = case_get("PASSWORD"),
		.count = IDLERS,
	};

	return idlers_start(&set, mailbox);
}

static void end_idlers(struct idlers **idlers, unsigned int messages)
{
	const char *why;
	unsigned int failures;

	UNIT_CHECK(idlers_wait(*idlers, 1, 30000), "not everyone got BYE");
	UNIT_CHECK(idlers_wait_exists(*idlers, messages, 30000),
		   "not everyone who idles sees %u messages", messages);
	failures = idlers_failures(*idlers, &why);
	UNIT_CHECK(failures == 0, "%u clients that idle: %s", failures, why);
	idlers_stop(idlers);
}

static void round_of(const char *mailbox, bool idle)
{
	struct idlers *idlers = idle ? start_idlers(mailbox) : NULL;
	unsigned int messages;

	writers_go(writers, mailbox);
	UNIT_CHECK(writers_wait(writers, 2), "%s: no writes", mailbox);
	case_migration("fill -u %s %s", case_user(0), mailbox);
	UNIT_CHECK(writers_wait(writers, 1), "%s: no writes", mailbox);
	UNIT_CHECK(writers_pause(writers), "%s: a writer hangs", mailbox);
	check("OLD_IMAP_DIRECT", mailbox, "on the old server");
	if (idle)
		UNIT_CHECK(idlers_wait(idlers, 0, 30000), "not all idle");

	writers_go(writers, mailbox);
	UNIT_CHECK(writers_wait(writers, 1), "%s: no writes", mailbox);
	cut_over(mailbox);
	UNIT_CHECK(writers_pause(writers), "%s: a writer hangs", mailbox);
	messages = check("NEW_IMAP", mailbox, "on the new server");
	if (idle)
		end_idlers(&idlers, messages);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print_figures(unsigned int rounds)
{
	struct writers_counts counts;

	writers_get_counts(writers, &counts);
	UNIT_CHECK(counts.failures == 0, "%llu failures: %s",
		   (unsigned long long)counts.failures, counts.failure);
	UNIT_CHECK(counts.acknowledged >= rounds * WRITERS * 6,
		   "only %llu writes", (unsigned long long)counts.acknowledged);
	/* Dovecot 2.3.19 as the old server now and then panics in COPY, or
	   crashes, under so many writers */
	UNIT_CHECK(counts.old_lost == 0 ||
		   case_old_log_count("Panic: file cmd-copy.c") > 0 ||
		   case_old_log_count("killed with signal 11") > 0,
		   "the old server was lost %llu times without a reason",
		   (unsigned long long)counts.old_lost);
	if (gap_count == 0)
		return;
	qsort(gaps, gap_count, sizeof(*gaps), compare);
	printf("\n    cutovers=%u writes acknowledged=%llu refused=%llu "
	       "unanswered=%llu\n    a write usually takes %.1f ms; interrupted "
	       "by a cutover: median %.1f ms, max %.1f ms\n    ", rounds,
	       (unsigned long long)counts.acknowledged,
	       (unsigned long long)counts.refused,
	       (unsigned long long)counts.unanswered, counts.median,
	       gaps[gap_count / 2], gaps[gap_count - 1]);
}

static void start_writers(void)
{
	struct writers_settings set = {
		.imap = case_get("NEW_IMAP"),
		.lmtp = case_get("NEW_LMTP"),
		.user = case_user(0),
		.password = case_get("PASSWORD"),
		.other = OTHER,
		.imap_writers = IMAP_WRITERS,
		.lmtp_writers = LMTP_WRITERS,
		.seed = 1,
	};

	writers = writers_start(&set);
}

static void writers_lose_nothing(void)
{
	unsigned int i, rounds = case_soak() ? MAX_ROUNDS : ROUNDS;
	char mailbox[16];

	/* lmtp reads its settings when it starts */
	if (!case_server("new", "restart", NULL) || !make_mailboxes(rounds))
		return;
	start_writers();
	for (i = 0; i < rounds && CU_get_number_of_failures() == 0; i++) {
		snprintf(mailbox, sizeof(mailbox), "Box%02u", i);
		round_of(mailbox, i % 4 == 0);
	}
	check("OLD_IMAP_DIRECT", OTHER, "on the old server");
	case_migration("cutover -u %s " OTHER, case_user(0));
	check("NEW_IMAP", OTHER, "on the new server");
	print_figures(rounds);
	writers_stop(&writers);
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "no acknowledged write is lost or doubled", writers_lose_nothing },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "1", "--messages", "20", "--folders", "0",
		"--old-store", "sdbox", NULL
	};
	const struct case_program program = {
		.name = "test-cutover-writers",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL "lmtp_save_to_detail_mailbox = yes\n",
	};

	return case_main(&program);
}
