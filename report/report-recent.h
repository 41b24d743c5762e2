/*
 * report-recent: what came of late, which is what an administrator asks first
 */
#ifndef REPORT_RECENT_H
#define REPORT_RECENT_H

#include "report-model.h"

/* Of that many hours at the end of what was read. */
#define REPORT_RECENT_HOURS 24

struct report_recent {
	/* Where they begin; 0 when there are none. */
	int64_t from;
	uint64_t wanted[REPORT_SIDES], spam[REPORT_SIDES];
	/* Seconds of them in which mail may have come unseen. */
	uint64_t blind_s[REPORT_SIDES];
};

/* The last hour is the one that wasn't over, so a little less than the whole
   time is looked at. */
void report_recent_get(const struct report_domain *domain,
		       struct report_recent *recent_r);

/* What the last hours say of the old server, in a sentence without an end. */
enum report_outlook {
	/* No arrival was seen at all. */
	REPORT_OUTLOOK_NOTHING,
	/* No milter reports from it, or the greater part went unseen. */
	REPORT_OUTLOOK_BLIND,
	/* Nothing came to the new one yet. */
	REPORT_OUTLOOK_BEFORE,
	/* Wanted mail comes to it. */
	REPORT_OUTLOOK_COMING,
	/* None was seen, but some of the time wasn't watched. */
	REPORT_OUTLOOK_UNSURE,
	/* None came. */
	REPORT_OUTLOOK_NONE
};

/* As in the JSON: "coming". */
const char *report_outlook_name(enum report_outlook outlook);
enum report_outlook report_recent_outlook(const struct report_model *model,
					  const struct report_recent *recent);

#endif
