#include "report-sources.h"
#include "report-network.h"
#include "report-seen.h"

#include <string.h>

struct client {
	UT_hash_handle hh;
	struct report_client shown;
};

struct sources {
	struct strings *strings;
	pool_t pool;
	struct client *clients;
	struct source_client *here;
	struct source *table;
};

#define EXAMPLE_KEYS 6
static const enum report_key example_keys[EXAMPLE_KEYS] = {
	KEY_from, KEY_to, KEY_id, KEY_host, KEY_client, KEY_name
};
/* The same of a late mail, which has no queue id. */
static const enum report_key late_keys[EXAMPLE_KEYS] = {
	KEY_from, KEY_user, KEY_mid, KEY_host, KEY_client, KEY_name
};

struct sources *sources_init(struct strings *strings)
{
	struct sources *sources = memory_new(sizeof(*sources));

	sources->strings = strings;
	pool_init(&sources->pool);
	return sources;
}

void sources_deinit(struct sources **_sources)
{
	struct sources *sources = *_sources;
	struct source *source;

	if (sources == NULL)
		return;
	*_sources = NULL;
	for (source = sources->table; source != NULL; source = source->hh.next)
		free(source->example.data);
	HASH_CLEAR(hh, sources->table);
	HASH_CLEAR(hh, sources->here);
	HASH_CLEAR(hh, sources->clients);
	pool_deinit(&sources->pool);
	free(sources);
}

static const struct report_client *
get_client(struct sources *sources, const struct report_event *event)
{
	struct report_client key = {
		.network = report_network(sources->strings,
					  report_event_get(event, KEY_client)),
		.name_domain = report_name_domain(sources->strings,
					  report_event_get(event, KEY_name)),
	};
	struct client *client;

	HASH_FIND(hh, sources->clients, &key, sizeof(key), client);
	if (client == NULL) {
		client = pool_new(&sources->pool, sizeof(*client));
		client->shown = key;
		HASH_ADD(hh, sources->clients, shown, sizeof(key), client);
	}
	return &client->shown;
}

static struct source_client *
get_here(struct sources *sources, const char *domain,
	 const struct report_client *client)
{
	struct source_where where = { domain, client };
	struct source_client *here;

	HASH_FIND(hh, sources->here, &where, sizeof(where), here);
	if (here == NULL) {
		here = pool_new(&sources->pool, sizeof(*here));
		here->where = where;
		HASH_ADD(hh, sources->here, where, sizeof(where), here);
	}
	return here;
}

struct source *sources_get(struct sources *sources, const char *domain,
			   const struct report_event *event, bool *new_r)
{
	struct source_client *here =
		get_here(sources, domain, get_client(sources, event));
	struct source_key key = {
		here, report_address_domain(sources->strings,
					    report_event_get(event, KEY_from))
	};
	struct source *source;

	HASH_FIND(hh, sources->table, &key, sizeof(key), source);
	*new_r = source == NULL;
	if (source == NULL) {
		source = pool_new(&sources->pool, sizeof(*source));
		source->key = key;
		source->client = here;
		source->shown.client = here->where.client;
		source->shown.sender_domain = key.sender_domain;
		HASH_ADD(hh, sources->table, key, sizeof(key), source);
	}
	return source;
}

static void keep_example(struct source *source, const struct report_event *event,
			 const enum report_key keys[EXAMPLE_KEYS])
{
	char buffer[EXAMPLE_KEYS * REPORT_VALUE_MAX];
	struct text value, all = { buffer, 0 };
	size_t i;

	for (i = 0; i < EXAMPLE_KEYS; i++) {
		value = report_event_get(event, keys[i]);
		memcpy(buffer + all.size, value.data, value.size);
		source->example_sizes[i] = (unsigned short)value.size;
		all.size += value.size;
	}
	text_keep(&source->example, all);
}

static void note_spam(struct source *source, int64_t time)
{
	if (time > source->shown.last_old_spam)
		source->shown.last_old_spam = time;
}

