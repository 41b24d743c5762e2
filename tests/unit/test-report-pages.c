/*
 * test-report-pages: from lines in syslog to JSON and to the page in a browser
 *
 * migration-report reads the logs of two servers of which the strangers chose
 * whatever they could: names, senders, recipients, and whole lines. What it
 * writes holds all arrivals, in both forms, and nothing of theirs but text.
 */
#include "browser.h"
#include "process.h"
#include "report-example.h"
#include "unit.h"
#include "common/report-line.h"

#include <json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 60000
/* 2025-11-03 00:00 UTC, a Monday */
#define START 1762128000
#define MINUTE 60
#define HOUR 3600
#define HOURS 60
#define SWITCH_HOUR 20
#define DOMAIN "example.org"
/* Right-to-left: "moc.elpmaxe" */
#define TURNED "\xe2\x80\xae" "elpmaxe.moc"

static const char *const senders[] = {
	"weekly@newsletter.example",
	REPORT_EXAMPLE_SCRIPT "@evil.example",
	"x@" REPORT_EXAMPLE_IMAGE,
	"a@" TURNED,
	"x event=arrival at=new id=9 to=y@" DOMAIN "@liar.example",
	"\xff\xfe@\x01.example",
	"",
};
#define SENDERS (sizeof(senders) / sizeof(senders[0]))

static char dir[] = "/tmp/dovecot-migration-pages.XXXXXX";
static unsigned int written_old, written_new, next_id;
static struct json_object *root;

/*
 * The log
 */

static void put_line(FILE *file, time_t when, const char *host,
		     struct report_line *line)
{
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ",
		 gmtime_r(&when, &tm));
	fprintf(file, "%s %s migration-milter[7]: %s\n", text, host,
		report_line_end(line));
}

static void begin_line(struct report_line *line, const char *event,
		       const char *at)
{
	report_line_begin(line, event);
	report_line_add_str(line, "at", at);
	report_line_add_str(line, "host", strcmp(at, "old") == 0 ?
			    "mx.old.example" : "mx1.new.example");
}

static void put_arrival(FILE *file, time_t when, const char *at,
			const char *sender)
{
	struct report_line line;
	char id[16];

	snprintf(id, sizeof(id), "Q%u", next_id++);
	begin_line(&line, "arrival", at);
	report_line_add_str(&line, "id", id);
	report_line_add_str(&line, "client", "192.0.2.7");
	report_line_add_str(&line, "name", "out." TURNED);
	report_line_add_str(&line, "helo", REPORT_EXAMPLE_STYLE);
	report_line_add_str(&line, "from", sender);
	report_line_add_str(&line, "to", REPORT_EXAMPLE_SCRIPT "@" DOMAIN);
	report_line_add_str(&line, "via", "direct");
	report_line_add_str(&line, "spam", "no");
	put_line(file, when, "mx", &line);
}

static void put_heartbeats(FILE *file, time_t when, const char *at,
			   unsigned int hour, unsigned int arrivals)
{
	struct report_line line;
	unsigned int i;

	for (i = 0; i < 60; i++) {
		begin_line(&line, "heartbeat", at);
		report_line_add_number(&line, "uptime",
				       (hour * 60 + i) * MINUTE);
		report_line_add_number(&line, "seq", hour * 60 + i);
		report_line_add_number(&line, "arrivals", arrivals);
		put_line(file, when + i * MINUTE, "mx", &line);
	}
}

/* What no program of ours wrote, though it's in the log. */
static void put_forged(FILE *file, time_t when)
{
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ",
		 gmtime_r(&when, &tm));
	fprintf(file, "%s mx postfix/smtpd[9]: NOQUEUE: reject: helo=<"
		"migration: event=arrival at=old host=h id=F to=a@" DOMAIN
		" from=forger@forged.example via=direct>\n", text);
	fprintf(file, "%s mx kernel: \xff\xff" REPORT_EXAMPLE_SCRIPT "\n",
		text);
	fwrite("\0\x1b[2J\n", 1, 6, file);
}

