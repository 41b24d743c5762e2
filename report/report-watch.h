/*
 * report-watch: who watched, and when nobody did
 *
 * A milter writes a heartbeat with a number each minute, or as it announces, and
 * a line when it starts and stops. It's blind from its last heartbeat or stop on,
 * when the next line says that it began again; from one heartbeat to the next,
 * when numbers are missing between, or when that took more than two intervals,
 * because it writes none while it can't watch; and from its last one to the end,
 * when it stopped or there was none for three intervals. A side is blind when one
 * of its milters is, and before the first line of each.
 */
#ifndef REPORT_WATCH_H
#define REPORT_WATCH_H

#include "report-event.h"

struct watch;

struct watch *watch_init(struct strings *strings);
void watch_deinit(struct watch **watch);

/* Any event with at= and host= but a failure shows that its milter watches. Call
   it first. */
void watch_add_sign(struct watch *watch, const struct report_event *event);
void watch_add_heartbeat(struct watch *watch, const struct report_event *event);
void watch_add_start(struct watch *watch, const struct report_event *event);
void watch_add_stop(struct watch *watch, const struct report_event *event);
void watch_add_reload(struct watch *watch, const struct report_event *event);
void watch_add_failure(struct watch *watch, const struct report_event *event);
void watch_add_arrival(struct watch *watch, const struct report_event *event);

/* Fills in the model's watchers and blind times; its other times must be there. */
void watch_finish(struct watch *watch, pool_t *pool, struct report_model *model);
/* As slots_blind_t, after that. */
uint64_t watch_blind(const void *watch, enum report_side side, int64_t from,
		     int64_t to);

#endif
