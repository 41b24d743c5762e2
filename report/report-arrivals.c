#include "report-arrivals-private.h"
#include "report-network.h"
#include "report-seen.h"

#include <string.h>

/* Lines that are alike in sender, client and domain find their source here: each
   in one of the places of its set. */
#define CACHE_SETS 16384
#define CACHE_WAYS 4
struct cache_set {
	/* The newest one first; 0 for none. */
	uint64_t hashes[CACHE_WAYS];
	/* NULL when the domain isn't looked at. */
	struct source *sources[CACHE_WAYS];
};

struct arrivals *arrivals_init(struct strings *strings, const char *chosen)
{
	struct arrivals *arrivals = memory_new(sizeof(*arrivals));
	struct text text = { chosen, strlen(chosen) };

	arrivals->strings = strings;
	pool_init(&arrivals->pool);
	if (*chosen != '\0')
		arrivals->chosen = strings_get_lower(strings, text);
	arrivals->sources = sources_init(strings);
	arrivals->cache = memory_new(CACHE_SETS * sizeof(*arrivals->cache));
	return arrivals;
}

void arrivals_deinit(struct arrivals **_arrivals)
{
	struct arrivals *arrivals = *_arrivals;
	struct domain *domain;

	if (arrivals == NULL)
		return;
	*_arrivals = NULL;
	for (domain = arrivals->domains; domain != NULL;
	     domain = domain->hh.next) {
		slots_deinit(&domain->slots);
		HASH_CLEAR(hh, domain->recipients);
	}
	HASH_CLEAR(hh, arrivals->domains);
	sources_deinit(&arrivals->sources);
	pool_deinit(&arrivals->pool);
	free(arrivals->cache);
	free(arrivals->late);
	free(arrivals);
}

static struct domain *get_domain(struct arrivals *arrivals, const char *name)
{
	struct domain *domain;

	HASH_FIND_PTR(arrivals->domains, &name, domain);
	if (domain == NULL) {
		domain = pool_new(&arrivals->pool, sizeof(*domain));
		domain->shown.name = name;
		HASH_ADD_PTR(arrivals->domains, shown.name, domain);
	}
	return domain;
}

static uint64_t hash_text(uint64_t hash, struct text text)
{
	/* an odd factor, so that the order counts */
	return hash * UINT64_C(0x9e3779b97f4a7c15) +
		table_hash(text.data, text.size);
}

/* Of all that a source is made of, as it's written. */
static uint64_t hash_event(const struct report_event *event)
{
	uint64_t hash = 1;

	hash = hash_text(hash, report_address_domain_text(
		report_event_get(event, KEY_to)));
	hash = hash_text(hash, report_address_domain_text(
		report_event_get(event, KEY_from)));
	hash = hash_text(hash, report_event_get(event, KEY_client));
	return hash_text(hash, report_event_get(event, KEY_name));
}

void arrivals_prepare(struct arrivals *arrivals,
		      const struct report_event *event)
{
	arrivals->hash = hash_event(event);
	__builtin_prefetch(&arrivals->cache[arrivals->hash % CACHE_SETS]);
}

struct source *arrivals_source(struct arrivals *arrivals, const char *name,
			       const struct report_event *event)
{
	struct domain *domain;
	struct source *source;
	bool is_new;

	if (arrivals->chosen != NULL && arrivals->chosen != name)
		return NULL;
	source = sources_get(arrivals->sources, name, event, &is_new);
	if (is_new) {
		domain = get_domain(arrivals, name);
		source->domain = domain;
		source->next = domain->sources;
		domain->sources = source;
	}
	return source;
}

/* NULL when its domain isn't looked at. */
static struct source *
find(struct arrivals *arrivals, const struct report_event *event)
{
	uint64_t hash = arrivals->hash;
	struct cache_set *set = &arrivals->cache[hash % CACHE_SETS];
	unsigned int i;
	struct source *source;

	for (i = 0; i < CACHE_WAYS; i++) {
		if (set->hashes[i] == hash)
			return set->sources[i];
	}
	source = arrivals_source(arrivals,
		report_address_domain(arrivals->strings,
				      report_event_get(event, KEY_to)), event);
	/* the newest one takes the place of the oldest */
	memmove(set->hashes + 1, set->hashes,
		(CACHE_WAYS - 1) * sizeof(set->hashes[0]));
	memmove(set->sources + 1, set->sources,
		(CACHE_WAYS - 1) * sizeof(set->sources[0]));
	set->hashes[0] = hash;
	set->sources[0] = source;
	return source;
}

/* Not counted in the shares: the counter, NULL for direct. */
static struct report_seen *
get_other_way(struct domain *domain, const struct report_event *event)
{
	struct text via = report_event_get(event, KEY_via);

	if (via.size == 0 || via.data[0] == 'd')
		return NULL;
	return via.data[0] == 'r' ? &domain->shown.relayed :
		via.data[0] == 's' ? &domain->shown.submitted :
		&domain->shown.local;
}

/* Most mails go to one that was seen a moment ago. */
static void note_recipient(struct arrivals *arrivals, struct domain *domain,
			   struct text address)
{
	uint64_t hash = table_hash(address.data, address.size);
	uint64_t *recent = &domain->recent[hash % RECIPIENTS_RECENT];
	struct recipient *recipient;
	const char *key;

	if (*recent == hash)
		return;
	*recent = hash;
	if (HASH_COUNT(domain->recipients) >= REPORT_MAX_RECIPIENTS)
		return;
	key = strings_get_lower(arrivals->strings, address);
	HASH_FIND_PTR(domain->recipients, &key, recipient);
	if (recipient != NULL)
		return;
	recipient = pool_new(&arrivals->pool, sizeof(*recipient));
	recipient->address = key;
	HASH_ADD_PTR(domain->recipients, address, recipient);
}

