#include "log-lines.h"
#include "memory.h"
#include "common/report-line.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE (4 * LOG_LINE_MAX)
#define TOKEN_SIZE (sizeof(REPORT_TOKEN) - 1)

void log_lines_init(struct log_lines *lines, struct log_source *source)
{
	memset(lines, 0, sizeof(*lines));
	lines->source = source;
}

void log_lines_reset(struct log_lines *lines)
{
	free(lines->buffer);
	lines->buffer = NULL;
	lines->pos = lines->end = 0;
	lines->skipping = false;
}

void log_lines_deinit(struct log_lines *lines)
{
	log_lines_reset(lines);
}

static uint64_t count_newlines(const char *data, size_t size)
{
	const char *p = data, *end = data + size;
	uint64_t count = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		count++;
	}
	return count;
}

/* A line that doesn't end in the whole buffer is none of ours. */
static void skip_long_line(struct log_lines *lines)
{
	char *newline;

	if (lines->end - lines->pos >= LOG_LINE_MAX &&
	    memchr(lines->buffer + lines->pos, '\n',
		   lines->end - lines->pos) == NULL) {
		lines->too_long += lines->skipping ? 0 : 1;
		lines->skipping = true;
	}
	if (!lines->skipping)
		return;
	newline = memchr(lines->buffer + lines->pos, '\n',
			 lines->end - lines->pos);
	lines->skipping = newline == NULL;
	lines->pos = newline == NULL ? lines->end :
		(size_t)(newline + 1 - lines->buffer);
}

/* 1 when there is more to look at. */
static int fill(struct log_lines *lines, const char **error_r)
{
	ssize_t ret;

	if (lines->buffer == NULL)
		lines->buffer = memory_resize(NULL, BUFFER_SIZE, 1);
	memmove(lines->buffer, lines->buffer + lines->pos,
		lines->end - lines->pos);
	lines->end -= lines->pos;
	lines->pos = 0;
	ret = log_source_read(lines->source, lines->buffer + lines->end,
			      BUFFER_SIZE - lines->end, error_r);
	if (ret <= 0)
		return (int)ret;
	lines->bytes += (uint64_t)ret;
	lines->count += count_newlines(lines->buffer + lines->end, (size_t)ret);
	lines->end += (size_t)ret;
	skip_long_line(lines);
	return 1;
}

/* Takes the line in which p is, when all of it is there. */
static bool take_line(struct log_lines *lines, const char *p,
		      const char **line_r, size_t *size_r)
{
	const char *pos = lines->buffer + lines->pos;
	const char *end = lines->buffer + lines->end;
	const char *start = memrchr(pos, '\n', (size_t)(p - pos));
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	start = start == NULL ? pos : start + 1;
	if (newline == NULL) {
		lines->pos = (size_t)(start - lines->buffer);
		return false;
	}
	lines->pos = (size_t)(newline + 1 - lines->buffer);
	*line_r = start;
	*size_r = (size_t)(newline - start);
	if (*size_r > 0 && start[*size_r - 1] == '\r')
		(*size_r)--;
	return true;
}

/* What has no token is done with, but for the last line's beginning. */
static void drop_lines(struct log_lines *lines)
{
	const char *pos = lines->buffer + lines->pos;
	const char *newline = memrchr(pos, '\n', lines->end - lines->pos);

	if (newline != NULL)
		lines->pos = (size_t)(newline + 1 - lines->buffer);
}

int log_lines_next(struct log_lines *lines, const char **line_r,
		   size_t *size_r, const char **error_r)
{
	const char *p;
	int ret;

	for (;;) {
		if (lines->end > lines->pos) {
			p = memmem(lines->buffer + lines->pos,
				   lines->end - lines->pos,
				   REPORT_TOKEN, TOKEN_SIZE);
			if (p == NULL)
				drop_lines(lines);
			else if (take_line(lines, p, line_r, size_r))
				return 1;
		}
		ret = fill(lines, error_r);
		if (ret <= 0)
			return ret;
	}
}

int log_lines_peek(struct log_lines *lines, const char **line_r,
		   size_t *size_r, const char **error_r)
{
	uint64_t count = lines->count, bytes = lines->bytes;
	int ret;

	while (lines->end == lines->pos ||
	       !take_line(lines, lines->buffer + lines->pos, line_r, size_r)) {
		ret = fill(lines, error_r);
		lines->count = count;
		lines->bytes = bytes;
		if (ret <= 0)
			return ret;
	}
	return 1;
}

bool log_lines_unfinished(const struct log_lines *lines, const char **line_r,
			  size_t *size_r)
{
	*line_r = lines->buffer + lines->pos;
	*size_r = lines->end - lines->pos;
	return *size_r > 0 &&
		memmem(*line_r, *size_r, REPORT_TOKEN, TOKEN_SIZE) != NULL;
}
