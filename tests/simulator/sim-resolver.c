/*
 * sim-resolver: what a cache of the DNS says about our MX
 */
#include "sim-world-private.h"

/* Answers that are kept for longer: a floor of TTLs, or serve-stale, which RFC 8767
   recommends for one to three days. */
#define OVERSTAYS 0.03
#define OVERSTAY_DAYS_MIN 1
#define OVERSTAY_DAYS_MAX 7
/* A program that asks once and keeps it until it's started again, which patches
   do every other week. */
#define STUCK 0.005
#define STUCK_MEAN (14.0 * SIM_DAY)
/* Of three name servers one lags. */
#define ASKS_SECONDARY (1.0 / 3)

struct sim_resolver {
	int64_t fetched, expires;
	enum sim_side answer;
	/* Days for which it keeps everything, 0: as long as the TTL says. */
	double keeps_days;
	bool stuck;
};

struct sim_resolver *sim_resolvers_new(struct sim_world *world,
				       unsigned int count, bool provider)
{
	struct sim_resolver *resolvers =
		pool_array(&world->pool, count, sizeof(*resolvers));
	unsigned int i;

	for (i = 0; i < count; i++) {
		resolvers[i] = (struct sim_resolver){ .expires = INT64_MIN };
		/* big providers' are looked after */
		if (provider)
			continue;
		resolvers[i].stuck = chance(&world->rng, STUCK);
		if (chance(&world->rng, OVERSTAYS)) {
			resolvers[i].keeps_days =
				chance_between(&world->rng, OVERSTAY_DAYS_MIN,
					       OVERSTAY_DAYS_MAX);
		}
	}
	return resolvers;
}

static int64_t get_life(const struct sim_resolver *resolver, int64_t ttl,
			struct corpus_rng *rng)
{
	int64_t keeps = chance_whole(resolver->keeps_days * SIM_DAY);

	if (resolver->stuck)
		return chance_whole(chance_exponential(rng, STUCK_MEAN));
	return keeps > ttl ? keeps : ttl;
}

enum sim_side sim_resolver_ask(struct sim_sender *sender, enum sim_why *why_r)
{
	const struct sim_world *world = sender->world;
	const struct sim_plan *plan = &world->plan;
	struct corpus_rng *rng = &sender->rng;
	struct sim_resolver *resolver = &sender->resolvers[
		corpus_rng_below(rng, sender->resolvers_count)];
	int64_t now = world->clock.now;

	if (now >= resolver->expires) {
		resolver->fetched = now;
		resolver->expires = now + get_life(resolver, plan->ttl, rng);
		resolver->answer = now < SIM_SWITCHED ||
			(now < plan->secondary_until &&
			 chance(rng, ASKS_SECONDARY)) ? SIM_OLD : SIM_NEW;
	}
	*why_r = now >= resolver->fetched + plan->ttl ? SIM_WHY_OVERSTAYED :
		resolver->fetched >= SIM_SWITCHED ? SIM_WHY_SECONDARY :
		SIM_WHY_CACHED;
	return resolver->answer;
}
