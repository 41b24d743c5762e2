#include "report-catchup.h"
#include "report-seen.h"
#include "table.h"

#include <string.h>

/* What clocks that are kept may differ by, with what a mail takes from its
   Received header to its mailbox. More than the second isn't a clock. */
#define CLOCK_SLACK 300
#define CLOCK_MAX (26 * 3600)
/* One mail may have waited for another reason. */
#define CLOCK_MAILS 3

/* A message on the old server, by its mailbox and UID. */
struct pending {
	UT_hash_handle hh;
	uint64_t place;
};

struct catchup {
	struct report_catchup shown;
	/* Late mails that can't be delivered now, and why the last one. */
	struct pending *pending;
	/* How many the last look left. */
	uint64_t waiting;
	/* Since the last look a mailbox was reset: all of it seems new. */
	bool reset;
	struct kept_text pending_problem, poll_problem;
	/* Of all late mails, in seconds. */
	uint32_t *delays;
	size_t count, room;
};

struct catchup_event {
	const char *name;
	void (*add)(struct catchup *catchup, const struct report_event *event);
};

struct catchup *catchup_init(void)
{
	return memory_new(sizeof(struct catchup));
}

static void forget_pending(struct catchup *catchup, struct pending *pending)
{
	HASH_DEL(catchup->pending, pending);
	free(pending);
}

static void forget_all_pending(struct catchup *catchup)
{
	struct pending *pending, *next;

	HASH_ITER(hh, catchup->pending, pending, next)
		forget_pending(catchup, pending);
}

void catchup_deinit(struct catchup **_catchup)
{
	struct catchup *catchup = *_catchup;

	if (catchup == NULL)
		return;
	*_catchup = NULL;
	forget_all_pending(catchup);
	free(catchup->pending_problem.data);
	free(catchup->poll_problem.data);
	free(catchup->delays);
	free(catchup);
}

static uint64_t get_place(const struct report_event *event)
{
	struct text mailbox = report_event_get(event, KEY_mailbox);
	struct text uid = report_event_get(event, KEY_uid);

	return table_hash(mailbox.data, mailbox.size) *
		UINT64_C(0x9e3779b97f4a7c15) + table_hash(uid.data, uid.size);
}

static struct pending *
find_pending(const struct catchup *catchup, const struct report_event *event)
{
	uint64_t place = get_place(event);
	struct pending *pending;

	HASH_FIND(hh, catchup->pending, &place, sizeof(place), pending);
	return pending;
}

/* A look tells how many it leaves: those that left otherwise are done as well. */
static void note_waiting(struct catchup *catchup,
			 const struct report_event *event)
{
	if (report_event_get(event, KEY_waiting).size == 0)
		return;
	catchup->waiting = report_event_number(event, KEY_waiting);
	if (catchup->waiting == 0)
		forget_all_pending(catchup);
}

static void add_poll(struct catchup *catchup, const struct report_event *event)
{
	struct report_catchup *shown = &catchup->shown;

	if (report_event_is(event, KEY_ok, "yes")) {
		shown->polls++;
		report_span_add(&shown->first_poll, &shown->last_poll,
				event->time);
		catchup->poll_problem.size = 0;
		catchup->reset = false;
		note_waiting(catchup, event);
		return;
	}
	shown->failed_polls++;
	if (event->time < shown->last_poll)
		return;
	shown->last_failed_poll = event->time;
	text_keep(&catchup->poll_problem, report_event_get(event, KEY_reason));
}

static void keep_delay(struct catchup *catchup, uint64_t delay)
{
	if (catchup->count == catchup->room) {
		catchup->room = catchup->room * 2 + 4;
		catchup->delays = memory_resize(catchup->delays, catchup->room,
						sizeof(*catchup->delays));
	}
	catchup->delays[catchup->count++] =
		delay > UINT32_MAX ? UINT32_MAX : (uint32_t)delay;
}

static void end_late(struct catchup *catchup, const struct report_event *event)
{
	struct pending *pending = find_pending(catchup, event);

	if (pending != NULL)
		forget_pending(catchup, pending);
}

static void add_late(struct catchup *catchup, const struct report_event *event)
{
	struct report_catchup *shown = &catchup->shown;

	end_late(catchup, event);
	shown->late++;
	if (event->time > shown->last_late)
		shown->last_late = event->time;
	keep_delay(catchup, report_event_number(event, KEY_delay));
}

static void add_double(struct catchup *catchup, const struct report_event *event)
{
	end_late(catchup, event);
	catchup->shown.doubles++;
}

static void add_failed(struct catchup *catchup, const struct report_event *event)
{
	struct pending *pending = find_pending(catchup, event);

	if (pending == NULL) {
		pending = memory_new(sizeof(*pending));
		pending->place = get_place(event);
		HASH_ADD(hh, catchup->pending, place, sizeof(pending->place),
			 pending);
	}
	text_keep(&catchup->pending_problem,
		  report_event_get(event, KEY_reason));
}

static void add_gone(struct catchup *catchup, const struct report_event *event)
{
	uint64_t messages = report_event_number(event, KEY_messages);

	catchup->shown.gone += messages > 0 ? messages : 1;
	if (event->time > catchup->shown.last_gone)
		catchup->shown.last_gone = event->time;
}

