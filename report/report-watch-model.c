/*
 * report-watch-model: gaps and blind times, as the picture has them
 */
#include "report-watch-private.h"

#include <string.h>

#define INTERVALS_SILENT 3

/* The gap that lasts until the end, if there's one. Other lines don't make up for
   heartbeats: a milter that serves one of its sockets has them too. */
static bool get_open_gap(const struct watcher *watcher, int64_t end,
			 struct report_gap *gap_r)
{
	int64_t from = watcher->beat != 0 ? watcher->beat : watcher->shown.last;

	*gap_r = (struct report_gap){
		from, end, watcher->stopped ? REPORT_GAP_STOPPED :
		REPORT_GAP_SILENT, 0, true
	};
	if (from == 0 || end <= from)
		return false;
	return watcher->stopped ||
		end - from > INTERVALS_SILENT * watcher->interval;
}

static int compare_gap_lengths(const void *a, const void *b)
{
	const struct report_gap *gap_a = a, *gap_b = b;
	int64_t length_a = gap_a->to - gap_a->from;
	int64_t length_b = gap_b->to - gap_b->from;

	return length_a > length_b ? -1 : length_a < length_b;
}

static int compare_gap_times(const void *a, const void *b)
{
	const struct report_gap *gap_a = a, *gap_b = b;

	return gap_a->from < gap_b->from ? -1 : gap_a->from > gap_b->from;
}

/* The longest ones, in the order of time. */
static void show_gaps(struct watcher *watcher, pool_t *pool, int64_t end)
{
	struct report_watcher *shown = &watcher->shown;
	struct report_gap *gaps = pool_array(pool, watcher->count + 1,
					     sizeof(*gaps));
	size_t i, count = watcher->count;

	if (count > 0)
		memcpy(gaps, watcher->gaps, count * sizeof(*gaps));
	shown->blind_now = get_open_gap(watcher, end, &gaps[count]);
	if (shown->blind_now)
		count++;
	for (i = 0, shown->blind_s = 0; i < count; i++)
		shown->blind_s += (uint64_t)(gaps[i].to - gaps[i].from);
	qsort(gaps, count, sizeof(*gaps), compare_gap_lengths);
	if (count > REPORT_MAX_GAPS)
		count = REPORT_MAX_GAPS;
	qsort(gaps, count, sizeof(*gaps), compare_gap_times);
	shown->gaps = gaps;
	shown->gaps_count = count;
}

/* When a milter was blind, and with it its side. */
static void add_blind(struct blind *blind, const struct watcher *watcher,
		      int64_t end)
{
	int64_t first = watcher->shown.first;
	struct report_gap open;
	size_t i;

	/* it wasn't there yet, though mail may have come to its host */
	blind_add(blind, INT64_MIN, first != 0 ? first : INT64_MAX);
	for (i = 0; i < watcher->count; i++)
		blind_add(blind, watcher->gaps[i].from, watcher->gaps[i].to);
	if (get_open_gap(watcher, end, &open))
		blind_add(blind, open.from, open.to);
}

static void finish_side(struct watch *watch, enum report_side side,
			struct report_model *model)
{
	struct blind *blind = &watch->blind[side];
	struct watcher *watcher;

	blind_clear(blind);
	model->watched[side] = false;
	for (watcher = watch->table; watcher != NULL;
	     watcher = watcher->hh.next) {
		if (watcher->shown.side != side)
			continue;
		add_blind(blind, watcher, model->last);
		if (watcher->shown.first != 0)
			model->watched[side] = true;
	}
	if (!model->watched[side])
		blind_add(blind, INT64_MIN, INT64_MAX);
	blind_join(blind);
	model->blind[side] = blind->spans;
	model->blind_count[side] = blind->count;
}

uint64_t watch_blind(const void *context, enum report_side side, int64_t from,
		     int64_t to)
{
	const struct watch *watch = context;

	return blind_sum(&watch->blind[side], from, to);
}

/* Those blind now first, then by how long they were. */
static int compare_watchers(const void *a, const void *b)
{
	const struct report_watcher *const *watcher_a = a, *const *watcher_b = b;

	if ((*watcher_a)->blind_now != (*watcher_b)->blind_now)
		return (*watcher_a)->blind_now ? -1 : 1;
	if ((*watcher_a)->blind_s != (*watcher_b)->blind_s)
		return (*watcher_a)->blind_s > (*watcher_b)->blind_s ? -1 : 1;
	if ((*watcher_a)->side != (*watcher_b)->side)
		return (*watcher_a)->side < (*watcher_b)->side ? -1 : 1;
	return strcmp((*watcher_a)->host, (*watcher_b)->host);
}

static void finish_watcher(struct watcher *watcher, pool_t *pool,
			   int64_t end)
{
	struct text failure = { watcher->failure.data, watcher->failure.size };

	show_gaps(watcher, pool, end);
	watcher->shown.arrivals_lost = watcher->lost_before + watcher->lost;
	watcher->shown.failure = failure.size == 0 ? "" :
		strings_show(pool, failure);
}

void watch_finish(struct watch *watch, pool_t *pool, struct report_model *model)
{
	int64_t from = model->switched != 0 ? model->switched : model->first;
	size_t count = HASH_COUNT(watch->table), i = 0;
	const struct report_watcher **watchers =
		pool_array(pool, count, sizeof(*watchers));
	struct watcher *watcher;
	unsigned int side;

	for (watcher = watch->table; watcher != NULL;
	     watcher = watcher->hh.next) {
		finish_watcher(watcher, pool, model->last);
		watchers[i++] = &watcher->shown;
	}
	if (count > 0)
		qsort(watchers, count, sizeof(*watchers), compare_watchers);
	model->watchers = watchers;
	model->watchers_count = count;
	for (side = 0; side < REPORT_SIDES; side++) {
		finish_side(watch, side, model);
		model->blind_s[side] = watch_blind(watch, side, from,
						   model->last);
	}
}
