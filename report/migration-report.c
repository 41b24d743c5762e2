/*
 * migration-report: reads syslog and tells how far a migration is
 *
 * Opens what was asked for, reads it all (or goes on reading, with --follow), and
 * writes what was asked for. migration-report(1).
 */
#include "config.h"
#include "log-follow.h"
#include "log-set.h"
#include "memory.h"
#include "report-html.h"
#include "report-intake.h"
#include "report-json.h"
#include "report-options.h"
#include "report-screen.h"
#include "report-strings.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

/* Clocks and zones may be off by as much. */
#define FUTURE_SECS (26 * 3600)
#define DRAW_INTERVAL_MS 1000

struct run {
	struct report_options options;
	struct log_settings log_settings;
	struct report_intake_settings intake_settings;
	struct log_set *set;
	struct report_intake *intake;
	/* Of all logs, and of these that couldn't be opened. */
	struct report_input *inputs, *closed;
	size_t closed_count;
	/* sysexits */
	int status;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* Lines that can't be used, with -v. */
static void show_line(const char *name, const char *what, const char *line,
		      size_t size)
{
	struct text text = { line, size };
	pool_t pool;

	pool_init(&pool);
	fprintf(stderr, "migration-report: %s%s%s: %s\n", name,
		*name == '\0' ? "" : ": ", what, strings_show(&pool, text));
	pool_deinit(&pool);
}

static void log_trouble(void *context, const char *name,
			enum log_trouble trouble, const char *line, size_t size)
{
	static const char *const names[LOG_TROUBLES] = {
		[LOG_SUSPICIOUS] = "not where a message begins",
		[LOG_UNDATED] = "no time, or one in the future",
		[LOG_UNFINISHED] = "the line has no end",
	};

