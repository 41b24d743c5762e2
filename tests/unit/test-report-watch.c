/* test-report-watch: when nobody watched. */
#include "unit.h"
#include "report/report-intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START 1795305600
#define MAX_LINES 12
#define MAX_GAPS 4

struct gap_case {
	const char *name;
	struct {
		int at;
		/* after "event=", without at= and host= */
		const char *line;
	} lines[MAX_LINES];
	/* When the log ends, by a line of the other server. */
	int end;
	struct {
		int from, to;
		enum report_gap_reason reason;
		unsigned int missing;
		bool open;
	} gaps[MAX_GAPS];
	unsigned int lost;
};

static const struct gap_case cases[] = {
	{ "all is well", {
		{ 0, "milter_start version=1 mode=tag" },
		{ 60, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 120, "heartbeat seq=2 uptime=120 arrivals=0" } }, 180, { { 0 } }, 0 },
	{ "the log begins in the middle", {
		{ 0, "heartbeat seq=70 uptime=4200 arrivals=900" },
		{ 60, "heartbeat seq=71 uptime=4260 arrivals=900" } }, 100,
		{ { 0 } }, 0 },
	{ "stopped and started", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 30, "milter_stop" }, { 90, "milter_start" },
		{ 150, "heartbeat seq=1 uptime=60 arrivals=0" } }, 160,
		{ { 30, 90, REPORT_GAP_STOPPED, 0, false } }, 0 },
	{ "stopped and started in one second", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 30, "milter_stop" }, { 30, "milter_start" } }, 40,
		{ { 30, 31, REPORT_GAP_STOPPED, 0, false } }, 0 },
	{ "killed", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 600, "milter_start" },
		{ 660, "heartbeat seq=1 uptime=60 arrivals=0" } }, 660,
		{ { 0, 600, REPORT_GAP_KILLED, 0, false } }, 0 },
	{ "killed, and the line of its start is missing", {
		{ 0, "heartbeat seq=9 uptime=600 arrivals=0" },
		{ 600, "heartbeat seq=2 uptime=100 arrivals=0" } }, 600,
		{ { 0, 500, REPORT_GAP_KILLED, 0, false },
		  { 500, 600, REPORT_GAP_LOST, 1, false } }, 0 },
	{ "lines are missing", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 60, "heartbeat seq=2 uptime=120 arrivals=0" },
		{ 300, "heartbeat seq=6 uptime=360 arrivals=0" } }, 360,
		{ { 60, 300, REPORT_GAP_LOST, 3, false } }, 0 },
	{ "the first heartbeats are missing", {
		{ 0, "milter_start" },
		{ 240, "heartbeat seq=4 uptime=240 arrivals=0" } }, 300,
		{ { 0, 240, REPORT_GAP_LOST, 3, false } }, 0 },
	{ "silent to the end", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 60, "heartbeat seq=2 uptime=120 arrivals=0" },
		{ 70, "arrival id=1 to=a@b.example" } }, 3600,
		/* the mail came through another socket than the one missing */
		{ { 60, 3600, REPORT_GAP_SILENT, 0, true } }, 0 },
	{ "failures only", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 60, "heartbeat seq=2 uptime=120 arrivals=0" },
		{ 3590, "milter_failure reason=x" } }, 3600,
		{ { 60, 3600, REPORT_GAP_SILENT, 0, true } }, 0 },
	{ "hours without a worker, and the next number", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0 interval=60" },
		{ 60, "heartbeat seq=2 uptime=120 arrivals=0 interval=60" },
		{ 70, "milter_failure reason=\"the worker was killed\"" },
		{ 21660, "heartbeat seq=3 uptime=21720 arrivals=0 interval=60" },
		/* a long step isn't the interval from now on */
		{ 21720, "heartbeat seq=4 uptime=21780 arrivals=0 interval=60" },
		{ 22020, "heartbeat seq=5 uptime=22080 arrivals=0 interval=60" }
		}, 22020,
		{ { 60, 21660, REPORT_GAP_LOST, 0, false },
		  { 21720, 22020, REPORT_GAP_LOST, 0, false } }, 0 },
	{ "a long step, and then silent", {
		{ 0, "heartbeat seq=1 uptime=0 arrivals=0" },
		{ 21600, "heartbeat seq=2 uptime=60 arrivals=0" } }, 22000,
		{ { 0, 21600, REPORT_GAP_LOST, 0, false },
		  { 21600, 22000, REPORT_GAP_SILENT, 0, true } }, 0 },
	{ "hours without a worker, and numbers that tell", {
		{ 0, "heartbeat seq=2 uptime=60 arrivals=0 interval=60" },
		{ 300, "heartbeat seq=6 uptime=360 arrivals=0 interval=60" } },
		300, { { 0, 300, REPORT_GAP_LOST, 3, false } }, 0 },
	{ "no worker from the start to the stop", {
		{ 0, "milter_start" },
		{ 3600, "milter_stop" } }, 3600,
		{ { 0, 3600, REPORT_GAP_LOST, 0, false } }, 0 },
	{ "late, but within two intervals", {
		{ 0, "heartbeat seq=1 uptime=0 arrivals=0 interval=30" },
		{ 62, "heartbeat seq=2 uptime=61 arrivals=0 interval=30" },
		{ 125, "heartbeat seq=3 uptime=125 arrivals=0 interval=30" } },
		125, { { 62, 125, REPORT_GAP_LOST, 0, false } }, 0 },
	{ "the clock was an hour ahead", {
		{ 3600, "heartbeat seq=1 uptime=0 arrivals=0" },
		{ 3660, "heartbeat seq=2 uptime=60 arrivals=0" },
		{ 120, "heartbeat seq=3 uptime=120 arrivals=0" },
		{ 180, "heartbeat seq=4 uptime=180 arrivals=0" },
		{ 1000, "heartbeat seq=5 uptime=1000 arrivals=0" } }, 1000,
		/* the log ends at its latest time */
		{ { 180, 1000, REPORT_GAP_LOST, 0, false },
		  { 1000, 3660, REPORT_GAP_SILENT, 0, true } }, 0 },
	{ "stopped to the end", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 30, "milter_stop" } }, 40,
		{ { 30, 40, REPORT_GAP_STOPPED, 0, true } }, 0 },
	{ "an interval of its own", {
		{ 0, "heartbeat seq=1 uptime=600 arrivals=0 interval=600" },
		{ 600, "heartbeat seq=2 uptime=1200 arrivals=0 interval=600" },
		}, 2300, { { 0 } }, 0 },
	{ "an interval that nobody believes", {
		{ 0, "heartbeat seq=1 uptime=0 arrivals=0 interval=999999999" },
		{ 600, "heartbeat seq=2 uptime=600 arrivals=0 interval=x" } },
		600, { { 0, 600, REPORT_GAP_LOST, 0, false } }, 0 },
	{ "a reload is no gap", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 30, "milter_reload ok=no error=x" },
		{ 60, "heartbeat seq=2 uptime=120 arrivals=0" } }, 60,
		{ { 0 } }, 0 },
	{ "a line that comes late", {
		{ 0, "heartbeat seq=1 uptime=60 arrivals=0" },
		{ 120, "heartbeat seq=3 uptime=180 arrivals=0" },
		{ 60, "heartbeat seq=2 uptime=120 arrivals=0" },
		{ 180, "heartbeat seq=4 uptime=240 arrivals=0" } }, 180,
		/* nothing can be said for it afterwards */
		{ { 0, 120, REPORT_GAP_LOST, 1, false } }, 0 },
	{ "arrivals without lines", {
		{ 0, "milter_start" },
		{ 10, "arrival id=1 to=a@b.example" },
		{ 60, "heartbeat seq=1 uptime=60 arrivals=5" },
		{ 120, "heartbeat seq=2 uptime=120 arrivals=5" },
		{ 170, "arrival id=2 to=a@b.example" },
		{ 180, "heartbeat seq=3 uptime=180 arrivals=6" } }, 180,
		{ { 0 } }, 4 },
	{ "counted just before its line", {
		{ 0, "milter_start" },
		{ 60, "heartbeat seq=1 uptime=60 arrivals=1" },
		{ 60, "arrival id=1 to=a@b.example" },
		{ 120, "heartbeat seq=2 uptime=120 arrivals=2" },
		{ 120, "arrival id=2 to=a@b.example" },
		{ 180, "heartbeat seq=3 uptime=180 arrivals=2" } }, 180,
		{ { 0 } }, 0 },
	{ "lost in two runs", {
		{ 0, "milter_start" },
		{ 60, "heartbeat seq=1 uptime=60 arrivals=2" },
		{ 120, "heartbeat seq=2 uptime=120 arrivals=2" },
		{ 180, "heartbeat seq=3 uptime=180 arrivals=2" },
		{ 190, "milter_stop" }, { 191, "milter_start" },
		{ 251, "heartbeat seq=1 uptime=60 arrivals=3" },
		{ 311, "heartbeat seq=2 uptime=120 arrivals=3" },
		{ 371, "heartbeat seq=3 uptime=180 arrivals=3" } }, 371,
		{ { 190, 191, REPORT_GAP_STOPPED, 0, false } }, 5 },
};

