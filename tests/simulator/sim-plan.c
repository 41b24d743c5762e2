#include "sim-plan.h"
#include "chance.h"

#include <math.h>

/* Of the seed's generators: 0 is the plan's. */
#define PLAN_STREAM 0

/* Two of five old servers are rented: the project is for those who can't install
   anything there as much as for the others. */
#define RENTED 0.4

/* How times are written doesn't change a verdict, but some are slow to read. */
#define OLD_TIMES 0.1

/* Small firms, clubs, practices: who has more users than these plans a year ahead,
   and who has fewer mails is harder to tell about. */
#define USERS_MEDIAN 12
#define USERS_SIGMA 1.0
#define USERS_MAX 100
/* Regular correspondents: 15 of a single user, and each further one shares some of
   his with the others. */
#define SENDERS_OF_ONE 15
#define SENDERS_POWER 0.8
/* A few list servers, some newsletters a month: what an office subscribes to. */
#define LISTS_MEAN 1.5
#define NEWSLETTERS_MEAN 3
/* Spammers that get past blocklists. */
#define SPAMMERS_MEAN 5
#define SPAMMERS_PER_USER 0.5

/* Hard-wired senders. A partner's static route, a scanner or monitoring that was
   given the address: in one of 12 domains, and then one more with 0.3. */
#define ROUTED 0.08
#define ROUTED_ANOTHER 0.3
/* On a shared host, some other customer is one of our correspondents: local
   businesses use local hosts. On a server of one's own there are no others, but
   for who keeps several firms' domains on it. */
#define CUSTOMER_RENTED 0.25
#define CUSTOMER_OWN 0.02
#define CUSTOMER_ANOTHER 0.4
/* Invoices, statements: a program that runs once a month and has the address. */
#define ROUTED_MONTHLY 0.03

/* Half lower it before the switch, as preflight says; the others have what DNS
   hosts give by default. */
static const struct chance_weight ttls[] = {
	{ 35, 300 }, { 35, 3600 }, { 10, 4 * SIM_HOUR }, { 15, SIM_DAY },
	{ 5, 2 * SIM_DAY }
};
/* A secondary that isn't notified goes on until its refresh (RFC 1912: up to a
   day). */
#define SECONDARY_LAGS 0.05
/* A second MX is left in the zone; it's found when mail is missed. */
#define BACKUP_MX 0.08
#define BACKUP_FOUND 0.6
#define BACKUP_FOUND_MEAN (10.0 * SIM_DAY)
/* Who is careful sends himself a mail from outside, in the days before. */
#define TRIED 0.4
#define TRIED_DAYS 10

/* Outages: how many worlds have one, and how long it is. A milter that is down
   hurts nobody, so nobody may see it for days; a log that fills the disk is seen
   sooner. New servers break more than old ones. */
struct outage {
	double share, median, sigma;
	int64_t max;
	/* It begins between these, after the switch. */
	int64_t from, to;
};
static const struct outage milter_outage = {
	0.2, SIM_HOUR, 2.0, 10 * SIM_DAY, -7 * SIM_DAY, 30 * SIM_DAY
};
static const struct outage log_outage = {
	0.1, 6 * SIM_HOUR, 1.5, 10 * SIM_DAY, -7 * SIM_DAY, 30 * SIM_DAY
};
static const struct outage mta_outages[SIM_SIDES] = {
	[SIM_OLD] = {
		0.1, 2 * SIM_HOUR, 1.5, 4 * SIM_DAY, -5 * SIM_DAY, 20 * SIM_DAY
	},
	[SIM_NEW] = {
		0.15, 2 * SIM_HOUR, 1.5, 2 * SIM_DAY, -5 * SIM_DAY, 20 * SIM_DAY
	},
};
/* A firewall, a limit of the old host. */
static const struct outage poll_outage = {
	0.15, SIM_DAY, 1.2, 14 * SIM_DAY, -2 * SIM_DAY, 20 * SIM_DAY
};

/* Days before the switch at which the milters were installed; 0: up to two days
   after it. */
static const struct chance_weight milter_days[] = {
	{ 25, 30 }, { 45, 14 }, { 15, 3 }, { 15, 0 }
};
#define MILTER_LATE_DAYS 2
/* One server's comes later than the other's. */
#define MILTERS_DIFFER 0.1
#define MILTERS_DIFFER_DAYS 5
/* The plugin writes from its first day on, but older logs weren't kept. */
#define ROTATED 0.04
#define ROTATED_DAYS_MIN (-4)
#define ROTATED_DAYS_MAX 2

/* Most have NTP; an hour is a wrong zone. */
static const struct chance_weight clock_errors[] = {
	{ 85, 1 }, { 8, 120 }, { 4, 600 }, { 3, SIM_HOUR }
};
#define CLOCK_ERRORS (sizeof(clock_errors) / sizeof(clock_errors[0]))

static double at_most(double value, double max)
{
	return value < max ? value : max;
}

static void draw_outage(struct corpus_rng *rng, const struct outage *outage,
			struct sim_span *span_r)
{
	double seconds = at_most(chance_lognormal(rng, outage->median,
						  outage->sigma),
				 (double)outage->max);

	span_r->from = SIM_SWITCHED + chance_whole(
		chance_between(rng, (double)outage->from, (double)outage->to));
	span_r->to = span_r->from + chance_whole(seconds);
	if (!chance(rng, outage->share))
		span_r->to = span_r->from;
}

