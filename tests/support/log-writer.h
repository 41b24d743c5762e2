/*
 * log-writer: lines of syslog as a server of a generated world writes them
 *
 * Allocates nothing. Times are seconds since 1970, shown in UTC.
 */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "common/report-line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_WRITER_LINE_MAX 1024

/* Zeroed but for rfc3164 before its first use. */
struct log_writer {
	/* "Nov 22 03:04:05" instead of ISO times */
	bool rfc3164;
	/* "2026-11-22T03:04:05.123456+00:00 " of the second time_of */
	char time_text[48];
	int64_t time_of;
};

/* The line with its newline; its length. A longer message is cut. */
size_t log_writer_line(struct log_writer *writer,
		       char line[LOG_WRITER_LINE_MAX], int64_t time,
		       const char *host, const char *tag, const char *message);
/* "dovecot: doveadm(user)<9><x/user>: Info: message" of the plugin. */
size_t log_writer_plugin_line(struct log_writer *writer,
			      char line[LOG_WRITER_LINE_MAX], int64_t time,
			      const char *host, const char *user,
			      const char *message);

/* report_line_add() of what is printed. */
void log_add(struct report_line *report, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
