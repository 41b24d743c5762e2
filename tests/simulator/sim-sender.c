/*
 * sim-sender: who sends mail to the domain, how often, and to whom
 */
#include "sim-world-private.h"

/* Mails a day: from one a month to 200. Most correspondents are rare, few make
   most of the mail; which of the two laws it is, nobody knows, so half of the
   worlds have each. Medians of one in ten days; both make four or five mails a
   user and day. */
#define RATE_MIN (1.0 / 30)
#define RATE_MAX 200
#define RATE_MEDIAN 0.1
#define RATE_SIGMA 1.8
#define RATE_ALPHA 0.8
/* A route is made by hand for who writes often: a mail a day, give or take. */
#define ROUTED_MEDIAN 1
#define ROUTED_SIGMA 1.2
#define LIST_MEDIAN 3
#define LIST_SIGMA 1.0
#define SPAM_MEDIAN 0.2
#define SPAM_SIGMA 1.2

#define MONTH (30 * SIM_DAY)
/* A monthly run isn't at the same minute. */
#define MONTH_JITTER (6 * SIM_HOUR)
/* How many of us get each number of a newsletter, above one. */
#define NEWSLETTER_MORE 2

/* With one of a handful of big providers, each with several networks. */
#define AT_PROVIDER 0.4
#define PROVIDER_NETWORKS 6
#define PROVIDER_RESOLVERS 4

/* Postfix and Exim ask the DNS again at each try; others keep the route. */
#define KEEPS_ADDRESS 0.2
/* Days after which a mail is given up: RFC 5321 4.5.4.1, and Exchange. */
static const struct chance_weight patience[] = {
	{ 80, 5 * SIM_DAY }, { 20, 2 * SIM_DAY }
};

/* A good filter knows 97 of 100; some spammers get by for weeks; and of what is
   wanted it takes 2 of 1,000 for spam. */
#define SPAM_MARKED 0.97
#define NEVER_MARKED 0.05
#define WANTED_MARKED 0.002
/* Lists of addresses are old; and a second MX has the poorer filter. */
#define SPAMMER_STALE 0.5
#define SPAMMER_LIKES_BACKUP 0.3

/* The report names who still writes to the old server; he is called, understands
   and mends it, within two weeks: more often than not. A host takes a domain off
   its list when it's asked to, if somebody there knows how. */
#define CALL_HELPS 0.7
#define HOST_CALL_HELPS 0.5
#define CALL_DAYS_MIN 1
#define CALL_DAYS_MAX 14

static double clamp_rate(double rate)
{
	return rate < RATE_MIN ? RATE_MIN : rate > RATE_MAX ? RATE_MAX : rate;
}

static double draw_rate(struct corpus_rng *rng, enum sim_sender_kind kind,
			bool pareto)
{
	switch (kind) {
	case SIM_ORDINARY:
	case SIM_CUSTOMER:
		if (pareto)
			return chance_pareto(rng, RATE_MIN, RATE_MAX,
					     RATE_ALPHA);
		return clamp_rate(chance_lognormal(rng, RATE_MEDIAN,
						   RATE_SIGMA));
	case SIM_LIST:
		return clamp_rate(chance_lognormal(rng, LIST_MEDIAN,
						   LIST_SIGMA));
	case SIM_ROUTED:
		return clamp_rate(chance_lognormal(rng, ROUTED_MEDIAN,
						   ROUTED_SIGMA));
	case SIM_SPAMMER:
		return clamp_rate(chance_lognormal(rng, SPAM_MEDIAN,
						   SPAM_SIGMA));
	case SIM_NEWSLETTER:
	case SIM_ROUTED_MONTHLY:
	case SIM_SENDER_KINDS:
		break;
	}
	return 0;
}

static int64_t draw_call(struct corpus_rng *rng, double helps)
{
	double days = chance_between(rng, CALL_DAYS_MIN, CALL_DAYS_MAX);

	return chance(rng, helps) ? chance_whole(days * SIM_DAY) : 0;
}

static bool is_hard_wired(enum sim_sender_kind kind)
{
	return kind == SIM_ROUTED || kind == SIM_CUSTOMER ||
		kind == SIM_ROUTED_MONTHLY;
}

static void draw_spammer(struct sim_sender *sender)
{
	struct corpus_rng *rng = &sender->rng;

	sender->marked = chance(rng, NEVER_MARKED) ? 0 : SPAM_MARKED;
	sender->likes_backup = chance(rng, SPAMMER_LIKES_BACKUP);
	if (chance(rng, SPAMMER_STALE))
		sender->wired_until = INT64_MAX;
	sender->patience = 0;
}

static void draw_network(struct sim_sender *sender)
{
	struct sim_world *world = sender->world;
	bool at_provider = chance(&sender->rng, AT_PROVIDER);
	unsigned int provider = corpus_rng_below(&sender->rng, SIM_PROVIDERS);

	if (sender->kind == SIM_ORDINARY && at_provider) {
		sender->provider = provider + 1;
		sender->resolvers = world->providers[provider];
		sender->resolvers_count = PROVIDER_RESOLVERS;
		sender->network = provider * PROVIDER_NETWORKS;
		sender->networks = PROVIDER_NETWORKS;
		return;
	}
	sender->resolvers = sim_resolvers_new(world, 1, false);
	sender->resolvers_count = 1;
	sender->network = SIM_PROVIDERS * PROVIDER_NETWORKS + sender->number;
	sender->networks = 1;
}

