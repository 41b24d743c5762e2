/*
 * test-simulator: worlds are reproducible and know their truth, and verdicts on
 * them are what they should be where that can be told
 *
 * Figures over many worlds are `simulate`'s: make simulate.
 */
#include "sim-run.h"
#include "sim-tally.h"
#include "sim-world-private.h"
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SEED 7
#define WORLDS 40
/* Of so many one is given to the program, too. */
#define PROGRAM_EACH 5
#define WRONG_MAX 4
#define RIGHT_MIN 5

static char folder[] = "/tmp/test-simulator.XXXXXX";
static const struct sim_policy policy = { "", 7 * SIM_DAY, 0, "" };

/* A domain of which nothing is wrong: no outage, all have NTP, nobody is
   hard-wired, no spam; five correspondents who write twice a day or so. */
static void make_quiet_plan(struct sim_plan *plan)
{
	unsigned int side;

	*plan = (struct sim_plan){
		.seed = SEED, .users = 3, .ttl = SIM_HOUR,
		.secondary_until = SIM_SWITCHED,
		.senders = { [SIM_LIST] = 5 },
	};
	for (side = 0; side < SIM_SIDES; side++)
		plan->servers[side].milter_since = SIM_SWITCHED - 14 * SIM_DAY;
}

static void note_time(void *context)
{
	int64_t **next = context;

	*(*next)++ = 1;
}

static void test_clock(void)
{
	struct sim_clock clock = { 0 };
	int64_t seen[100], *next = seen;
	unsigned int i;

	for (i = 0; i < 100; i++)
		sim_clock_at(&clock, (int64_t)(i * 37 % 100), note_time, &next);
	for (i = 0; i < 100; i++) {
		sim_clock_run(&clock, (int64_t)i);
		UNIT_CHECK(next - seen == (int64_t)i + 1, "%td events at %u",
			   next - seen, i);
	}
	CU_ASSERT_EQUAL(clock.count, 0);
	sim_clock_deinit(&clock);
}

static double mean_of(double (*draw)(struct corpus_rng *rng))
{
	struct corpus_rng rng;
	double sum = 0;
	unsigned int i;

	corpus_rng_init(&rng, SEED, 0);
	for (i = 0; i < 100000; i++)
		sum += draw(&rng);
	return sum / 100000;
}

static double draw_exponential(struct corpus_rng *rng)
{
	return chance_exponential(rng, 5);
}

static double draw_lognormal(struct corpus_rng *rng)
{
	return chance_lognormal(rng, 2, 0.5);
}

static double draw_pareto(struct corpus_rng *rng)
{
	return chance_pareto(rng, 1, 100, 2);
}

static double draw_geometric(struct corpus_rng *rng)
{
	return chance_geometric(rng, 0.3);
}

static double draw_poisson(struct corpus_rng *rng)
{
	return chance_poisson(rng, 3.5);
}

/* Of each distribution the mean that it should have. */
static void test_chance(void)
{
	static const struct {
		double (*draw)(struct corpus_rng *rng);
		double mean;
	} table[] = {
		{ chance_unit, 0.5 },
		{ draw_exponential, 5 },
		/* 2 exp(0.5 * 0.5 / 2) */
		{ draw_lognormal, 2.266 },
		/* 2 (1 - 1/100) / (1 - 1/10000) */
		{ draw_pareto, 1.980 },
		/* 1 / (1 - 0.3) */
		{ draw_geometric, 1.4286 },
		{ draw_poisson, 3.5 },
	};
	double mean;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mean = mean_of(table[i].draw);
		UNIT_CHECK(mean > table[i].mean * 0.98 &&
			   mean < table[i].mean * 1.02, "%zu: %f", i, mean);
	}
}

static char *read_log(const char *name, size_t *size_r)
{
	char path[100], *data;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fseek(file, 0, SEEK_END), 0);
	*size_r = (size_t)ftell(file);
	rewind(file);
	data = memory_new(*size_r + 1);
	CU_ASSERT_EQUAL(fread(data, 1, *size_r, file), *size_r);
	fclose(file);
	return data;
}

/* Lives through ten days after the switch, in steps; the truth of a year. */
static struct sim_truth live(const struct sim_plan *plan, int64_t step,
			     char *logs_r[SIM_SIDES])
{
	struct sim_world *world = sim_world_init(plan, folder);
	int64_t time, end = SIM_SWITCHED + 10 * SIM_DAY;
	struct sim_truth truth;
	size_t size;

	for (time = SIM_SWITCHED - 20 * SIM_DAY; time < end; time += step)
		sim_world_run(world, time);
	sim_world_run(world, end);
	sim_world_end_logs(world);
	sim_world_run(world, SIM_SWITCHED + SIM_DAYS_AFTER * SIM_DAY);
	truth = *sim_world_truth(world);
	sim_world_deinit(&world);
	logs_r[SIM_OLD] = read_log("old.log", &size);
	logs_r[SIM_NEW] = read_log("new.log", &size);
	CU_ASSERT(size > 10000);
	return truth;
}

