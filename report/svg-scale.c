#include "svg-scale.h"

#include <string.h>
#include <time.h>

#define HOURS_A_DAY 24

uint64_t svg_scale_top(uint64_t n)
{
	static const uint64_t firsts[] = { 1, 2, 3, 4, 5, 6, 8 };
	uint64_t power = 1;
	size_t i;

	for (; power <= UINT64_MAX / 10; power *= 10) {
		for (i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
			if (firsts[i] * power >= n)
				return firsts[i] * power;
		}
	}
	return n;
}

static size_t choose_step(size_t count, enum svg_slots kind)
{
	static const size_t hours[] = { 1, 2, 3, 4, 6, 12, HOURS_A_DAY };
	static const size_t days[] = { 1, 2, 3, 4, 7 };
	const size_t *steps = kind == SVG_HOURS ? hours : days;
	size_t i, steps_count = kind == SVG_HOURS ?
		sizeof(hours) / sizeof(hours[0]) :
		sizeof(days) / sizeof(days[0]);
	size_t step;

	for (i = 0; i < steps_count; i++) {
		if (count <= steps[i] * SVG_MAX_TICKS)
			return steps[i];
	}
	for (step = steps[i - 1]; count > step * SVG_MAX_TICKS; )
		step *= 2;
	return step;
}

static int hour_of(int64_t time)
{
	time_t value = (time_t)time;
	struct tm tm;

	return localtime_r(&value, &tm) == NULL ? 0 : tm.tm_hour;
}

static size_t first_round(const struct report_slot *slots, size_t count,
			  enum svg_slots kind, size_t step)
{
	int round = step < HOURS_A_DAY ? (int)step : HOURS_A_DAY;
	size_t i;

	if (kind == SVG_DAYS)
		return 0;
	for (i = 0; i < count && i < step; i++) {
		if (hour_of(slots[i].start) % round == 0)
			break;
	}
	return i;
}

/* *month is that of the last label that named one. */
static void set_label(struct svg_tick *tick, int64_t time, enum svg_slots kind,
		      int *month)
{
	time_t value = (time_t)time;
	const char *fmt = "%H:%M";
	struct tm tm;

	if (localtime_r(&value, &tm) == NULL) {
		strcpy(tick->label, "?");
		return;
	}
	if (kind == SVG_DAYS || tm.tm_hour == 0) {
		fmt = tm.tm_mon == *month ? "%-d" : "%-d %b";
		*month = tm.tm_mon;
	}
	(void)strftime(tick->label, sizeof(tick->label), fmt, &tm);
}

size_t svg_scale_ticks(const struct report_slot *slots, size_t count,
		       enum svg_slots kind,
		       struct svg_tick ticks_r[SVG_MAX_TICKS])
{
	size_t step = choose_step(count, kind), used = 0;
	size_t slot = first_round(slots, count, kind, step);
	int month = -1;

	for (; slot < count && used < SVG_MAX_TICKS; slot += step) {
		ticks_r[used].slot = slot;
		set_label(&ticks_r[used++], slots[slot].start, kind,
			  &month);
	}
	return used;
}
