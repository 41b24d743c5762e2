/*
 * report-verdict-private: a verdict while it's made, and the rules by what they
 * look at: accounts (report-verdict-accounts.c), who sends
 * (report-verdict-senders.c), who watched (report-verdict-watch.c); the rest is in
 * report-verdict.c.
 */
#ifndef REPORT_VERDICT_PRIVATE_H
#define REPORT_VERDICT_PRIVATE_H

#include "report-verdict.h"

#define VERDICT_DAY 86400

struct verdict_work {
	pool_t *pool;
	const struct report_model *model;
	const struct report_verdict_settings *set;
	/* The domain, and what isn't known to be of any; NULL: none. */
	const struct report_domain *domains[2];
	int64_t as_of, switched;
	/* What is judged ends there, watched or not. */
	int64_t end;
	/* Polls of all accounts saw what came between; 0: there's no such
	   time. */
	int64_t polls_from, polls_to;
	/* When milters didn't watch the old server. */
	const struct report_span *blind;
	size_t blind_count;
	/* The domain's accounts. */
	const struct report_user **accounts;
	size_t accounts_count;
	struct report_straggler *stragglers;
	/* Of those unseen since the switch, the one that is waited for longest. */
	const struct report_source *unseen;
	int64_t unseen_until;
	struct report_finding *findings;
	size_t room;
	struct report_verdict *verdict;
};

/* Something speaks against it. */
void verdict_add(struct verdict_work *work, enum report_condition condition,
		 enum report_answer answer, const char *who,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* It's not safe before that time. */
void verdict_wait(struct verdict_work *work, int64_t until);
/* It's one of the sources that don't count. */
bool verdict_knows(const struct verdict_work *work, const char *what);

/* First: finds the accounts, and when polls watched all of them. */
void verdict_find_accounts(struct verdict_work *work);
void verdict_check_local(struct verdict_work *work);
void verdict_check_fetched(struct verdict_work *work);
void verdict_check_polled(struct verdict_work *work);
void verdict_check_clients(struct verdict_work *work);

/* After that: the period. */
void verdict_find_period(struct verdict_work *work);
void verdict_check_watched(struct verdict_work *work);

/* After that: the last wanted mail, and who brought it. */
void verdict_find_senders(struct verdict_work *work);
void verdict_check_switched(struct verdict_work *work);
void verdict_check_quiet(struct verdict_work *work);
void verdict_check_stragglers(struct verdict_work *work);

#endif
