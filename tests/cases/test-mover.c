/*
 * test-mover: migration-mover does what the scheduler says
 * (plugin/mover/mover-protocol.h): survey, fill, stop in the middle of a silent
 * server, FIRST, catch-up; what fails says what it means for others; killed at any
 * moment, nothing is lost.
 */
#include "asker.h"
#include "case-folder.h"
#include "case-mirror.h"
#include "case-userdb.h"
#include "corpus.h"
#include "test-trouble-lab.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MESSAGES "200"
#define KILLS 3
#define SOAK_KILLS 200
#define MAX_DELAY_MS 300
/* STOP is heard while the old server says nothing */
#define STOP_MS 2000
#define SLOW_RTT "300"

/* Words of totals, from the first of them on. */
enum {
	PHASE, MAILBOXES, LOCAL, FILLED, MESSAGES_IN_ALL, BYTES, DONE_MESSAGES,
	DONE_BYTES, FAILED, FETCHED_BYTES,
};

/* Sessions that look at what came would have workers that look for late mail, and
   find the old server away before the mover does. */
static void no_looks(void)
{
	case_shell("sed -i 's/$/ userdb_migration_catchup_interval=0/' "
		   "'%s/new/users'", case_get("DIR"));
	case_userdb_set(0, "migration_catchup_interval", "0");
}

static struct asker *start(unsigned int user, const char *phase)
{
	struct asker *mover;
	char expected[60];
	const char *line;

	mover = asker_start("migration-mover", case_user(user), geteuid(),
			    &line);
	if (!UNIT_CHECK(strcmp(line, "OK") == 0, "no mover: %s", line))
		return NULL;
	line = asker_line(mover, CASE_TIMEOUT_MS);
	snprintf(expected, sizeof(expected), "HOST\t%s\t%s",
		 case_get("OLD_IMAP"), phase);
	UNIT_CHECK(strcmp(line, expected) == 0, "'%s', not '%s'", line,
		   expected);
	return mover;
}

/* The nth word of a line; static. */
static const char *word(const char *line, unsigned int n)
{
	static char found[200];
	size_t size;

	for (; n > 0 && strchr(line, '\t') != NULL; n--)
		line = strchr(line, '\t') + 1;
	size = strcspn(line, "\t");
	snprintf(found, sizeof(found), "%.*s", n > 0 ? 0 : (int)size, line);
	return found;
}

static unsigned long long total(const char *line, unsigned int what)
{
	return strtoull(word(line, 1 + what), NULL, 10);
}

/* An answer with totals of this phase; static. */
static const char *
check(const char *line, const char *answer, const char *phase)
{
	static char copy[300];

	snprintf(copy, sizeof(copy), "%s", line);
	UNIT_CHECK(strcmp(word(copy, 0), answer) == 0 &&
		   strcmp(word(copy, 1 + PHASE), phase) == 0,
		   "'%s', not %s %s", copy, answer, phase);
	return copy;
}

static bool is_same(unsigned int user, const char *when)
{
	struct snapshot *old = case_snapshot("OLD", user, true);
	struct snapshot *new = case_snapshot("NEW", user, true);

	return case_same(&old, &new, SNAPSHOT_IGNORE_UIDNEXT, when);
}

