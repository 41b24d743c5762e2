#include "report-watch.h"
#include "report-blind.h"
#include "report-seen.h"
#include "table.h"

#include <string.h>

#define INTERVAL_DEFAULT 60
#define INTERVALS_SILENT 3
/* Of one milter; more are taken as one with what is between them. */
#define GAPS_KEPT 4096

struct watcher_key {
	const char *host;
	uintptr_t side;
};

struct watcher {
	UT_hash_handle hh;
	struct watcher_key key;
	struct report_watcher shown;
	struct kept_text failure;
	struct report_gap *gaps;
	size_t count, room;
	/* The last heartbeat of this run; seq 0 for none yet. */
	uint64_t seq;
	int64_t beat, interval;
	bool stopped;
	/* Arrivals of this run: what heartbeats count, what lines told. */
	uint64_t counted_at_first, told;
	bool counting;
	/* Missing at the last two heartbeats, and lost for good in this run. */
	uint64_t behind[2], lost;
	/* Lost in the runs before. */
	uint64_t lost_before;
};

struct watch {
	struct strings *strings;
	struct watcher *table;
	/* Of each side the one before, and its host as it was written. */
	struct recent {
		struct watcher *watcher;
		struct kept_text host;
	} recent[REPORT_SIDES];
	/* When each side is blind; made by watch_finish(). */
	struct blind blind[REPORT_SIDES];
};

struct watch *watch_init(struct strings *strings)
{
	struct watch *watch = memory_new(sizeof(*watch));

	watch->strings = strings;
	return watch;
}

void watch_deinit(struct watch **_watch)
{
	struct watch *watch = *_watch;
	struct watcher *watcher, *next;
	unsigned int side;

	if (watch == NULL)
		return;
	*_watch = NULL;
	for (side = 0; side < REPORT_SIDES; side++) {
		blind_clear(&watch->blind[side]);
		free(watch->recent[side].host.data);
	}
	HASH_ITER(hh, watch->table, watcher, next) {
		HASH_DEL(watch->table, watcher);
		free(watcher->failure.data);
		free(watcher->gaps);
		free(watcher);
	}
	free(watch);
}

static struct watcher *
look_up(struct watch *watch, struct text host, enum report_side side)
{
	struct watcher_key key;
	struct watcher *watcher;

	memset(&key, 0, sizeof(key));
	key.host = strings_get_lower(watch->strings, host);
	key.side = side;
	HASH_FIND(hh, watch->table, &key, sizeof(key), watcher);
	if (watcher != NULL)
		return watcher;
	watcher = memory_new(sizeof(*watcher));
	watcher->key = key;
	watcher->interval = INTERVAL_DEFAULT;
	watcher->shown.side = side;
	watcher->shown.host = key.host;
	watcher->shown.version = watcher->shown.mode =
		watcher->shown.domains = watcher->shown.failure = "";
	HASH_ADD(hh, watch->table, key, sizeof(key), watcher);
	return watcher;
}

/* NULL for an event without a side or host. */
static struct watcher *
get_watcher(struct watch *watch, const struct report_event *event)
{
	struct text host = report_event_get(event, KEY_host);
	struct recent *recent;
	enum report_side side;

	if (host.size == 0 || !report_event_side(event, &side))
		return NULL;
	recent = &watch->recent[side];
	if (recent->host.size != host.size ||
	    memcmp(recent->host.data, host.data, host.size) != 0) {
		recent->watcher = look_up(watch, host, side);
		text_keep(&recent->host, host);
	}
	return recent->watcher;
}

static void add_gap(struct watcher *watcher, int64_t from, int64_t to,
		    enum report_gap_reason reason, uint64_t missing)
{
	struct report_gap *gap;

	if (from == 0 || to < from)
		return;
	/* stopped and started within a second: shorter than can be told */
	if (to == from)
		to++;
	watcher->shown.missing += missing;
	watcher->shown.gaps_total++;
	if (watcher->count == GAPS_KEPT) {
		gap = &watcher->gaps[watcher->count - 1];
		gap->to = to > gap->to ? to : gap->to;
		gap->missing += missing;
		return;
	}
	if (watcher->count == watcher->room) {
		watcher->room = watcher->room * 2 + 8;
		watcher->gaps = memory_resize(watcher->gaps, watcher->room,
					      sizeof(*watcher->gaps));
	}
	gap = &watcher->gaps[watcher->count++];
	*gap = (struct report_gap){ from, to, reason, missing, false };
}

void watch_add_sign(struct watch *watch, const struct report_event *event)
{
	struct watcher *watcher = get_watcher(watch, event);

	if (watcher != NULL)
		report_span_add(&watcher->shown.first, &watcher->shown.last,
				event->time);
}

static void forget_counts(struct watcher *watcher)
{
	watcher->told = watcher->behind[0] = watcher->behind[1] = 0;
}