static void feed(struct report_intake *intake, int at, const char *side,
		 const char *line)
{
	struct log_record record = { .time = START + at, .host = "",
				     .host_size = 0 };
	char message[400];
	size_t name = strcspn(line, " ");

	snprintf(message, sizeof(message), "migration: event=%.*s at=%s "
		 "host=mx.%s%s", (int)name, line, side, side, line + name);
	record.message = message;
	record.message_size = strlen(message);
	report_intake_add(intake, &record);
}

static const struct report_watcher *
find_old(const struct report_model *model)
{
	size_t i;

	for (i = 0; i < model->watchers_count; i++) {
		if (model->watchers[i]->side == REPORT_OLD)
			return model->watchers[i];
	}
	CU_FAIL_FATAL("no watcher");
	return NULL;
}

static void check_gaps(const struct gap_case *test,
		       const struct report_watcher *watcher)
{
	uint64_t blind = 0, missing = 0;
	size_t i;

	for (i = 0; i < MAX_GAPS && test->gaps[i].to != 0; i++) {
		const struct report_gap *gap = &watcher->gaps[i];

		if (!UNIT_CHECK(i < watcher->gaps_count, "%s: gap %zu is missing",
				test->name, i))
			return;
		UNIT_CHECK(gap->from == START + test->gaps[i].from &&
			   gap->to == START + test->gaps[i].to &&
			   gap->reason == test->gaps[i].reason &&
			   gap->missing == test->gaps[i].missing &&
			   gap->open == test->gaps[i].open,
			   "%s: gap %zu: %d to %d, %s, %u", test->name, i,
			   (int)(gap->from - START), (int)(gap->to - START),
			   report_gap_reason_name(gap->reason),
			   (unsigned int)gap->missing);
		blind += (uint64_t)(test->gaps[i].to - test->gaps[i].from);
		missing += test->gaps[i].missing;
	}
	UNIT_CHECK(watcher->gaps_count == i, "%s: %zu gaps", test->name,
		   watcher->gaps_count);
	UNIT_CHECK(watcher->blind_s == blind, "%s: %u s", test->name,
		   (unsigned int)watcher->blind_s);
	UNIT_CHECK(watcher->missing == missing, "%s: missing", test->name);
	UNIT_CHECK(watcher->arrivals_lost == test->lost, "%s: lost %u",
		   test->name, (unsigned int)watcher->arrivals_lost);
}