static void test_same_seed_same_world(void)
{
	char *one[SIM_SIDES], *other[SIM_SIDES];
	struct sim_truth truth, again;
	struct sim_plan plan;
	unsigned int side;

	sim_plan_draw(&plan, SEED);
	truth = live(&plan, SIM_DAY, one);
	again = live(&plan, 1000, other);
	CU_ASSERT_EQUAL(truth.count, again.count);
	CU_ASSERT_EQUAL(truth.unmarked, again.unmarked);
	for (side = 0; side < SIM_SIDES; side++)
		CU_ASSERT_STRING_EQUAL(one[side], other[side]);
	for (side = 0; side < SIM_SIDES; side++) {
		free(one[side]);
		free(other[side]);
	}
}

/* Returns when `safe` was said, in days after the switch, -1 for never. */
static double days_to_safe(const struct sim_plan *plan, const char *program,
			   struct sim_result *result_r)
{
	const struct sim_run_settings set = {
		&policy, 1, program, folder, NULL
	};

	sim_run(&set, plan, result_r);
	CU_ASSERT_FALSE(result_r->disagrees);
	return result_r->outcomes[0].safe == 0 ? -1 :
		(double)(result_r->outcomes[0].safe - SIM_SWITCHED) / SIM_DAY;
}

/* Safe at the first or second midnight after the quiet period: a poll an hour
   before doesn't cover all of it. */
static void test_nothing_wrong(void)
{
	struct sim_result result;
	struct sim_plan plan;
	double days;
	int rented;

	make_quiet_plan(&plan);
	for (rented = 0; rented < 2; rented++) {
		plan.rented = rented == 1;
		days = days_to_safe(&plan, MIGRATION_REPORT, &result);
		days -= (double)(result.end - SIM_SWITCHED) / SIM_DAY;
		UNIT_CHECK(days >= 7 && days < 9, "rented %d: %f days after "
			   "the last mail", rented, days);
		CU_ASSERT_EQUAL(result.outcomes[0].later, 0);
	}
}

static void test_hard_wired(void)
{
	struct sim_result result;
	struct sim_plan plan;
	double days;

	make_quiet_plan(&plan);
	plan.senders[SIM_ROUTED] = 3;
	days = days_to_safe(&plan, MIGRATION_REPORT, &result);
	UNIT_CHECK(days == -1 || days * SIM_DAY >
		   (double)(result.end - SIM_SWITCHED), "%f days", days);
	CU_ASSERT(result.rarest > 0);
}

/* Not how good the rules are, only that they aren't broken. */
static void test_worlds(void)
{
	struct sim_result *results = memory_resize(NULL, WORLDS,
						   sizeof(*results));
	struct sim_figures figures;
	struct sim_plan plan;
	size_t i;

	for (i = 0; i < WORLDS; i++) {
		sim_plan_draw(&plan, SEED + i);
		(void)days_to_safe(&plan, i % PROGRAM_EACH == 0 ?
				   MIGRATION_REPORT : NULL, &results[i]);
	}
	sim_tally(results, WORLDS, 0, policy.quiet, NULL, &figures);
	CU_ASSERT_EQUAL(figures.worlds, WORLDS);
	UNIT_CHECK(figures.wrong <= WRONG_MAX, "%zu are wrong", figures.wrong);
	UNIT_CHECK(figures.right >= RIGHT_MIN, "%zu are right", figures.right);
	free(results);
}

static void test_never_local(void)
{
	struct sim_result result;
	struct sim_plan plan;
	uint64_t seed;

	/* the first world in which somebody's password is never found */
	for (seed = 1; seed < 10000; seed++) {
		struct sim_world *world;
		bool found;

		sim_plan_draw(&plan, seed);
		world = sim_world_init(&plan, NULL);
		found = sim_world_truth(world)->local == INT64_MAX;
		sim_world_deinit(&world);
		if (found)
			break;
	}
	UNIT_CHECK(days_to_safe(&plan, NULL, &result) == -1 ||
		   result.outcomes[0].later > 0, "seed %" PRIu64, seed);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "clock", test_clock },
		{ "chance", test_chance },
		{ "the same seed makes the same world",
		  test_same_seed_same_world },
		{ "nothing is wrong", test_nothing_wrong },
		{ "hard-wired senders", test_hard_wired },
		{ "a user without a password", test_never_local },
		{ "many worlds", test_worlds },
		{ NULL, NULL }
	};

	return unit_run_in(folder, "simulator", tests);
}
