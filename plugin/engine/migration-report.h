#ifndef MIGRATION_REPORT_H
#define MIGRATION_REPORT_H

/*
 * migration-report: report lines of the plugin (common/report-line.h), written
 * to Dovecot's log at info level.
 */

struct migration_user;

/* key, value, key, value..., NULL. user= is added by itself. */
void migration_report(struct migration_user *muser, const char *event, ...)
	ATTR_SENTINEL;

#endif
