#ifndef MIGRATION_REPORT_H
#define MIGRATION_REPORT_H

/*
 * migration-report: report lines of the plugin (common/report-line.h), written
 * to Dovecot's log at info level, or where the process' writer puts them.
 */

struct migration_user;

/* key, value, key, value..., NULL. user= is added by itself. */
void migration_report(struct migration_user *muser, const char *event, ...)
	ATTR_SENTINEL;

/* A finished line about this user. */
typedef void migration_report_writer_t(const char *username, const char *line);
/* Instead of Dovecot's log; NULL: Dovecot's log again. */
void migration_report_set_writer(migration_report_writer_t *writer);

#endif
