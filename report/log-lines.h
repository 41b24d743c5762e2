/*
 * log-lines: those lines of a log that have the token of report lines in them
 *
 * The rest is only counted. Lines over LOG_LINE_MAX bytes are skipped, since no
 * report line is that long.
 */
#ifndef LOG_LINES_H
#define LOG_LINES_H

#include "log-source.h"

#define LOG_LINE_MAX (64 * 1024)

struct log_lines {
	struct log_source *source;
	char *buffer;
	/* What wasn't looked at yet. */
	size_t pos, end;
	bool skipping;
	/* Read so far. */
	uint64_t count, bytes;
	/* Too long. */
	uint64_t too_long;
};

/* The source belongs to the caller. Memory is taken at the first line. */
void log_lines_init(struct log_lines *lines, struct log_source *source);
/* The source may be read again from elsewhere after that; counters stay. */
void log_lines_reset(struct log_lines *lines);
void log_lines_deinit(struct log_lines *lines);

/* 1 for a line, without its newline, valid until the next call; 0 when nothing
   more comes now; -1 on an error. */
int log_lines_next(struct log_lines *lines, const char **line_r,
		   size_t *size_r, const char **error_r);
/* Any line, for a look at how the log begins; not counted. */
int log_lines_peek(struct log_lines *lines, const char **line_r,
		   size_t *size_r, const char **error_r);
/* What has come of a line whose newline hasn't, if the token is in it: it may
   have been cut anywhere, and isn't to be believed. */
bool log_lines_unfinished(const struct log_lines *lines, const char **line_r,
			  size_t *size_r);

#endif
