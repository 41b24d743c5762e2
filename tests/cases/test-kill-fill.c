/*
 * test-kill-fill: fill and cutover are killed at any moment (I3)
 *
 * Random moments, and single writes, syncs, renames, links and unlinks
 * (fault-at.c). After each kill clients must see what the old server has, every
 * state must be readable, and the next run must end with all mailboxes local and
 * equal.
 */
#include "case.h"
#include "corpus.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANDOM_ROUNDS 30
#define SOAK_ROUNDS 400
/* Calls that are tried, outside of soak: so many evenly spread ones, and each of
   the last ones, which are the cutover's. */
#define SPREAD_POINTS 20
#define LAST_POINTS 15

static char picture_path[200];

/* What clients must see at all times. */
static bool take_picture(void)
{
	struct snapshot *old = case_snapshot("OLD", 0, true);
	const char *error = "";
	bool ok;

	snprintf(picture_path, sizeof(picture_path), "%s/picture",
		 case_get("DIR"));
	if (old == NULL)
		return false;
	ok = UNIT_CHECK(snapshot_save(old, picture_path, &error) == 0,
			"%s", error);
	snapshot_free(&old);
	return ok;
}

static bool is_as_old(const char *when)
{
	struct snapshot *old = NULL, *new = case_snapshot("NEW", 0, true);
	const char *error = "";

	UNIT_CHECK(snapshot_load(picture_path, &old, &error) == 0, "%s",
		   error);
	return case_same(&old, &new, SNAPSHOT_IGNORE_UIDNEXT, when);
}

static bool states_are_readable(const char *when)
{
	int status = case_doveadm("-f tab migration status -u %s",
				  case_user(0));

	return UNIT_CHECK(status == 0, "%s: status %d: %s", when, status,
			  case_output());
}

/* After a kill: rightly served at once, and the next run completes. */
static bool recovers(const char *mask, const char *when)
{
	return states_are_readable(when) && is_as_old(when) &&
		case_migration("fill -u %s %s", case_user(0), mask) &&
		case_is_state(0, *mask == '\0' ? "*" : mask, "local") &&
		is_as_old(when);
}

static pid_t start_fill(void)
{
	char command[800];
	const char *argv[] = { "/bin/sh", "-c", command, NULL };

	snprintf(command, sizeof(command), "exec %s migration fill -u %s",
		 case_get("DOVEADM"), case_user(0));
	return process_start(argv, "/dev/null");
}

/* How long it takes undisturbed, at the second time: the first one has to read
   all that it needs from disk. */
static unsigned int measure(void)
{
	uint64_t begin = 0;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		case_forget_user(0);
		begin = now_ms();
		case_migration("fill -u %s", case_user(0));
	}
	begin = now_ms() - begin;
	is_as_old("undisturbed");
	return (unsigned int)begin;
}

/* Starts it, and kills it after delay. False when it ended before. */
static bool killed_after(unsigned int delay)
{
	pid_t pid = start_fill();

	return process_wait(pid, delay) < 0 &&
		process_stop(pid, SIGKILL, 10000) == 128 + SIGKILL;
}

static void killed_at_any_moment(void)
{
	unsigned int round, rounds, delay, range, killed = 0;
	struct corpus_rng rng;
	char when[60];

	/* workers would write into homes that are removed */
	if (!case_settings(CASE_NO_LOOKS, true) || !take_picture())
		return;
	range = measure();
	rounds = case_soak() ? SOAK_ROUNDS : RANDOM_ROUNDS;
	corpus_rng_init(&rng, 3, 0);
	for (round = 0; round < rounds; round++) {
		case_forget_user(0);
		delay = corpus_rng_below(&rng, range + 1);
		snprintf(when, sizeof(when), "killed after %u ms", delay);
		if (killed_after(delay))
			killed++;
		else
			range = delay; /* it's faster than it was */
		if (!recovers("", when))
			break;
	}
	UNIT_CHECK(killed > round / 4, "only %u of %u were killed", killed,
		   round);
	printf("\n    %u of %u runs killed within %u ms\n    ", killed, round,
	       range);
	case_no_crash();
}

/* Fills a mailbox, or "" for all, of a user as if he were new, and is killed at the
   n-th call; 0 for never. Returns doveadm's exit status. */
static int fill_killed_at(const char *mailbox, unsigned int n,
			  struct process_result *result_r)
{
	case_forget_user(0);
	(void)process_shell(CASE_TIMEOUT_MS, result_r,
		"%s migration fill -u %s %s", n == 0 ?
		case_faulty("count any 0") : case_faulty("kill any %u", n),
		case_user(0), mailbox);
	return result_r->status;
}

/* What fault-at said, after its name; "" when it said nothing. */
static const char *fault_says(const struct process_result *result)
{
	static const char name[] = "fault-at: ";
	const char *said = strstr(result->output, name);

	return said == NULL ? "" : said + strlen(name);
}

/* what_r says which call it was. False when it ended before: the next run may
   have a call more or less. */