static void add_client(struct catchup *catchup, const struct report_event *event)
{
	catchup->shown.old_clients++;
	if (event->time > catchup->shown.last_old_client)
		catchup->shown.last_old_client = event->time;
}

/* A client put it there: it didn't come from outside. */
static void add_saved(struct catchup *catchup, const struct report_event *event)
{
	end_late(catchup, event);
	add_client(catchup, event);
}

static void add_closed(struct catchup *catchup, const struct report_event *event)
{
	catchup->shown.closed = event->time;
	catchup->shown.forced = report_event_is(event, KEY_forced, "yes");
}

static void add_conflict(struct catchup *catchup,
			 const struct report_event *event)
{
	(void)event;
	catchup->shown.conflicts++;
}

static void add_refused(struct catchup *catchup,
			const struct report_event *event)
{
	(void)event;
	catchup->shown.refused_expunges++;
}

static void add_reset(struct catchup *catchup, const struct report_event *event)
{
	(void)event;
	catchup->shown.resets++;
	catchup->reset = true;
}

static void add_copy_failure(struct catchup *catchup,
			     const struct report_event *event)
{
	(void)event;
	catchup->shown.copy_back_failures++;
}

/* NULL: nothing is kept of it. */
static const struct catchup_event events[] = {
	{ "poll", add_poll },
	{ "late", add_late },
	{ "late_double", add_double },
	{ "late_failed", add_failed },
	{ "late_gone", add_gone },
	{ "late_saved", add_saved },
	{ "late_moved", NULL },
	{ "late_expunged", NULL },
	{ "late_expunge_refused", add_refused },
	{ "old_client", add_client },
	{ "old_reset", add_reset },
	{ "flags_conflict", add_conflict },
	{ "copied_back", NULL },
	{ "copy_back_failed", add_copy_failure },
	{ "closed", add_closed },
	{ "close_refused", NULL },
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

static const struct catchup_event *find_event(struct text name)
{
	size_t i;

	for (i = 0; i < EVENTS; i++) {
		if (strlen(events[i].name) == name.size &&
		    memcmp(events[i].name, name.data, name.size) == 0)
			return &events[i];
	}
	return NULL;
}

bool catchup_knows(struct text event_name)
{
	return find_event(event_name) != NULL;
}

void catchup_add(struct catchup *catchup, const struct report_event *event)
{
	const struct catchup_event *what =
		find_event(report_event_get(event, KEY_event));

	if (what != NULL && what->add != NULL)
		what->add(catchup, event);
}

static void check_clock(struct catchup_clock *clock, int64_t received,
			int64_t line, int64_t after)
{
	if (received - line > clock->ahead && received - line <= CLOCK_MAX)
		clock->ahead = received - line;
	if (after == 0 || after - received > CLOCK_MAX)
		return;
	if (clock->checked++ == 0 || after - received < clock->behind)
		clock->behind = after - received;
}

int64_t catchup_arrival(const struct catchup *catchup,
			const struct report_event *event, int64_t cutover,
			struct catchup_clock *clock)
{
	int64_t received = (int64_t)report_event_number(event, KEY_received);
	int64_t after = catchup->shown.last_poll;

	if (received <= 0)
		return event->time;
	/* looks have seen it, but it couldn't be delivered */
	if (after == 0 || find_pending(catchup, event) != NULL)
		after = cutover;
	if (catchup->reset)
		return received < after ? 0 : received;
	check_clock(clock, received, event->time, after);
	if (received < after)
		received = after;
	return received > event->time ? event->time : received;
}

int64_t catchup_clock_ahead(const struct catchup_clock *clock)
{
	if (clock->ahead > CLOCK_SLACK)
		return clock->ahead;
	return clock->checked >= CLOCK_MAILS && clock->behind > CLOCK_SLACK ?
		-clock->behind : 0;
}

static int compare_delays(const void *a, const void *b)
{
	const uint32_t *delay_a = a, *delay_b = b;

	return *delay_a < *delay_b ? -1 : *delay_a > *delay_b;
}

static const char *show_kept(pool_t *pool, const struct kept_text *kept)
{
	struct text text = { kept->data, kept->size };

	return text.size == 0 ? "" : strings_show(pool, text);
}

void catchup_finish(struct catchup *catchup, pool_t *pool,
		    struct report_catchup *shown_r)
{
	struct report_catchup *shown = &catchup->shown;

	if (catchup->count > 0) {
		qsort(catchup->delays, catchup->count,
		      sizeof(*catchup->delays), compare_delays);
		shown->delay_median = catchup->delays[catchup->count / 2];
		shown->delay_max = catchup->delays[catchup->count - 1];
	}
	shown->pending = catchup->waiting > 0 ? catchup->waiting :
		HASH_COUNT(catchup->pending);
	shown->pending_problem = shown->pending == 0 ? "" :
		show_kept(pool, &catchup->pending_problem);
	shown->poll_problem = show_kept(pool, &catchup->poll_problem);
	if (*shown->poll_problem == '\0' &&
	    shown->last_failed_poll > shown->last_poll)
		shown->poll_problem = "it failed";
	*shown_r = *shown;
}
