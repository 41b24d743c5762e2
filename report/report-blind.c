#include "report-blind.h"

#include <string.h>

void blind_add(struct blind *blind, int64_t from, int64_t to)
{
	if (to <= from)
		return;
	if (blind->count == blind->room) {
		blind->room = blind->room * 2 + 16;
		blind->spans = memory_resize(blind->spans, blind->room,
					     sizeof(*blind->spans));
	}
	blind->spans[blind->count++] = (struct report_span){ from, to };
}

static int compare_spans(const void *a, const void *b)
{
	const struct report_span *span_a = a, *span_b = b;

	return span_a->from < span_b->from ? -1 : span_a->from > span_b->from;
}

void blind_join(struct blind *blind)
{
	struct report_span *spans = blind->spans;
	size_t i, used = 0;

	if (blind->count == 0)
		return;
	qsort(spans, blind->count, sizeof(*spans), compare_spans);
	for (i = 1; i < blind->count; i++) {
		if (spans[i].from > spans[used].to)
			spans[++used] = spans[i];
		else if (spans[i].to > spans[used].to)
			spans[used].to = spans[i].to;
	}
	blind->count = used + 1;
}

/* The first one that ends after that time. */
static size_t find(const struct blind *blind, int64_t time)
{
	size_t low = 0, high = blind->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (blind->spans[middle].to > time)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

uint64_t blind_sum(const struct blind *blind, int64_t from, int64_t to)
{
	const struct report_span *span;
	uint64_t sum = 0;
	size_t i;

	for (i = find(blind, from); i < blind->count; i++) {
		span = &blind->spans[i];
		if (span->from >= to)
			break;
		sum += (uint64_t)((span->to < to ? span->to : to) -
				  (span->from > from ? span->from : from));
	}
	return sum;
}

void blind_clear(struct blind *blind)
{
	free(blind->spans);
	memset(blind, 0, sizeof(*blind));
}
