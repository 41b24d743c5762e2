/*
 * report-verdict-watch: which period is judged, and who watched in it
 */
#include "report-verdict-private.h"
#include "common/text-format.h"

#include <string.h>

/* Of one verdict; the rest is summed up. */
#define UNWATCHED_MAX 100

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When milters didn't watch. Not at all where they don't see all mail. */
static void find_blind(struct verdict_work *work)
{
	static const struct report_span always = { INT64_MIN, INT64_MAX };
	const struct report_model *model = work->model;
	const struct report_domain *domain = work->domains[0];

	work->blind = model->blind[REPORT_OLD];
	work->blind_count = model->blind_count[REPORT_OLD];
	if (domain != NULL)
		work->verdict->missed = domain->missed;
	if (!model->watched[REPORT_OLD] || work->verdict->missed > 0) {
		work->blind = &always;
		work->blind_count = 1;
	}
}

/* Up to when milters watched, 0: they didn't. */
static int64_t milters_end(const struct verdict_work *work)
{
	const struct report_span *last;

	if (work->blind_count == 0)
		return work->model->last;
	last = &work->blind[work->blind_count - 1];
	return last->to < work->model->last ? work->model->last :
		later(last->from, 0);
}

void verdict_find_period(struct verdict_work *work)
{
	struct report_verdict *verdict = work->verdict;
	int64_t ends;

	find_blind(work);
	ends = milters_end(work);
	if (work->polls_to > ends)
		ends = work->polls_to;
	if (ends > work->as_of)
		ends = work->as_of;
	verdict->ends = ends;
	/* what is known to have happened counts all the same */
	work->end = ends != 0 ? ends :
		earlier(work->model->last, work->as_of);
	verdict->begins = later(work->end - (int64_t)verdict->quiet_s, 0);
}

static void add_unwatched(struct verdict_work *work, struct report_span *spans,
			  int64_t from, int64_t to)
{
	struct report_verdict *verdict = work->verdict;

	if (to <= from)
		return;
	verdict->unwatched_s += (uint64_t)(to - from);
	if (verdict->unwatched_count < UNWATCHED_MAX)
		spans[verdict->unwatched_count++] =
			(struct report_span){ from, to };
}

/* Where the milters didn't watch, and polls didn't make up for it. */
static void find_unwatched(struct verdict_work *work)
{
	struct report_verdict *verdict = work->verdict;
	const struct report_span *blind = work->blind;
	struct report_span *spans = pool_array(work->pool, UNWATCHED_MAX,
					       sizeof(*spans));
	int64_t from, to;
	size_t i;

	verdict->unwatched = spans;
	for (i = 0; i < work->blind_count; i++) {
		from = later(blind[i].from, verdict->begins);
		to = earlier(blind[i].to, verdict->ends);
		if (to <= from)
			continue;
		verdict->blind_s += (uint64_t)(to - from);
		if (work->polls_to == 0) {
			add_unwatched(work, spans, from, to);
			continue;
		}
		add_unwatched(work, spans, from,
			      earlier(to, work->polls_from));
		add_unwatched(work, spans, later(from, work->polls_to), to);
	}
}

/* The end of what polls didn't make up for of such a span, 0: they did. */
static int64_t unwatched_until(const struct verdict_work *work,
			       const struct report_span *span)
{
	int64_t to = earlier(span->to, work->verdict->ends);

	if (work->polls_to == 0 || to > work->polls_to)
		return to;
	to = earlier(to, work->polls_from);
	return to > span->from ? to : 0;
}

/* Since when the old server was watched without a hole. */
static int64_t last_unwatched(const struct verdict_work *work)
{
	int64_t last = 0;
	size_t i;

	for (i = 0; i < work->blind_count; i++)
		last = later(last, unwatched_until(work, &work->blind[i]));
	return last;
}

/* Lines of arrivals that syslog has lost are as bad as a gap. */
static void check_lost(struct verdict_work *work)
{
	const struct report_watcher *watcher;
	size_t i;

	for (i = 0; i < work->model->watchers_count; i++) {
		watcher = work->model->watchers[i];
		if (watcher->side != REPORT_OLD ||
		    watcher->arrivals_lost == 0 ||
		    watcher->last_lost < work->verdict->begins ||
		    (work->polls_to != 0 &&
		     work->polls_from <= work->verdict->begins &&
		     work->polls_to >= watcher->last_lost))
			continue;
		verdict_wait(work, watcher->last_lost +
			     (int64_t)work->verdict->quiet_s);
		verdict_add(work, REPORT_COND_WATCHED, REPORT_UNKNOWN,
			    watcher->host, "no line tells of %s arrivals that "
			    "its heartbeats counted, the last time at %s: does "
			    "syslog limit its rate?",
			    format_count(watcher->arrivals_lost).text,
			    format_time(watcher->last_lost).text);
	}
}

static void check_span(struct verdict_work *work,
		       const struct report_span *span)
{
	const struct report_verdict *verdict = work->verdict;

	verdict_wait(work, span->to + (int64_t)verdict->quiet_s);
	if (span->from <= verdict->begins)
		verdict_add(work, REPORT_COND_WATCHED, REPORT_UNKNOWN, "",
			    "the old server is watched only since %s, which is "
			    "%s; the quiet period is %s",
			    format_time(span->to).text,
			    format_span((uint64_t)
					(verdict->ends - span->to)).text,
			    format_span(verdict->quiet_s).text);
	else
		verdict_add(work, REPORT_COND_WATCHED, REPORT_UNKNOWN, "",
			    "the old server wasn't watched for %s, from %s to "
			    "%s", format_span((uint64_t)
					      (span->to - span->from)).text,
			    format_time(span->from).text,
			    format_time(span->to).text);
}

void verdict_check_watched(struct verdict_work *work)
{
	struct report_verdict *verdict = work->verdict;
	size_t i;

	if (verdict->ends == 0) {
		verdict_add(work, REPORT_COND_WATCHED, REPORT_UNKNOWN, "",
			    "nobody watches the old server: %s, and not every "
			    "account is polled", verdict->missed > 0 ?
			    "its milters don't see all mail" :
			    "no milter reports from there");
		return;
	}
	find_unwatched(work);
	for (i = 0; i < verdict->unwatched_count; i++)
		check_span(work, &verdict->unwatched[i]);
	check_lost(work);
	verdict->none_since = later(verdict->none_since, last_unwatched(work));
	if (verdict->none_since < verdict->ends)
		verdict->late_bound = 3.0 * 30 * VERDICT_DAY /
			(double)(verdict->ends - verdict->none_since);
}