static int64_t draw_clock(struct corpus_rng *rng)
{
	int64_t error = chance_weighted(rng, clock_errors, CLOCK_ERRORS);

	/* wrong zones are wrong by a whole hour, others by anything up to it */
	if (error != SIM_HOUR)
		error = chance_whole(chance_between(rng, 0,
						    (double)error + 0.5));
	return chance(rng, 0.5) ? error : -error;
}

static int64_t after_switch(struct corpus_rng *rng, double min, double max)
{
	return SIM_SWITCHED +
		chance_whole(chance_between(rng, min, max) * SIM_DAY);
}

static int64_t draw_milter(struct corpus_rng *rng)
{
	int64_t late = after_switch(rng, 0, MILTER_LATE_DAYS);
	int64_t days = chance_weighted(rng, milter_days, sizeof(milter_days) /
				       sizeof(milter_days[0]));

	return days == 0 ? late : SIM_SWITCHED - days * SIM_DAY;
}

static void draw_servers(struct corpus_rng *rng, struct sim_plan *plan)
{
	int64_t since = draw_milter(rng);
	int64_t later = chance_whole(
		chance_between(rng, 1, MILTERS_DIFFER_DAYS) * SIM_DAY);
	struct sim_server *server;
	unsigned int side;

	for (side = 0; side < SIM_SIDES; side++) {
		server = &plan->servers[side];
		server->milter_since = since;
		server->log_begins = after_switch(rng, ROTATED_DAYS_MIN,
						  ROTATED_DAYS_MAX);
		if (!chance(rng, ROTATED))
			server->log_begins = 0;
		server->clock_ahead = draw_clock(rng);
		draw_outage(rng, &milter_outage, &server->milter_down);
		server->milter_killed = chance(rng, 0.5);
		draw_outage(rng, &log_outage, &server->log_lost);
		draw_outage(rng, &mta_outages[side], &server->mta_down);
	}
	if (chance(rng, MILTERS_DIFFER))
		plan->servers[corpus_rng_below(rng, SIM_SIDES)].milter_since +=
			later;
}

static unsigned int draw_some(struct corpus_rng *rng, double share,
			      double another)
{
	bool some = chance(rng, share);
	unsigned int count = chance_geometric(rng, another);

	return some ? count : 0;
}

static void draw_senders(struct corpus_rng *rng, struct sim_plan *plan)
{
	unsigned int *count = plan->senders;

	count[SIM_ORDINARY] = (unsigned int)
		(SENDERS_OF_ONE * pow(plan->users, SENDERS_POWER));
	count[SIM_LIST] = chance_poisson(rng, LISTS_MEAN);
	count[SIM_NEWSLETTER] = chance_poisson(rng, NEWSLETTERS_MEAN);
	count[SIM_SPAMMER] = chance_poisson(rng, SPAMMERS_MEAN +
					    SPAMMERS_PER_USER * plan->users);
	count[SIM_ROUTED] = draw_some(rng, ROUTED, ROUTED_ANOTHER);
	count[SIM_CUSTOMER] = draw_some(rng, plan->rented ? CUSTOMER_RENTED :
					CUSTOMER_OWN, CUSTOMER_ANOTHER);
	count[SIM_ROUTED_MONTHLY] = draw_some(rng, ROUTED_MONTHLY, 0);
}

static void draw_names(struct corpus_rng *rng, struct sim_plan *plan)
{
	double found = chance_exponential(rng, BACKUP_FOUND_MEAN);
	double lag = chance_between(rng, SIM_HOUR / 2.0, SIM_DAY);

	plan->ttl = chance_weighted(rng, ttls, sizeof(ttls) / sizeof(ttls[0]));
	plan->secondary_until = SIM_SWITCHED;
	if (chance(rng, SECONDARY_LAGS))
		plan->secondary_until += chance_whole(lag);
	if (chance(rng, BACKUP_MX)) {
		plan->backup_until = chance(rng, BACKUP_FOUND) ?
			SIM_SWITCHED + chance_whole(found) : INT64_MAX;
	}
}

void sim_plan_draw(struct sim_plan *plan, uint64_t seed)
{
	struct corpus_rng rng;
	double users;

	*plan = (struct sim_plan){ .seed = seed };
	corpus_rng_init(&rng, seed, PLAN_STREAM);
	plan->rented = chance(&rng, RENTED);
	users = at_most(chance_lognormal(&rng, USERS_MEDIAN, USERS_SIGMA),
			USERS_MAX);
	plan->users = users < 1 ? 1 : (unsigned int)users;
	plan->pareto = chance(&rng, 0.5);
	draw_names(&rng, plan);
	draw_servers(&rng, plan);
	draw_outage(&rng, &poll_outage, &plan->polls_fail);
	draw_senders(&rng, plan);
	plan->old_times = chance(&rng, OLD_TIMES);
	if (chance(&rng, TRIED)) {
		plan->tried = SIM_SWITCHED - chance_whole(
			chance_between(&rng, SIM_HOUR, TRIED_DAYS * SIM_DAY));
	}
}

unsigned int sim_plan_spammers(const struct sim_plan *plan)
{
	unsigned int kind, number = 0;

	for (kind = 0; kind < SIM_SPAMMER; kind++)
		number += plan->senders[kind];
	return number;
}
