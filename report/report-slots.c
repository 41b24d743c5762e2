#include "report-slots.h"

#include <string.h>
#include <time.h>

static int64_t hour_of(int64_t time)
{
	return time - time % REPORT_HOUR;
}

struct report_slot *slots_get(struct slots *slots, int64_t time)
{
	int64_t hour = hour_of(time);
	struct slot *slot = slots->last;

	if (slot != NULL && slot->shown.start == hour)
		return &slot->shown;
	HASH_FIND(hh, slots->table, &hour, sizeof(hour), slot);
	if (slot == NULL) {
		slot = memory_new(sizeof(*slot));
		slot->shown.start = hour;
		HASH_ADD(hh, slots->table, shown.start, sizeof(hour), slot);
	}
	slots->last = slot;
	return &slot->shown;
}

void slots_deinit(struct slots *slots)
{
	struct slot *slot, *next;

	HASH_ITER(hh, slots->table, slot, next) {
		HASH_DEL(slots->table, slot);
		free(slot);
	}
}

static void add_counts(struct report_slot *to, const struct report_slot *slot)
{
	unsigned int side;

	for (side = 0; side < REPORT_SIDES; side++) {
		to->wanted[side] += slot->wanted[side];
		to->spam[side] += slot->spam[side];
		to->blind[side] += slot->blind[side];
	}
	to->deferred += slot->deferred;
}

void slots_sum(const struct slots *slots, int64_t since,
	       uint64_t wanted_r[REPORT_SIDES], uint64_t spam_r[REPORT_SIDES])
{
	struct report_slot sum;
	const struct slot *slot;

	memset(&sum, 0, sizeof(sum));
	for (slot = slots->table; slot != NULL; slot = slot->hh.next) {
		if (slot->shown.start >= hour_of(since))
			add_counts(&sum, &slot->shown);
	}
	memcpy(wanted_r, sum.wanted, sizeof(sum.wanted));
	memcpy(spam_r, sum.spam, sizeof(sum.spam));
}

static int64_t day_of(int64_t time)
{
	time_t t = (time_t)time;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return time - time % (24 * REPORT_HOUR);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

static void
copy_hour(const struct slots *slots, struct report_slot *hour, int64_t to,
	  slots_blind_t *blind, const void *context)
{
	int64_t end = hour->start + REPORT_HOUR;
	struct slot *slot;
	unsigned int side;

	HASH_FIND(hh, slots->table, &hour->start, sizeof(hour->start), slot);
	if (slot != NULL)
		*hour = slot->shown;
	if (end > to)
		end = to;
	for (side = 0; side < REPORT_SIDES; side++) {
		hour->blind[side] = (uint32_t)blind(context, side, hour->start,
						    end);
	}
}

/* An hour belongs to the day in which it begins. */
static void make_days(struct report_domain *domain, struct report_slot *days)
{
	int64_t day = 0;
	size_t i;

	domain->days = days;
	for (i = 0; i < domain->hours_count; i++) {
		if (i == 0 || domain->hours[i].start >= day + 23 * REPORT_HOUR)
			day = day_of(domain->hours[i].start);
		if (domain->days_count == 0 ||
		    days[domain->days_count - 1].start != day)
			days[domain->days_count++].start = day;
		add_counts(&days[domain->days_count - 1], &domain->hours[i]);
	}
}

void slots_fill(const struct slots *slots, pool_t *pool, int64_t from,
		int64_t to, slots_blind_t *blind, const void *context,
		struct report_domain *domain)
{
	int64_t oldest = to - (int64_t)REPORT_MAX_DAYS * 24 * REPORT_HOUR;
	struct report_slot *hours;
	size_t i;

	if (from < oldest)
		from = oldest;
	from = hour_of(from);
	if (to < from)
		return;
	domain->hours_count = (size_t)((to - from) / REPORT_HOUR) + 1;
	hours = pool_array(pool, domain->hours_count, sizeof(*hours));
	for (i = 0; i < domain->hours_count; i++) {
		hours[i].start = from + (int64_t)i * REPORT_HOUR;
		copy_hour(slots, &hours[i], to, blind, context);
	}
	domain->hours = hours;
	make_days(domain, pool_array(pool, domain->hours_count / 23 + 2,
				     sizeof(*hours)));
}