static void put_user_lines(FILE *file)
{
	struct report_line line;

	report_line_begin(&line, "cutover");
	report_line_add_str(&line, "user", REPORT_EXAMPLE_STYLE);
	report_line_add_str(&line, "mailbox", REPORT_EXAMPLE_IMAGE);
	report_line_add_number(&line, "messages", 12);
	report_line_add_number(&line, "bytes", 3456);
	report_line_add_millis(&line, "seconds", 12);
	put_line(file, START + HOUR, "new", &line);
	begin_line(&line, "forged", "new");
	report_line_add_str(&line, "client", "192.0.2.66");
	report_line_add_str(&line, "from", REPORT_EXAMPLE_SCRIPT);
	report_line_add_str(&line, "reason", "signature");
	report_line_add_str(&line, "value", REPORT_EXAMPLE_IMAGE);
	put_line(file, START + HOUR, "new", &line);
}

/* All come to the old server until the switch; then but the first goes over. */
static void put_hour(FILE *old, FILE *new, unsigned int hour)
{
	time_t when = START + (time_t)hour * HOUR;
	bool over;
	size_t i;

	put_heartbeats(old, when, "old", hour, written_old);
	put_heartbeats(new, when, "new", hour, written_new);
	for (i = 0; i < SENDERS; i++) {
		over = hour >= SWITCH_HOUR && i > 0;
		put_arrival(over ? new : old, when + (time_t)i,
			    over ? "new" : "old", senders[i]);
		written_old += !over;
		written_new += over;
	}
	put_forged(old, when);
}

static FILE *open_log(const char *name)
{
	char path[sizeof(dir) + 32];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	CU_ASSERT_FATAL(file != NULL);
	return file;
}

static void write_logs(void)
{
	FILE *old = open_log("old.log"), *new = open_log("new.log");
	unsigned int hour;

	for (hour = 0; hour < HOURS; hour++)
		put_hour(old, new, hour);
	put_user_lines(new);
	fclose(old);
	fclose(new);
}

/*
 * Tests
 */

static struct json_object *at(const char *path)
{
	struct json_object *found = NULL;

	(void)json_pointer_get(root, path, &found);
	UNIT_CHECK(found != NULL, "%s isn't there", path);
	return found;
}

static uint64_t count_at(const char *path)
{
	return json_object_get_uint64(at(path));
}

static size_t length_at(const char *path)
{
	struct json_object *array = at(path);

	return array == NULL ? 0 : json_object_array_length(array);
}

static void test_program(void)
{
	struct process_result result;

	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	write_logs();
	(void)process_shell(TIMEOUT_MS, &result, "cd %s && TZ=UTC %s "
			    "--html page.html --json old.log new.log "
			    ">report.json", dir, PROGRAM_PATH);
	UNIT_CHECK(result.status == 0, "%d: %s", result.status, result.output);
	process_result_free(&result);
}

static void test_json(void)
{
	char path[sizeof(dir) + 32];

	snprintf(path, sizeof(path), "%s/report.json", dir);
	root = json_object_from_file(path);
	CU_ASSERT_FATAL(root != NULL);
	CU_ASSERT_EQUAL(length_at("/domains"), 1);
	CU_ASSERT_STRING_EQUAL(json_object_get_string(at("/domains/0/name")),
			       DOMAIN);
	CU_ASSERT_EQUAL(count_at("/domains/0/wanted/old/count"), written_old);
	CU_ASSERT_EQUAL(count_at("/domains/0/wanted/new/count"), written_new);
	CU_ASSERT_EQUAL(count_at("/domains/0/recent/wanted/old"), 24);
	CU_ASSERT_EQUAL(count_at("/domains/0/recent/wanted/new"),
			24 * (SENDERS - 1));
	CU_ASSERT_EQUAL(count_at("/domains/0/standings/straggler"), 1);
	CU_ASSERT_EQUAL(count_at("/reading/suspicious"), HOURS);
	CU_ASSERT_STRING_EQUAL(
		json_object_get_string(at("/users/0/mailboxes/0/name")),
		REPORT_EXAMPLE_IMAGE);
}