static unsigned int movers(pid_t *pid_r)
{
	unsigned int count = 0;
	const char *line;

	*pid_r = 0;
	(void)case_shell("ps -o pid=,comm= --sid $(cut -d' ' -f1 "
			 "%s/sessions/new) | grep ' migration-mover' || :",
			 case_get("DIR"));
	for (line = case_output(); *line != '\0'; count++) {
		*pid_r = (pid_t)strtol(line, NULL, 10);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return count;
}

static bool no_mover(void *context)
{
	pid_t pid;

	(void)context;
	return movers(&pid) == 0;
}

static void end(struct asker **mover)
{
	asker_close(mover);
	UNIT_CHECK(wait_until(no_mover, NULL, CASE_TIMEOUT_MS),
		   "the mover doesn't end");
}

static void expect_status(unsigned int user, const char *column,
			  unsigned long long value)
{
	const char *found = case_status(user, "*", column);

	UNIT_CHECK(strtoull(found, NULL, 10) == value, "%s is %s, not %llu",
		   column, found, value);
}

/* What the survey says is what comes. */
static void surveyed_and_filled(void)
{
	struct asker *mover;
	unsigned long long messages, bytes;
	const char *line;

	no_looks();
	mover = start(0, "unseen");
	if (mover == NULL)
		return;
	line = check(asker_ask(mover, "SURVEY"), "OK", "moving");
	messages = total(line, MESSAGES_IN_ALL);
	bytes = total(line, BYTES);
	UNIT_CHECK(messages == strtoul(MESSAGES, NULL, 10) && bytes > 0 &&
		   total(line, MAILBOXES) > 3 && total(line, LOCAL) == 0 &&
		   total(line, FETCHED_BYTES) == 0, "%s", line);
	expect_status(0, "messages", messages);
	expect_status(0, "bytes", bytes);
	line = check(asker_ask(mover, "FILL"), "OK", "local");
	UNIT_CHECK(total(line, DONE_MESSAGES) == messages &&
		   total(line, MESSAGES_IN_ALL) == messages &&
		   total(line, DONE_BYTES) == bytes &&
		   total(line, BYTES) == bytes &&
		   total(line, FETCHED_BYTES) == bytes &&
		   total(line, LOCAL) == total(line, MAILBOXES) &&
		   total(line, FAILED) == 0, "%s", line);
	end(&mover);
	case_is_state(0, "*", "local");
	is_same(0, "filled");
}

static bool mail_is_here(void *context)
{
	const uint32_t *count = context;

	return folder_count("NEW_IMAP", 0, "INBOX") == *count;
}

static void catches_up(void)
{
	uint32_t count = folder_count("NEW_IMAP", 0, "INBOX") + 1;
	struct asker *mover = start(0, "local");

	if (mover == NULL)
		return;
	check(asker_ask(mover, "CATCHUP"), "OK", "local");
	folder_append("OLD_IMAP_DIRECT", 0, "INBOX", "late@case.example");
	check(asker_ask(mover, "CATCHUP"), "OK", "local");
	UNIT_CHECK(mail_is_here(&count), "the late mail isn't here");
	check(asker_ask(mover, "FILL"), "OK", "local");
	end(&mover);
}

/* The first line that isn't of this mailbox, or the answer. */
static const char *line_after(struct asker *mover, const char *vname)
{
	const char *line;

	do {
		line = asker_line(mover, CASE_TIMEOUT_MS);
	} while (strcmp(word(line, 0), "PROGRESS") == 0 &&
		 strcmp(word(line, 1), vname) == 0);
	return line;
}

/* Those that are wanted come first. Small ones of which nothing is here come with
   others. */
static void in_order(void)
{
	const char *line;
	char sent[100], trash[100];
	struct asker *mover;

	snprintf(sent, sizeof(sent), "%s", case_mirror_name("Sent"));
	snprintf(trash, sizeof(trash), "%s", case_mirror_name("Trash"));
	if (!case_userdb_set(1, "migration_mirror", "no") ||
	    !case_userdb_set(1, "migration_cutover", "manual") ||
	    (mover = start(1, "unseen")) == NULL)
		return;
	check(asker_ask(mover, "FILL"), "OK", "moving");
	folder_append("OLD_IMAP_DIRECT", 1, "INBOX", "order-1@case.example");
	folder_append("OLD_IMAP_DIRECT", 1, sent, "order-2@case.example");
	folder_append("OLD_IMAP_DIRECT", 1, trash, "order-3@case.example");
	(void)trouble_tell("rtt " SLOW_RTT);
	asker_send(mover, -1, "FILL\t%s\tnowhere\t\xff", trash);
	line = asker_line(mover, CASE_TIMEOUT_MS);
	UNIT_CHECK(strcmp(word(line, 1), trash) == 0, "%s", line);
	asker_send(mover, -1, "FIRST\t%s", sent);
	line = line_after(mover, trash);
	UNIT_CHECK(strcmp(word(line, 1), sent) == 0, "%s", line);
	line = line_after(mover, sent);
	UNIT_CHECK(strcmp(word(line, 1), "INBOX") == 0, "%s", line);
	check(asker_ask(mover, "STOP"), "STOPPED", "moving");
	(void)trouble_tell("rtt 0");
	end(&mover);
}

/* No fault is seen of it later. */
static void stopped(void)
{
	struct asker *mover = start(2, "unseen");
	unsigned int failures = case_log_count("event=fill_failed");
	uint64_t begin;
	const char *line;

	if (mover == NULL)
		return;
	check(asker_ask(mover, "SURVEY"), "OK", "moving");
	(void)trouble_tell("rtt " SLOW_RTT);
	asker_send(mover, -1, "FILL");
	line = asker_line(mover, CASE_TIMEOUT_MS);
	UNIT_CHECK(strcmp(word(line, 0), "PROGRESS") == 0, "%s", line);
	(void)trouble_tell("stall");
	begin = now_ms();
	line = check(asker_ask(mover, "STOP"), "STOPPED", "moving");
	UNIT_CHECK(now_ms() - begin < STOP_MS, "STOP took %u ms",
		   (unsigned int)(now_ms() - begin));
	UNIT_CHECK(total(line, FAILED) == 0, "%s", line);
	UNIT_CHECK(*case_status(2, "INBOX", "problem") == '\0', "INBOX: %s",
		   case_status(2, "INBOX", "problem"));
	CU_ASSERT(case_log_count("event=fill_failed") == failures);
	(void)trouble_tell("go");
	(void)trouble_tell("rtt 0");
	check(asker_ask(mover, "FILL"), "OK", "local");
	end(&mover);
	is_same(2, "after STOP");
}

/* The scheduler dies in the middle. */
static void left_alone(void)
{
	struct asker *mover = start(3, "unseen");

	if (mover == NULL)
		return;
	(void)trouble_tell("rtt " SLOW_RTT);
	asker_send(mover, -1, "FILL");
	(void)asker_line(mover, CASE_TIMEOUT_MS);
	(void)trouble_tell("stall");
	end(&mover);
	(void)trouble_tell("go");
	(void)trouble_tell("rtt 0");
}

static void killed(void)
{
	unsigned int i, count = case_soak() ? SOAK_KILLS : KILLS;
	struct corpus_rng rng;
	struct asker *mover;
	const char *phase;
	pid_t pid;

	corpus_rng_init(&rng, 11, 0);
	for (i = 0; i < count; i++) {
		if (i > 0)
			case_forget_user(3);
		mover = start(3, i == 0 ? "moving" : "unseen");
		if (mover == NULL)
			return;
		asker_send(mover, -1, "FILL");
		/* at any moment of what it does */
		usleep(corpus_rng_below(&rng, MAX_DELAY_MS) * 1000);
		if (UNIT_CHECK(movers(&pid) == 1, "no process"))
			CU_ASSERT(kill(pid, SIGKILL) == 0);
		end(&mover);
		if (case_soak() && !is_same(3, "killed"))
			return;
	}
	/* without a folder tree nothing is known of him */
	phase = case_status(3, "*", "state");
	if (strcmp(phase, "unknown") == 0)
		phase = "unseen";
	if ((mover = start(3, phase)) == NULL)
		return;
	check(asker_ask(mover, "FILL"), "OK", "local");
	end(&mover);
	is_same(3, "killed, and filled");
}

static void refused(struct asker *mover, const char *request,
		    const char *failure)
{
	const char *line = asker_ask(mover, "%s", request);

	UNIT_CHECK(strcmp(word(line, 0), "NO") == 0 &&
		   strcmp(word(line, 1), failure) == 0 && *word(line, 2) != '\0',
		   "%s: '%s', not NO %s", request, line, failure);
}

/* As who fills him, until it's closed. */
static int lease_fill(unsigned int user)
{
	uid_t uid = (uid_t)atoi(case_get("MAIL_ID"));
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/migration/lease/.fill",
		 case_get("NEW_HOME"), case_user(user));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	UNIT_CHECK(fd != -1 && fchown(fd, uid, (gid_t)uid) == 0 &&
		   flock(fd, LOCK_EX | LOCK_NB) == 0, "%s", path);
	return fd;
}

