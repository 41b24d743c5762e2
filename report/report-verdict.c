#include "report-verdict-private.h"
#include "common/text-format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Of one condition; the rest is counted. */
#define FINDINGS_SHOWN 50

const struct report_verdict_settings report_verdict_defaults = {
	.quiet_s = 7 * VERDICT_DAY,
	.retry_s = 5 * VERDICT_DAY,
	.age_s = VERDICT_DAY,
	.patience_s = 30 * VERDICT_DAY,
};

void verdict_add(struct verdict_work *work, enum report_condition condition,
		 enum report_answer answer, const char *who,
		 const char *fmt, ...)
{
	struct report_verdict *verdict = work->verdict;
	char text[1024];
	va_list args;

	/* what is known beats what isn't */
	if (verdict->answer != REPORT_NOT_YET)
		verdict->answer = answer;
	if (verdict->broken[condition]++ >= FINDINGS_SHOWN)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (verdict->findings_count == work->room) {
		work->room = work->room * 2 + 8;
		work->findings = memory_resize(work->findings, work->room,
					       sizeof(*work->findings));
	}
	work->findings[verdict->findings_count++] = (struct report_finding){
		condition, answer, who,
		pool_copy(work->pool, text, strlen(text))
	};
}

void verdict_wait(struct verdict_work *work, int64_t until)
{
	if (until > work->verdict->earliest)
		work->verdict->earliest = until;
}

bool verdict_knows(const struct verdict_work *work, const char *what)
{
	size_t i;

	for (i = 0; i < work->set->known_count; i++) {
		if (strcasecmp(work->set->known[i], what) == 0)
			return true;
	}
	return false;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void find_quiet(struct verdict_work *work)
{
	struct report_verdict *verdict = work->verdict;
	const struct report_verdict_settings *set = work->set;
	int64_t ahead = work->model->clock_ahead;
	int64_t ttl = larger(set->ttl_s, (int64_t)work->model->ttl_s);

	verdict->quiet_asked_s = (uint64_t)set->quiet_s;
	verdict->retry_s = (uint64_t)set->retry_s;
	verdict->ttl_s = (uint64_t)ttl;
	verdict->clocks_s = (uint64_t)(ahead < 0 ? -ahead : ahead);
	verdict->quiet_s = (uint64_t)larger(larger(set->quiet_s, set->retry_s),
					    2 * ttl) + verdict->clocks_s;
}

static void check_inputs(struct verdict_work *work)
{
	const struct report_reading *reading = &work->model->reading;
	const struct report_input *input;
	size_t i;

	if (reading->report_lines == 0)
		verdict_add(work, REPORT_COND_LOGS, REPORT_UNKNOWN, "",
			    "no report lines were found: are these the right "
			    "logs?");
	for (i = 0; i < reading->inputs_count; i++) {
		input = &reading->inputs[i];
		if (*input->error == '\0')
			continue;
		verdict_add(work, REPORT_COND_LOGS, REPORT_UNKNOWN,
			    input->name, "it can't be read to its end: %s",
			    input->error);
	}
}

/* What couldn't be understood may have told of a mail. */
static void check_lines(struct verdict_work *work)
{
	const struct report_reading *reading = &work->model->reading;

	if (reading->last_broken >= work->verdict->begins &&
	    reading->last_broken != 0)
		verdict_add(work, REPORT_COND_LOGS, REPORT_UNKNOWN, "",
			    "report lines can't be read, the last one of %s",
			    format_time(reading->last_broken).text);
	if (reading->undated > 0)
		verdict_add(work, REPORT_COND_LOGS, REPORT_UNKNOWN, "",
			    "%s report lines have no time that can be read, or "
			    "one in the future: leave out the logs that they "
			    "are in when these are older",
			    format_count(reading->undated).text);
}

static void check_end(struct verdict_work *work)
{
	int64_t ends = work->verdict->ends;

	if (ends == 0 || work->as_of - ends <= work->set->age_s)
		return;
	verdict_add(work, REPORT_COND_LOGS, REPORT_UNKNOWN, "",
		    "nothing is known of the last %s, since %s",
		    format_span((uint64_t)(work->as_of - ends)).text,
		    format_time(ends).text);
}

static void check_logs(struct verdict_work *work)
{
	check_inputs(work);
	check_lines(work);
	check_end(work);
}

static int compare_findings(const void *a, const void *b)
{
	const struct report_finding *one = a, *two = b;

	if (one->answer != two->answer)
		return one->answer < two->answer ? -1 : 1;
	if (one->condition != two->condition)
		return one->condition < two->condition ? -1 : 1;
	/* in the order in which they came */
	return one < two ? -1 : 1;
}

static void keep_findings(struct verdict_work *work)
{
	struct report_verdict *verdict = work->verdict;
	struct report_finding *findings = pool_array(work->pool,
		verdict->findings_count, sizeof(*findings));

	if (verdict->findings_count > 0) {
		memcpy(findings, work->findings,
		       verdict->findings_count * sizeof(*findings));
		qsort(findings, verdict->findings_count, sizeof(*findings),
		      compare_findings);
	}
	verdict->findings = findings;
	free(work->findings);
}

static void find_domains(struct verdict_work *work, const char *name)
{
	const struct report_domain *domain;
	size_t i;

	for (i = 0; i < work->model->domains_count; i++) {
		domain = work->model->domains[i];
		if (strcasecmp(domain->name, name) == 0)
			work->domains[0] = domain;
		else if (*domain->name == '\0')
			work->domains[1] = domain;
	}
}

const struct report_verdict *
report_verdict_make(pool_t *pool, const struct report_model *model,
		    const char *domain,
		    const struct report_verdict_settings *set)
{
	struct report_verdict *verdict = pool_new(pool, sizeof(*verdict));
	struct verdict_work work = {
		.pool = pool, .model = model, .set = set, .verdict = verdict,
		.as_of = set->as_of != 0 ? set->as_of : model->now,
	};

	verdict->domain = domain;
	verdict->answer = REPORT_SAFE;
	verdict->spam_counts = set->spam_counts;
	find_domains(&work, domain);
	find_quiet(&work);
	verdict_find_accounts(&work);
	verdict_find_period(&work);
	verdict_find_senders(&work);
	verdict_check_switched(&work);
	verdict_check_quiet(&work);
	verdict_check_stragglers(&work);
	verdict_check_local(&work);
	verdict_check_fetched(&work);
	verdict_check_clients(&work);
	verdict_check_watched(&work);
	verdict_check_polled(&work);
	check_logs(&work);
	keep_findings(&work);
	free(work.accounts);
	return verdict;
}

void report_verdicts_finish(pool_t *pool, struct report_model *model,
			    const struct report_verdict_settings *set)
{
	const struct report_verdict **verdicts =
		pool_array(pool, model->domains_count + 1, sizeof(*verdicts));
	const char *chosen = model->domain_chosen;
	size_t i;

	if (set == NULL)
		set = &report_verdict_defaults;
	model->verdicts = verdicts;
	if (*chosen != '\0') {
		verdicts[model->verdicts_count++] =
			report_verdict_make(pool, model, chosen, set);
		return;
	}
	for (i = 0; i < model->domains_count; i++) {
		if (*model->domains[i]->name == '\0')
			continue;
		verdicts[model->verdicts_count++] = report_verdict_make(pool,
			model, model->domains[i]->name, set);
	}
}
