#include "log-writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static void put_time(struct log_writer *writer, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (writer->time_of == seconds && *writer->time_text != '\0')
		return;
	writer->time_of = seconds;
	(void)gmtime_r(&time, &tm);
	(void)strftime(writer->time_text, sizeof(writer->time_text),
		       writer->rfc3164 ? "%b %e %H:%M:%S " :
		       "%Y-%m-%dT%H:%M:%S.123456+00:00 ", &tm);
}

size_t log_writer_line(struct log_writer *writer,
		       char line[LOG_WRITER_LINE_MAX], int64_t time,
		       const char *host, const char *tag, const char *message)
{
	/* what comes before it is short */
	put_time(writer, time);
	return (size_t)snprintf(line, LOG_WRITER_LINE_MAX, "%s%s %s: %.850s\n",
				writer->time_text, host, tag, message);
}

size_t log_writer_plugin_line(struct log_writer *writer,
			      char line[LOG_WRITER_LINE_MAX], int64_t time,
			      const char *host, const char *user,
			      const char *message)
{
	char text[REPORT_LINE_MAX];

	snprintf(text, sizeof(text), "doveadm(%s)<9><x/%s>: Info: %.750s",
		 user, user, message);
	return log_writer_line(writer, line, time, host, "dovecot", text);
}

void log_add(struct report_line *report, const char *key, const char *fmt, ...)
{
	char value[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	report_line_add_str(report, key, value);
}
