/*
 * report-example-verdict: verdicts of all three kinds, for report-example.c
 */
#ifndef REPORT_EXAMPLE_VERDICT_H
#define REPORT_EXAMPLE_VERDICT_H

#include "report/report-model.h"

#define REPORT_EXAMPLE_VERDICTS 3

/* Of example.org, of the hostile domain, and of one without arrivals. */
extern const struct report_verdict *const
	report_example_verdicts[REPORT_EXAMPLE_VERDICTS];

#endif
