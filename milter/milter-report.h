/*
 * milter-report: the report lines of the milter
 *
 * Each call writes one line (see common/report-line.h) and counts it. Keys that
 * aren't known are left out. migration-milter(8) tells what each event means.
 */
#ifndef MILTER_REPORT_H
#define MILTER_REPORT_H

#include "milter-session.h"

#include <stdint.h>

/* Of forged tags in one mail at most so many get a line each. */
#define REPORT_FORGED_MAX 8

/* id: the queue ID, or NULL. */
void report_arrivals(const struct milter_session *session, const char *id,
		     const struct mail_decision *decision);
void report_submission(const struct milter_session *session, const char *id);
void report_forged(const struct milter_session *session, const char *id,
		   const struct mail_decision *decision);
void report_loop(const struct milter_session *session, const char *id,
		 const struct mail_decision *decision);
void report_deferred(const struct milter_session *session, const char *id,
		     const char *to);

/* A failure of the milter's own. All are counted, but one line in ten seconds
   tells of them: suppressed=N are those since the one before. */
void report_failure(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* event: milter_start or milter_stop */
void report_state(const char *event, const struct milter_config *config);
/* config: the settings in force now; error: why they aren't the new ones. */
void report_reload(const struct milter_config *config, const char *error);
/* Promises the next one after the interval of the settings. */
void report_heartbeat(const struct milter_config *config, uint64_t uptime_secs,
		      uint64_t seq);

#endif
