#include "report-watch-private.h"
#include "report-seen.h"

#include <string.h>

/* Of milters that don't announce it, and the longest that is believed. */
#define INTERVAL_DEFAULT 60
#define INTERVAL_MAX 86400
/* A heartbeat that is later is missing, whatever its number. Syslog's times are
   whole seconds, and not quite the milter's. */
#define INTERVALS_LATE 2
#define CLOCK_SLACK 2
/* Of one milter; more are taken as one with what is between them. */
#define GAPS_KEPT 4096

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
static void check_arrivals(struct watcher *watcher, uint64_t counted,
			   int64_t time)
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
	if (lost > watcher->lost) {
		watcher->lost = lost;
		watcher->shown.last_lost = time;
	}
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
	int64_t began = uptime > 0 && time - uptime > from ? time - uptime :
		time;

	add_gap(watcher, from, began, watcher->stopped ? REPORT_GAP_STOPPED :
		REPORT_GAP_KILLED, 0);
	begin_run(watcher);
	watcher->beat = began;
}

/* It's there, but was it since its last heartbeat or start? Numbers may tell that
   some are missing; the time does where a milter or its machine stood still. */
static void check_silence(struct watcher *watcher, int64_t time,
			  uint64_t missing)
{
	int64_t late = INTERVALS_LATE * watcher->interval + CLOCK_SLACK;

	if (time > watcher->beat &&
	    (missing > 0 || time - watcher->beat > late))
		add_gap(watcher, watcher->beat, time, REPORT_GAP_LOST, missing);
}

/* How long until the next one. */
static int64_t get_interval(const struct report_event *event)
{
	uint64_t interval = report_event_number(event, KEY_interval);

	return interval == 0 || interval > INTERVAL_MAX ? INTERVAL_DEFAULT :
		(int64_t)interval;
}

/* A line that comes late says nothing about what follows it. But where the next
   number is earlier than the one before, the clock was set back. */
static bool is_late(const struct watcher *watcher, int64_t time, uint64_t seq)
{
	return time < watcher->beat &&
		(watcher->stopped || watcher->seq == 0 || seq <= watcher->seq);
}

void watch_add_heartbeat(struct watch *watch, const struct report_event *event)
{
	struct watcher *watcher = get_watcher(watch, event);
	uint64_t seq = report_event_number(event, KEY_seq);

	if (watcher == NULL || is_late(watcher, event->time, seq))
		return;
	watcher->shown.heartbeats++;
	if (is_other_run(watcher, seq)) {
		restart_unseen(watcher, event->time, (int64_t)
			       report_event_number(event, KEY_uptime));
	}
	check_silence(watcher, event->time,
		      seq > watcher->seq ? seq - watcher->seq - 1 : 0);
	watcher->seq = seq;
	watcher->beat = event->time;
	watcher->interval = get_interval(event);
	check_arrivals(watcher, report_event_number(event, KEY_arrivals),
		       event->time);
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
	if (!watcher->stopped)
		check_silence(watcher, event->time, 0);
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
