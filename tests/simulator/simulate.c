/*
 * simulate: how often does migration-report say `safe` while wanted mail still
 * comes to the old server later, and how late does it say it?
 *
 * simulate [--worlds N] [--first SEED] [--jobs N] [--program PATH]
 *          [--max-wrong SHARE] [--each]
 * simulate --world SEED --folder DIR [--program PATH]
 *
 * The first form lives through worlds of consecutive seeds, sim-world.h, and
 * prints tables over them; --each has a line a world as well. The second one lives
 * through one, tells each verdict, and leaves the logs in the folder. With
 * --program that migration-report is asked, too, when it matters; sim-run.h. Logs
 * of a world are in TMPDIR for as long as it's looked at, some 10 MB.
 *
 * Exit status: 0; 1 when more than SHARE (of 1) of the safes at the first policy
 * were wrong, or the program disagreed with its library; 64 for wrong usage.
 */
#include "options.h"
#include "sim-run.h"
#include "sim-tally.h"
#include "report/memory.h"

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORLDS_DEFAULT 1000
#define WORLDS_MAX 1000000
#define JOBS_MAX 64
#define OPEN_FOLDERS 8
#define FOLDER_MAX 1000

/* What is asked for; the first one are the program's defaults. */
static const struct sim_policy policies[] = {
	{ "defaults (--quiet 7d)", 7 * SIM_DAY, 0, "" },
	{ "--quiet 3d", 3 * SIM_DAY, 0, NULL },
	{ "--quiet 14d", 14 * SIM_DAY, 0, NULL },
	{ "--ignore each spammer", 7 * SIM_DAY, SIM_TELLS_SPAMMERS, NULL },
	{ "--switched --ttl --accounts", 7 * SIM_DAY, SIM_TELLS_FACTS, NULL },
	{ "both", 7 * SIM_DAY, SIM_TELLS_SPAMMERS | SIM_TELLS_FACTS, NULL },
	{ "both, --quiet 14d", 14 * SIM_DAY,
	  SIM_TELLS_SPAMMERS | SIM_TELLS_FACTS, NULL },
};
#define POLICIES (sizeof(policies) / sizeof(policies[0]))

struct simulate {
	size_t worlds, jobs;
	uint64_t first, world;
	bool single, each;
	double max_wrong;
	const char *program, *folder;
	struct sim_result *results;
};

static void usage(void)
{
	fprintf(stderr, "usage: simulate [--worlds N] [--first SEED] "
		"[--jobs N] [--program PATH]\n"
		"                [--max-wrong SHARE] [--each]\n"
		"       simulate --world SEED --folder DIR [--program PATH]\n");
	exit(64);
}

static double share(const char *str)
{
	char *end;
	double value = strtod(str, &end);

	if (*str == '\0' || *end != '\0' || value < 0 || value > 1)
		usage();
	return value;
}

static uint64_t number(const char *str, uint64_t min, uint64_t max)
{
	return option_number(str, min, max, usage);
}

static void parse_options(struct simulate *sim, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "each", no_argument, NULL, 'e' },
		{ "first", required_argument, NULL, 'f' },
		{ "folder", required_argument, NULL, 'd' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "max-wrong", required_argument, NULL, 'm' },
		{ "program", required_argument, NULL, 'p' },
		{ "world", required_argument, NULL, 'w' },
		{ "worlds", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'e': sim->each = true; break;
		case 'f': sim->first = number(optarg, 0, UINT32_MAX); break;
		case 'd': sim->folder = optarg; break;
		case 'j': sim->jobs = number(optarg, 1, JOBS_MAX); break;
		case 'm': sim->max_wrong = share(optarg); break;
		case 'p': sim->program = optarg; break;
		case 'w':
			sim->world = number(optarg, 0, UINT32_MAX);
			sim->single = true;
			break;
		case 'n': sim->worlds = number(optarg, 1, WORLDS_MAX); break;
		default: usage();
		}
	}
	if (optind != argc || sim->single != (sim->folder != NULL))
		usage();
}

