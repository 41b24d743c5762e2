#include "lib.h"
#include "str.h"
#include "time-util.h"
#include "unichar.h"
#include "common/text-format.h"
#include "common/text-screen.h"
#include "progress-bar.h"

#include <stdio.h>
#include <unistd.h>

#define REDRAW_MSECS 100
#define BAR_CELLS 24

struct progress_bar {
	char *username;
	bool terminal, shown;

	char *vname;
	const char *what;
	unsigned int messages, done_messages;
	uint64_t bytes, done_bytes;
	struct timeval start, drawn;
};

struct progress_bar *progress_bar_init(const char *username)
{
	struct progress_bar *bar = i_new(struct progress_bar, 1);

	bar->username = i_strdup(username);
	bar->terminal = isatty(STDERR_FILENO) == 1;
	return bar;
}

void progress_bar_hide(struct progress_bar *bar)
{
	if (bar->shown)
		fputs("\r\033[K", stderr);
	bar->shown = FALSE;
}

void progress_bar_deinit(struct progress_bar **_bar)
{
	struct progress_bar *bar = *_bar;

	*_bar = NULL;
	progress_bar_hide(bar);
	i_free(bar->username);
	i_free(bar->vname);
	i_free(bar);
}

/* By bytes, where they are known: messages differ. */
static double done_part(const struct progress_bar *bar)
{
	double part;

	if (bar->bytes > 0)
		part = (double)bar->done_bytes / bar->bytes;
	else if (bar->messages > 0)
		part = (double)bar->done_messages / bar->messages;
	else
		part = 1;
	return part > 1 ? 1 : part;
}

static void append_speed(string_t *line, const struct progress_bar *bar,
			 const struct timeval *now, double part)
{
	double secs = timeval_diff_msecs(now, &bar->start) / 1000.0;

	if (secs <= 0)
		return;
	str_printfa(line, " %.0f/s %.1f MB/s", bar->done_messages / secs,
		    bar->done_bytes / secs / 1e6);
	if (part > 0.01 && part < 1) {
		unsigned int left = secs / part - secs + 0.5;

		str_printfa(line, " %u:%02u left", left / 60, left % 60);
	}
}

static void draw(struct progress_bar *bar, const struct timeval *now)
{
	string_t *line = t_str_new(128);
	double part = done_part(bar);
	size_t max = text_screen_size(STDERR_FILENO).columns - 1;

	str_printfa(line, "%s %3u%% %u/%u",
		    format_bar(part * 1000, 1000, BAR_CELLS).text,
		    (unsigned int)(part * 100), bar->done_messages, bar->messages);
	append_speed(line, bar, now, part);
	str_printfa(line, "  %s %s %s", bar->what, bar->username, bar->vname);
	/* bytes are never fewer than columns, nearly */
	if (str_len(line) > max)
		str_truncate_utf8(line, max);
	fprintf(stderr, "\r\033[K%s", str_c(line));
	fflush(stderr);
	bar->shown = TRUE;
	bar->drawn = *now;
}

static void bar_begin(void *context, const char *vname, const char *what,
		      unsigned int messages, uint64_t bytes)
{
	struct progress_bar *bar = context;

	i_free(bar->vname);
	bar->vname = i_strdup(vname);
	bar->what = what;
	bar->messages = messages;
	bar->bytes = bytes;
	bar->done_messages = 0;
	bar->done_bytes = 0;
	i_gettimeofday(&bar->start);
	bar->drawn = bar->start;
}

static void bar_progress(void *context, uint64_t bytes)
{
	struct progress_bar *bar = context;
	struct timeval now;

	bar->done_messages++;
	bar->done_bytes += bytes;
	if (!bar->terminal)
		return;
	i_gettimeofday(&now);
	if (timeval_diff_msecs(&now, &bar->drawn) >= REDRAW_MSECS) T_BEGIN {
		draw(bar, &now);
	} T_END;
}

struct fill_observer progress_bar_observer(struct progress_bar *bar)
{
	const struct fill_observer observer = {
		.begin = bar_begin,
		.progress = bar_progress,
		.context = bar,
	};
	return observer;
}
