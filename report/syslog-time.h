/*
 * syslog-time: when a line of syslog was written
 *
 * Forms: "2026-11-22T03:04:05.123456+01:00" and its shorter ones, without the
 * fraction or the zone ("Z" is UTC), and "Nov 22 03:04:05" of RFC 3164, which
 * tells neither the year nor the zone:
 * - the zone is the one given, for forms that don't tell it;
 * - the year of a log's first such line is the latest one in which it isn't later
 *   than a day after the log's last change, or the one given. Of those that
 *   follow, it's the one that brings the line next to the line before, as long
 *   as that isn't after the log's last change: December is followed by January of
 *   the next year, also where lines are somewhat out of order;
 * - an hour that comes twice, because summer time ends, is its second one when
 *   the line before was already later.
 * A time counts whole seconds; fractions are dropped.
 */
#ifndef SYSLOG_TIME_H
#define SYSLOG_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYSLOG_DAY 86400

struct syslog_clock {
	/* As for TZ; NULL: the process' own. */
	const char *zone;
	/* When the log was last changed. */
	int64_t changed;
	/* Of the first line without a year, 0 if not given. */
	int year;
	/* Of the RFC 3164 line before, 0 for none. */
	int64_t last;
	/* The minute looked up last: how it's written, and when it is. */
	char minute_text[24];
	size_t minute_size;
	bool minute_zoned;
	int64_t minute;
};

void syslog_clock_init(struct syslog_clock *clock, const char *zone,
		       int64_t changed, int year);
bool syslog_clock_read(struct syslog_clock *clock, const char *text,
		       size_t size, int64_t *time_r);

/* A time as people give it: "2026-11-22", "2026-11-22 03:04[:05]", the same with
   "T" and a zone, or "@" and seconds since 1970. The process' zone. */
bool syslog_time_parse(const char *text, int64_t *time_r);

#endif