/* No back-off is remembered, nor what a day has brought. */
static void forget_budget(void)
{
	case_shell("find '%s/new' -name migration-budget -delete",
		   case_get("DIR"));
}

static void unreachable(void)
{
	struct asker *mover = start(4, "unseen");

	if (mover == NULL)
		return;
	trouble_down();
	refused(mover, "SURVEY", "unreachable");
	/* and it's left alone for a while, by all */
	refused(mover, "FILL", "throttled");
	trouble_up();
	end(&mover);
	forget_budget();
}

static void refused_alone(void)
{
	struct asker *mover = start(4, "unseen");
	int fill;

	if (mover == NULL)
		return;
	check(asker_ask(mover, "SURVEY"), "OK", "moving");
	fill = lease_fill(4);
	refused(mover, "FILL", "busy");
	close(fill);
	end(&mover);
	if (!trouble_password(4, "wrong") ||
	    (mover = start(4, "moving")) == NULL)
		return;
	refused(mover, "FILL", "login");
	end(&mover);
	if ((mover = start(5, "unseen")) == NULL)
		return;
	check(asker_ask(mover, "SURVEY"), "OK", "moving");
	end(&mover);
}

/* Those that stay mirrored are the worker's. */
static void mirrored(void)
{
	struct asker *mover;
	const char *line;

	if (!case_userdb_set(5, "migration_cutover", "manual") ||
	    (mover = start(5, "moving")) == NULL)
		return;
	line = check(asker_ask(mover, "FILL"), "OK", "moving");
	UNIT_CHECK(total(line, FILLED) == total(line, MAILBOXES) &&
		   total(line, LOCAL) == 0, "%s", line);
	case_is_state(5, "INBOX", "mirrored");
	folder_append("OLD_IMAP_DIRECT", 5, "INBOX", "more@case.example");
	check(asker_ask(mover, "FILL"), "OK", "moving");
	is_same(5, "mirrored");
	line = asker_ask(mover, "MOVE");
	UNIT_CHECK(strcmp(line, "lost") == 0, "it goes on: %s", line);
	end(&mover);
}

