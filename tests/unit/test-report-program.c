/*
 * test-report-program: the whole of migration-report on logs of a generated world
 */
#include "unit.h"
#include "log-world.h"
#include "process.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 120000
#define LINES 40000
#define COLUMNS 100
#define JOURNAL_REMOTE "/lib/systemd/systemd-journal-remote"

static char folder[] = "/tmp/test-report-program.XXXXXX";

/* Runs it in the folder, in UTC; the result is valid until the next call. */
static const char *__attribute__((format(printf, 2, 3)))
run(int wanted, const char *fmt, ...)
{
	static struct process_result result;
	char arguments[1000];
	va_list args;
	int status;

	process_result_free(&result);
	va_start(args, fmt);
	vsnprintf(arguments, sizeof(arguments), fmt, args);
	va_end(args);
	(void)process_shell(TIMEOUT_MS, &result, "cd %s && TZ=UTC "
			    MIGRATION_REPORT " %s", folder, arguments);
	status = result.status;
	UNIT_CHECK(status == wanted, "%s: status %d: %.300s", arguments,
		   status, result.output);
	return result.output;
}

static void shell(const char *command)
{
	struct process_result result;
	int ret = process_shell(TIMEOUT_MS, &result, "cd %s && %s", folder,
				command);

	UNIT_CHECK(ret == 0, "%s: %s", command, result.output);
	process_result_free(&result);
}

static FILE *open_file(const char *name, const char *mode)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, mode);
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	return file;
}

static void append(const char *name, const char *text)
{
	FILE *file = open_file(name, "a");

	CU_ASSERT(fputs(text, file) >= 0);
	CU_ASSERT_EQUAL(fclose(file), 0);
}

/* Writes the world's log and tells what is in it. */
static struct log_world_counts make_log(const char *name, unsigned int every,
					bool rfc3164)
{
	struct log_world_settings settings = log_world_defaults;
	struct log_world_counts counts;
	char line[LOG_WORLD_LINE_MAX];
	struct log_world *world;
	FILE *file = open_file(name, "w");
	size_t size;

	settings.lines = LINES;
	settings.every = every;
	settings.sources = 500;
	/* heartbeats aren't to be all there is */
	settings.seconds = 2 * 86400 / every;
	settings.rfc3164 = rfc3164;
	world = log_world_init(&settings);
	while ((size = log_world_line(world, line)) > 0)
		CU_ASSERT_EQUAL(fwrite(line, size, 1, file), 1);
	CU_ASSERT_EQUAL(fclose(file), 0);
	counts = *log_world_counts(world);
	log_world_deinit(&world);
	return counts;
}

/* The number behind a text that occurs once before it. */
static uint64_t number_after(const char *output, const char *text)
{
	const char *p = strstr(output, text);

	return p == NULL ? UINT64_MAX : strtoull(p + strlen(text), NULL, 10);
}

static void check_counts(const char *json, const struct log_world_counts *counts,
			 const char *what)
{
	const char *wanted = strstr(json, "\"wanted\": {\"old\"");
	const char *spam = strstr(json, "\"spam\": {\"old\"");

	if (!UNIT_CHECK(wanted != NULL && spam != NULL, "%s: %.300s", what,
			json))
		return;
	UNIT_CHECK(number_after(wanted, "\"old\":{\"count\":") ==
		   counts->wanted[0] &&
		   number_after(wanted, "\"new\":{\"count\":") ==
		   counts->wanted[1], "%s: wanted: %.200s", what, wanted);
	UNIT_CHECK(number_after(spam, "\"old\":{\"count\":") ==
		   counts->spam[0] &&
		   number_after(spam, "\"new\":{\"count\":") ==
		   counts->spam[1], "%s: spam: %.200s", what, spam);
}

static void test_world(void)
{
	struct log_world_counts counts = make_log("mail.log", 1, false);
	const char *json = run(EX_OK, "--json mail.log");

	check_counts(json, &counts, "dense");
	CU_ASSERT_EQUAL(number_after(json, "\"lines\": "), LINES);
	CU_ASSERT_EQUAL(number_after(json, "\"report_lines\": "),
			counts.report_lines);
	CU_ASSERT_EQUAL(number_after(json, "\"broken\": "), 0);
	CU_ASSERT_EQUAL(number_after(json, "\"suspicious\": "), 0);
	counts = make_log("ordinary.log", 20, false);
	json = run(EX_OK, "--json ordinary.log");
	check_counts(json, &counts, "ordinary");
	CU_ASSERT_EQUAL(number_after(json, "\"report_lines\": "),
			counts.report_lines);
	check_counts(run(EX_OK, "--json <ordinary.log"), &counts, "a pipe");
	check_counts(run(EX_OK, "--json - <ordinary.log"), &counts, "a pipe");
}