void source_count(struct report_seen *wanted, struct report_seen *spam,
		  struct told *told, enum report_side side, bool is_spam,
		  int64_t time)
{
	report_seen_add(is_spam ? spam : wanted, side, time);
	if (told != NULL)
		report_seen_add(is_spam ? &told->spam : &told->wanted, side,
				time);
}

void source_add(struct source *source, const struct report_event *event,
		enum report_side side, bool spam)
{
	source_count(&source->shown.wanted, &source->shown.spam, source->told,
		     side, spam, event->time);
	if (spam) {
		if (side == REPORT_OLD)
			note_spam(source, event->time);
		return;
	}
	if (side == REPORT_OLD && event->time >= source->shown.last_old) {
		source->shown.last_old = event->time;
		keep_example(source, event, example_keys);
	}
	if (side == REPORT_NEW && event->time > source->client->last_new)
		source->client->last_new = event->time;
}

void source_add_late(struct source *source, const struct report_event *event,
		     int64_t arrived, bool spam)
{
	if (spam) {
		note_spam(source, arrived);
		return;
	}
	source->shown.late++;
	if (arrived <= source->shown.last_old)
		return;
	source->shown.last_old = arrived;
	keep_example(source, event, late_keys);
}

static enum report_standing
get_standing(const struct report_source *source, int64_t switched)
{
	const struct report_seen *wanted = &source->wanted;
	int64_t last_old = source->last_old;
	int64_t last_new = wanted->last[REPORT_NEW];

	if (wanted->count[REPORT_NEW] == 0 && last_old == 0)
		return source->deferred > 0 &&
			source->last_deferred > last_new &&
			source->spam.count[REPORT_OLD] +
			source->spam.count[REPORT_NEW] == 0 ?
			REPORT_STRAGGLER : REPORT_ONLY_SPAM;
	/* told to come again, and not seen at the new server after that */
	if (source->last_deferred > last_old)
		last_old = source->last_deferred;
	if (switched != 0 && last_old >= switched)
		return last_old > last_new ? REPORT_STRAGGLER :
			REPORT_WAVERING;
	return wanted->count[REPORT_NEW] == 0 ? REPORT_QUIET : REPORT_MOVED;
}

void source_finish(struct source *source, int64_t switched, pool_t *pool)
{
	struct report_source *shown = &source->shown;
	const char **examples[EXAMPLE_KEYS] = {
		&shown->example_from, &shown->example_to, &shown->example_id,
		&shown->example_host, &shown->example_client,
		&shown->example_name
	};
	struct text text = { source->example.data, 0 };
	size_t i;

	shown->standing = get_standing(shown, switched);
	shown->client_last_new = source->client->last_new;
	for (i = 0; i < EXAMPLE_KEYS; i++) {
		text.size = source->example_sizes[i];
		*examples[i] = text.size == 0 ? "" : strings_show(pool, text);
		text.data += text.size;
	}
}

static int64_t last_seen(const struct report_source *source)
{
	int64_t last = source->wanted.last[REPORT_OLD];
	unsigned int side;

	if (source->last_deferred > last)
		last = source->last_deferred;
	if (source->standing == REPORT_STRAGGLER ||
	    source->standing == REPORT_WAVERING)
		return last;
	for (side = 0; side < REPORT_SIDES; side++) {
		if (source->wanted.last[side] > last)
			last = source->wanted.last[side];
		if (source->spam.last[side] > last)
			last = source->spam.last[side];
	}
	return last;
}

static int compare_sources(const struct report_source *a,
			   const struct report_source *b)
{
	int64_t last_a = last_seen(a), last_b = last_seen(b);
	int ret;

	if (a->standing != b->standing)
		return a->standing < b->standing ? -1 : 1;
	if (last_a != last_b)
		return last_a > last_b ? -1 : 1;
	/* the rest only so that the same logs give the same report */
	ret = strcmp(a->client->network, b->client->network);
	if (ret == 0)
		ret = strcmp(a->client->name_domain, b->client->name_domain);
	return ret != 0 ? ret : strcmp(a->sender_domain, b->sender_domain);
}

int source_compare(const void *a, const void *b)
{
	const struct report_source *const *source_a = a, *const *source_b = b;

	return compare_sources(*source_a, *source_b);
}
