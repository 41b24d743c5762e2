#include "syslog-time.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Behind the log's last change clocks may differ. */
#define SLACK SYSLOG_DAY
/* Lines may be out of order by so much. */
#define DISORDER 300

struct parts {
	int year, month, day, hour, minute, second;
};

void syslog_clock_init(struct syslog_clock *clock, const char *zone,
		       int64_t changed, int year)
{
	memset(clock, 0, sizeof(*clock));
	clock->zone = zone;
	clock->changed = changed;
	clock->year = year;
}

/* Two digits, up to max; -1 for anything else. A space may stand for a leading
   zero. */
static int two_digits(const char *p, int max)
{
	int high = p[0] == ' ' ? 0 : p[0] - '0', low = p[1] - '0';

	if (high < 0 || high > 9 || low < 0 || low > 9 || high * 10 + low > max)
		return -1;
	return high * 10 + low;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_day(const struct parts *parts)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	int max = days[parts->month - 1];

	if (parts->month == 2 && is_leap(parts->year))
		max++;
	return parts->day >= 1 && parts->day <= max;
}

/* Days since 1970 of the proleptic Gregorian calendar, years counted from March
   so that the leap day is the last one. */
static int64_t days_since_1970(const struct parts *parts)
{
	int64_t year = parts->year - (parts->month <= 2);
	int64_t era = year / 400, of_era = year % 400;
	int64_t month = (parts->month + 9) % 12;
	int64_t of_year = (153 * month + 2) / 5 + parts->day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
		of_year - 719468;
}

static int64_t utc_minute(const struct parts *parts)
{
	return days_since_1970(parts) * SYSLOG_DAY + parts->hour * 3600 +
		parts->minute * 60;
}

/* Sets TZ for a while; returns what it was. */
static char *zone_enter(const char *zone)
{
	const char *old = getenv("TZ");
	char *copy = old == NULL ? NULL : strdup(old);

	(void)setenv("TZ", zone, 1);
	tzset();
	return copy;
}

static void zone_leave(char *old)
{
	if (old == NULL)
		(void)unsetenv("TZ");
	else
		(void)setenv("TZ", old, 1);
	free(old);
	tzset();
}

static int64_t make_time(const struct parts *parts, int is_dst)
{
	struct tm tm = {
		.tm_year = parts->year - 1900, .tm_mon = parts->month - 1,
		.tm_mday = parts->day, .tm_hour = parts->hour,
		.tm_min = parts->minute, .tm_isdst = is_dst
	};
	time_t time = mktime(&tm);

	/* the zone has no such summer time */
	if (is_dst >= 0 && (tm.tm_isdst != is_dst ||
			    tm.tm_hour != parts->hour))
		return 0;
	return (int64_t)time;
}

/* last: a time near which it is, 0 for none. */
static int64_t
local_minute(const char *zone, const struct parts *parts, int64_t last)
{
	char *old = zone == NULL ? NULL : zone_enter(zone);
	int64_t summer = make_time(parts, 1), winter = make_time(parts, 0);
	int64_t time;

	if (summer == 0 || winter == 0)
		time = make_time(parts, -1);
	else
		time = last > summer + 60 + DISORDER ? winter : summer;
	if (zone != NULL)
		zone_leave(old);
	return time;
}

