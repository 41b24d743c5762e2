/*
 * report-seen: adds to a struct report_seen
 */
#ifndef REPORT_SEEN_H
#define REPORT_SEEN_H

#include "report-model.h"

/* first and last of a time that isn't 0 */
static inline void report_span_add(int64_t *first, int64_t *last, int64_t time)
{
	if (*first == 0 || time < *first)
		*first = time;
	if (time > *last)
		*last = time;
}

static inline void
report_seen_add(struct report_seen *seen, enum report_side side, int64_t time)
{
	seen->count[side]++;
	report_span_add(&seen->first[side], &seen->last[side], time);
}

#endif
