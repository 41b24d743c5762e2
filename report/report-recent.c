#include "report-recent.h"

#include <string.h>

#define HOUR 3600

void report_recent_get(const struct report_domain *domain,
		       struct report_recent *recent_r)
{
	const struct report_slot *slot;
	size_t i = 0;
	int side;

	memset(recent_r, 0, sizeof(*recent_r));
	if (domain->hours_count > REPORT_RECENT_HOURS)
		i = domain->hours_count - REPORT_RECENT_HOURS;
	for (; i < domain->hours_count; i++) {
		slot = &domain->hours[i];
		if (recent_r->from == 0)
			recent_r->from = slot->start;
		for (side = 0; side < REPORT_SIDES; side++) {
			recent_r->wanted[side] += slot->wanted[side];
			recent_r->spam[side] += slot->spam[side];
			recent_r->blind_s[side] += slot->blind[side];
		}
	}
}

enum report_outlook report_recent_outlook(const struct report_model *model,
					  const struct report_recent *recent)
{
	if (recent->wanted[REPORT_OLD] > 0)
		return model->switched_by == REPORT_SWITCHED_UNKNOWN ?
			REPORT_OUTLOOK_BEFORE : REPORT_OUTLOOK_COMING;
	if (recent->from == 0)
		return REPORT_OUTLOOK_NOTHING;
	if (!model->watched[REPORT_OLD] ||
	    recent->blind_s[REPORT_OLD] > REPORT_RECENT_HOURS * HOUR / 2)
		return REPORT_OUTLOOK_BLIND;
	if (model->switched_by == REPORT_SWITCHED_UNKNOWN)
		return REPORT_OUTLOOK_BEFORE;
	return recent->blind_s[REPORT_OLD] > 0 ?
		REPORT_OUTLOOK_UNSURE : REPORT_OUTLOOK_NONE;
}

const char *report_outlook_name(enum report_outlook outlook)
{
	static const char *const names[] = {
		[REPORT_OUTLOOK_NOTHING] = "nothing",
		[REPORT_OUTLOOK_BLIND] = "blind",
		[REPORT_OUTLOOK_BEFORE] = "before",
		[REPORT_OUTLOOK_COMING] = "coming",
		[REPORT_OUTLOOK_UNSURE] = "unsure",
		[REPORT_OUTLOOK_NONE] = "none",
	};

	return names[outlook];
}