/* The zone at the end of an ISO time: seconds east of UTC, whether it's there. */
static bool
read_offset(const char *p, const char *end, int *offset_r, bool *found_r)
{
	int hours, minutes = 0, sign;

	*found_r = p < end;
	*offset_r = 0;
	if (p == end || (end - p == 1 && *p == 'Z'))
		return true;
	sign = *p == '-' ? -1 : 1;
	if ((*p != '+' && *p != '-') || (end - p != 3 && end - p != 5 &&
					 end - p != 6))
		return false;
	hours = two_digits(p + 1, 23);
	if (end - p > 3)
		minutes = two_digits(end - 2, 59);
	if (hours < 0 || minutes < 0 || (end - p == 6 && p[3] != ':'))
		return false;
	*offset_r = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool read_year(const char *p, int *year_r)
{
	int high = two_digits(p, 99), low = two_digits(p + 2, 99);

	*year_r = high * 100 + low;
	return high >= 19 && low >= 0;
}

static bool read_iso_date(const char *p, struct parts *parts)
{
	if (!read_year(p, &parts->year))
		return false;
	parts->month = two_digits(p + 5, 12);
	parts->day = two_digits(p + 8, 31);
	return p[4] == '-' && p[7] == '-' && parts->month >= 1 && is_day(parts);
}

/* "03:04" */
static bool read_minute(const char *p, struct parts *parts)
{
	parts->hour = two_digits(p, 23);
	parts->minute = two_digits(p + 3, 59);
	return parts->hour >= 0 && p[2] == ':' && parts->minute >= 0;
}

/* Of what stands behind "2026-11-22T03:04": seconds, fraction, zone. */
static bool
read_iso_rest(const char *p, const char *end, int *second_r, int *offset_r,
	      bool *zoned_r)
{
	*second_r = 0;
	if (end - p >= 3 && *p == ':') {
		*second_r = two_digits(p + 1, 60);
		p += 3;
		if (*second_r < 0)
			return false;
		if (p < end && (*p == '.' || *p == ',')) {
			for (p++; p < end && *p >= '0' && *p <= '9'; p++) ;
		}
	}
	return read_offset(p, end, offset_r, zoned_r);
}

/* "2026-11-22T03:04" is written so in the zone, or in UTC when zoned. */
static bool
iso_minute(struct syslog_clock *clock, const char *text, bool zoned,
	   int64_t *minute_r)
{
	struct parts parts;

	if (!read_iso_date(text, &parts) || !read_minute(text + 11, &parts) ||
	    (text[10] != 'T' && text[10] != ' ' && text[10] != 't'))
		return false;
	*minute_r = zoned ? utc_minute(&parts) :
		local_minute(clock->zone, &parts, 0);
	return true;
}

/* The minute as it was looked up last? */
static bool is_known(const struct syslog_clock *clock, const char *text,
		     size_t size, bool zoned)
{
	return clock->minute_size == size && clock->minute_zoned == zoned &&
		memcmp(clock->minute_text, text, size) == 0;
}

static void know(struct syslog_clock *clock, const char *text, size_t size,
		 bool zoned, int64_t minute)
{
	memcpy(clock->minute_text, text, size);
	clock->minute_size = size;
	clock->minute_zoned = zoned;
	clock->minute = minute;
}

#define ISO_MINUTE_SIZE 16

static bool
read_iso(struct syslog_clock *clock, const char *text, size_t size,
	 int64_t *time_r)
{
	int second, offset;
	bool zoned;

	if (size < ISO_MINUTE_SIZE ||
	    !read_iso_rest(text + ISO_MINUTE_SIZE, text + size, &second,
			   &offset, &zoned))
		return false;
	if (!is_known(clock, text, ISO_MINUTE_SIZE, zoned)) {
		if (!iso_minute(clock, text, zoned, time_r))
			return false;
		know(clock, text, ISO_MINUTE_SIZE, zoned, *time_r);
	}
	*time_r = clock->minute + second - offset;
	return true;
}

static int month_number(const char *p)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int i;

	for (i = 0; i < 12; i++) {
		if (memcmp(names + i * 3, p, 3) == 0)
			return i + 1;
	}
	return 0;
}

