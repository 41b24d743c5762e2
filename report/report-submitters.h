/*
 * report-submitters: who hands in mail by authentication, and where
 *
 * event=submission, and event=arrival with via=submission: who still uses the old
 * server after the switch must be told. A submitter is a login name at a client
 * address.
 */
#ifndef REPORT_SUBMITTERS_H
#define REPORT_SUBMITTERS_H

#include "report-event.h"

struct submitters;

/* chosen: only senders of that domain; "" for all. */
struct submitters *submitters_init(struct strings *strings, const char *chosen);
void submitters_deinit(struct submitters **submitters);
void submitters_add(struct submitters *submitters,
		    const struct report_event *event);
void submitters_finish(struct submitters *submitters, pool_t *pool,
		       struct report_model *model);

#endif
