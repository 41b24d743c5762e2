#include "sim-run.h"
#include "process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* The first midnight that is asked for: MX isn't switched yet. */
#define FIRST_ASKED (SIM_SWITCHED / SIM_DAY * SIM_DAY - 2 * SIM_DAY)
/* Some of them are safe then. */
#define EARLY_ASKED (FIRST_ASKED + 10 * SIM_DAY)
#define LAST_ASKED (SIM_SWITCHED + SIM_DAYS_ASKED * SIM_DAY)
#define PROGRAM_TIMEOUT_MS 60000

struct run {
	const struct sim_run_settings *set;
	struct sim_world *world;
	struct sim_judge *judge;
	struct sim_result *result;
};

static double cpu_seconds(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* What the program says must be what its library says. */
static void ask_program(struct run *run, int64_t time, enum sim_verdict verdict)
{
	const char *wanted = sim_verdict_name(verdict);
	struct process_result result;

	if (run->set->program == NULL)
		return;
	(void)process_shell(PROGRAM_TIMEOUT_MS, &result, "cd '%s' && "
			    "TZ=UTC '%s' --verdict " SIM_DOMAIN " %s "
			    "--until @%" PRId64 " -z UTC -y %d %s new.log",
			    run->set->folder, run->set->program,
			    run->set->policies[0].arguments, time, SIM_YEAR,
			    run->result->plan.rented ? "" : "old.log");
	if (result.status != (int)verdict ||
	    strncmp(result.output, wanted, strlen(wanted)) != 0) {
		run->result->disagrees = true;
		fprintf(stderr, "world %" PRIu64 ", @%" PRId64 ": the library "
			"says %s, the program ends with %d and says %.200s\n",
			run->result->plan.seed, time, wanted, result.status,
			result.output);
	}
	process_result_free(&result);
}

static bool is_program_asked(int64_t time, enum sim_verdict verdict)
{
	return verdict == SIM_SAFE || time == EARLY_ASKED ||
		time + SIM_DAY > LAST_ASKED;
}

/* Returns how many policies haven't said safe yet. */
static size_t ask(struct run *run, int64_t time)
{
	const struct sim_policy *policies = run->set->policies;
	struct sim_outcome *outcome;
	enum sim_verdict verdict;
	size_t i, left = 0;

	sim_judge_read(run->judge, time);
	for (i = 0; i < run->set->policies_count; i++) {
		outcome = &run->result->outcomes[i];
		if (outcome->safe != 0)
			continue;
		verdict = sim_judge_ask(run->judge, &policies[i],
					&outcome->against, run->set->say);
		if (verdict == SIM_SAFE)
			outcome->safe = time;
		else
			left++;
		if (i == 0 && is_program_asked(time, verdict))
			ask_program(run, time, verdict);
	}
	return left;
}

static void judge_all(struct run *run)
{
	int64_t time;

	for (time = FIRST_ASKED; time <= LAST_ASKED; time += SIM_DAY) {
		sim_world_run(run->world, time);
		if (ask(run, time) == 0)
			break;
	}
}

static void add_later(struct sim_outcome *outcome, enum sim_why why,
		      int64_t time)
{
	if (outcome->later++ > 0)
		return;
	outcome->why = why;
	outcome->first_later = time;
}

static void compare(struct sim_outcome *outcome, const struct sim_truth *truth)
{
	size_t i;

	if (outcome->safe == 0)
		return;
	if (outcome->safe < SIM_SWITCHED)
		add_later(outcome, SIM_WHY_NOT_SWITCHED, SIM_SWITCHED);
	if (outcome->safe < truth->local)
		add_later(outcome, SIM_WHY_NOT_LOCAL, truth->local);
	for (i = 0; i < truth->count; i++) {
		if (truth->arrivals[i].time > outcome->safe)
			add_later(outcome, truth->arrivals[i].why,
				  truth->arrivals[i].time);
	}
}

static void note_truth(struct run *run)
{
	const struct sim_truth *truth = sim_world_truth(run->world);
	struct sim_result *result = run->result;
	size_t i;

	result->end = truth->count == 0 ? SIM_SWITCHED :
		truth->arrivals[truth->count - 1].time;
	result->local = truth->local > SIM_SWITCHED ? truth->local :
		SIM_SWITCHED;
	result->rarest = truth->rarest;
	result->called = truth->called;
	result->unmarked = truth->unmarked;
	for (i = 0; i < run->set->policies_count; i++)
		compare(&result->outcomes[i], truth);
}

void sim_run(const struct sim_run_settings *set, const struct sim_plan *plan,
	     struct sim_result *result_r)
{
	struct run run = { .set = set, .result = result_r };
	double began = cpu_seconds();

	memset(result_r, 0, sizeof(*result_r));
	result_r->plan = *plan;
	run.world = sim_world_init(&result_r->plan, set->folder);
	run.judge = sim_judge_init(set->folder, &result_r->plan);
	judge_all(&run);
	result_r->lines = sim_judge_lines(run.judge);
	sim_judge_deinit(&run.judge);
	sim_world_end_logs(run.world);
	sim_world_run(run.world, SIM_SWITCHED + SIM_DAYS_AFTER * SIM_DAY);
	note_truth(&run);
	sim_world_deinit(&run.world);
	result_r->seconds = cpu_seconds() - began;
}