/* A run of it begins: nothing is known of its heartbeats. */
static void begin_run(struct watcher *watcher)
{
	watcher->seq = 0;
	watcher->stopped = false;
	watcher->counting = false;
	forget_counts(watcher);
	watcher->lost_before += watcher->lost;
	watcher->lost = 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What heartbeats counted must have been told by lines. A mail on its way may be
   counted and not told yet: only what is missing three times is lost. */
static void check_arrivals(struct watcher *watcher, uint64_t counted)
{
	uint64_t expected, behind, lost;

	if (!watcher->counting || counted < watcher->counted_at_first) {
		watcher->counting = true;
		watcher->counted_at_first = counted;
		forget_counts(watcher);
		return;
	}
	expected = counted - watcher->counted_at_first;
	behind = expected > watcher->told ? expected - watcher->told : 0;
	lost = smaller(behind, smaller(watcher->behind[0], watcher->behind[1]));
	if (lost > watcher->lost)
		watcher->lost = lost;
	watcher->behind[1] = watcher->behind[0];
	watcher->behind[0] = behind;
}

/* Returns true when the run that was known is over. */
static bool is_other_run(const struct watcher *watcher, uint64_t seq)
{
	return watcher->stopped || (watcher->seq != 0 && seq <= watcher->seq);
}

/* The line of its start is missing. */
static void restart_unseen(struct watcher *watcher, int64_t time,
			   int64_t uptime)
{
	int64_t from = watcher->beat;

	add_gap(watcher, from, uptime > 0 && time - uptime > from ?
		time - uptime : time,
		watcher->stopped ? REPORT_GAP_STOPPED : REPORT_GAP_KILLED, 0);
	begin_run(watcher);
}

static void note_interval(struct watcher *watcher, int64_t time, uint64_t seq)
{
	if (watcher->seq != 0 && seq == watcher->seq + 1 && time > watcher->beat)
		watcher->interval = time - watcher->beat;
	watcher->seq = seq;
	watcher->beat = time;
}

void watch_add_heartbeat(struct watch *watch, const struct report_event *event)
{
	struct watcher *watcher = get_watcher(watch, event);
	uint64_t seq = report_event_number(event, KEY_seq);

	/* a line that comes late says nothing about what follows it */
	if (watcher == NULL || event->time < watcher->beat)
		return;
	watcher->shown.heartbeats++;
	if (is_other_run(watcher, seq)) {
		restart_unseen(watcher, event->time, (int64_t)
			       report_event_number(event, KEY_uptime));
	} else if (watcher->beat != 0 && seq > watcher->seq + 1) {
		add_gap(watcher, watcher->beat, event->time, REPORT_GAP_LOST,
			seq - watcher->seq - 1);
	}
	note_interval(watcher, event->time, seq);
	check_arrivals(watcher, report_event_number(event, KEY_arrivals));
}

static void note_words(struct watch *watch, struct watcher *watcher,
		       const struct report_event *event)
{
	struct report_watcher *shown = &watcher->shown;
	struct {
		enum report_key key;
		const char **value;
	} words[] = {
		{ KEY_version, &shown->version }, { KEY_mode, &shown->mode },
		{ KEY_domains, &shown->domains }
	};
	struct text text;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		text = report_event_get(event, words[i].key);
		if (text.size > 0)
			*words[i].value = strings_get_text(watch->strings, text);
	}
}

void watch_add_start(struct watch *watch, const struct report_event *event)
{
	struct watcher *watcher = get_watcher(watch, event);

	if (watcher == NULL)
		return;
	watcher->shown.starts++;
	note_words(watch, watcher, event);
	add_gap(watcher, watcher->beat, event->time, watcher->stopped ?
		REPORT_GAP_STOPPED : REPORT_GAP_KILLED, 0);
	begin_run(watcher);
	watcher->beat = event->time;
	/* it has counted nothing yet */
	watcher->counting = true;
	watcher->counted_at_first = 0;
}

void watch_add_stop(struct watch *watch, const struct report_event *event)
{
	struct watcher *watcher = get_watcher(watch, event);

	if (watcher == NULL || event->time < watcher->beat)
		return;
	watcher->shown.stops++;
	watcher->stopped = true;
	watcher->beat = event->time;
}

void watch_add_reload(struct watch *watch, const struct report_event *event)
{
	struct watcher *watcher = get_watcher(watch, event);

	if (watcher == NULL)
		return;
	if (report_event_is(event, KEY_ok, "no"))
		watcher->shown.bad_reloads++;
	else
		watcher->shown.reloads++;
	note_words(watch, watcher, event);
}

void watch_add_failure(struct watch *watch, const struct report_event *event)
{
	struct watcher *watcher = get_watcher(watch, event);

	if (watcher == NULL)
		return;
	watcher->shown.failures += 1 + report_event_number(event,
							   KEY_suppressed);
	if (event->time >= watcher->shown.last_failure) {
		watcher->shown.last_failure = event->time;
		text_keep(&watcher->failure,
			  report_event_get(event, KEY_reason));
	}
}

void watch_add_arrival(struct watch *watch, const struct report_event *event)
{
	struct watcher *watcher = get_watcher(watch, event);

	if (watcher != NULL)
		watcher->told++;
}

/* The gap that lasts until the end, if there's one. */
static bool get_open_gap(const struct watcher *watcher, int64_t end,
			 struct report_gap *gap_r)
{
	int64_t silent = end - watcher->shown.last;

	*gap_r = (struct report_gap){
		watcher->stopped ? watcher->beat : watcher->shown.last, end,
		watcher->stopped ? REPORT_GAP_STOPPED : REPORT_GAP_SILENT,
		0, true
	};
	return end > gap_r->from && (watcher->stopped ||
		silent > INTERVALS_SILENT * watcher->interval);
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

static void finish_side(struct watch *watch, enum report_side side,
			struct report_model *model)
{
	struct blind *blind = &watch->blind[side];
	struct report_gap open;
	struct watcher *watcher;
	int64_t first = INT64_MAX;
	size_t i;

	blind_clear(blind);
	for (watcher = watch->table; watcher != NULL;
	     watcher = watcher->hh.next) {
		if (watcher->shown.side != side)
			continue;
		for (i = 0; i < watcher->count; i++)
			blind_add(blind, watcher->gaps[i].from,
				  watcher->gaps[i].to);
		if (get_open_gap(watcher, model->last, &open))
			blind_add(blind, open.from, open.to);
		if (watcher->shown.first < first)
			first = watcher->shown.first;
	}
	/* nobody was there yet */
	blind_add(blind, INT64_MIN, first);
	blind_join(blind);
	model->watched[side] = first != INT64_MAX;
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