static int year_of(int64_t time)
{
	time_t t = (time_t)time;
	struct tm tm;

	return gmtime_r(&t, &tm) == NULL ? 1970 : tm.tm_year + 1900;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* No zone is further from UTC. */
#define ZONE_MAX SYSLOG_DAY

/* Which year it is shows without the zone, which costs a lot, nearly always: how
   near to the last line the nearest one is. */
static int64_t nearest_year(const struct syslog_clock *clock,
			    struct parts *parts, int year, int oldest)
{
	int64_t near, nearest = INT64_MAX;

	for (; year >= oldest; year--) {
		parts->year = year;
		if (!is_day(parts) ||
		    utc_minute(parts) - ZONE_MAX > clock->changed + SLACK)
			continue;
		near = distance(utc_minute(parts), clock->last);
		if (near < nearest)
			nearest = near;
	}
	return nearest;
}

/* The best of the years that are no further from the last line; 0 for none. */
static int64_t best_year(const struct syslog_clock *clock, struct parts *parts,
			 int year, int oldest, int64_t furthest)
{
	int64_t best = 0, minute;

	for (; year >= oldest; year--) {
		parts->year = year;
		if (!is_day(parts) ||
		    distance(utc_minute(parts), clock->last) > furthest)
			continue;
		minute = local_minute(clock->zone, parts, clock->last);
		if (minute > clock->changed + SLACK)
			continue;
		if (clock->last == 0)
			return minute;
		if (best == 0 || distance(minute, clock->last) <
		    distance(best, clock->last))
			best = minute;
	}
	return best;
}

/* Of the years around the log's last change, see the header. */
static bool find_year(struct syslog_clock *clock, struct parts *parts,
		      int64_t *minute_r)
{
	int year = year_of(clock->changed) + 1, oldest = year - 9;
	int64_t nearest;

	*minute_r = 0;
	if (clock->last != 0) {
		oldest = year_of(clock->last) - 1;
		nearest = nearest_year(clock, parts, year, oldest);
		if (nearest < INT64_MAX)
			*minute_r = best_year(clock, parts, year, oldest,
					      nearest + 2 * ZONE_MAX);
	}
	if (*minute_r == 0)
		*minute_r = best_year(clock, parts, year, oldest, INT64_MAX);
	return *minute_r != 0;
}

#define RFC3164_MINUTE_SIZE 12
#define RFC3164_SIZE 15

/* "Nov 22 03:04" */
static bool
rfc3164_minute(struct syslog_clock *clock, const char *text, int64_t *minute_r)
{
	struct parts parts;

	parts.month = month_number(text);
	parts.day = two_digits(text + 4, 31);
	if (parts.month == 0 || parts.day < 1 || !read_minute(text + 7, &parts))
		return false;
	if (clock->year == 0 || clock->last != 0)
		return find_year(clock, &parts, minute_r);
	parts.year = clock->year;
	*minute_r = local_minute(clock->zone, &parts, 0);
	return is_day(&parts);
}

static bool
read_rfc3164(struct syslog_clock *clock, const char *text, size_t size,
	     int64_t *time_r)
{
	int second;

	if (size != RFC3164_SIZE || text[12] != ':' ||
	    (second = two_digits(text + 13, 60)) < 0)
		return false;
	if (!is_known(clock, text, RFC3164_MINUTE_SIZE, false)) {
		if (!rfc3164_minute(clock, text, time_r))
			return false;
		know(clock, text, RFC3164_MINUTE_SIZE, false, *time_r);
	}
	*time_r = clock->last = clock->minute + second;
	return true;
}

bool syslog_clock_read(struct syslog_clock *clock, const char *text,
		       size_t size, int64_t *time_r)
{
	if (size == 0)
		return false;
	return *text >= '0' && *text <= '9' ?
		read_iso(clock, text, size, time_r) :
		read_rfc3164(clock, text, size, time_r);
}

static bool read_seconds(const char *text, int64_t *time_r)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*time_r = strtoll(text, &end, 10);
	return *end == '\0';
}

bool syslog_time_parse(const char *text, int64_t *time_r)
{
	struct syslog_clock clock;
	size_t size = strlen(text);
	char midnight[] = "0000-00-00T00:00";

	if (*text == '@')
		return read_seconds(text + 1, time_r);
	syslog_clock_init(&clock, NULL, 0, 0);
	if (size == 10) {
		memcpy(midnight, text, size);
		return read_iso(&clock, midnight, strlen(midnight), time_r);
	}
	return read_iso(&clock, text, size, time_r);
}