static void test_gaps(void)
{
	static const struct report_intake_settings settings = { .domain = "" };
	struct report_reading reading;
	struct report_intake *intake;
	const struct report_model *model;
	size_t i, j;

	for (i = 0; i < COUNT(cases); i++) {
		intake = report_intake_init(&settings);
		for (j = 0; j < MAX_LINES && cases[i].lines[j].line != NULL; j++)
			feed(intake, cases[i].lines[j].at, "old",
			     cases[i].lines[j].line);
		feed(intake, cases[i].end, "new", "heartbeat seq=1");
		memset(&reading, 0, sizeof(reading));
		model = report_intake_model(intake, START, 0, &reading);
		check_gaps(&cases[i], find_old(model));
		CU_ASSERT_EQUAL(model->blind_s[REPORT_OLD],
				find_old(model)->blind_s);
		report_intake_deinit(&intake);
	}
}

/* An hour without mail that nobody watched isn't an hour without mail. */
static void test_slots(void)
{
	static const struct report_intake_settings settings = {
		.domain = "", .switched = START
	};
	struct report_reading reading = { .lines = 0 };
	struct report_intake *intake = report_intake_init(&settings);
	const struct report_model *model;
	const struct report_domain *domain;

	feed(intake, 0, "old", "arrival id=1 to=a@b.example");
	feed(intake, 3600, "old", "milter_stop");
	feed(intake, 3 * 3600 + 600, "old", "milter_start");
	feed(intake, 2 * 3600, "new", "milter_start");
	feed(intake, 2 * 3600, "new", "heartbeat seq=1 interval=3600");
	feed(intake, 4 * 3600 - 1, "new", "arrival id=2 to=a@b.example");
	model = report_intake_model(intake, START, 0, &reading);
	CU_ASSERT_EQUAL_FATAL(model->domains_count, 1);
	domain = model->domains[0];
	CU_ASSERT_EQUAL_FATAL(domain->hours_count, 4);
	CU_ASSERT_EQUAL(domain->hours[0].blind[REPORT_OLD], 0);
	CU_ASSERT_EQUAL(domain->hours[1].blind[REPORT_OLD], 3600);
	CU_ASSERT_EQUAL(domain->hours[2].blind[REPORT_OLD], 3600);
	/* it's silent from its start on, but not for long enough at 4:00 */
	CU_ASSERT_EQUAL(domain->hours[3].blind[REPORT_OLD], 600 + 2999);
	/* before the first line of the new one nothing is known */
	CU_ASSERT_EQUAL(domain->hours[0].blind[REPORT_NEW], 3600);
	CU_ASSERT_EQUAL(domain->hours[1].blind[REPORT_NEW], 3600);
	CU_ASSERT_EQUAL(domain->hours[2].blind[REPORT_NEW], 0);
	CU_ASSERT_EQUAL(domain->days[0].blind[REPORT_NEW], 2 * 3600);
	CU_ASSERT(model->watched[REPORT_OLD] && model->watched[REPORT_NEW]);
	report_intake_deinit(&intake);
}

