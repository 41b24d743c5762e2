#include "sim-clock.h"

#include <stdlib.h>
#include <string.h>

struct sim_event {
	int64_t time;
	uint64_t order;
	sim_event_t *event;
	void *context;
};

static int is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void grow(struct sim_clock *clock)
{
	clock->room = clock->room * 2 + 64;
	clock->heap = realloc(clock->heap, clock->room * sizeof(*clock->heap));
	if (clock->heap == NULL)
		abort();
}

void sim_clock_at(struct sim_clock *clock, int64_t time, sim_event_t *event,
		  void *context)
{
	struct sim_event *heap, new = {
		time > clock->now ? time : clock->now, clock->order++, event,
		context
	};
	size_t i;

	if (clock->count == clock->room)
		grow(clock);
	heap = clock->heap;
	for (i = clock->count++; i > 0 && is_before(&new, &heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = new;
}

static struct sim_event take_first(struct sim_clock *clock)
{
	struct sim_event *heap = clock->heap, first = heap[0], last;
	size_t i = 0, child;

	last = heap[--clock->count];
	while ((child = 2 * i + 1) < clock->count) {
		if (child + 1 < clock->count &&
		    is_before(&heap[child + 1], &heap[child]))
			child++;
		if (!is_before(&heap[child], &last))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return first;
}

void sim_clock_run(struct sim_clock *clock, int64_t until)
{
	struct sim_event next;

	while (clock->count > 0 && clock->heap[0].time <= until) {
		next = take_first(clock);
		clock->now = next.time;
		next.event(next.context);
	}
	clock->now = until;
}

void sim_clock_deinit(struct sim_clock *clock)
{
	free(clock->heap);
	memset(clock, 0, sizeof(*clock));
}
