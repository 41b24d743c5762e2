#include "sim-log.h"

#include <stdlib.h>

static const char *const names[SIM_SIDES] = { "old", "new" };
static const char *const hosts[SIM_SIDES] = {
	"mx.old.example", "mx1." SIM_DOMAIN
};

void sim_log_init(struct sim_log *log, const struct sim_clock *clock,
		  const struct sim_server *server, enum sim_side side,
		  bool old_times, FILE *file)
{
	*log = (struct sim_log){
		.clock = clock, .server = server, .side = side, .file = file,
		.writer = { .rfc3164 = old_times },
	};
}

static void failed(const struct sim_log *log)
{
	fprintf(stderr, "the %s server's log can't be written\n",
		names[log->side]);
	exit(EXIT_FAILURE);
}

void sim_log_end(struct sim_log *log)
{
	if (log->file != NULL && fclose(log->file) != 0)
		failed(log);
	log->file = NULL;
}

void sim_log_flush(struct sim_log *log)
{
	if (log->file != NULL && fflush(log->file) != 0)
		failed(log);
}

const char *sim_log_host(const struct sim_log *log)
{
	return hosts[log->side];
}

int64_t sim_log_time(const struct sim_log *log)
{
	return log->clock->now + log->server->clock_ahead;
}

void sim_log_begin(const struct sim_log *log, struct report_line *report,
		   const char *event)
{
	report_line_begin(report, event);
	report_line_add_str(report, "at", names[log->side]);
	report_line_add_str(report, "host", hosts[log->side]);
}

static bool is_written(const struct sim_log *log)
{
	return log->file != NULL &&
		log->clock->now >= log->server->log_begins &&
		!sim_span_has(&log->server->log_lost, log->clock->now);
}

static void write_line(struct sim_log *log, const char *line, size_t size)
{
	if (fwrite(line, size, 1, log->file) != 1)
		failed(log);
}

void sim_log_milter(struct sim_log *log, struct report_line *report)
{
	char line[LOG_WRITER_LINE_MAX];

	if (!is_written(log))
		return;
	write_line(log, line, log_writer_line(&log->writer, line,
		sim_log_time(log), hosts[log->side], "migration-milter[812]",
		report_line_end(report)));
}

void sim_log_plugin(struct sim_log *log, const char *user,
		    struct report_line *report)
{
	char line[LOG_WRITER_LINE_MAX];

	if (!is_written(log))
		return;
	write_line(log, line, log_writer_plugin_line(&log->writer, line,
		sim_log_time(log), hosts[log->side], user,
		report_line_end(report)));
}
