#include "report-example-verdict.h"
#include "report-example.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DAY 86400
/* 18 November 2026, 16:50 UTC: the end of report-example.c's logs */
#define END 1795020600

static const struct report_client client = {
	"203.0.113.0/24", "newsletter.example"
};

static const struct report_source source = {
	.client = &client, .sender_domain = REPORT_EXAMPLE_IMAGE,
	.example_from = "weekly@newsletter.example",
	.example_to = "anna@example.org", .example_id = "4Xq2Lm1Zz9",
	.example_host = "mx.old.example", .example_client = "203.0.113.7",
	.example_name = "out7.newsletter.example",
};

static const struct report_straggler stragglers[] = {
	{ &source, END - DAY, 3600, END + 2 * DAY, false, true },
};

static const struct report_finding findings[] = {
	{ REPORT_COND_QUIET, REPORT_NOT_YET, REPORT_EXAMPLE_IMAGE,
	  "it sent to the old server in the quiet period" },
	{ REPORT_COND_LOCAL, REPORT_NOT_YET, "anna@example.org",
	  "mailbox " REPORT_EXAMPLE_SCRIPT " isn't local" },
	{ REPORT_COND_LOGS, REPORT_UNKNOWN, "",
	  "nothing is known of the last 2 d" },
};

static const struct report_span unwatched[] = {
	{ END - 5 * DAY, END - 4 * DAY },
};

static const struct report_verdict not_yet = {
	.domain = "example.org", .answer = REPORT_NOT_YET,
	.findings = findings, .findings_count = COUNT(findings),
	.quiet_s = 7 * DAY + 3600, .quiet_asked_s = 7 * DAY,
	.retry_s = 5 * DAY, .ttl_s = DAY, .clocks_s = 3600,
	.begins = END - 7 * DAY - 3600, .ends = END, .last_wanted = END - DAY,
	.none_since = END - DAY, .late_bound = 90, .earliest = END + 6 * DAY,
	.blind_s = 2 * DAY, .unwatched_s = DAY, .unwatched = unwatched,
	.unwatched_count = COUNT(unwatched), .missed = 2,
	.stragglers = stragglers, .stragglers_count = COUNT(stragglers),
	.unseen_since = 1, .accounts = 3, .late = 12, .doubles = 1,
	.conflicts = 1, .resets = 1, .given_up = 1,
};

static const struct report_verdict unknown = {
	.domain = REPORT_EXAMPLE_IMAGE, .answer = REPORT_UNKNOWN,
	.findings = findings + 2, .findings_count = 1, .quiet_s = 7 * DAY,
	.quiet_asked_s = 7 * DAY, .retry_s = 5 * DAY,
};

static const struct report_verdict safe = {
	.domain = "safe.example", .answer = REPORT_SAFE, .quiet_s = 7 * DAY,
	.quiet_asked_s = 7 * DAY, .retry_s = 5 * DAY, .begins = END - 7 * DAY,
	.ends = END, .none_since = END - 10 * DAY, .late_bound = 9,
	.accounts = 2, .accounts_closed = 1, .accounts_listed = true,
};

const struct report_verdict *const
report_example_verdicts[REPORT_EXAMPLE_VERDICTS] = {
	&not_yet, &unknown, &safe
};