	(void)context;
	show_line(name, names[trouble], line, size);
}

static void broken_line(void *context, const char *reason, const char *message,
			size_t size)
{
	(void)context;
	show_line("", reason, message, size);
}

static void prepare(struct run *run)
{
	const struct report_options *options = &run->options;

	run->log_settings.latest = (int64_t)time(NULL) + FUTURE_SECS;
	run->intake_settings.domain = options->domain;
	run->intake_settings.switched = options->switched;
	run->intake_settings.since = options->since;
	run->intake_settings.until = options->until;
	run->intake_settings.verdict = &options->verdict_options.set;
	if (options->verbose) {
		run->log_settings.trouble = log_trouble;
		run->intake_settings.broken = broken_line;
	}
	run->set = log_set_init(&run->log_settings);
	run->intake = report_intake_init(&run->intake_settings);
}

/* The others are read all the same. */
static void open_failed(struct run *run, const char *name, const char *error,
			int status)
{
	struct report_input *input;

	fprintf(stderr, "migration-report: %s: %s\n", name, error);
	run->status = status;
	run->closed = memory_resize(run->closed, run->closed_count + 1,
				    sizeof(*run->closed));
	input = &run->closed[run->closed_count++];
	memset(input, 0, sizeof(*input));
	input->name = name;
	input->error = "it can't be opened";
}

static void open_logs(struct run *run)
{
	const struct report_options *options = &run->options;
	const struct report_file *file;
	const char *error;
	size_t i;

	for (i = 0; i < options->files_count; i++) {
		file = &options->files[i];
		if (log_set_add_file(run->set, file->path, file->zone,
				     file->year, &error) < 0)
			open_failed(run, file->path, error, EX_NOINPUT);
	}
	if (options->journal &&
	    log_set_add_journal(run->set, options->journal_folder,
				options->since, &error) < 0)
		open_failed(run, "journal", error, EX_UNAVAILABLE);
}

static void read_logs(struct run *run)
{
	struct log_record record;

	while (log_set_next(run->set, &record))
		report_intake_add(run->intake, &record);
}

/* Sums up what was read. */
static void get_reading(struct run *run, struct report_reading *reading)
{
	const struct log_input *input;
	size_t i, count = log_set_count(run->set);

	memset(reading, 0, sizeof(*reading));
	run->inputs = memory_resize(run->inputs, count + run->closed_count,
				    sizeof(*run->inputs));
	for (i = 0; i < count; i++) {
		input = log_set_input(run->set, i);
		run->inputs[i] = input->seen;
		reading->lines += input->seen.lines;
		reading->bytes += input->seen.bytes;
		reading->report_lines += input->seen.report_lines;
		reading->suspicious += input->troubles[LOG_SUSPICIOUS];
		reading->undated += input->troubles[LOG_UNDATED];
		reading->broken += input->troubles[LOG_UNFINISHED];
	}
	if (run->closed_count > 0)
		memcpy(run->inputs + count, run->closed,
		       run->closed_count * sizeof(*run->closed));
	reading->inputs = run->inputs;
	reading->inputs_count = count + run->closed_count;
}

static const struct report_model *get_model(struct run *run)
{
	int64_t now = (int64_t)time(NULL), end = 0;
	struct report_reading reading;

	get_reading(run, &reading);
	/* what is live is silent when nothing comes */
	if (run->options.follow || run->options.journal)
		end = now;
	return report_intake_model(run->intake, now, end, &reading);
}

static void write_failed(struct run *run, const char *name, const char *error,
			 int status)
{
	fprintf(stderr, "migration-report: %s: %s\n", name, error);
	run->status = status;
}

static int write_verdict(struct run *run, const struct report_model *model,
			 const char **error_r)
{
	report_text_verdict(model->verdicts[0], &run->options.text, stdout);
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	*error_r = strerror(errno);
	return -1;
}

static int write_stdout(struct run *run, const struct report_model *model,
			const char **error_r)
{
	int ret;

	if (run->options.json) {
		ret = report_json_write(model, stdout);
		*error_r = strerror(errno);
		return ret;
	}
	return run->options.verdict ? write_verdict(run, model, error_r) :
		report_text_write(model, &run->options.text, stdout, error_r);
}

/* A verdict that was told has a status of its own: what couldn't be read is in
   it already. */
static int verdict_status(const struct report_verdict *verdict)
{
	static const int statuses[] = {
		[REPORT_SAFE] = 0,
		[REPORT_NOT_YET] = 1,
		[REPORT_UNKNOWN] = 2,
	};

	return statuses[verdict->answer];
}

static void write_outputs(struct run *run)
{
	const struct report_model *model = get_model(run);
	const char *error = "";

	if (run->options.verdict)
		run->status = verdict_status(model->verdicts[0]);
	if (write_stdout(run, model, &error) < 0)
		write_failed(run, "standard output", error, EX_IOERR);
	if (run->options.html != NULL &&
	    report_html_write_file(model, run->options.html, &error) < 0)
		write_failed(run, run->options.html, error, EX_CANTCREAT);
}

/* A log that couldn't be read to its end makes the report a partial one. */
static void check_inputs(struct run *run)
{
	const struct log_input *input;
	size_t i;

	for (i = 0; i < log_set_count(run->set); i++) {
		input = log_set_input(run->set, i);
		if (*input->seen.error == '\0')
			continue;
		fprintf(stderr, "migration-report: %s: %s\n", input->seen.name,
			input->seen.error);
		if (run->status == EX_OK && !run->options.verdict)
			run->status = EX_DATAERR;
	}
}

static void read_once(struct run *run)
{
	size_t i;

	read_logs(run);
	for (i = 0; i < log_set_count(run->set); i++)
		log_input_finish(log_set_input(run->set, i));
	write_outputs(run);
	check_inputs(run);
}

static void catch_signals(void)
{
	/* no SA_RESTART: poll() is to return */
	struct sigaction action = { .sa_handler = stop };

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

static void draw(struct run *run)
{
	const char *error;

	if (report_screen_draw(get_model(run), &run->options.text, &error) < 0) {
		write_failed(run, "standard output", error, EX_IOERR);
		stopped = 1;
	}
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Reads whatever comes, and draws it once in an interval. */
static void follow(struct run *run)
{
	struct log_follow *follow = log_follow_init();
	int64_t drawn = 0, left;

	if (follow == NULL) {
		open_failed(run, "inotify", strerror(errno), EX_OSERR);
		return;
	}
	catch_signals();
	while (stopped == 0) {
		run->log_settings.latest = (int64_t)time(NULL) + FUTURE_SECS;
		if (log_follow_watch(follow, run->set) < 0) {
			open_failed(run, "inotify", strerror(errno), EX_OSERR);
			break;
		}
		read_logs(run);
		left = drawn + DRAW_INTERVAL_MS - now_ms();
		if (drawn == 0 || left <= 0) {
			draw(run);
			drawn = now_ms();
			left = DRAW_INTERVAL_MS;
		}
		(void)log_follow_wait(follow, run->set, (int)left);
	}
	log_follow_deinit(&follow);
}

int main(int argc, char *argv[])
{
	struct run run;

	memset(&run, 0, sizeof(run));
	/* widths of characters on the terminal; numbers and times stay C's */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	report_options_parse(&run.options, argc, argv);
	prepare(&run);
	open_logs(&run);
	if (log_set_count(run.set) == 0)
		;	/* said why already */
	else if (run.options.follow)
		follow(&run);
	else
		read_once(&run);
	report_intake_deinit(&run.intake);
	log_set_deinit(&run.set);
	report_options_deinit(&run.options);
	free(run.inputs);
	free(run.closed);
	return run.status;
}
