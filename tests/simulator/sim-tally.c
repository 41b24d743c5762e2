#include "sim-tally.h"

#include <stdlib.h>
#include <string.h>

#define MEDIAN 0.5
#define MOST 0.9
#define WEEKLY (1.0 / 7)
#define CLOCKS_DIFFER 600

static bool is_rented(const struct sim_result *result)
{
	return result->plan.rented;
}

static bool has_milter(const struct sim_result *result)
{
	return !result->plan.rented;
}

static bool is_hard_wired(const struct sim_result *result)
{
	return result->rarest > 0;
}

static bool has_backup(const struct sim_result *result)
{
	return result->plan.backup_until != 0;
}

static bool asks_dns(const struct sim_result *result)
{
	return !is_hard_wired(result) && !has_backup(result);
}

static bool has_route(const struct sim_result *result)
{
	return result->plan.senders[SIM_ROUTED] > 0;
}

static bool has_customer(const struct sim_result *result)
{
	return result->plan.senders[SIM_CUSTOMER] > 0;
}

static bool has_monthly(const struct sim_result *result)
{
	return result->plan.senders[SIM_ROUTED_MONTHLY] > 0;
}

static bool is_called(const struct sim_result *result)
{
	return is_hard_wired(result) && result->called;
}

static bool is_never_called(const struct sim_result *result)
{
	return is_hard_wired(result) && !result->called;
}

static bool wired_often(const struct sim_result *result)
{
	return result->rarest >= 1;
}

static bool wired_weekly(const struct sim_result *result)
{
	return result->rarest >= WEEKLY && result->rarest < 1;
}

static bool wired_rarely(const struct sim_result *result)
{
	return is_hard_wired(result) && result->rarest < WEEKLY;
}

static bool has_late_milter(const struct sim_result *result)
{
	const struct sim_server *servers = result->plan.servers;

	return (!result->plan.rented &&
		servers[SIM_OLD].milter_since > SIM_SWITCHED) ||
		servers[SIM_NEW].milter_since > SIM_SWITCHED;
}

static bool has_no_old_logs(const struct sim_result *result)
{
	const struct sim_server *servers = result->plan.servers;

	return (!result->plan.rented && servers[SIM_OLD].log_begins != 0) ||
		servers[SIM_NEW].log_begins != 0;
}

static bool is_there(const struct sim_span *span)
{
	return span->to > span->from && span->to > SIM_SWITCHED;
}

static bool has_milter_outage(const struct sim_result *result)
{
	const struct sim_server *servers = result->plan.servers;

	return (!result->plan.rented &&
		is_there(&servers[SIM_OLD].milter_down)) ||
		is_there(&servers[SIM_NEW].milter_down);
}

static bool has_log_outage(const struct sim_result *result)
{
	const struct sim_server *servers = result->plan.servers;

	return (!result->plan.rented &&
		is_there(&servers[SIM_OLD].log_lost)) ||
		is_there(&servers[SIM_NEW].log_lost);
}

static bool has_poll_outage(const struct sim_result *result)
{
	return is_there(&result->plan.polls_fail);
}

static bool has_late_user(const struct sim_result *result)
{
	return result->local > SIM_SWITCHED;
}

static bool has_clocks(const struct sim_result *result)
{
	const struct sim_server *servers = result->plan.servers;

	return llabs(servers[SIM_OLD].clock_ahead -
		     servers[SIM_NEW].clock_ahead) > CLOCKS_DIFFER;
}

static bool has_unmarked(const struct sim_result *result)
{
	return result->unmarked > 0;
}

static bool is_small(const struct sim_result *result)
{
	return result->plan.users <= 3;
}

