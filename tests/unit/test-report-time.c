/* test-report-time: when a line of syslog was written. */
#include "unit.h"
#include "report/syslog-time.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2026-11-22T12:00:00Z, 2027-01-03T12:00:00Z */
#define NOVEMBER 1795348800
#define JANUARY 1798977600

static int64_t utc(const char *text)
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (strptime(text, "%Y-%m-%d %H:%M:%S", &tm) == NULL)
		CU_FAIL_FATAL("the test's own time is wrong");
	return (int64_t)timegm(&tm);
}

static void check(struct syslog_clock *clock, const char *text,
		  const char *wanted, size_t i)
{
	int64_t time = 0;
	bool ok = syslog_clock_read(clock, text, strlen(text), &time);

	if (wanted == NULL)
		UNIT_CHECK(!ok, "case %zu: %s was read", i, text);
	else
		UNIT_CHECK(ok && time == utc(wanted), "case %zu: %s is %lld", i,
			   text, (long long)(ok ? time : -1));
}

/* Each with a clock of its own. */
static void test_forms(void)
{
	static const struct {
		const char *text, *zone, *wanted;
	} tests[] = {
		{ "2026-11-22T03:04:05Z", "UTC", "2026-11-22 03:04:05" },
		{ "2026-11-22T03:04:05.999999Z", "UTC", "2026-11-22 03:04:05" },
		{ "2026-11-22T03:04:05.1+01:00", "UTC", "2026-11-22 02:04:05" },
		{ "2026-11-22T03:04:05+0530", "UTC", "2026-11-21 21:34:05" },
		{ "2026-11-22T03:04:05-08", "UTC", "2026-11-22 11:04:05" },
		{ "2026-11-22T03:04:05", "UTC", "2026-11-22 03:04:05" },
		{ "2026-11-22T03:04:05", "Europe/Berlin", "2026-11-22 02:04:05" },
		{ "2026-07-22T03:04", "Europe/Berlin", "2026-07-22 01:04:00" },
		{ "2024-02-29T00:00:00Z", "UTC", "2024-02-29 00:00:00" },
		{ "2026-06-30T23:59:60Z", "UTC", "2026-07-01 00:00:00" },
		{ "Nov 22 03:04:05", "UTC", "2026-11-22 03:04:05" },
		{ "Nov  2 03:04:05", "UTC", "2026-11-02 03:04:05" },
		{ "Nov 22 03:04:05", "America/New_York", "2026-11-22 08:04:05" },
		/* a day after the last change at most, else it's last year's */
		{ "Nov 23 11:00:00", "UTC", "2026-11-23 11:00:00" },
		{ "Nov 23 13:00:00", "UTC", "2025-11-23 13:00:00" },
		{ "Dec 31 23:59:59", "UTC", "2025-12-31 23:59:59" },
		{ "Feb 29 00:00:00", "UTC", "2024-02-29 00:00:00" },
		/* garbage */
		{ "2026-02-29T00:00:00Z", "UTC", NULL },
		{ "2026-13-01T00:00:00Z", "UTC", NULL },
		{ "2026-11-22T24:00:00Z", "UTC", NULL },
		{ "2026-11-22T03:60:00Z", "UTC", NULL },
		{ "2026-11-22T03:04:61Z", "UTC", NULL },
		{ "2026-11-22T03:04:05X", "UTC", NULL },
		{ "2026-11-22T03:04:05+1", "UTC", NULL },
		{ "2026-11-22T03:04:05+24:00", "UTC", NULL },
		{ "2026-11-22T03:04:05+01:60", "UTC", NULL },
		{ "2026-11-22", "UTC", NULL },
		{ "2026/11/22T03:04:05Z", "UTC", NULL },
		{ "0000-00-00T00:00:00Z", "UTC", NULL },
		{ "Nov 31 00:00:00", "UTC", NULL },
		{ "Nov  0 00:00:00", "UTC", NULL },
		{ "Foo  1 00:00:00", "UTC", NULL },
		{ "Nov 22 24:00:00", "UTC", NULL },
		{ "Nov 22 03:04:0", "UTC", NULL },
		{ "Nov 22 03:04:05 ", "UTC", NULL },
		{ "-", "UTC", NULL },
		{ "", "UTC", NULL },
	};
	struct syslog_clock clock;
	size_t i;

	for (i = 0; i < COUNT(tests); i++) {
		syslog_clock_init(&clock, tests[i].zone, NOVEMBER, 0);
		check(&clock, tests[i].text, tests[i].wanted, i);
	}
}

struct line_case {
	const char *text, *wanted;
};

static void check_lines(const char *zone, int64_t changed, int year,
			const struct line_case *lines, size_t count)
{
	struct syslog_clock clock;
	size_t i;

	syslog_clock_init(&clock, zone, changed, year);
	for (i = 0; i < count; i++)
		check(&clock, lines[i].text, lines[i].wanted, i);
}