/* Parts, copies and overlaps in any order: each mail counts once. */
static void test_same_again(void)
{
	struct log_world_counts counts = make_log("mail.log", 1, false);
	const char *json;

	shell("head -n 15000 mail.log | gzip >mail.log.2.gz && "
	      "sed -n 10000,30000p mail.log | xz >mail.log.1 && "
	      "tail -n +30000 mail.log >mail.log.0");
	json = run(EX_OK, "--json mail.log.0 mail.log.1 mail.log.2.gz");
	check_counts(json, &counts, "overlapping");
	CU_ASSERT_EQUAL(number_after(json, "\"doubles\": "), 5001 + 1);
	json = run(EX_OK, "--json mail.log mail.log mail.log.1");
	check_counts(json, &counts, "the same log twice");
}

/* The logs of both servers, one in RFC 3164 and an hour ahead. */
static void test_zones(void)
{
	struct log_world_counts counts = make_log("mail.log", 1, false);
	const char *json;

	(void)make_log("rfc3164.log", 1, true);
	shell("grep ' mx.old.example ' mail.log >old.log; "
	      "grep ' mx1.example.org ' rfc3164.log >new.log; "
	      "touch -d 2026-11-03T12:00Z new.log");
	json = run(EX_OK, "--json new.log old.log");
	check_counts(json, &counts, "two servers");
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"first\": \"2026-11-01T00:00:00Z\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"last\": \"2026-11-02T23:59:"));
	json = run(EX_OK, "--json old.log -z Europe/Berlin new.log");
	check_counts(json, &counts, "a zone of its own");
	/* the new one's first heartbeat is an hour earlier */
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"first\": \"2026-10-31T23:00:0"));
	json = run(EX_OK, "--json -y 2024 new.log");
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"first\": \"2024-11-01T00:00:0"));
}

static size_t longest_line(const char *text)
{
	size_t longest = 0, length;

	for (; *text != '\0'; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		/* an example is as long as its addresses */
		if (strncmp(text, "      last:", 11) != 0 && length > longest)
			longest = length;
	}
	return longest;
}

static void test_text(void)
{
	const char *text;

	(void)make_log("mail.log", 1, false);
	text = run(EX_OK, "mail.log");
	UNIT_CHECK(longest_line(text) <= COLUMNS, "%zu columns",
		   longest_line(text));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nNeeds action\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nDomain example.org\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "MX switched: 2026-11-01 0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " (inferred"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "10 mail clients still send through "
				      "the old server"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  By hour"));
	text = run(EX_OK, "-s 2026-11-01T12:00Z --rows 1 --hours 2 mail.log");
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "MX switched: 2026-11-01 12:00 "
				      "(as given)"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  and "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "By hour (the last 2 of 48)"));
	CU_ASSERT_PTR_NULL(strstr(run(EX_OK, "-d other.example mail.log"),
				  "Domain"));
	CU_ASSERT_PTR_NOT_NULL(strstr(run(EX_OK, "</dev/null"),
				      "no report lines were found"));
}

/* Of what a stranger can bring into a log, nothing stops it. */
static void test_garbage(void)
{
	const char *output;
	FILE *file = open_file("garbage.log", "w");
	unsigned int i, j, length;

	srandom(20261122);
	for (i = 0; i < 20000; i++) {
		length = (unsigned int)random() % 300;
		if (i % 3 == 0)
			fputs("2026-11-02T00:00:00Z mx a: migration: event=", file);
		else if (i % 3 == 1)
			fputs("migration: event=arrival at=old", file);
		for (j = 0; j < length; j++)
			fputc((int)(random() % 256), file);
		fputc('\n', file);
	}
	CU_ASSERT_EQUAL(fclose(file), 0);
	output = run(EX_OK, "--json garbage.log");
	UNIT_CHECK(number_after(output, "\"suspicious\": ") >= 6000,
		   "%.300s", output);
	UNIT_CHECK(number_after(output, "\"broken\": ") >= 6000, "%.300s",
		   output);
	output = run(EX_OK, "-v garbage.log");
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "garbage.log: not where a message "
				      "begins: "));
	for (i = 0; output[i] != '\0'; i++) {
		if (!UNIT_CHECK(output[i] == '\n' ||
				!iscntrl((unsigned char)output[i]),
				"control character %d", output[i]))
			break;
	}
	run(EX_OK, "--json --html garbage.html garbage.log");
	run(EX_OK, "/dev/null");
}

