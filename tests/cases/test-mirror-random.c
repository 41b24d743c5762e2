/*
 * test-mirror-random: six clients on the new server and three on the old one do
 * anything to the same mailboxes; when all is quiet both servers are equal
 *
 * Compared are each UID, its flags, keywords, date and bytes. Once more, the
 * same while the worker is killed again and again. MIGRATION_SEED chooses what
 * is done; it's printed. The old server has sdbox: under so many sessions
 * Dovecot 2.3.19 itself now and then loses a flag of a Maildir.
 */
#include "case-mirror.h"
#include "chaos.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SHORT_MS 7000
/* both parts together are 20 minutes */
#define SOAK_MS (10 * 60 * 1000)
/* a worker that lives for less never gets to what others do */
#define KILL_EACH_MS 1200
#define FILL_EACH_MS 2500
#define MESSAGES 25

static const char *const mailboxes[] = { "INBOX", "Alpha", "Beta", NULL };

static uint64_t choose_seed(void)
{
	const char *seed = getenv("MIGRATION_SEED");

	return seed != NULL ? strtoull(seed, NULL, 10) :
		(uint64_t)time(NULL) % 1000000;
}

static void test_prepare(void)
{
	/* lmtp reads its settings when it starts */
	if (case_server("new", "restart", NULL) &&
	    case_mirror_make(0, "Alpha", MESSAGES) &&
	    case_mirror_make(0, "Beta", MESSAGES))
		case_mirror_fill(0, mailboxes);
}

struct timer {
	uint64_t end;
};

static bool is_over(void *context)
{
	const struct timer *timer = context;

	return now_ms() >= timer->end;
}

/* Until it's time for the next harm, or all is over. */
static bool wait_for_next(uint64_t end, unsigned int ms)
{
	struct timer timer = { .end = now_ms() + ms };

	if (timer.end > end)
		timer.end = end;
	(void)wait_until(is_over, &timer, ms + 1000);
	return timer.end < end;
}

static unsigned int pass_time(bool kill)
{
	uint64_t end = now_ms() + (case_soak() ? SOAK_MS : SHORT_MS);
	unsigned int killed = 0;

	while (wait_for_next(end, kill ? KILL_EACH_MS : FILL_EACH_MS)) {
		if (kill)
			killed += case_mirror_kill_workers();
		else
			case_migration("fill -u %s", case_user(0));
	}
	return killed;
}

static void judge(const struct chaos_counts *counts, uint64_t seed)
{
	printf("\n    seed=%llu done=%llu unavailable=%llu ",
	       (unsigned long long)seed, (unsigned long long)counts->done,
	       (unsigned long long)counts->unavailable);
	UNIT_CHECK(counts->failures == 0, "seed %llu: %llu failures: %s",
		   (unsigned long long)seed,
		   (unsigned long long)counts->failures, counts->failure);
	UNIT_CHECK(counts->least > 0, "seed %llu: a client did nothing",
		   (unsigned long long)seed);
}

static void everybody(bool kill)
{
	const char *new = case_get("NEW_IMAP");
	const char *old = case_get("OLD_IMAP_DIRECT");
	const struct chaos_client clients[] = {
		{ CHAOS_IMAP, new, false },
		{ CHAOS_IMAP, new, false },
		{ CHAOS_IMAP, new, false },
		{ CHAOS_IMAP, new, false },
		{ CHAOS_IMAP, new, false },
		{ CHAOS_LMTP, case_get("NEW_LMTP"), false },
		{ CHAOS_IMAP, old, true },
		{ CHAOS_IMAP, old, true },
		{ CHAOS_POP3, case_get("OLD_POP3_DIRECT"), true },
	};
	const struct chaos_settings set = {
		.clients = clients,
		.client_count = sizeof(clients) / sizeof(clients[0]),
		.user = case_user(0),
		.password = case_get("PASSWORD"),
		.mailboxes = mailboxes,
		.seed = choose_seed(),
		.unavailable = kill,
	};
	struct chaos *chaos = chaos_start(&set);
	struct chaos_counts counts;
	unsigned int killed = pass_time(kill);

	chaos_stop(&chaos, &counts);
	judge(&counts, set.seed);
	if (kill)
		UNIT_CHECK(killed > 1, "only %u workers killed", killed);
	case_mirror_settles(0, false, "when all is quiet");
	for (unsigned int i = 0; mailboxes[i] != NULL; i++)
		case_is_state(0, mailboxes[i], "mirrored");
}

static void test_random(void)
{
	everybody(false);
	case_no_crash();
}

static void test_killed(void)
{
	everybody(true);
	case_no_crash();
}

/* What is there now is what a new client, and a verify, find as well. */
static void test_end(void)
{
	case_migration("verify -u %s", case_user(0));
	case_server("new", "restart", NULL);
	case_mirror_settles(0, false, "after a restart");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "mailboxes", test_prepare },
		{ "anything", test_random },
		{ "anything, and the worker is killed", test_killed },
		{ "afterwards", test_end },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "1", "--messages", "30", "--folders", "0",
		"--old-store", "sdbox", NULL
	};
	const struct case_program program = {
		.name = "test-mirror-random",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MIRROR_QUICK
			"lmtp_save_to_detail_mailbox = yes\n",
	};

	return case_main(&program);
}
