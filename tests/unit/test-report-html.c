/* test-report-html: the scales of the curve, the last hours, and the file; what
   the page looks like is test-report-browser's. */
#include "report-example.h"
#include "unit.h"
#include "report/report-html.h"
#include "report/report-recent.h"
#include "report/svg-scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOUR 3600
/* 2026-11-04 00:00 UTC */
#define START 1793750400
#define MAX_SLOTS 10000

/*
 * Scales
 */

static void test_top(void)
{
	static const struct {
		uint64_t n, top;
	} cases[] = {
		{ 0, 1 }, { 1, 1 }, { 2, 2 }, { 7, 8 }, { 9, 10 }, { 10, 10 },
		{ 11, 20 }, { 499, 500 }, { 501, 600 }, { 801, 1000 },
		{ UINT64_MAX, UINT64_MAX },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		UNIT_CHECK(svg_scale_top(cases[i].n) == cases[i].top,
			   "%zu: %llu", i, (unsigned long long)
			   svg_scale_top(cases[i].n));
}

static void check_ticks(size_t i, size_t count, enum svg_slots kind,
			int64_t start, const char *expected)
{
	static struct report_slot slots[MAX_SLOTS];
	struct svg_tick ticks[SVG_MAX_TICKS];
	int64_t length = kind == SVG_DAYS ? 24 * HOUR : HOUR;
	char got[256] = "", *p = got;
	size_t slot, n;

	for (slot = 0; slot < count; slot++)
		slots[slot].start = start + (int64_t)slot * length;
	n = svg_scale_ticks(slots, count, kind, ticks);
	for (slot = 0; slot < n; slot++)
		p += sprintf(p, "%zu %s,", ticks[slot].slot, ticks[slot].label);
	UNIT_CHECK(strcmp(got, expected) == 0, "%zu: %s, not %s", i, got,
		   expected);
}

static void test_ticks(void)
{
	static const struct {
		size_t count;
		enum svg_slots kind;
		int64_t start;
		const char *ticks;
	} cases[] = {
		{ 0, SVG_DAYS, START, "" },
		{ 1, SVG_DAYS, START, "0 4 Nov," },
		{ 7, SVG_DAYS, START, "0 4 Nov,1 5,2 6,3 7,4 8,5 9,6 10," },
		{ 8, SVG_DAYS, START, "0 4 Nov,2 6,4 8,6 10," },
		{ 400, SVG_DAYS, START, "0 4 Nov,112 24 Feb,224 16 Jun,"
		  "336 6 Oct," },
		{ 3, SVG_HOURS, START + HOUR, "0 01:00,1 02:00,2 03:00," },
		{ 24, SVG_HOURS, START + 5 * HOUR, "3 08:00,7 12:00,11 16:00,"
		  "15 20:00,19 5 Nov,23 04:00," },
		{ 168, SVG_HOURS, START + 17 * HOUR, "7 5 Nov,31 6,55 7,"
		  "79 8,103 9,127 10,151 11," },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		check_ticks(i, cases[i].count, cases[i].kind, cases[i].start,
			    cases[i].ticks);
}

/*
 * The last hours
 */

static void test_recent(void)
{
	struct report_slot hours[30] = { { .start = START } };
	struct report_domain domain = { .hours = hours, .hours_count = 30 };
	struct report_recent recent;
	size_t i;

	for (i = 0; i < COUNT(hours); i++) {
		hours[i].start = START + (int64_t)i * HOUR;
		hours[i].wanted[REPORT_OLD] = 1;
		hours[i].spam[REPORT_NEW] = 2;
	}
	hours[0].blind[REPORT_OLD] = hours[7].blind[REPORT_OLD] = 60;
	report_recent_get(&domain, &recent);
	CU_ASSERT_EQUAL(recent.from, START + 6 * HOUR);
	CU_ASSERT_EQUAL(recent.wanted[REPORT_OLD], 24);
	CU_ASSERT_EQUAL(recent.wanted[REPORT_NEW], 0);
	CU_ASSERT_EQUAL(recent.spam[REPORT_NEW], 48);
	CU_ASSERT_EQUAL(recent.blind_s[REPORT_OLD], 60);
	domain.hours_count = 0;
	report_recent_get(&domain, &recent);
	CU_ASSERT_EQUAL(recent.from, 0);
}

/* No data is never taken for none. */
static void test_outlook(void)
{
	static const struct {
		bool watched;
		enum report_switched_by by;
		struct report_recent recent;
		enum report_outlook outlook;
	} cases[] = {
		{ true, REPORT_SWITCHED_GIVEN, { .from = START },
		  REPORT_OUTLOOK_NONE },
		{ true, REPORT_SWITCHED_GIVEN,
		  { .from = START, .blind_s = { 60, 0 } },
		  REPORT_OUTLOOK_UNSURE },
		{ true, REPORT_SWITCHED_GIVEN,
		  { .from = START, .blind_s = { 20 * HOUR, 0 } },
		  REPORT_OUTLOOK_BLIND },
		{ false, REPORT_SWITCHED_GIVEN, { .from = START },
		  REPORT_OUTLOOK_BLIND },
		{ true, REPORT_SWITCHED_INFERRED,
		  { .from = START, .wanted = { 1, 9 },
		    .blind_s = { 20 * HOUR, 0 } }, REPORT_OUTLOOK_COMING },
		{ true, REPORT_SWITCHED_UNKNOWN,
		  { .from = START, .wanted = { 1, 0 } },
		  REPORT_OUTLOOK_BEFORE },
		{ true, REPORT_SWITCHED_GIVEN, { .from = 0 },
		  REPORT_OUTLOOK_NOTHING },
	};
	struct report_model model = { .now = START };
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		model.watched[REPORT_OLD] = cases[i].watched;
		model.switched_by = cases[i].by;
		UNIT_CHECK(report_recent_outlook(&model, &cases[i].recent) ==
			   cases[i].outlook, "%zu", i);
	}
}

/*
 * The file
 */

static void test_file(void)
{
	char dir[] = "/tmp/dovecot-migration-html.XXXXXX", path[64];
	const char *error = "";
	struct stat st;
	mode_t mask;

	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/page.html", dir);
	mask = umask(027);
	CU_ASSERT_EQUAL(report_html_write_file(report_example_empty(), path,
					       &error), 0);
	CU_ASSERT_EQUAL(report_html_write_file(report_example_empty(), path,
					       &error), 0);
	(void)umask(mask);
	CU_ASSERT_FATAL(stat(path, &st) == 0);
	UNIT_CHECK((st.st_mode & 0777) == 0640, "mode %o", st.st_mode & 0777);
	CU_ASSERT_EQUAL(unlink(path), 0);
	/* nothing else was left there */
	CU_ASSERT_EQUAL(rmdir(dir), 0);

	CU_ASSERT_EQUAL(report_html_write_file(report_example_empty(),
					       "/dev/full", &error), -1);
	CU_ASSERT_STRING_EQUAL(error, "No space left on device");
	CU_ASSERT_EQUAL(report_html_write_file(report_example_empty(),
					       "/nowhere/page.html", &error),
			-1);
	CU_ASSERT_STRING_EQUAL(error, "No such file or directory");
	CU_ASSERT_EQUAL(report_html_write_file(report_example_empty(),
					       "/dev/null", &error), 0);
}

static const struct unit_test tests[] = {
	{ "the end of an axis", test_top },
	{ "marks on the axis of time", test_ticks },
	{ "the last hours", test_recent },
	{ "what they tell", test_outlook },
	{ "the file", test_file },
	{ NULL, NULL }
};

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	return unit_run("report-html", tests);
}
