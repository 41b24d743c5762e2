/*
 * report-arrivals: what came in, for each domain of ours
 *
 * event=arrival, deferred and late. Only direct arrivals make up the shares; what
 * was relayed, submitted or made on the server is counted apart.
 */
#ifndef REPORT_ARRIVALS_H
#define REPORT_ARRIVALS_H

#include "report-event.h"
#include "report-slots.h"

struct arrivals;

/* chosen: the only domain to be looked at, "" for all. */
struct arrivals *arrivals_init(struct strings *strings, const char *chosen);
void arrivals_deinit(struct arrivals **arrivals);
/* Of each event first: gets what it needs on its way from memory. */
void arrivals_prepare(struct arrivals *arrivals,
		      const struct report_event *event);
void arrivals_add(struct arrivals *arrivals, const struct report_event *event);
void arrivals_add_deferred(struct arrivals *arrivals,
			   const struct report_event *event);
/* What a poll found on the old server, and when it came there. It counts in the
   shares where milters didn't watch, or never told of its source: else they have
   told of it. */
void arrivals_add_late(struct arrivals *arrivals,
		       const struct report_event *event, int64_t arrived);
/* When the first wanted mail came to the new server directly, 0 for never. */
int64_t arrivals_first_new(const struct arrivals *arrivals);
/* Fills in the model's domains; its times must be there. */
void arrivals_finish(struct arrivals *arrivals, pool_t *pool,
		     slots_blind_t *blind, const void *context,
		     struct report_model *model);

#endif
