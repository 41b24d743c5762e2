/*
 * test-kill-fill: fill and cutover are killed at any moment (I3)
 *
 * Random moments, and each single fsync, fdatasync, syncfs and rename (strace
 * injects the signal; without strace that part is skipped, aloud). After each
 * kill clients must see what the old server has, every state must be readable,
 * and the next run must end with all mailboxes local and equal.
 */
#include "case.h"
#include "corpus.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANDOM_ROUNDS 30
#define SOAK_ROUNDS 400
/* Points that are tried of each system call; all of them in soak. */
#define SHORT_POINTS 8
#define MAX_POINTS 2000

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

/* How long it takes undisturbed. */
static unsigned int measure(void)
{
	uint64_t begin = now_ms();

	case_migration("fill -u %s", case_user(0));
	is_as_old("undisturbed");
	return (unsigned int)(now_ms() - begin);
}

static void killed_at_any_moment(void)
{
	unsigned int round, rounds, delay, range, killed = 0;
	struct corpus_rng rng;
	char when[60];
	pid_t pid;

	if (!take_picture())
		return;
	range = measure();
	rounds = case_soak() ? SOAK_ROUNDS : RANDOM_ROUNDS;
	corpus_rng_init(&rng, 3, 0);
	for (round = 0; round < rounds; round++) {
		case_forget_user(0);
		delay = corpus_rng_below(&rng, range + 1);
		snprintf(when, sizeof(when), "killed after %u ms", delay);
		pid = start_fill();
		if (process_wait(pid, delay) < 0 &&
		    process_stop(pid, SIGKILL, 10000) == 128 + SIGKILL)
			killed++;
		if (!recovers("", when))
			break;
	}
	UNIT_CHECK(killed > round / 4, "only %u of %u were killed", killed,
		   round);
	printf("\n    %u of %u runs killed within %u ms\n    ", killed, round,
	       range);
	case_no_crash();
}

/* Kills at the n-th such call. False when it ended before. */
static bool kill_at(const char *call, unsigned int n)
{
	struct process_result result;
	int status;

	case_forget_user(0);
	(void)process_shell(CASE_TIMEOUT_MS, &result,
		"strace -qq -o /dev/null -e trace=%s "
		"-e inject=%s:signal=KILL:when=%u %s migration fill -u %s INBOX",
		call, call, n, case_get("DOVEADM"), case_user(0));
	status = result.status;
	if (status != 0 && status != 128 + SIGKILL)
		UNIT_CHECK(false, "%s %u: status %d: %s", call, n, status,
			   result.output);
	process_result_free(&result);
	return status == 128 + SIGKILL;
}

/* How many calls there are. */
static unsigned int count_calls(const char *call)
{
	struct process_result result;
	unsigned int count;

	case_forget_user(0);
	(void)process_shell(CASE_TIMEOUT_MS, &result,
		"strace -qq -o /dev/stdout -e trace=%s %s migration fill "
		"-u %s INBOX | grep -c '^%s('", call, case_get("DOVEADM"),
		case_user(0), call);
	count = (unsigned int)strtoul(result.output, NULL, 10);
	process_result_free(&result);
	return count;
}

static unsigned int kill_at_each(const char *call)
{
	unsigned int n, step, points = 0, count = count_calls(call);
	char when[60];

	if (count > MAX_POINTS)
		count = MAX_POINTS;
	step = case_soak() || count <= SHORT_POINTS ? 1 :
		(count + SHORT_POINTS - 1) / SHORT_POINTS;
	/* the last ones are those of the cutover */
	for (n = count; n > 0; n = n > step ? n - step : 0) {
		snprintf(when, sizeof(when), "killed at %s %u of %u", call, n,
			 count);
		if (!UNIT_CHECK(kill_at(call, n), "not %s", when) ||
		    !recovers("INBOX", when))
			break;
		points++;
	}
	return points;
}

static void killed_at_each_sync(void)
{
	static const char *const calls[] = {
		"rename", "fsync", "fdatasync", "syncfs"
	};
	struct process_result result;
	unsigned int i, points = 0;

	if (process_shell(CASE_TIMEOUT_MS, &result,
			  "strace -o /dev/null true") < 0) {
		printf("\n    skipped: no strace here: %s\n    ",
		       result.output);
		process_result_free(&result);
		return;
	}
	process_result_free(&result);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		points += kill_at_each(calls[i]);
	UNIT_CHECK(points > 5, "only %u points", points);
	printf("\n    killed at %u points\n    ", points);
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "killed at any moment", killed_at_any_moment },
	{ "killed at each sync and rename", killed_at_each_sync },
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
