/*
 * report-watch-private: what is known of each milter while lines are read
 * (report-watch.c), and when the picture is made (report-watch-model.c).
 */
#ifndef REPORT_WATCH_PRIVATE_H
#define REPORT_WATCH_PRIVATE_H

#include "report-blind.h"
#include "report-watch.h"
#include "table.h"

struct watcher_key {
	const char *host;
	uintptr_t side;
};

struct watcher {
	UT_hash_handle hh;
	struct watcher_key key;
	struct report_watcher shown;
	struct kept_text failure;
	struct report_gap *gaps;
	size_t count, room;
	/* The last heartbeat of this run, seq 0 for none yet, and when that,
	   the start or the stop was; 0 when none is known. */
	uint64_t seq;
	int64_t beat;
	/* Seconds until the next one, as the last one announced. */
	int64_t interval;
	bool stopped;
	/* Arrivals of this run: what heartbeats count, what lines told. */
	uint64_t counted_at_first, told;
	bool counting;
	/* Missing at the last two heartbeats, and lost for good in this run. */
	uint64_t behind[2], lost;
	/* Lost in the runs before. */
	uint64_t lost_before;
};

struct watch {
	struct strings *strings;
	struct watcher *table;
	/* Of each side the one before, and its host as it was written. */
	struct recent {
		struct watcher *watcher;
		struct kept_text host;
	} recent[REPORT_SIDES];
	/* When each side is blind; made by watch_finish(). */
	struct blind blind[REPORT_SIDES];
};

#endif