static const struct {
	const char *name;
	sim_kind_t *kind;
} rows[] = {
	{ "all", NULL },
	{ "a milter on the old server", has_milter },
	{ "a rented old server", is_rented },
	{ "all senders ask the DNS", asks_dns },
	{ "a forgotten second MX", has_backup },
	{ "hard-wired senders", is_hard_wired },
	{ "  a static route", has_route },
	{ "  customers of the old host", has_customer },
	{ "  a static route, monthly", has_monthly },
	{ "  the rarest writes each day", wired_often },
	{ "  the rarest writes each week", wired_weekly },
	{ "  the rarest writes more rarely", wired_rarely },
	{ "  mended by a call", is_called },
	{ "  never mended", is_never_called },
	{ "up to three users", is_small },
	{ "a milter came after the switch", has_late_milter },
	{ "a log's beginning is lost", has_no_old_logs },
	{ "a milter was down", has_milter_outage },
	{ "a log was lost", has_log_outage },
	{ "polls failed for all", has_poll_outage },
	{ "a user came after the switch", has_late_user },
	{ "clocks differ", has_clocks },
	{ "spam that wasn't marked", has_unmarked },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int64_t next_midnight(int64_t time)
{
	return (time + SIM_DAY - 1) / SIM_DAY * SIM_DAY;
}

/* The first midnight at which rules with this quiet period could say it. */
static int64_t get_best(const struct sim_result *result, int64_t quiet)
{
	int64_t from = result->end > result->local ? result->end :
		result->local;

	return from == INT64_MAX ? from : next_midnight(from + quiet);
}

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

static void get_parts(double *days, size_t count, double parts_r[2])
{
	static const double parts[] = { MEDIAN, MOST };
	unsigned int i;

	if (count > 0)
		qsort(days, count, sizeof(*days), compare);
	for (i = 0; i < 2; i++) {
		parts_r[i] = count == 0 ? 0 :
			days[(size_t)((double)(count - 1) * parts[i] + 0.5)];
	}
}

static void add_world(struct sim_figures *figures,
		      const struct sim_result *result, size_t policy,
		      int64_t quiet, double *after_end, double *after_best)
{
	const struct sim_outcome *outcome = &result->outcomes[policy];
	int64_t best = get_best(result, quiet);

	figures->worlds++;
	if (outcome->safe != 0 && outcome->later > 0) {
		figures->wrong++;
	} else if (outcome->safe != 0) {
		after_end[figures->right] =
			(double)(outcome->safe - result->end) / SIM_DAY;
		after_best[figures->right++] =
			(double)(outcome->safe - best) / SIM_DAY;
	} else if (best > SIM_SWITCHED + SIM_DAYS_ASKED * SIM_DAY) {
		figures->still++;
	} else {
		figures->missed++;
	}
}

void sim_tally(const struct sim_result *results, size_t count, size_t policy,
	       int64_t quiet, sim_kind_t *kind, struct sim_figures *figures_r)
{
	double *days = calloc(2 * count + 1, sizeof(*days));
	size_t i;

	if (days == NULL)
		abort();
	memset(figures_r, 0, sizeof(*figures_r));
	for (i = 0; i < count; i++) {
		if (kind == NULL || kind(&results[i]))
			add_world(figures_r, &results[i], policy, quiet, days,
				  days + count);
	}
	get_parts(days, figures_r->right, figures_r->after_end);
	get_parts(days + count, figures_r->right, figures_r->after_best);
	free(days);
}

static void write_head(const char *title, FILE *out)
{
	fprintf(out, "\n%-33s worlds  wrong      right still missed  "
		"after the end    after the first\n", title);
	fprintf(out, "%-33s                                         "
		"median   90 %%    median   90 %%\n", "");
}

static void write_row(const char *name, const struct sim_figures *figures,
		      FILE *out)
{
	double worlds = figures->worlds == 0 ? 1 : (double)figures->worlds;

	fprintf(out, "%-33s %6zu %4zu %5.1f%% %5zu %5zu %5zu  %6.1f  %6.1f  "
		"%6.1f  %6.1f\n", name, figures->worlds, figures->wrong,
		100 * (double)figures->wrong / worlds, figures->right,
		figures->still, figures->missed, figures->after_end[0],
		figures->after_end[1], figures->after_best[0],
		figures->after_best[1]);
}

/* Nothing wanted comes any more, and it isn't said. */
static bool is_missed(const struct sim_result *result, int64_t quiet)
{
	return result->outcomes[0].safe == 0 &&
		get_best(result, quiet) <= SIM_SWITCHED + SIM_DAYS_ASKED * SIM_DAY;
}

struct missed {
	const char *condition;
	bool spam;
	unsigned int count;
};

static void count_missed(struct missed *missed, size_t max,
			 const struct sim_result *result)
{
	const struct sim_reason *against = &result->outcomes[0].against;
	bool spam = against->sender >= (int)sim_plan_spammers(&result->plan);
	size_t i;

	for (i = 0; i < max && missed[i].count > 0; i++) {
		if (missed[i].condition == against->condition &&
		    missed[i].spam == spam)
			break;
	}
	if (i < max)
		missed[i] = (struct missed){
			against->condition, spam, missed[i].count + 1
		};
}

static void write_missed(const struct sim_result *results, size_t count,
			 int64_t quiet, FILE *out)
{
	struct missed missed[32] = { { NULL, false, 0 } };
	size_t i;

	for (i = 0; i < count; i++) {
		if (is_missed(&results[i], quiet))
			count_missed(missed, 32, &results[i]);
	}
	fprintf(out, "\nwhat spoke against safe after %d days, where it should "
		"have been said\n", SIM_DAYS_ASKED);
	for (i = 0; i < 32 && missed[i].count > 0; i++)
		fprintf(out, "  %-31s %6u%s\n", missed[i].condition,
			missed[i].count, missed[i].spam ? "  by spam that "
			"wasn't marked" : "");
}

static void write_why(const struct sim_result *results, size_t count, FILE *out)
{
	unsigned int whys[SIM_WHYS] = { 0 };
	const struct sim_outcome *outcome;
	unsigned int why;
	size_t i;

	for (i = 0; i < count; i++) {
		outcome = &results[i].outcomes[0];
		if (outcome->safe != 0 && outcome->later > 0)
			whys[outcome->why]++;
	}
	fprintf(out, "\nwhy the first mail came after a wrong safe\n");
	for (why = 0; why < SIM_WHYS; why++) {
		if (whys[why] > 0)
			fprintf(out, "  %-31s %6u\n", sim_why_name(why),
				whys[why]);
	}
}

void sim_tally_write(const struct sim_result *results, size_t count,
		     const struct sim_policy_name *policies,
		     size_t policies_count, FILE *out)
{
	struct sim_figures figures;
	size_t i;

	write_head("options", out);
	for (i = 0; i < policies_count; i++) {
		sim_tally(results, count, i, policies[i].quiet, NULL, &figures);
		write_row(policies[i].name, &figures, out);
	}
	write_head(policies[0].name, out);
	for (i = 0; i < ROWS; i++) {
		sim_tally(results, count, 0, policies[0].quiet, rows[i].kind,
			  &figures);
		write_row(rows[i].name, &figures, out);
	}
	write_why(results, count, out);
	write_missed(results, count, policies[0].quiet, out);
}