static void fail(const char *what)
{
	fprintf(stderr, "simulate: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void write_days(const char *name, int64_t time)
{
	printf(" %s=%.1f", name, (double)(time - SIM_SWITCHED) / SIM_DAY);
}

static void write_world(const struct sim_result *result)
{
	const struct sim_outcome *outcome;
	size_t i;

	printf("world=%" PRIu64 " rented=%d users=%u rarest=%.3f",
	       result->plan.seed, result->plan.rented, result->plan.users,
	       result->rarest);
	write_days("end", result->end);
	for (i = 0; i < POLICIES; i++) {
		outcome = &result->outcomes[i];
		if (outcome->safe == 0) {
			printf(" safe=-");
			continue;
		}
		write_days("safe", outcome->safe);
		if (outcome->later == 0)
			continue;
		printf(" later=%u why=\"%s\"", outcome->later,
		       sim_why_name(outcome->why));
		write_days("first", outcome->first_later);
	}
	printf(" lines=%" PRIu64 " cpu=%.3f\n", result->lines, result->seconds);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

/* Every jobs'th world from this one on; results go into the pipe. */
static void run_job(const struct simulate *sim, size_t number, int fd)
{
	const char *tmp = getenv("TMPDIR");
	char folder[FOLDER_MAX];
	struct sim_run_settings set = {
		policies, POLICIES, sim->program, folder, NULL
	};
	struct sim_result result;
	struct sim_plan plan;
	size_t i;

	snprintf(folder, sizeof(folder), "%s/simulate.XXXXXX",
		 tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(folder) == NULL)
		fail(folder);
	for (i = number; i < sim->worlds; i += sim->jobs) {
		sim_plan_draw(&plan, sim->first + i);
		sim_run(&set, &plan, &result);
		if (write(fd, &result, sizeof(result)) != sizeof(result))
			fail("pipe");
	}
	(void)nftw(folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

static void start_jobs(const struct simulate *sim, int fds[2])
{
	size_t i;
	pid_t pid;

	for (i = 0; i < sim->jobs; i++) {
		pid = fork();
		if (pid < 0)
			fail("fork");
		if (pid == 0) {
			close(fds[0]);
			run_job(sim, i, fds[1]);
			exit(EXIT_SUCCESS);
		}
	}
}

_Static_assert(sizeof(struct sim_result) <= PIPE_BUF, "comes in one piece");

static void run_worlds(struct simulate *sim)
{
	struct sim_result result;
	size_t count = 0;
	int fds[2];

	if (pipe(fds) < 0)
		fail("pipe");
	start_jobs(sim, fds);
	close(fds[1]);
	while (read(fds[0], &result, sizeof(result)) == sizeof(result)) {
		sim->results[result.plan.seed - sim->first] = result;
		count++;
	}
	close(fds[0]);
	while (wait(NULL) > 0)
		;
	if (count != sim->worlds) {
		fprintf(stderr, "simulate: a job failed\n");
		exit(EXIT_FAILURE);
	}
}

static int write_all(const struct simulate *sim)
{
	struct sim_policy_name names[POLICIES];
	struct sim_figures figures;
	double seconds = 0;
	bool disagrees = false;
	size_t i;

	for (i = 0; i < POLICIES; i++) {
		names[i] = (struct sim_policy_name){
			policies[i].name, policies[i].quiet
		};
	}
	for (i = 0; i < sim->worlds; i++) {
		if (sim->each)
			write_world(&sim->results[i]);
		seconds += sim->results[i].seconds;
		disagrees = disagrees || sim->results[i].disagrees;
	}
	sim_tally_write(sim->results, sim->worlds, names, POLICIES, stdout);
	sim_tally(sim->results, sim->worlds, 0, policies[0].quiet, NULL,
		  &figures);
	printf("\nsimulate: worlds=%zu wrong=%zu cpu_per_world=%.3f "
	       "disagrees=%s\n", sim->worlds, figures.wrong,
	       seconds / (double)sim->worlds, disagrees ? "yes" : "no");
	return disagrees || (double)figures.wrong >
		sim->max_wrong * (double)sim->worlds;
}

static int run_single(const struct simulate *sim)
{
	struct sim_run_settings set = {
		policies, POLICIES, sim->program, sim->folder, stdout
	};
	struct sim_result result;
	struct sim_plan plan;

	sim_plan_draw(&plan, sim->world);
	sim_run(&set, &plan, &result);
	write_world(&result);
	return result.disagrees;
}

int main(int argc, char *argv[])
{
	struct simulate sim = {
		.worlds = WORLDS_DEFAULT, .jobs = 1, .first = 1, .max_wrong = 1
	};
	int status;

	/* days of the report begin in UTC's midnight, as the worlds' do */
	(void)setenv("TZ", "UTC", 1);
	parse_options(&sim, argc, argv);
	if (sim.single)
		return run_single(&sim);
	sim.results = memory_resize(NULL, sim.worlds, sizeof(*sim.results));
	run_worlds(&sim);
	status = write_all(&sim);
	free(sim.results);
	return status;
}