static void finish_recipients(struct domain *domain, pool_t *pool)
{
	const char **addresses = pool_array(pool,
		HASH_COUNT(domain->recipients), sizeof(*addresses));
	struct recipient *recipient;

	domain->shown.recipients = addresses;
	domain->shown.recipients_count = HASH_COUNT(domain->recipients);
	for (recipient = domain->recipients; recipient != NULL;
	     recipient = recipient->hh.next)
		*addresses++ = recipient->address;
}

static void add_direct(struct arrivals *arrivals, struct source *source,
		       const struct report_event *event, enum report_side side)
{
	struct report_domain *domain = &source->domain->shown;
	struct report_slot *slot = slots_get(&source->domain->slots,
					     event->time);
	bool spam = report_event_is(event, KEY_spam, "yes");
	int64_t last;

	source_count(&domain->wanted, &domain->spam, source->domain->told,
		     side, spam, event->time);
	if (spam)
		slot->spam[side]++;
	else
		slot->wanted[side]++;
	source_add(source, event, side, spam);
	if (!spam)
		note_recipient(arrivals, source->domain,
			       report_event_get(event, KEY_to));
	if (side == REPORT_NEW && !spam)
		report_span_add(&arrivals->first_new, &last, event->time);
}

void arrivals_add(struct arrivals *arrivals, const struct report_event *event)
{
	struct source *source = find(arrivals, event);
	struct report_seen *other;
	enum report_side side;

	if (source == NULL || !report_event_side(event, &side))
		return;
	other = get_other_way(source->domain, event);
	if (other != NULL)
		report_seen_add(other, side, event->time);
	else
		add_direct(arrivals, source, event, side);
}

void arrivals_add_deferred(struct arrivals *arrivals,
			   const struct report_event *event)
{
	struct source *source = find(arrivals, event);
	struct report_domain *domain;

	if (source == NULL)
		return;
	domain = &source->domain->shown;
	slots_get(&source->domain->slots, event->time)->deferred++;
	source->shown.deferred++;
	domain->deferred++;
	if (event->time > source->shown.last_deferred)
		source->shown.last_deferred = event->time;
	if (event->time > domain->last_deferred)
		domain->last_deferred = event->time;
}

int64_t arrivals_first_new(const struct arrivals *arrivals)
{
	return arrivals->first_new;
}

static void finish_sources(struct domain *domain, pool_t *pool,
			   const struct report_model *model)
{
	struct report_domain *shown = &domain->shown;
	const struct report_source **sources;
	struct source *source;
	size_t count = 0;

	for (source = domain->sources; source != NULL; source = source->next)
		count++;
	sources = pool_array(pool, count, sizeof(*sources));
	shown->sources = sources;
	shown->sources_count = count;
	memset(shown->standings, 0, sizeof(shown->standings));
	for (source = domain->sources; source != NULL; source = source->next) {
		source_finish(source, model->switched, pool);
		shown->standings[source->shown.standing]++;
		*sources++ = &source->shown;
	}
	if (count > 0)
		qsort(sources - count, count, sizeof(*sources), source_compare);
}

/* When the curve begins. */
static int64_t get_start(const struct report_domain *domain, int64_t switched)
{
	int64_t first = 0, last = 0;
	unsigned int side;

	for (side = 0; side < REPORT_SIDES; side++) {
		if (domain->wanted.count[side] > 0)
			report_span_add(&first, &last,
					domain->wanted.first[side]);
		if (domain->spam.count[side] > 0)
			report_span_add(&first, &last,
					domain->spam.first[side]);
	}
	if (first == 0)
		return switched;
	return switched != 0 && first < switched - 24 * REPORT_HOUR ?
		switched - 24 * REPORT_HOUR : first;
}

/* Those that still get wanted mail at the old server first, the last seen first
   among them. */
static int compare_domains(const void *a, const void *b)
{
	const struct report_domain *const *domain_a = a, *const *domain_b = b;
	size_t stragglers_a = (*domain_a)->standings[REPORT_STRAGGLER];
	size_t stragglers_b = (*domain_b)->standings[REPORT_STRAGGLER];

	if (stragglers_a != stragglers_b)
		return stragglers_a > stragglers_b ? -1 : 1;
	return strcmp((*domain_a)->name, (*domain_b)->name);
}

void arrivals_finish(struct arrivals *arrivals, pool_t *pool,
		     slots_blind_t *blind, const void *context,
		     struct report_model *model)
{
	size_t count = HASH_COUNT(arrivals->domains), i = 0;
	const struct report_domain **domains =
		pool_array(pool, count, sizeof(*domains));
	struct report_domain *shown;
	struct domain *domain;

	arrivals_count_late(arrivals, pool, blind, context);
	for (domain = arrivals->domains; domain != NULL;
	     domain = domain->hh.next) {
		shown = &domain->shown;
		shown->days_count = shown->hours_count = 0;
		slots_sum(&domain->slots, model->switched, shown->wanted_since,
			  shown->spam_since);
		slots_fill(&domain->slots, pool,
			   get_start(shown, model->switched), model->last,
			   blind, context, shown);
		finish_sources(domain, pool, model);
		finish_recipients(domain, pool);
		domains[i++] = shown;
	}
	if (count > 0)
		qsort(domains, count, sizeof(*domains), compare_domains);
	model->domains = domains;
	model->domains_count = count;
}
