/*
 * report-incidents: tags that didn't verify, and mail that goes round
 *
 * Of the many that are alike the first one is kept as an example.
 */
#ifndef REPORT_INCIDENTS_H
#define REPORT_INCIDENTS_H

#include "report-event.h"

struct incidents;

struct incidents *incidents_init(struct strings *strings);
void incidents_deinit(struct incidents **incidents);
void incidents_add_forged(struct incidents *incidents,
			  const struct report_event *event);
void incidents_add_loop(struct incidents *incidents,
			const struct report_event *event);
void incidents_finish(struct incidents *incidents, pool_t *pool,
		      struct report_model *model);

#endif
