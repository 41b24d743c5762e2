#include "report-incidents.h"
#include "report-seen.h"
#include "table.h"

#include <string.h>

/* What makes two of them alike: pointers of the strings. */
struct incident_key {
	const char *host, *who, *reason;
	uintptr_t side;
};

struct forgery {
	UT_hash_handle hh;
	struct incident_key key;
	struct report_forgery shown;
};

struct loop {
	UT_hash_handle hh;
	struct incident_key key;
	struct report_loop shown;
};

struct incidents {
	struct strings *strings;
	pool_t pool;
	struct forgery *forgeries;
	struct loop *loops;
};

struct incidents *incidents_init(struct strings *strings)
{
	struct incidents *incidents = memory_new(sizeof(*incidents));

	incidents->strings = strings;
	pool_init(&incidents->pool);
	return incidents;
}

void incidents_deinit(struct incidents **_incidents)
{
	struct incidents *incidents = *_incidents;

	if (incidents == NULL)
		return;
	*_incidents = NULL;
	HASH_CLEAR(hh, incidents->forgeries);
	HASH_CLEAR(hh, incidents->loops);
	pool_deinit(&incidents->pool);
	free(incidents);
}

static const char *get(struct incidents *incidents,
		       const struct report_event *event, enum report_key key)
{
	return strings_get_text(incidents->strings,
				report_event_get(event, key));
}

static void make_key(struct incidents *incidents,
		     const struct report_event *event, enum report_key who,
		     struct incident_key *key)
{
	enum report_side side;

	memset(key, 0, sizeof(*key));
	(void)report_event_side(event, &side);
	key->side = side;
	key->host = get(incidents, event, KEY_host);
	key->who = get(incidents, event, who);
	key->reason = get(incidents, event, KEY_reason);
}

void incidents_add_forged(struct incidents *incidents,
			  const struct report_event *event)
{
	struct incident_key key;
	struct forgery *forgery;

	make_key(incidents, event, KEY_client, &key);
	HASH_FIND(hh, incidents->forgeries, &key, sizeof(key), forgery);
	if (forgery == NULL) {
		forgery = pool_new(&incidents->pool, sizeof(*forgery));
		forgery->key = key;
		forgery->shown.side = (enum report_side)key.side;
		forgery->shown.host = key.host;
		forgery->shown.client = key.who;
		forgery->shown.reason = key.reason;
		forgery->shown.from = get(incidents, event, KEY_from);
		forgery->shown.value = get(incidents, event, KEY_value);
		HASH_ADD(hh, incidents->forgeries, key, sizeof(key), forgery);
	}
	forgery->shown.count++;
	report_span_add(&forgery->shown.first, &forgery->shown.last,
			event->time);
}

void incidents_add_loop(struct incidents *incidents,
			const struct report_event *event)
{
	uint64_t rounds = report_event_number(event, KEY_rounds);
	struct incident_key key;
	struct loop *loop;

	make_key(incidents, event, KEY_from, &key);
	HASH_FIND(hh, incidents->loops, &key, sizeof(key), loop);
	if (loop == NULL) {
		loop = pool_new(&incidents->pool, sizeof(*loop));
		loop->key = key;
		loop->shown.side = (enum report_side)key.side;
		loop->shown.host = key.host;
		loop->shown.from = key.who;
		loop->shown.id = get(incidents, event, KEY_id);
		HASH_ADD(hh, incidents->loops, key, sizeof(key), loop);
	}
	loop->shown.count++;
	if (report_event_is(event, KEY_refused, "yes"))
		loop->shown.refused++;
	if (rounds > loop->shown.rounds_max)
		loop->shown.rounds_max = rounds;
	report_span_add(&loop->shown.first, &loop->shown.last, event->time);
}

/* The last seen first. */
static int compare_forgeries(const void *a, const void *b)
{
	const struct report_forgery *const *forgery_a = a, *const *forgery_b = b;

	if ((*forgery_a)->last != (*forgery_b)->last)
		return (*forgery_a)->last > (*forgery_b)->last ? -1 : 1;
	return strcmp((*forgery_a)->client, (*forgery_b)->client);
}

static int compare_loops(const void *a, const void *b)
{
	const struct report_loop *const *loop_a = a, *const *loop_b = b;

	if ((*loop_a)->last != (*loop_b)->last)
		return (*loop_a)->last > (*loop_b)->last ? -1 : 1;
	return strcmp((*loop_a)->from, (*loop_b)->from);
}

void incidents_finish(struct incidents *incidents, pool_t *pool,
		      struct report_model *model)
{
	size_t forgeries_count = HASH_COUNT(incidents->forgeries);
	size_t loops_count = HASH_COUNT(incidents->loops), i = 0;
	const struct report_forgery **forgeries =
		pool_array(pool, forgeries_count, sizeof(*forgeries));
	const struct report_loop **loops =
		pool_array(pool, loops_count, sizeof(*loops));
	struct forgery *forgery;
	struct loop *loop;

	for (forgery = incidents->forgeries; forgery != NULL;
	     forgery = forgery->hh.next)
		forgeries[i++] = &forgery->shown;
	for (loop = incidents->loops, i = 0; loop != NULL; loop = loop->hh.next)
		loops[i++] = &loop->shown;
	if (forgeries_count > 0)
		qsort(forgeries, forgeries_count, sizeof(*forgeries),
		      compare_forgeries);
	if (loops_count > 0)
		qsort(loops, loops_count, sizeof(*loops), compare_loops);
	model->forgeries = forgeries;
	model->forgeries_count = forgeries_count;
	model->loops = loops;
	model->loops_count = loops_count;
}
