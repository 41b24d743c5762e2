/* test-text-format: numbers, sizes, spans and times as people read them. */
#include "unit.h"
#include "common/text-format.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct number_case {
	uint64_t n;
	const char *text;
};

static void check(const char *what, size_t i, struct format got,
		  const char *text)
{
	UNIT_CHECK(strcmp(got.text, text) == 0, "%s %zu: %s, not %s", what, i,
		   got.text, text);
}

static void test_numbers(void)
{
	static const struct number_case counts[] = {
		{ 0, "0" }, { 7, "7" }, { 999, "999" }, { 1000, "1,000" },
		{ 123456, "123,456" }, { 1234567, "1,234,567" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};
	static const struct number_case bytes[] = {
		{ 0, "0 B" }, { 999, "999 B" }, { 1000, "1.0 kB" },
		{ 1234, "1.2 kB" }, { 9949, "9.9 kB" }, { 9960, "10 kB" },
		{ 999499, "999 kB" }, { 999600, "1.0 MB" },
		{ 34000000, "34 MB" }, { 5120000000, "5.1 GB" },
		{ UINT64_MAX, "18 EB" },
	};
	static const struct number_case spans[] = {
		{ 0, "0 s" }, { 59, "59 s" }, { 60, "1 min" },
		{ 725, "12 min 5 s" }, { 3600, "1 h" }, { 3659, "1 h" },
		{ 7260, "2 h 1 min" }, { 273600, "3 d 4 h" },
		{ 86400 + 60, "1 d" },
	};
	size_t i;

	for (i = 0; i < COUNT(counts); i++)
		check("count", i, format_count(counts[i].n), counts[i].text);
	for (i = 0; i < COUNT(bytes); i++)
		check("bytes", i, format_bytes(bytes[i].n), bytes[i].text);
	for (i = 0; i < COUNT(spans); i++)
		check("span", i, format_span(spans[i].n), spans[i].text);
}

static void test_shares(void)
{
	static const struct {
		uint64_t part, whole;
		const char *text;
	} shares[] = {
		{ 0, 0, "-" }, { 0, 5, "0 %" }, { 5, 5, "100 %" },
		{ 1, 2, "50 %" }, { 1, 3, "33 %" }, { 24, 1000, "2.4 %" },
		{ 1, 100000, "< 0.1 %" }, { 99999, 100000, "> 99.9 %" },
		{ 999, 1000, "99.9 %" }, { 1, 1000, "0.1 %" },
		{ 9999999999999999999u, UINT64_MAX, "54 %" },
	};
	size_t i;

	for (i = 0; i < COUNT(shares); i++)
		check("share", i,
		      format_share(shares[i].part, shares[i].whole),
		      shares[i].text);
}

static void test_bars(void)
{
	static const struct {
		uint64_t part, whole;
		unsigned int cells;
		const char *text;
	} bars[] = {
		{ 0, 0, 4, "[....]" }, { 0, 9, 4, "[....]" },
		{ 1, 2, 4, "[##..]" }, { 5, 5, 4, "[####]" },
		{ 6, 5, 4, "[####]" }, { 3, 4, 0, "[]" },
		{ UINT64_MAX - 1, UINT64_MAX, 4, "[###.]" },
		{ 1, 1, 99, "[############################]" },
	};
	size_t i;

	for (i = 0; i < COUNT(bars); i++)
		check("bar", i, format_bar(bars[i].part, bars[i].whole,
					   bars[i].cells), bars[i].text);
}

static void test_times(void)
{
	setenv("TZ", "CET-1", 1);
	tzset();
	check("time", 0, format_time(1793588645), "2026-11-02 04:04");
	check("time", 1, format_time(0), "-");
	check("date", 0, format_date(1793588645), "2026-11-02");
	check("zone", 0, format_time_zone(1793588645),
	      "2026-11-02 04:04:05 +0100");
	check("rfc3339", 0, format_rfc3339(1793588645), "2026-11-02T03:04:05Z");
	check("rfc3339", 1, format_rfc3339(0), "");
	/* no year has so many digits */
	check("time", 2, format_time(INT64_MAX), "-");
}

static const struct unit_test tests[] = {
	{ "numbers, sizes, spans", test_numbers },
	{ "shares", test_shares },
	{ "bars", test_bars },
	{ "times", test_times },
	{ NULL, NULL }
};

int main(void)
{
	return unit_run("text-format", tests);
}