static void test_exit_status(void)
{
	struct log_world_counts counts = make_log("mail.log", 1, false);
	const char *output;

	shell("gzip -c mail.log >cut.gz && truncate -s -1000 cut.gz");
	run(EX_USAGE, "--foo");
	run(EX_USAGE, "-s yesterday mail.log");
	run(EX_USAGE, "-n -1 mail.log");
	run(EX_USAGE, "-f -");
	run(EX_USAGE, "-f --json mail.log");
	output = run(EX_NOINPUT, "--json none.log mail.log 2>/dev/null");
	check_counts(output, &counts, "the other one is read");
	run(EX_NOINPUT, "none.log");
	output = run(EX_DATAERR, "--json cut.gz");
	CU_ASSERT_PTR_NOT_NULL(strstr(output, "ends in the middle of its "
				      "compressed data"));
	run(EX_CANTCREAT, "--html none/page.html mail.log");
	run(EX_IOERR, "mail.log >/dev/full");
	run(EX_IOERR, "--json mail.log >/dev/full");
	CU_ASSERT_PTR_NOT_NULL(strstr(run(EX_OK, "--help"), "usage:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(run(EX_OK, "-V"), "dovecot-migration"));
	run(EX_OK, "--html page.html mail.log");
	shell("grep -q '</html>' page.html");
}

/*
 * The verdict
 */

/* 2026-11-01T00:00:00Z */
#define VERDICT_START 1793491200

static void put_line(FILE *file, int64_t hours, const char *message)
{
	time_t time = (time_t)(VERDICT_START + hours * 3600);
	char text[32];
	struct tm tm;

	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ",
		       gmtime_r(&time, &tm));
	fprintf(file, "%s mx tag: migration: event=%s\n", text, message);
}

/* Two weeks of a rented server, cut over on the first day, that nothing came to
   since. */
static void write_rented(const char *name)
{
	FILE *file = open_file(name, "w");
	int64_t hour;
	char line[200];

	put_line(file, 1, "cutover user=u@example.org mailbox=INBOX digest=a");
	for (hour = 2; hour <= 14 * 24; hour++) {
		snprintf(line, sizeof(line), "arrival at=new host=mx id=%u "
			 "from=a@b.example client=192.0.2.1 to=u@example.org",
			 (unsigned int)hour);
		put_line(file, hour, line);
		put_line(file, hour, "poll user=u@example.org ok=yes");
	}
	CU_ASSERT_EQUAL(fclose(file), 0);
}

static void check_verdict(int status, const char *word, const char *arguments)
{
	const char *output = run(status, "--verdict example.org %s",
				 arguments);

	UNIT_CHECK(strncmp(output, word, strlen(word)) == 0 &&
		   output[strlen(word)] == ':', "%s: %.200s", arguments,
		   output);
}

/* The first word and the status; whatever was read badly is never safe. */
static void test_verdict(void)
{
	static const char end[] = "2026-11-15T01:00:00Z";
	static const struct {
		int status;
		const char *word, *arguments;
	} verdicts[] = {
		{ 0, "safe", "v.log" },
		{ 0, "safe", "--quiet 13d v.log" },
		{ 2, "unknown", "--quiet 14d v.log" },
		{ 2, "unknown", "--ttl 7 v.log" },
		{ 2, "unknown", "--poll-age 30m v.log" },
		{ 0, "safe", "--accounts one v.log" },
		{ 2, "unknown", "--accounts two v.log" },
		{ 1, "not yet", "v.log late.log" },
		{ 0, "safe", "--ignore late.example v.log late.log" },
		{ 0, "safe", "--known known v.log late.log" },
		{ 1, "not yet", "v.log late.log none.log 2>/dev/null" },
		{ 2, "unknown", "v.log none.log 2>/dev/null" },
		{ 2, "unknown", "v.log cut.gz 2>/dev/null" },
		{ 2, "unknown", "half.log" },
		{ 2, "unknown", "v.log future.log" },
		{ 2, "unknown", "/dev/null" },
	};
	char arguments[200];
	size_t i;

	write_rented("v.log");
	append("late.log", "2026-11-14T00:00:00Z mx tag: migration: event=late "
	       "user=u@example.org mailbox=INBOX uidvalidity=1 uid=2 "
	       "from=<x@late.example> client=198.51.100.1 delay=9\n");
	append("future.log", "2096-11-14T00:00:00Z mx tag: migration: "
	       "event=poll user=u@example.org ok=yes\n");
	append("one", "# all\n u@example.org \n");
	append("two", "u\nv@example.org\n");
	append("known", "198.51.100.0/24\n");
	shell("head -c 20000 v.log >half.log");
	shell("gzip -c v.log >cut.gz && truncate -s -9 cut.gz");
	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		snprintf(arguments, sizeof(arguments), "--until %s %s", end,
			 verdicts[i].arguments);
		check_verdict(verdicts[i].status, verdicts[i].word, arguments);
	}
	/* as of now these logs end too early or are of the future */
	check_verdict(2, "unknown", "v.log");
	CU_ASSERT_PTR_NOT_NULL(strstr(run(1, "--verdict example.org --until "
					  "%s --json v.log late.log", end),
				      "\"answer\": \"not yet\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(run(EX_OK, "--until %s v.log", end),
				      "\nsafe: "));
	run(EX_NOINPUT, "--verdict example.org none.log");
	run(EX_NOINPUT, "--verdict example.org --known none v.log");
	run(EX_USAGE, "--verdict example.org --quiet 3w v.log");
	run(EX_USAGE, "--verdict '' v.log");
	run(EX_USAGE, "-f --verdict example.org v.log");
	run(EX_IOERR, "--verdict example.org v.log >/dev/full");
}

