/*
 * sim-milter: the milter of one of a world's servers: heartbeats and outages
 */
#ifndef SIM_MILTER_H
#define SIM_MILTER_H

#include "sim-log.h"

struct sim_milter {
	struct sim_clock *clock;
	struct sim_log *log;
	int64_t started;
	/* When the next heartbeat is. */
	int64_t due;
	uint64_t seq, arrivals;
	bool up, ended;
};

/* It starts when it's installed. Zeroed before; not to be moved. */
void sim_milter_init(struct sim_milter *milter, struct sim_clock *clock,
		     struct sim_log *log);
/* No more heartbeats are needed. */
void sim_milter_end(struct sim_milter *milter);
/* A mail passes: a line of event=arrival to be filled and given to
   sim_log_milter(); false when there's no milter now. */
bool sim_milter_arrival(struct sim_milter *milter, struct report_line *report);

#endif