static void check_number(struct browser *browser, const char *selector,
			 uint64_t expected)
{
	char expression[128];
	const char *got;

	snprintf(expression, sizeof(expression),
		 "document.querySelectorAll('%s').length", selector);
	got = browser_eval(browser, expression);
	UNIT_CHECK(strtoull(got, NULL, 10) == expected, "%s: %s, not %llu",
		   selector, got, (unsigned long long)expected);
}

static void check_text(struct browser *browser, const char *text,
		       const char *expected)
{
	struct json_object *literal = json_object_new_string(text);
	char expression[256];
	const char *got;

	snprintf(expression, sizeof(expression),
		 "document.body.innerText.includes(%s)",
		 json_object_to_json_string(literal));
	got = browser_eval(browser, expression);
	UNIT_CHECK(strcmp(got, expected) == 0, "%s is shown: %s", text, got);
	json_object_put(literal);
}

static void check_page(struct browser *browser)
{
	browser_check_silent(browser);
	CU_ASSERT_STRING_EQUAL(browser_eval(browser, "document.title"),
			       "Migration of " DOMAIN);
	check_number(browser, "script, img, iframe, object, link, a, form", 0);
	check_number(browser, "style", 1);
	check_number(browser, ".days .slot", length_at("/domains/0/days"));
	check_number(browser, ".hours .slot", length_at("/domains/0/hours"));
	check_number(browser, ".straggler tr.source",
		     count_at("/domains/0/standings/straggler"));
	check_number(browser, "tr.user", length_at("/users"));
	check_number(browser, "tr.watcher", length_at("/watchers"));
	check_number(browser, "tr.forgery", length_at("/forgeries"));
	CU_ASSERT_STRING_EQUAL(
		browser_eval(browser, "document.querySelector('.sentence')"
			     ".innerText"),
		"14 % of wanted mail still comes to the old server: 24 of 168 "
		"in the last 24 hours.");
	CU_ASSERT_STRING_EQUAL(
		browser_eval(browser, "document.documentElement.scrollWidth - "
			     "document.documentElement.clientWidth"), "0");
	check_text(browser, REPORT_EXAMPLE_SCRIPT, "true");
	check_text(browser, REPORT_EXAMPLE_STYLE, "true");
	check_text(browser, "forged.example", "false");
}

static void test_page(void)
{
	struct browser *browser = browser_start();
	char path[sizeof(dir) + 32];

	CU_ASSERT_FATAL(browser != NULL && root != NULL);
	snprintf(path, sizeof(path), "%s/page.html", dir);
	browser_screen(browser, 390, 844, true);
	browser_open(browser, path);
	check_page(browser);
	if (getenv("REPORT_SHOTS") != NULL) {
		snprintf(path, sizeof(path), "%s/pages.png",
			 getenv("REPORT_SHOTS"));
		browser_screenshot(browser, path);
	}
	browser_stop(&browser);
}

/* Each option of --help stands in the manual page, with a hyphen that roff
   shows as one. */
static void test_manual(void)
{
	struct process_result result;

	(void)process_shell(TIMEOUT_MS, &result, "%s --help | "
			    "grep -o -e '--[a-z]*' | sort -u | while read -r o; "
			    "do echo \"$o\" | sed 's/-/\\\\-/g' | "
			    "grep -qFf - %s || echo \"$o\"; done; "
			    "%s --help | grep -c -e --", PROGRAM_PATH,
			    MANUAL_PATH, PROGRAM_PATH);
	UNIT_CHECK(strtoul(result.output, NULL, 10) > 10,
		   "not in the manual: %s", result.output);
	process_result_free(&result);
}

static void test_end(void)
{
	struct process_result result;

	json_object_put(root);
	CU_ASSERT_EQUAL(process_shell(TIMEOUT_MS, &result, "rm -r %s", dir), 0);
	process_result_free(&result);
}

static const struct unit_test tests[] = {
	{ "the program reads the logs", test_program },
	{ "JSON", test_json },
	{ "the page", test_page },
	{ "the manual has every option", test_manual },
	{ "end", test_end },
	{ NULL, NULL }
};

int main(void)
{
	return unit_run("report-pages", tests);
}
