/*
 * sim-plan: what one world of mail is like, drawn from its seed
 *
 * A world is one mail domain whose MX is switched from an old to a new server.
 * All shares of worlds are in sim-plan.c, those of senders in sim-sender.c, those
 * of users in sim-account.c, each with its reason. Nobody has measured most of
 * them: they are guesses, made before the first verdict was seen. Results are
 * told by kind of world as well, so that who knows better can weigh them anew.
 *
 * Times are seconds since 1970, spans seconds, rates mails a day.
 */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_DOMAIN "example.org"
#define SIM_HOUR 3600
#define SIM_DAY 86400
/* MX is switched at noon of this day, 2025-03-03, in every world. */
#define SIM_YEAR 2025
#define SIM_SWITCHED INT64_C(1741003200)
/* What comes before and after isn't looked at. */
#define SIM_DAYS_BEFORE 35
#define SIM_DAYS_AFTER 365

enum sim_side {
	SIM_OLD,
	SIM_NEW,
	SIM_SIDES
};

/* Empty when both are the same. */
struct sim_span {
	int64_t from, to;
};

struct sim_server {
	/* The milter was installed then; earlier lines of anything were rotated
	   away. */
	int64_t milter_since, log_begins;
	/* What its clock shows less the true time. */
	int64_t clock_ahead;
	/* Without a milter mail comes all the same, but leaves no line. */
	struct sim_span milter_down, log_lost, mta_down;
	/* It didn't say that it stops. */
	bool milter_killed;
};

enum sim_sender_kind {
	/* Ask the DNS. */
	SIM_ORDINARY,
	SIM_LIST,
	SIM_NEWSLETTER,
	/* The old server's address is written down somewhere: a static route, a
	   device's or a program's setting. */
	SIM_ROUTED,
	/* Another customer of the old server's host, which still thinks that the
	   domain is local. */
	SIM_CUSTOMER,
	/* As routed, once a month. */
	SIM_ROUTED_MONTHLY,
	SIM_SPAMMER,
	SIM_SENDER_KINDS
};

struct sim_plan {
	uint64_t seed;
	/* No milter at the old server, and no log of it. */
	bool rented;
	/* The old server's syslog writes times as RFC 3164 has them. */
	bool old_times;
	unsigned int users;
	int64_t ttl;
	/* Until then one of the domain's name servers tells the old MX. */
	int64_t secondary_until;
	struct sim_server servers[SIM_SIDES];
	/* The old server is left as a second MX, until then (INT64_MAX: for
	   ever). 0: it isn't. */
	int64_t backup_until;
	/* The administrator tried the new server from outside, before the
	   switch; 0: he didn't. */
	int64_t tried;
	/* No poll of the old server worked. */
	struct sim_span polls_fail;
	/* Rates of senders: Pareto's, else log-normal. */
	bool pareto;
	unsigned int senders[SIM_SENDER_KINDS];
};

void sim_plan_draw(struct sim_plan *plan, uint64_t seed);
/* The number of the first spammer: senders are numbered by kind. */
unsigned int sim_plan_spammers(const struct sim_plan *plan);
static inline bool sim_span_has(const struct sim_span *span, int64_t time)
{
	return time >= span->from && time < span->to;
}

#endif
