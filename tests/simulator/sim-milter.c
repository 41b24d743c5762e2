#include "sim-milter.h"

/* The default is a minute. What the rules make of it depends on the interval that
   heartbeats announce; five minutes make a fifth of the lines. */
#define HEARTBEAT_SECS 300

static void report_life(struct sim_milter *milter, const char *event)
{
	struct report_line report;

	sim_log_begin(milter->log, &report, event);
	log_add(&report, "version", "0.1.0");
	log_add(&report, "mode", "tag");
	log_add(&report, "domains", SIM_DOMAIN);
	sim_log_milter(milter->log, &report);
}

static void report_heartbeat(struct sim_milter *milter)
{
	struct report_line report;

	sim_log_begin(milter->log, &report, "heartbeat");
	report_line_add_number(&report, "uptime", (uint64_t)
			       (milter->clock->now - milter->started));
	report_line_add_number(&report, "seq", ++milter->seq);
	report_line_add_number(&report, "interval", HEARTBEAT_SECS);
	report_line_add_number(&report, "mails", milter->arrivals);
	report_line_add_number(&report, "arrivals", milter->arrivals);
	sim_log_milter(milter->log, &report);
}

static void beat(void *context)
{
	struct sim_milter *milter = context;

	/* a run that is over may have asked for it */
	if (!milter->up || milter->ended || milter->clock->now != milter->due)
		return;
	report_heartbeat(milter);
	milter->due = milter->clock->now + HEARTBEAT_SECS;
	sim_clock_at(milter->clock, milter->due, beat, milter);
}

static void start(void *context)
{
	struct sim_milter *milter = context;

	milter->up = true;
	milter->started = milter->due = milter->clock->now;
	milter->seq = milter->arrivals = 0;
	report_life(milter, "milter_start");
	beat(milter);
}

static void stop(void *context)
{
	struct sim_milter *milter = context;

	if (!milter->log->server->milter_killed) {
		report_heartbeat(milter);
		report_life(milter, "milter_stop");
	}
	milter->up = false;
}

void sim_milter_init(struct sim_milter *milter, struct sim_clock *clock,
		     struct sim_log *log)
{
	const struct sim_span *down = &log->server->milter_down;

	milter->clock = clock;
	milter->log = log;
	sim_clock_at(clock, log->server->milter_since, start, milter);
	if (down->to > down->from && down->from > log->server->milter_since) {
		sim_clock_at(clock, down->from, stop, milter);
		sim_clock_at(clock, down->to, start, milter);
	}
}

void sim_milter_end(struct sim_milter *milter)
{
	milter->ended = true;
}

bool sim_milter_arrival(struct sim_milter *milter, struct report_line *report)
{
	if (!milter->up)
		return false;
	milter->arrivals++;
	sim_log_begin(milter->log, report, "arrival");
	return true;
}
