#include "lib.h"
#include "common/report-line.h"
#include "migration-user.h"
#include "migration-report.h"

#include <stdarg.h>

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
	i_info("%s", report_line_end(&line));
}