static void test_unwatched(void)
{
	static const struct report_intake_settings settings = { .domain = "" };
	struct report_reading reading = { .lines = 0 };
	struct report_intake *intake = report_intake_init(&settings);
	const struct report_model *model;

	feed(intake, 0, "new", "heartbeat seq=1");
	feed(intake, 60, "new", "heartbeat seq=2");
	model = report_intake_model(intake, START, 0, &reading);
	CU_ASSERT(!model->watched[REPORT_OLD]);
	CU_ASSERT_EQUAL(model->blind_s[REPORT_OLD], 60);
	CU_ASSERT_EQUAL(model->blind_s[REPORT_NEW], 0);
	/* an hour ends where the log does */
	feed(intake, 90, "new", "arrival id=1 to=a@b.example");
	model = report_intake_model(intake, START, 0, &reading);
	CU_ASSERT_EQUAL_FATAL(model->domains_count, 1);
	CU_ASSERT_EQUAL_FATAL(model->domains[0]->hours_count, 1);
	CU_ASSERT_EQUAL(model->domains[0]->hours[0].blind[REPORT_OLD], 90);
	report_intake_deinit(&intake);
}

/* A side is blind when one of its milters is, and no second counts twice. */
static void test_two_milters(void)
{
	static const struct report_intake_settings settings = { .domain = "" };
	static const struct {
		int at;
		const char *host, *event;
	} lines[] = {
		{ 0, "a", "milter_start" }, { 0, "b", "milter_start" },
		{ 100, "a", "milter_stop" }, { 110, "b", "milter_stop" },
		{ 200, "a", "milter_start" }, { 300, "b", "milter_start" },
		{ 350, "b", "milter_stop" }, { 360, "b", "milter_start" },
	};
	struct report_reading reading = { .lines = 0 };
	struct report_intake *intake = report_intake_init(&settings);
	const struct report_model *model;
	struct log_record record = { .host = "", .host_size = 0 };
	char message[200];
	size_t i;

	for (i = 0; i < COUNT(lines); i++) {
		record.time = START + lines[i].at;
		record.message = message;
		record.message_size = (size_t)snprintf(message, sizeof(message),
			"migration: event=%s at=old host=%s", lines[i].event,
			lines[i].host);
		report_intake_add(intake, &record);
	}
	model = report_intake_model(intake, START, 0, &reading);
	CU_ASSERT_EQUAL(model->watchers_count, 2);
	CU_ASSERT_EQUAL(model->blind_s[REPORT_OLD], 200 + 10);
	report_intake_deinit(&intake);
}

