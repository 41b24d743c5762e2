/*
 * log-input: the report lines of one log, with their times
 *
 * A log is a file, a pipe or the journal. Each has an opener of its own; how it's
 * read on is the same for all. Lines that aren't to be believed are counted, and
 * told to the trouble function.
 */
#ifndef LOG_INPUT_H
#define LOG_INPUT_H

#include "report-model.h"

struct log_record {
	int64_t time;
	/* "migration: event=..." and the host of the line, "" for none. */
	const char *message, *host;
	size_t message_size, host_size;
};

enum log_trouble {
	/* The token isn't where a message begins. */
	LOG_SUSPICIOUS,
	/* The time can't be read, or is in the future. */
	LOG_UNDATED,
	/* The line has no end. */
	LOG_UNFINISHED,
	LOG_TROUBLES
};

typedef void log_trouble_t(void *context, const char *name,
			   enum log_trouble trouble, const char *line,
			   size_t size);

struct log_settings {
	log_trouble_t *trouble;
	void *context;
	/* Later times aren't believed. */
	int64_t latest;
};

struct log_input;

/* What a kind of input does. */
struct log_input_kind {
	/* As log_input_next(). */
	int (*next)(struct log_input *input, struct log_record *record_r);
	/* As log_input_successor(); may be NULL. */
	struct log_input *(*successor)(struct log_input *input);
	/* As log_input_finish(); may be NULL. */
	void (*finish)(struct log_input *input);
	/* To be waited for with poll(2), -1 for none. */
	int (*wait_fd)(struct log_input *input);
	/* The file's path, where there's one to be watched, else NULL. */
	const char *(*path)(const struct log_input *input);
	void (*deinit)(struct log_input *input);
};

/* The beginning of each kind's own struct. */
struct log_input {
	const struct log_input_kind *kind;
	const struct log_settings *set;
	/* name and error are kept by the input. */
	struct report_input seen;
	uint64_t troubles[LOG_TROUBLES];
	/* No line of it is earlier than this, as far as can be told; INT64_MIN
	   when it can't. */
	int64_t begins;
};

/* 1 for a record, valid until the next call; 0 when nothing comes now, or an
   error ended it: input->seen.error says which. */
int log_input_next(struct log_input *input, struct log_record *record_r);
/* At the end: the log that goes on where this one ended, else NULL. */
struct log_input *log_input_successor(struct log_input *input);
/* Nothing is to come any more: what is left is an unfinished line. */
void log_input_finish(struct log_input *input);
int log_input_wait_fd(struct log_input *input);
const char *log_input_path(const struct log_input *input);
void log_input_deinit(struct log_input **input);

/* For the kinds: a line with the token; 1 when it's to be believed. */
int log_input_judge(struct log_input *input, const char *line, size_t size,
		    bool (*read_time)(struct log_input *input, const char *text,
				      size_t size, int64_t *time_r),
		    struct log_record *record_r);
void log_input_trouble(struct log_input *input, enum log_trouble trouble,
		       const char *line, size_t size);

/* zone and year as for syslog_clock_init(). NULL with errno. */
struct log_input *log_file_init(const char *path, const char *zone, int year,
				const struct log_settings *set);
/* The journal in that folder, NULL for the system's own, since that time, 0 for
   all. NULL with the reason. */
struct log_input *log_journal_init(const char *folder, int64_t since,
				   const struct log_settings *set,
				   const char **error_r);

#endif
