#include "lib.h"
#include "common/report-line.h"
#include "migration-user.h"
#include "migration-report.h"

#include <stdarg.h>

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

void migration_report(struct migration_user *muser, const char *event, ...)
{
	struct report_line line;
	const char *key;
	va_list args;

	report_line_begin(&line, event);
	report_line_add_str(&line, "user", muser->user->username);
	va_start(args, event);
	while ((key = va_arg(args, const char *)) != NULL)
		report_line_add_str(&line, key, va_arg(args, const char *));
	va_end(args);
	report_writer(muser->user->username, report_line_end(&line));
}