static void draw_sender(struct sim_sender *sender)
{
	struct sim_world *world = sender->world;
	struct corpus_rng *rng = &sender->rng;
	unsigned int i;

	draw_network(sender);
	sender->rate = draw_rate(rng, sender->kind, world->plan.pareto);
	sender->keeps_address = chance(rng, KEEPS_ADDRESS);
	sender->patience = chance_weighted(rng, patience, 2);
	sender->marked = WANTED_MARKED;
	for (i = 0; i < 3; i++)
		sender->users[i] = corpus_rng_below(rng, world->plan.users);
	sender->call_takes = draw_call(rng, CALL_HELPS);
	if (is_hard_wired(sender->kind))
		sender->wired_until = INT64_MAX;
	if (sender->kind == SIM_SPAMMER)
		draw_spammer(sender);
}

static void note_rarest(struct sim_sender *sender)
{
	double *rarest = &sender->world->truth.rarest;
	double rate = sender->rate > 0 ? sender->rate : RATE_MIN;

	if (is_hard_wired(sender->kind) && (*rarest == 0 || rate < *rarest))
		*rarest = rate;
}

static void send_mail(struct sim_sender *sender)
{
	struct sim_world *world = sender->world;
	struct corpus_rng *rng = &sender->rng;
	struct sim_mail *mail = pool_new(&world->pool, sizeof(*mail));

	mail->sender = sender;
	mail->number = world->mails++;
	mail->user = sender->kind == SIM_NEWSLETTER ||
		sender->kind == SIM_SPAMMER ?
		corpus_rng_below(rng, world->plan.users) :
		sender->users[corpus_rng_below(rng, 3)];
	mail->marked = chance(rng, sender->marked);
	mail->sent = world->clock.now;
	sim_mail_send(mail);
}

static void send_mails(void *context);

static void wait_for_next(struct sim_sender *sender)
{
	struct corpus_rng *rng = &sender->rng;
	double wait = sender->rate > 0 ?
		chance_exponential(rng, SIM_DAY / sender->rate) :
		chance_between(rng, MONTH - MONTH_JITTER, MONTH + MONTH_JITTER);

	sim_clock_at(&sender->world->clock, sender->world->clock.now +
		     chance_whole(wait), send_mails, sender);
}

static void send_mails(void *context)
{
	struct sim_sender *sender = context;
	unsigned int count = 1;

	if (sender->kind == SIM_NEWSLETTER)
		count += chance_poisson(&sender->rng, NEWSLETTER_MORE);
	while (count-- > 0)
		send_mail(sender);
	wait_for_next(sender);
}

/* Some time in its first month, or after the first wait. */
static void begin(struct sim_sender *sender)
{
	struct sim_world *world = sender->world;

	if (sender->rate > 0) {
		wait_for_next(sender);
		return;
	}
	sim_clock_at(&world->clock, world->clock.now +
		     chance_whole(chance_between(&sender->rng, 0, MONTH)),
		     send_mails, sender);
}

static void start_sender(struct sim_world *world, enum sim_sender_kind kind,
			 unsigned int number)
{
	struct sim_sender *sender = &world->senders[number];

	*sender = (struct sim_sender){
		.world = world, .kind = kind, .number = number
	};
	corpus_rng_init(&sender->rng, world->plan.seed,
			SIM_STREAM_SENDERS + number);
	draw_sender(sender);
	note_rarest(sender);
	begin(sender);
}

void sim_senders_start(struct sim_world *world)
{
	const unsigned int *counts = world->plan.senders;
	unsigned int kind, i, number = 0, all = 0;

	for (kind = 0; kind < SIM_SENDER_KINDS; kind++)
		all += counts[kind];
	world->senders = pool_array(&world->pool, all, sizeof(*world->senders));
	for (i = 0; i < SIM_PROVIDERS; i++) {
		world->providers[i] =
			sim_resolvers_new(world, PROVIDER_RESOLVERS, true);
	}
	world->host_called_until = INT64_MAX;
	world->host_call_takes = draw_call(&world->rng, HOST_CALL_HELPS);
	for (kind = 0; kind < SIM_SENDER_KINDS; kind++) {
		for (i = 0; i < counts[kind]; i++)
			start_sender(world, kind, number++);
	}
}

/* The report names it, and somebody calls. */
static void call(struct sim_sender *sender)
{
	struct sim_world *world = sender->world;
	bool host = sender->kind == SIM_CUSTOMER;
	int64_t takes = host ? world->host_call_takes : sender->call_takes;
	int64_t *until = host ? &world->host_called_until :
		&sender->wired_until;

	if (takes == 0 || *until != INT64_MAX)
		return;
	*until = world->clock.now + takes;
	world->truth.called = true;
}

void sim_sender_delivered(const struct sim_mail *mail)
{
	struct sim_sender *sender = mail->sender;

	if (mail->side == SIM_OLD && sender->world->clock.now >= SIM_SWITCHED &&
	    is_hard_wired(sender->kind))
		call(sender);
}
