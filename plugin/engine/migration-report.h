#ifndef MIGRATION_REPORT_H
#define MIGRATION_REPORT_H

/*
 * migration-report: report lines of the plugin (common/report-line.h), written
 * to Dovecot's log at info level, or where the process' writer puts them.
 *
 * Each is a Dovecot event as well, for the metrics of Dovecot's stats: its name
 * is migration_<event>, its fields are the line's keys, whole numbers as
 * integers; seconds=1.234 is the field msecs=1234.
 */

struct migration_user;

/* key, value, key, value..., NULL. user= is added by itself. */
void migration_report(struct migration_user *muser, const char *event, ...)
	ATTR_SENTINEL;
/* Of a process that has no mail user. */
void migration_report_service(const char *event, ...) ATTR_SENTINEL;

/* A finished line about this user; "": about no mail user. */
typedef void migration_report_writer_t(const char *username, const char *line);
/* Instead of Dovecot's log; NULL: Dovecot's log again. */
void migration_report_set_writer(migration_report_writer_t *writer);

#endif
