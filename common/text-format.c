#include "text-format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct format format_count(uint64_t n)
{
	struct format format;
	char digits[24];
	size_t count, i, used = 0;

	count = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);
	for (i = 0; i < count; i++) {
		if (i > 0 && (count - i) % 3 == 0)
			format.text[used++] = ',';
		format.text[used++] = digits[i];
	}
	format.text[used] = '\0';
	return format;
}

struct format format_bytes(uint64_t bytes)
{
	static const char *const units[] = {
		"B", "kB", "MB", "GB", "TB", "PB", "EB"
	};
	struct format format;
	double size = (double)bytes;
	unsigned int unit = 0;

	/* from there on it would be rounded to 1000 */
	while (size >= (unit == 0 ? 1000 : 999.5)) {
		size /= 1000;
		unit++;
	}
	snprintf(format.text, sizeof(format.text), "%.*f %s",
		 unit > 0 && size < 9.95 ? 1 : 0, size, units[unit]);
	return format;
}

struct format format_share(uint64_t part, uint64_t whole)
{
	struct format format;
	double percent = 100.0 * (double)part / (double)whole;

	if (whole == 0)
		strcpy(format.text, "-");
	else if (part == 0 || part >= whole)
		strcpy(format.text, part == 0 ? "0 %" : "100 %");
	else if (percent < 0.1)
		strcpy(format.text, "< 0.1 %");
	else if (percent > 99.9)
		strcpy(format.text, "> 99.9 %");
	else
		snprintf(format.text, sizeof(format.text), "%.*f %%",
			 percent < 9.95 || percent > 99 ? 1 : 0, percent);
	return format;
}

struct format format_bar(uint64_t part, uint64_t whole, unsigned int cells)
{
	struct format format;
	unsigned int full;

	if (cells > FORMAT_BAR_MAX)
		cells = FORMAT_BAR_MAX;
	if (part >= whole)
		full = part == 0 ? 0 : cells;
	else
		full = (unsigned int)((double)part / (double)whole * cells);
	/* rounded up to all of them */
	if (full == cells && full > 0 && part < whole)
		full--;
	memset(format.text, '.', sizeof(format.text));
	memset(format.text + 1, '#', full);
	format.text[0] = '[';
	strcpy(format.text + 1 + cells, "]");
	return format;
}

struct format format_span(uint64_t seconds)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {
		{ "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 }
	};
	const unsigned int last = sizeof(units) / sizeof(units[0]) - 1;
	struct format format;
	unsigned int i = 0;
	uint64_t rest;
	size_t used;

	while (i < last && seconds < units[i].seconds)
		i++;
	used = (size_t)snprintf(format.text, sizeof(format.text),
				"%" PRIu64 " %s", seconds / units[i].seconds,
				units[i].name);
	rest = seconds % units[i].seconds;
	if (i < last && rest >= units[i + 1].seconds)
		snprintf(format.text + used, sizeof(format.text) - used,
			 " %" PRIu64 " %s", rest / units[i + 1].seconds,
			 units[i + 1].name);
	return format;
}

static struct format format_tm(int64_t time, const char *fmt,
			       struct tm *(*split)(const time_t *, struct tm *),
			       const char *none)
{
	struct format format;
	time_t value = (time_t)time;
	struct tm tm;

	if (time == 0 || split(&value, &tm) == NULL ||
	    strftime(format.text, sizeof(format.text), fmt, &tm) == 0)
		strcpy(format.text, none);
	return format;
}

struct format format_time(int64_t time)
{
	return format_tm(time, "%Y-%m-%d %H:%M", localtime_r, "-");
}

struct format format_date(int64_t time)
{
	return format_tm(time, "%Y-%m-%d", localtime_r, "-");
}

struct format format_time_zone(int64_t time)
{
	return format_tm(time, "%Y-%m-%d %H:%M:%S %z", localtime_r, "-");
}

struct format format_rfc3339(int64_t time)
{
	return format_tm(time, "%Y-%m-%dT%H:%M:%SZ", gmtime_r, "");
}
