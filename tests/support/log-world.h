/*
 * log-world: the logs of a migration that never was, line by line
 *
 * Two servers, each with its milter; senders of very different rates that come to
 * the new server some time after the switch, each at its own time, a few never;
 * spam; users with mail clients; mailboxes that move. With `every` above 1 the
 * rest is what Postfix writes for these mails. The same seed gives the same
 * lines. The world is counted while it is made, so that a reader can be checked.
 */
#ifndef LOG_WORLD_H
#define LOG_WORLD_H

#include "log-writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_WORLD_DOMAIN "example.org"
#define LOG_WORLD_LINE_MAX LOG_WRITER_LINE_MAX

struct log_world_settings {
	uint64_t seed, lines;
	/* One line in so many is a report line; 1: all are. */
	unsigned int every;
	/* Senders, and users. */
	unsigned int sources, users;
	/* When the first line is, and for how long the lines last. MX is
	   switched after a seventh of that. */
	int64_t start, seconds;
	/* "Nov 22 03:04:05" in UTC, instead of ISO times. */
	bool rfc3164;
};

struct log_world_counts {
	uint64_t lines, report_lines;
	/* By server, 0 is the old one: direct arrivals. */
	uint64_t wanted[2], spam[2];
	uint64_t heartbeats[2], submissions[2];
	int64_t switched;
};

struct log_world;

extern const struct log_world_settings log_world_defaults;

struct log_world *log_world_init(const struct log_world_settings *settings);
void log_world_deinit(struct log_world **world);
/* The next line with its newline, its length; 0 after the last one. */
size_t log_world_line(struct log_world *world, char line[LOG_WORLD_LINE_MAX]);
const struct log_world_counts *log_world_counts(const struct log_world *world);

#endif
