#include "sim-world-private.h"

#include <errno.h>
#include <string.h>

static const char *const why_names[SIM_WHYS] = {
	[SIM_WHY_CACHED] = "cached within TTL",
	[SIM_WHY_OVERSTAYED] = "cached for longer than TTL",
	[SIM_WHY_SECONDARY] = "secondary name server",
	[SIM_WHY_QUEUED] = "in a queue",
	[SIM_WHY_BACKUP] = "forgotten second MX",
	[SIM_WHY_ROUTED] = "static route",
	[SIM_WHY_CUSTOMER] = "customer of the old host",
	[SIM_WHY_ROUTED_MONTHLY] = "static route, monthly",
	[SIM_WHY_STALE] = "spammer",
	[SIM_WHY_NOT_SWITCHED] = "MX wasn't switched yet",
	[SIM_WHY_NOT_LOCAL] = "a user isn't local",
};

const char *sim_why_name(enum sim_why why)
{
	return why_names[why];
}

static FILE *open_log(const char *folder, const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
	return file;
}

static void start_servers(struct sim_world *world, const char *folder)
{
	const char *const names[SIM_SIDES] = { "old.log", "new.log" };
	FILE *file;
	unsigned int side;

	for (side = 0; side < SIM_SIDES; side++) {
		/* a rented one's exists, and stays empty */
		file = folder == NULL ? NULL : open_log(folder, names[side]);
		sim_log_init(&world->logs[side], &world->clock,
			     &world->plan.servers[side], side,
			     side == SIM_OLD && world->plan.old_times, file);
		if (side == SIM_OLD && world->plan.rented)
			sim_log_end(&world->logs[side]);
		sim_milter_init(&world->milters[side], &world->clock,
				&world->logs[side]);
	}
}

/* A mail of the administrator's own, from elsewhere. */
static void try_new_server(void *context)
{
	struct sim_world *world = context;
	struct report_line report;

	if (!sim_milter_arrival(&world->milters[SIM_NEW], &report))
		return;
	log_add(&report, "id", "4WTESTz");
	log_add(&report, "client", "203.0.113.25");
	log_add(&report, "name", "mail.elsewhere.example");
	log_add(&report, "from", "<admin@elsewhere.example>");
	log_add(&report, "to", "<user0@" SIM_DOMAIN ">");
	log_add(&report, "via", "direct");
	log_add(&report, "spam", "no");
	sim_log_milter(&world->logs[SIM_NEW], &report);
}

struct sim_world *sim_world_init(const struct sim_plan *plan,
				 const char *folder)
{
	struct sim_world *world = memory_new(sizeof(*world));

	world->plan = *plan;
	pool_init(&world->pool);
	corpus_rng_init(&world->rng, plan->seed, SIM_STREAM_WORLD);
	world->clock.now = SIM_SWITCHED - SIM_DAYS_BEFORE * SIM_DAY;
	start_servers(world, folder);
	sim_senders_start(world);
	sim_accounts_start(world);
	if (plan->tried != 0) {
		sim_clock_at(&world->clock, plan->tried, try_new_server, world);
	}
	return world;
}

void sim_world_deinit(struct sim_world **_world)
{
	struct sim_world *world = *_world;

	*_world = NULL;
	sim_world_end_logs(world);
	sim_accounts_end(world);
	sim_clock_deinit(&world->clock);
	free(world->arrivals);
	pool_deinit(&world->pool);
	free(world);
}

void sim_world_run(struct sim_world *world, int64_t until)
{
	unsigned int side;

	sim_clock_run(&world->clock, until);
	for (side = 0; side < SIM_SIDES; side++)
		sim_log_flush(&world->logs[side]);
}

void sim_world_end_logs(struct sim_world *world)
{
	unsigned int side;

	for (side = 0; side < SIM_SIDES; side++) {
		sim_log_end(&world->logs[side]);
		sim_milter_end(&world->milters[side]);
	}
	world->logs_ended = true;
}

const struct sim_truth *sim_world_truth(struct sim_world *world)
{
	world->truth.arrivals = world->arrivals;
	return &world->truth;
}