static void test_turn_of_the_year(void)
{
	static const struct line_case lines[] = {
		{ "Dec 31 23:59:59", "2026-12-31 23:59:59" },
		{ "Jan  1 00:00:00", "2027-01-01 00:00:00" },
		/* somewhat out of order */
		{ "Dec 31 23:59:58", "2026-12-31 23:59:58" },
		{ "Jan  1 00:00:01", "2027-01-01 00:00:01" },
		/* lines that say it all don't disturb */
		{ "2020-05-05T00:00:00Z", "2020-05-05 00:00:00" },
		{ "Jan  1 00:00:02", "2027-01-01 00:00:02" },
		/* never later than the log's last change and a day */
		{ "Jan  9 00:00:00", "2026-01-09 00:00:00" },
	};

	check_lines("UTC", JANUARY, 0, lines, COUNT(lines));
}

/* More than a year in one log: only the first year must be given. */
static void test_given_year(void)
{
	static const struct line_case lines[] = {
		{ "Mar  5 10:00:00", "2024-03-05 10:00:00" },
		{ "Aug  5 10:00:00", "2024-08-05 10:00:00" },
		{ "Jan  5 10:00:00", "2025-01-05 10:00:00" },
		{ "Jun  5 10:00:00", "2025-06-05 10:00:00" },
		{ "Nov  5 10:00:00", "2025-11-05 10:00:00" },
		{ "Feb  5 10:00:00", "2026-02-05 10:00:00" },
	};

	check_lines("UTC", NOVEMBER, 2024, lines, COUNT(lines));
}

/* Summer time ends: 02:00 to 02:59 come twice. */
static void test_hour_twice(void)
{
	static const struct line_case lines[] = {
		{ "Oct 25 01:59:59", "2026-10-24 23:59:59" },
		{ "Oct 25 02:00:00", "2026-10-25 00:00:00" },
		{ "Oct 25 02:30:00", "2026-10-25 00:30:00" },
		{ "Oct 25 02:59:59", "2026-10-25 00:59:59" },
		{ "Oct 25 02:00:00", "2026-10-25 01:00:00" },
		{ "Oct 25 02:30:00", "2026-10-25 01:30:00" },
		{ "Oct 25 02:31:00", "2026-10-25 01:31:00" },
		{ "Oct 25 03:00:00", "2026-10-25 02:00:00" },
	};

	check_lines("Europe/Berlin", NOVEMBER, 0, lines, COUNT(lines));
}

/* A minute that is looked up again isn't another form's or zone's. */
static void test_minute_kept(void)
{
	static const struct line_case lines[] = {
		{ "2026-11-22T03:04:05Z", "2026-11-22 03:04:05" },
		{ "2026-11-22T03:04:06+01:00", "2026-11-22 02:04:06" },
		{ "2026-11-22T03:04:07", "2026-11-22 02:04:07" },
		{ "2026-11-22T03:04:08Z", "2026-11-22 03:04:08" },
		{ "2026-11-22T03:05:08", "2026-11-22 02:05:08" },
		{ "Nov 22 03:04:05", "2026-11-22 02:04:05" },
		{ "Nov 22 03:04:06", "2026-11-22 02:04:06" },
	};

	check_lines("Europe/Berlin", NOVEMBER, 0, lines, COUNT(lines));
}

static void test_zone_is_put_back(void)
{
	struct syslog_clock clock;
	int64_t time;

	(void)setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	syslog_clock_init(&clock, "Europe/Berlin", NOVEMBER, 0);
	CU_ASSERT(syslog_clock_read(&clock, "Nov 22 03:04:05", 15, &time));
	CU_ASSERT_STRING_EQUAL(getenv("TZ"), "Asia/Tokyo");
	syslog_clock_init(&clock, NULL, NOVEMBER, 0);
	check(&clock, "Nov 22 03:04:05", "2026-11-21 18:04:05", 0);
	(void)setenv("TZ", "UTC", 1);
	tzset();
}

static void test_given_by_people(void)
{
	static const struct {
		const char *text, *wanted;
	} tests[] = {
		{ "2026-11-22", "2026-11-22 00:00:00" },
		{ "2026-11-22 03:04", "2026-11-22 03:04:00" },
		{ "2026-11-22 03:04:05", "2026-11-22 03:04:05" },
		{ "2026-11-22T03:04:05+01:00", "2026-11-22 02:04:05" },
		{ "@1795348800", "2026-11-22 12:00:00" },
		{ "@", NULL }, { "@12x", NULL }, { "", NULL },
		{ "2026-11-2", NULL }, { "22.11.2026", NULL },
		{ "Nov 22 03:04:05", NULL }, { "yesterday", NULL },
	};
	int64_t time;
	size_t i;

	(void)setenv("TZ", "UTC", 1);
	tzset();
	for (i = 0; i < COUNT(tests); i++) {
		if (tests[i].wanted == NULL)
			UNIT_CHECK(!syslog_time_parse(tests[i].text, &time),
				   "case %zu", i);
		else
			UNIT_CHECK(syslog_time_parse(tests[i].text, &time) &&
				   time == utc(tests[i].wanted), "case %zu", i);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "forms", test_forms },
		{ "the turn of the year", test_turn_of_the_year },
		{ "more than a year", test_given_year },
		{ "an hour that comes twice", test_hour_twice },
		{ "minutes that are kept", test_minute_kept },
		{ "the zone is put back", test_zone_is_put_back },
		{ "given by people", test_given_by_people },
		{ NULL, NULL }
	};

	return unit_run("report-time", tests);
}