/* Only what our programs and Dovecot wrote there. */
static void test_journal(void)
{
	static const char *const tags[] = {
		"migration-milter", "dovecot", "sshd"
	};
	FILE *file;
	unsigned int i;
	const char *json;

	if (access(JOURNAL_REMOTE, X_OK) < 0) {
		fprintf(stderr, "no %s: the journal isn't tested\n",
			JOURNAL_REMOTE);
		return;
	}
	file = open_file("export", "w");
	for (i = 0; i < 3; i++) {
		fprintf(file, "__REALTIME_TIMESTAMP=179531664%u000000\n"
			"__MONOTONIC_TIMESTAMP=%u\n_BOOT_ID="
			"0123456789abcdef0123456789abcdef\n_HOSTNAME=mx\n"
			"SYSLOG_IDENTIFIER=%s\nMESSAGE=%smigration: event="
			"arrival at=old host=mx id=%u from=a@b.example "
			"to=u@example.org\n\n", i, i + 1, tags[i],
			i == 1 ? "lmtp(u)<1><x>: Info: " : "", i);
	}
	CU_ASSERT_EQUAL(fclose(file), 0);
	shell("mkdir journal && " JOURNAL_REMOTE " -o journal/a.journal export "
	      "2>/dev/null");
	json = run(EX_OK, "--json --journal=journal");
	CU_ASSERT_EQUAL(number_after(json, "\"wanted\": {\"old\":{\"count\":"),
			2);
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"first\": \"2026-11-22T03:04:00Z\""));
	run(EX_UNAVAILABLE, "--journal=none");
}

static const char *wanted_text;

/* In the last screen. */
static bool is_shown(void *context)
{
	struct process_result result;
	bool found;

	(void)context;
	(void)process_shell(TIMEOUT_MS, &result, "tac %s/screen 2>/dev/null | "
			    "sed -n '0,/Migration report/p'", folder);
	found = strstr(result.output, wanted_text) != NULL;
	process_result_free(&result);
	return found;
}

static void expect(const char *text)
{
	wanted_text = text;
	UNIT_CHECK(wait_until(is_shown, NULL, 30000), "not shown: %s", text);
}

static void add_arrival(const char *name, const char *at)
{
	static unsigned int id;
	char line[300];

	snprintf(line, sizeof(line), "2026-11-01T00:00:%02uZ mx milter: "
		 "migration: event=arrival at=%s host=mx id=%u client="
		 "192.0.2.1 from=a@b.example to=u@example.org\n", id, at, id);
	id++;
	append(name, line);
}

/* Lines that come, a rotation, a line that comes late to the old file. */
static void test_follow(void)
{
	char command[300], screen[100];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	pid_t pid;

	snprintf(screen, sizeof(screen), "%s/screen", folder);
	snprintf(command, sizeof(command), "cd %s && TZ=UTC exec "
		 MIGRATION_REPORT " -f live.log", folder);
	add_arrival("live.log", "old");
	pid = process_start(argv, screen);
	CU_ASSERT_FATAL(pid > 0);
	expect("since the switch: 1 at the old server");
	add_arrival("live.log", "old");
	expect("since the switch: 2 at the old server");
	shell("mv live.log live.log.1");
	add_arrival("live.log.1", "old");
	expect("since the switch: 3 at the old server");
	add_arrival("live.log", "old");
	expect("since the switch: 4 at the old server");
	add_arrival("live.log.1", "old");
	expect("since the switch: 5 at the old server");
	CU_ASSERT_EQUAL(process_stop(pid, SIGTERM, TIMEOUT_MS), 0);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a world", test_world },
		{ "the same again", test_same_again },
		{ "zones and years", test_zones },
		{ "text", test_text },
		{ "garbage", test_garbage },
		{ "exit status", test_exit_status },
		{ "verdict", test_verdict },
		{ "journal", test_journal },
		{ "follow", test_follow },
		{ NULL, NULL }
	};

	return unit_run_in(folder, "report-program", tests);
}