static bool kill_at(const char *mailbox, unsigned int n, char *what_r,
		    size_t size)
{
	struct process_result result;
	int status = fill_killed_at(mailbox, n, &result);
	const char *call = fault_says(&result);

	snprintf(what_r, size, "killed at call %u (%.*s)", n,
		 (int)strcspn(call, "\n"), call);
	UNIT_CHECK(status == 0 || status == 128 + SIGKILL,
		   "%s: status %d: %s", what_r, status, result.output);
	process_result_free(&result);
	return status == 128 + SIGKILL;
}

/* How many calls there are. */
static unsigned int count_calls(const char *mailbox)
{
	struct process_result result;
	unsigned int count = 0;

	if (fill_killed_at(mailbox, 0, &result) == 0)
		count = (unsigned int)strtoul(fault_says(&result), NULL, 10);
	UNIT_CHECK(count > LAST_POINTS, "%u calls counted: %s", count,
		   result.output);
	process_result_free(&result);
	return count;
}

/* The point after n, going down. */
static unsigned int next_point(unsigned int n, unsigned int count)
{
	unsigned int step = count / SPREAD_POINTS;

	if (case_soak() || n + LAST_POINTS > count || step == 0)
		return n - 1;
	return n > step ? n - step : 0;
}

static void killed_at_writes(const char *mailbox)
{
	unsigned int n, killed = 0, count = count_calls(mailbox);
	char what[200];

	for (n = count; n > 0; n = next_point(n, count)) {
		if (kill_at(mailbox, n, what, sizeof(what)))
			killed++;
		if (!recovers(mailbox, what))
			break;
	}
	UNIT_CHECK(killed > LAST_POINTS, "only %u were killed", killed);
	printf("\n    killed at %u of %u calls\n    ", killed, count);
	case_no_crash();
}

static void killed_at_each_write(void)
{
	killed_at_writes("INBOX");
}

/* Small mailboxes are filled together. */
static void killed_with_others(void)
{
	killed_at_writes("");
}

static void fill_killed_with(const char *fault)
{
	struct process_result result;

	(void)process_shell(CASE_TIMEOUT_MS, &result,
		"%s migration fill -u %s", case_faulty("%s", fault), case_user(0));
	UNIT_CHECK(result.status == 128 + SIGKILL, "not killed: status %d: %s",
		   result.status, result.output);
	process_result_free(&result);
}

/* How many messages the local mailbox has. */
static unsigned int count_here(const char *mailbox)
{
	const char *messages;

	if (!UNIT_CHECK(case_doveadm("-o mail_plugins=listescape mailbox "
				     "status -u %s messages %s", case_user(0),
				     mailbox) == 0, "%s", case_output()))
		return 0;
	messages = strstr(case_output(), "messages=");
	return messages == NULL ? 0 : (unsigned int)strtoul(
		messages + strlen("messages="), NULL, 10);
}

/* What is delivered while the copies aren't finished is nobody's to remove. */
static void killed_and_delivered(void)
{
	const char *text;

	case_forget_user(0);
	fill_killed_with("kill syncfs 3");
	if (!case_shell("printf 'From: a@b\\nSubject: x\\n\\nx\\n' | "
			"%s -o mail_plugins=listescape save -u %s -m %s",
			case_get("DOVEADM"), case_user(0),
			"Drafts"))
		return;
	(void)case_doveadm("migration fill -u %s 2>&1", case_user(0));
	text = case_output();
	UNIT_CHECK(strstr(text, "aren't from the old server") != NULL,
		   "not told: %s", text);
	UNIT_CHECK(count_here("Drafts") > 0, "it was removed");
	case_no_crash();
}

/* Nor is the copy of a mailbox removed that is begun anew on the old server
   meanwhile (I4). The last test: it changes what is there. */
static void killed_and_wiped(void)
{
	struct imap_client *old = case_imap("OLD_IMAP_DIRECT", 0);
	unsigned int here;

	if (old == NULL)
		return;
	case_forget_user(0);
	/* all bodies are here by then, and the last states aren't */
	fill_killed_with("kill syncfs 4");
	here = count_here("Trash");
	UNIT_CHECK(here > 1, "%u messages: nothing can be seen by them", here);
	UNIT_CHECK(imap_run(old, "DELETE Trash") == IMAP_OK &&
		   imap_run(old, "CREATE Trash") == IMAP_OK, "%s",
		   imap_error(old));
	imap_logout(&old);
	(void)case_doveadm("migration fill -u %s 2>&1", case_user(0));
	UNIT_CHECK(strstr(case_output(), "has begun it anew") != NULL,
		   "not told: %s", case_output());
	UNIT_CHECK(count_here("Trash") == here, "%u of %u are left",
		   count_here("Trash"), here);
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "killed at any moment", killed_at_any_moment },
	{ "killed at each write, sync and rename", killed_at_each_write },
	{ "killed in mailboxes that are filled together", killed_with_others },
	{ "killed, and mail is delivered", killed_and_delivered },
	{ "killed, and wiped there", killed_and_wiped },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "1", "--messages", "150", "--folders", "4", NULL
	};
	const struct case_program program = {
		.name = "test-kill-fill",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
