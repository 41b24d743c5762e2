/*
 * iso-time: a point in time as text, ISO 8601 as RFC 3339 narrows it down
 *
 *     2026-11-22T06:00:00Z        2026-11-22T07:00+01:00
 * The zone must be given: a time that means one thing in winter and another in
 * summer is no time to act on. Seconds may be left out.
 */
#ifndef ISO_TIME_H
#define ISO_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define ISO_TIME_SIZE 32

bool iso_time_parse(const char *text, time_t *time_r);
/* In UTC, with "Z". */
const char *iso_time_format(time_t when, char text_r[ISO_TIME_SIZE]);

#endif