/* Looks go on. */
static void used_up(void)
{
	struct asker *mover;

	if (!case_userdb_set(6, "migration_old_daily", "1000") ||
	    (mover = start(6, "unseen")) == NULL)
		return;
	refused(mover, "FILL", "daily");
	check(asker_ask(mover, "SURVEY"), "OK", "moving");
	check(asker_ask(mover, "CATCHUP"), "OK", "moving");
	end(&mover);
}

static void nothing_to_do(void)
{
	struct asker *mover;
	const char *line;

	if (!case_userdb_set(5, "migration", "no") ||
	    (mover = start(5, "closed")) == NULL)
		return;
	line = asker_line(mover, CASE_TIMEOUT_MS);
	UNIT_CHECK(strcmp(line, "lost") == 0, "it goes on: %s", line);
	end(&mover);
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "surveyed and filled", surveyed_and_filled },
	{ "catches up", catches_up },
	{ "in order", in_order },
	{ "stopped", stopped },
	{ "left alone", left_alone },
	{ "killed", killed },
	{ "unreachable", unreachable },
	{ "refused, and others aren't", refused_alone },
	{ "mirrored", mirrored },
	{ "used up", used_up },
	{ "nothing to do", nothing_to_do },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "7", "--messages", MESSAGES, "--folders", "5", NULL
	};
	const struct case_program program = {
		.name = "test-mover",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