/* Where a second milter watches later, nobody knows what came to its host before:
   until each has begun, their side is blind. */
static void test_second_milter(void)
{
	static const struct report_intake_settings settings = { .domain = "" };
	static const struct {
		int at;
		const char *host, *line;
		/* seconds from the first line on in which the side was blind */
		unsigned int blind;
	} lines[] = {
		{ 0, "a", "heartbeat seq=1 interval=3600", 0 },
		{ 100, "a", "arrival id=1 to=u@b.example", 0 },
		/* what can't watch yet has failures */
		{ 1000, "b", "milter_failure reason=x", 1000 },
		{ 1500, "b", "milter_start", 1500 },
		{ 1500, "b", "heartbeat seq=1 interval=3600", 1500 },
		{ 3600, "a", "heartbeat seq=2 interval=3600", 1500 },
		{ 4000, "c", "arrival id=2 to=u@b.example", 4000 },
	};
	struct report_reading reading = { .lines = 0 };
	struct report_intake *intake = report_intake_init(&settings);
	const struct report_model *model;
	struct log_record record = { .host = "", .host_size = 0 };
	char message[200];
	size_t i, name;

	for (i = 0; i < COUNT(lines); i++) {
		name = strcspn(lines[i].line, " ");
		record.time = START + lines[i].at;
		record.message = message;
		record.message_size = (size_t)snprintf(message, sizeof(message),
			"migration: event=%.*s at=old host=%s%s", (int)name,
			lines[i].line, lines[i].host, lines[i].line + name);
		report_intake_add(intake, &record);
		model = report_intake_model(intake, START, 0, &reading);
		UNIT_CHECK(model->blind_s[REPORT_OLD] == lines[i].blind,
			   "line %zu: %u s", i,
			   (unsigned int)model->blind_s[REPORT_OLD]);
		CU_ASSERT(model->watched[REPORT_OLD]);
	}
	report_intake_deinit(&intake);
}

/* However often it dies, the list is bounded, and the time is right. */
static void test_many_gaps(void)
{
	static const struct report_intake_settings settings = { .domain = "" };
	struct report_reading reading = { .lines = 0 };
	struct report_intake *intake = report_intake_init(&settings);
	const struct report_watcher *watcher;
	int i;

	for (i = 0; i < 3000; i++) {
		feed(intake, i * 10, "old", "milter_start");
		feed(intake, i * 10 + 6, "old", "milter_stop");
	}
	watcher = find_old(report_intake_model(intake, START, 0, &reading));
	CU_ASSERT_EQUAL(watcher->gaps_total, 2999);
	CU_ASSERT_EQUAL(watcher->gaps_count, REPORT_MAX_GAPS);
	CU_ASSERT_EQUAL(watcher->blind_s, 2999 * 4);
	CU_ASSERT_EQUAL(watcher->starts, 3000);
	report_intake_deinit(&intake);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "gaps", test_gaps },
		{ "hours that weren't watched", test_slots },
		{ "a side without a milter", test_unwatched },
		{ "two milters of a side", test_two_milters },
		{ "a second milter that began later", test_second_milter },
		{ "many gaps", test_many_gaps },
		{ NULL, NULL }
	};

	return unit_run("report-watch", tests);
}
