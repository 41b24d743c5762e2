/*
 * svg-scale: where the axes of a chart have their marks
 *
 * No drawing: figures in, figures out.
 */
#ifndef SVG_SCALE_H
#define SVG_SCALE_H

#include "report-model.h"

/* So many labels stand side by side on a phone. */
#define SVG_MAX_TICKS 7

struct svg_tick {
	/* The slot at whose start it stands. */
	size_t slot;
	/* "2 Nov", "4" within the same month, or "18:00". */
	char label[16];
};

enum svg_slots {
	SVG_HOURS,
	SVG_DAYS
};

/* The round number at the end of an axis on which n is the greatest; 1 for 0. */
uint64_t svg_scale_top(uint64_t n);

/* Marks for slots of that kind, at round hours of the local time. Returns how
   many there are, at most SVG_MAX_TICKS. */
size_t svg_scale_ticks(const struct report_slot *slots, size_t count,
		       enum svg_slots kind,
		       struct svg_tick ticks_r[SVG_MAX_TICKS]);

#endif
