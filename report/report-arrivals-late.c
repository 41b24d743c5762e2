/*
 * report-arrivals-late: mail that polls found on the old server
 *
 * Its milters tell of the same mail. So it's kept until the picture is made, when
 * it's known when they watched; what they didn't see is added to the arrivals.
 */
#include "report-arrivals-private.h"
#include "report-network.h"
#include "report-seen.h"

/* From the milter's line of a mail to its Received header, at most. */
#define LATE_SLACK 300

/* Of a user's name; one without a domain is taken to be of the only one. */
static const char *
user_domain(struct arrivals *arrivals, const struct report_event *event)
{
	const char *name = report_address_domain(arrivals->strings,
		report_event_get(event, KEY_user));

	if (*name != '\0')
		return name;
	if (arrivals->chosen != NULL)
		return arrivals->chosen;
	return HASH_COUNT(arrivals->domains) == 1 ?
		arrivals->domains->shown.name : name;
}

void arrivals_add_late(struct arrivals *arrivals,
		       const struct report_event *event, int64_t arrived)
{
	struct source *source =
		arrivals_source(arrivals, user_domain(arrivals, event), event);
	bool spam = report_event_is(event, KEY_spam, "yes");

	if (source == NULL)
		return;
	if (arrivals->late_count == arrivals->late_room) {
		arrivals->late_room = arrivals->late_room * 2 + 64;
		arrivals->late = memory_resize(arrivals->late,
			arrivals->late_room, sizeof(*arrivals->late));
	}
	arrivals->late[arrivals->late_count++] = (struct late_mail){
		arrived, source, spam, false, false
	};
	source_add_late(source, event, arrived, spam);
}

/* Keeps what milters told, before late mail is added to it. */
static void keep_told(struct arrivals *arrivals, struct told **told,
		      const struct report_seen *wanted,
		      const struct report_seen *spam)
{
	if (*told != NULL)
		return;
	*told = pool_new(&arrivals->pool, sizeof(**told));
	(*told)->wanted = *wanted;
	(*told)->spam = *spam;
}

static uint64_t *slot_of(const struct late_mail *late)
{
	struct report_slot *slot = slots_get(&late->source->domain->slots,
					     late->arrived);

	return late->spam ? &slot->spam[REPORT_OLD] : &slot->wanted[REPORT_OLD];
}

static void count_late_mail(struct arrivals *arrivals, struct late_mail *late)
{
	struct source *source = late->source;
	struct report_domain *domain = &source->domain->shown;

	keep_told(arrivals, &source->told, &source->shown.wanted,
		  &source->shown.spam);
	keep_told(arrivals, &source->domain->told, &domain->wanted,
		  &domain->spam);
	report_seen_add(late->spam ? &domain->spam : &domain->wanted,
			REPORT_OLD, late->arrived);
	report_seen_add(late->spam ? &source->shown.spam :
			&source->shown.wanted, REPORT_OLD, late->arrived);
	++*slot_of(late);
	late->counted = true;
}

/* Takes back what the picture before had: more is known by now. */
static void forget_late_mail(struct late_mail *late)
{
	struct source *source = late->source;
	struct report_domain *domain = &source->domain->shown;

	if (!late->counted)
		return;
	source->shown.wanted = source->told->wanted;
	source->shown.spam = source->told->spam;
	domain->wanted = source->domain->told->wanted;
	domain->spam = source->domain->told->spam;
	domain->missed = 0;
	--*slot_of(late);
	late->counted = late->missed = false;
}

static bool was_blind(const struct late_mail *late, slots_blind_t *blind,
		      const void *context)
{
	return blind(context, REPORT_OLD, late->arrived - LATE_SLACK,
		     late->arrived + LATE_SLACK) > 0;
}

/* A network from which mail for a domain came to the old server, by its milters. */
struct heard {
	UT_hash_handle hh;
	struct heard_key {
		const struct domain *domain;
		const char *network;
	} key;
};

static bool was_told(const struct source *source)
{
	return source->shown.wanted.count[REPORT_OLD] +
		source->shown.spam.count[REPORT_OLD] > 0;
}

static struct heard *find_heard(struct heard *table,
				const struct source *source)
{
	struct heard_key key = { source->domain, source->shown.client->network };
	struct heard *heard;

	HASH_FIND(hh, table, &key, sizeof(key), heard);
	return heard;
}

/* By the network alone: a Received header may name a client otherwise. */
static struct heard *list_heard(struct arrivals *arrivals, pool_t *pool)
{
	struct heard *table = NULL, *heard;
	struct domain *domain;
	struct source *source;

	for (domain = arrivals->domains; domain != NULL;
	     domain = domain->hh.next) {
		for (source = domain->sources; source != NULL;
		     source = source->next) {
			if (!was_told(source) ||
			    find_heard(table, source) != NULL)
				continue;
			heard = pool_new(pool, sizeof(*heard));
			heard->key.domain = domain;
			heard->key.network = source->shown.client->network;
			HASH_ADD(hh, table, key, sizeof(heard->key), heard);
		}
	}
	return table;
}

/* What was made on the old server itself has no client. */
static bool is_unheard_of(struct heard *table, const struct source *source)
{
	if (*source->shown.client->network == '\0' &&
	    source->domain->shown.local.count[REPORT_OLD] > 0)
		return false;
	return !was_told(source) && find_heard(table, source) == NULL;
}

static void find_missed(struct arrivals *arrivals, pool_t *pool,
			slots_blind_t *blind, const void *context)
{
	struct heard *table = list_heard(arrivals, pool);
	struct late_mail *late;
	size_t i;

	for (i = 0; i < arrivals->late_count; i++) {
		late = &arrivals->late[i];
		if (!was_blind(late, blind, context))
			late->missed = is_unheard_of(table, late->source);
	}
	HASH_CLEAR(hh, table);
}

/* What milters didn't see: they didn't watch, or not all ways lead past them. */
void arrivals_count_late(struct arrivals *arrivals, pool_t *pool,
			 slots_blind_t *blind, const void *context)
{
	struct late_mail *late;
	size_t i;

	if (arrivals->late_count == 0)
		return;
	for (i = 0; i < arrivals->late_count; i++)
		forget_late_mail(&arrivals->late[i]);
	/* before those in the gaps make sources known */
	find_missed(arrivals, pool, blind, context);
	for (i = 0; i < arrivals->late_count; i++) {
		late = &arrivals->late[i];
		if (late->missed)
			late->source->domain->shown.missed++;
		if (late->missed || was_blind(late, blind, context))
			count_late_mail(arrivals, late);
	}
}
