/*
 * report-blind: the spans of time in which something wasn't watched
 */
#ifndef REPORT_BLIND_H
#define REPORT_BLIND_H

#include "memory.h"
#include "report-model.h"

#include <stdint.h>

/* Zeroed at first. */
struct blind {
	struct report_span *spans;
	size_t count, room;
};

void blind_add(struct blind *blind, int64_t from, int64_t to);
/* After the last one: puts them in order, and those that overlap together. */
void blind_join(struct blind *blind);
/* Seconds between the two that are in one of the spans, after blind_join(). */
uint64_t blind_sum(const struct blind *blind, int64_t from, int64_t to);
void blind_clear(struct blind *blind);

#endif
