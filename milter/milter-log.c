#include "milter-log.h"

#include <stdarg.h>
#include <syslog.h>

static int log_facility;
static bool log_to_stderr;

void milter_log_open(int facility, bool also)
{
	log_facility = facility;
	log_to_stderr = also;
	closelog();
	openlog("migration-milter", LOG_PID | (also ? LOG_PERROR : 0),
		facility);
}

bool milter_log_to_stderr(bool also)
{
	bool before = log_to_stderr;

	milter_log_open(log_facility, also);
	return before;
}

void milter_log(int priority, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsyslog(priority, fmt, args);
	va_end(args);
}

void milter_log_report(int priority, struct report_line *line)
{
	syslog(priority, "%s", report_line_end(line));
}
