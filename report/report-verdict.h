/*
 * report-verdict: may the old server be cancelled, for one domain?
 *
 * Computed from a finished picture and settings alone; no lines, no clock. Each
 * condition (enum report_condition) is a function that adds findings. What is
 * known to speak against it makes "not yet"; without that, what isn't known makes
 * "unknown"; "safe" is what is left. So it's never said for want of lines.
 *
 * The period that is judged ends when all of the old server was last seen, by the
 * milters there or by polls of every account; that must not be long ago. It's as
 * long as the quiet period: what was asked for, but not less than the retry time,
 * nor than twice the TTL; with the difference of the servers' clocks added.
 */
#ifndef REPORT_VERDICT_H
#define REPORT_VERDICT_H

#include "memory.h"
#include "report-model.h"

/* Spans are seconds. */
struct report_verdict_settings {
	/* How long nothing wanted may come, and what it's never less than: the
	   longest usual time for which senders retry, twice the largest TTL. */
	int64_t quiet_s, retry_s, ttl_s;
	/* An account must have been looked at, and the logs must end, at most so
	   long before the time as of which is asked. */
	int64_t age_s;
	/* Nobody is waited for longer than that after his last mail. */
	int64_t patience_s;
	bool spam_counts;
	/* Sources that don't count: a network, a client's or a sender's domain,
	   as the report has them; "local" for what the old server makes itself,
	   "clients" for users that still work there. */
	const char *const *known;
	size_t known_count;
	/* All accounts, when listed. */
	const char *const *accounts;
	size_t accounts_count;
	bool accounts_listed;
	/* 0: the picture's now. */
	int64_t as_of;
};

extern const struct report_verdict_settings report_verdict_defaults;

/* In the pool; its strings are the model's, the settings' or the pool's. */
const struct report_verdict *
report_verdict_make(pool_t *pool, const struct report_model *model,
		    const char *domain,
		    const struct report_verdict_settings *set);
/* Fills in the model's: of each domain, and of the chosen one. */
void report_verdicts_finish(pool_t *pool, struct report_model *model,
			    const struct report_verdict_settings *set);

#endif
