/*
 * report-arrivals-private: what is known of domains while lines are read, by
 * arrivals (report-arrivals.c) and by what polls found (report-arrivals-late.c)
 */
#ifndef REPORT_ARRIVALS_PRIVATE_H
#define REPORT_ARRIVALS_PRIVATE_H

#include "report-arrivals.h"
#include "report-sources.h"

#define RECIPIENTS_RECENT 1024

/* An address of a domain. */
struct recipient {
	UT_hash_handle hh;
	/* Of the strings. */
	const char *address;
};

struct domain {
	UT_hash_handle hh;
	struct report_domain shown;
	struct slots slots;
	struct source *sources;
	/* NULL as long as what is shown is the same. */
	struct told *told;
	struct recipient *recipients;
	/* Hashes of those that came lately. */
	uint64_t recent[RECIPIENTS_RECENT];
};

struct cache_set;

/* What a poll found. */
struct late_mail {
	int64_t arrived;
	struct source *source;
	bool spam;
	/* It's in the shares; the milters should have seen it. */
	bool counted, missed;
};

struct arrivals {
	struct strings *strings;
	pool_t pool;
	/* Of the strings; NULL for all. */
	const char *chosen;
	struct domain *domains;
	struct sources *sources;
	struct cache_set *cache;
	/* Of the event in hand, see hash_event(). */
	uint64_t hash;
	int64_t first_new;
	struct late_mail *late;
	size_t late_count, late_room;
};

/* The source of an event for that domain, NULL when it isn't looked at. */
struct source *arrivals_source(struct arrivals *arrivals, const char *domain,
			       const struct report_event *event);
/* When the picture is made, first: counts what milters didn't see. */
void arrivals_count_late(struct arrivals *arrivals, pool_t *pool,
			 slots_blind_t *blind, const void *context);

#endif
