/*
 * sim-log: the mail.log of one of a world's servers
 *
 * Lines have the time of that server's clock. Those that are lost, by the world's
 * plan, aren't written; nor is anything when the log has no file.
 */
#ifndef SIM_LOG_H
#define SIM_LOG_H

#include "log-writer.h"
#include "sim-clock.h"
#include "sim-plan.h"

#include <stdio.h>

struct sim_log {
	const struct sim_clock *clock;
	const struct sim_server *server;
	enum sim_side side;
	FILE *file;
	struct log_writer writer;
};

/* file: where to, NULL for nowhere; the log's from now on. old_times: as RFC 3164
   has them. */
void sim_log_init(struct sim_log *log, const struct sim_clock *clock,
		  const struct sim_server *server, enum sim_side side,
		  bool old_times, FILE *file);
/* Ends what is written; may be called twice. */
void sim_log_end(struct sim_log *log);
void sim_log_flush(struct sim_log *log);

/* "mx.old.example" */
const char *sim_log_host(const struct sim_log *log);
/* What its clock shows now. */
int64_t sim_log_time(const struct sim_log *log);

/* Begins a line of the milter: event, at, host. */
void sim_log_begin(const struct sim_log *log, struct report_line *report,
		   const char *event);
void sim_log_milter(struct sim_log *log, struct report_line *report);
/* A line of the plugin about that user. */
void sim_log_plugin(struct sim_log *log, const char *user,
		    struct report_line *report);

#endif
