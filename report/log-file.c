/*
 * log-file: an input that is a file or a pipe
 */
#include "log-input.h"
#include "log-lines.h"
#include "memory.h"
#include "syslog-time.h"
#include "common/report-line.h"

#include <stdlib.h>
#include <string.h>

/* Of these one says when the log begins. */
#define PEEK_LINES 20

struct log_file {
	struct log_input input;
	char *path, *zone;
	int year;
	struct log_source *source;
	struct log_lines lines;
	struct syslog_clock clock;
	bool ended;
	char error[256];
};

static struct log_input *
file_init(struct log_source *source, const char *path, const char *zone,
	  int year, const struct log_settings *set);

static bool read_time(struct log_input *input, const char *text, size_t size,
		      int64_t *time_r)
{
	struct log_file *file = (struct log_file *)input;

	return syslog_clock_read(&file->clock, text, size, time_r);
}

static void set_error(struct log_file *file, const char *error)
{
	strncpy(file->error, error, sizeof(file->error) - 1);
	file->input.seen.error = file->error;
}

static void file_finish(struct log_input *input)
{
	struct log_file *file = (struct log_file *)input;
	const char *line;
	size_t size;

	if (log_lines_unfinished(&file->lines, &line, &size))
		log_input_trouble(input, LOG_UNFINISHED, line, size);
	log_lines_reset(&file->lines);
}

/* Returns true when there's more to read. */
static bool end_of_file(struct log_file *file)
{
	if (!log_source_was_truncated(file->source))
		return false;
	set_error(file, "was truncated while it was read");
	file_finish(&file->input);
	return true;
}

static int file_next(struct log_input *input, struct log_record *record_r)
{
	struct log_file *file = (struct log_file *)input;
	const char *line, *error;
	size_t size;
	int ret;

	while (!file->ended) {
		ret = log_lines_next(&file->lines, &line, &size, &error);
		input->seen.lines = file->lines.count;
		input->seen.bytes = file->lines.bytes;
		if (ret < 0) {
			set_error(file, error);
			file->ended = true;
		} else if (ret == 0) {
			if (!end_of_file(file))
				return 0;
		} else if (log_input_judge(input, line, size, read_time,
					   record_r) > 0) {
			return 1;
		}
	}
	return 0;
}

static struct log_input *file_successor(struct log_input *input)
{
	struct log_file *file = (struct log_file *)input;
	struct log_source *source = log_source_successor(file->source);

	return source == NULL ? NULL :
		file_init(source, file->path, file->zone, file->year,
			  input->set);
}

static int file_wait_fd(struct log_input *input)
{
	struct log_file *file = (struct log_file *)input;

	return file->ended ? -1 : log_source_pipe_fd(file->source);
}

static const char *file_path(const struct log_input *input)
{
	const struct log_file *file = (const struct log_file *)input;

	return log_source_is_growing(file->source) ? file->path : NULL;
}

static void file_deinit(struct log_input *input)
{
	struct log_file *file = (struct log_file *)input;

	log_lines_deinit(&file->lines);
	log_source_deinit(&file->source);
	free(file->path);
	free(file->zone);
	free(file);
}

static const struct log_input_kind log_file_kind = {
	.next = file_next,
	.successor = file_successor,
	.finish = file_finish,
	.wait_fd = file_wait_fd,
	.path = file_path,
	.deinit = file_deinit
};

/* When it begins, so that it needn't be read before its time has come. */
static int64_t peek_time(struct log_file *file)
{
	struct syslog_clock clock = file->clock;
	struct report_head head;
	const char *line, *message, *error;
	size_t size, message_size;
	int64_t time = INT64_MIN;
	unsigned int i;

	for (i = 0; i < PEEK_LINES && time == INT64_MIN; i++) {
		if (log_lines_peek(&file->lines, &line, &size, &error) <= 0)
			break;
		(void)report_line_find(line, size, &head, &message,
				       &message_size);
		if (!syslog_clock_read(&clock, head.time, head.time_size,
				       &time))
			time = INT64_MIN;
	}
	log_lines_reset(&file->lines);
	(void)log_source_rewind(file->source);
	return time;
}

static struct log_input *
file_init(struct log_source *source, const char *path, const char *zone,
	  int year, const struct log_settings *set)
{
	struct log_file *file = memory_new(sizeof(*file));

	file->input.kind = &log_file_kind;
	file->input.set = set;
	file->path = memory_copy(path);
	file->zone = zone == NULL ? NULL : memory_copy(zone);
	file->year = year;
	file->source = source;
	file->input.seen.name = file->path;
	file->input.seen.error = "";
	log_lines_init(&file->lines, source);
	syslog_clock_init(&file->clock, file->zone, log_source_mtime(source),
			  year);
	file->input.begins = log_source_can_rewind(source) ? peek_time(file) :
		INT64_MIN;
	return &file->input;
}

struct log_input *log_file_init(const char *path, const char *zone, int year,
				const struct log_settings *set)
{
	struct log_source *source = log_source_init(path);

	return source == NULL ? NULL :
		file_init(source, path, zone, year, set);
}
