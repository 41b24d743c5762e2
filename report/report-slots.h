/*
 * report-slots: arrivals by hour, and the days made of them
 */
#ifndef REPORT_SLOTS_H
#define REPORT_SLOTS_H

#include "memory.h"
#include "report-model.h"
#include "table.h"

#define REPORT_HOUR 3600

struct slot {
	UT_hash_handle hh;
	struct report_slot shown;
};

/* Zeroed at first. */
struct slots {
	struct slot *table, *last;
};

/* The hour of that time. */
struct report_slot *slots_get(struct slots *slots, int64_t time);
void slots_deinit(struct slots *slots);
/* What arrived from the beginning of that time's hour on. */
void slots_sum(const struct slots *slots, int64_t since,
	       uint64_t wanted_r[REPORT_SIDES], uint64_t spam_r[REPORT_SIDES]);

/* The seconds of a span in which a side is blind. */
typedef uint64_t slots_blind_t(const void *context, enum report_side side,
			       int64_t from, int64_t to);
/* Hours and days without holes, from the one to the other time; see
   struct report_domain. */
void slots_fill(const struct slots *slots, pool_t *pool, int64_t from,
		int64_t to, slots_blind_t *blind, const void *context,
		struct report_domain *domain);

#endif
