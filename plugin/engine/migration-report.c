#include "lib.h"
#include "common/report-line.h"
#include "migration-user.h"
#include "migration-report.h"

#include <stdarg.h>

#define EVENT_PREFIX "migration_"

static void
write_to_log(const char *username ATTR_UNUSED, const char *line)
{
	i_info("%s", line);
}

static migration_report_writer_t *report_writer = write_to_log;

void migration_report_set_writer(migration_report_writer_t *writer)
{
	report_writer = writer != NULL ? writer : write_to_log;
}

/* "1.234" is 1234; FALSE for anything else. */
static bool str_to_millis(const char *str, intmax_t *millis_r)
{
	const char *point = strchr(str, '.');
	intmax_t secs, rest;

	if (point == NULL || strlen(point + 1) != 3 ||
	    str_to_intmax(t_strdup_until(str, point), &secs) < 0 ||
	    str_to_intmax(point + 1, &rest) < 0 ||
	    secs > INTMAX_MAX / 1000 - 1)
		return FALSE;
	*millis_r = secs * 1000 + rest;
	return TRUE;
}

static void
event_add_value(struct event *event, const char *key, const char *value)
{
	intmax_t number;

	if (str_to_intmax(value, &number) == 0)
		event_add_int(event, key, number);
	else if (strcmp(key, "seconds") == 0 && str_to_millis(value, &number))
		event_add_int(event, "msecs", number);
	else
		event_add_str(event, key, value);
}

static void
report_key(struct report_line *line, struct event *event, const char *key,
	   const char *value)
{
	report_line_add_str(line, key, value);
	if (value != NULL)
		event_add_value(event, key, value);
}

/* The event has no text that a reader of logs could take for a report. */
static void
report(struct event *parent, const char *username, const char *name,
       va_list args)
{
	struct event *event = event_create(parent);
	struct report_line line;
	const char *key;

	report_line_begin(&line, name);
	if (username != NULL)
		report_key(&line, event, "user", username);
	while ((key = va_arg(args, const char *)) != NULL)
		report_key(&line, event, key, va_arg(args, const char *));
	report_writer(username != NULL ? username : "", report_line_end(&line));
	event_set_name(event, t_strconcat(EVENT_PREFIX, name, NULL));
	e_debug(event, "Reported: %s", name);
	event_unref(&event);
}

void migration_report(struct migration_user *muser, const char *event, ...)
{
	va_list args;

	va_start(args, event);
	T_BEGIN {
		report(muser->user->event, muser->user->username, event, args);
	} T_END;
	va_end(args);
}

void migration_report_service(const char *event, ...)
{
	va_list args;

	va_start(args, event);
	T_BEGIN {
		report(NULL, NULL, event, args);
	} T_END;
	va_end(args);
}
