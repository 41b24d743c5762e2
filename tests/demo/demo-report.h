/*
 * demo-report: what migration-report makes of the labs' logs
 *
 * The report, and its verdict: right after the last late mail the old servers
 * can't be cancelled yet; when nothing came for the quiet period, which is some
 * seconds here, they can. Without milters at the new servers there's no log.
 */
#ifndef DEMO_REPORT_H
#define DEMO_REPORT_H

#include "demo.h"

struct demo_reports {
	/* What was said, from malloc(); NULL: it wasn't asked. */
	char *not_yet, *safe, *report;
};

/* The verdict at the default quiet period: a problem if that isn't "not yet".
   */
void demo_report_not_yet(struct demo *demo, struct demo_reports *reports);
/* The same after demo_late_end(), with a quiet period of seconds: a problem if
   that isn't "safe". Then the report. */
void demo_report_safe(struct demo *demo, struct demo_reports *reports);
void demo_reports_print(const struct demo_reports *reports);
void demo_reports_free(struct demo_reports *reports);

#endif
