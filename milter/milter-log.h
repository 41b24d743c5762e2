/*
 * milter-log: syslog
 *
 * Report lines and words for the administrator go to the same place; libmilter
 * writes there as well. May be used by any thread.
 */
#ifndef MILTER_LOG_H
#define MILTER_LOG_H

#include "common/report-line.h"

#include <stdbool.h>

/* facility: LOG_... of syslog(3). also: to standard error as well. */
void milter_log_open(int facility, bool also);
/* Changes only that, and returns what it was. */
bool milter_log_to_stderr(bool also);
void milter_log(int priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Ends the line and writes it. */
void milter_log_report(int priority, struct report_line *line);

#endif
