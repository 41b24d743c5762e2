/*
 * sim-transfer: a mail's way from its sender's queue to a server
 */
#include "sim-world-private.h"

/* A try fails for a moment: greylisting, a busy line. And of 1,000 mails two can't
   be sent for up to five days: their sender has trouble of his own. */
#define TRY_FAILS 0.02
#define HELD 0.002
#define HELD_DAYS 5
/* The first MX doesn't answer one of 200 connections, and the second is tried. */
#define FIRST_MX_FAILS 0.005
/* RFC 5321 4.5.4.1: at least 30 minutes, then longer. */
#define RETRY_FIRST 1800
#define RETRY_DOUBLINGS 3

void sim_mail_describe(const struct sim_mail *mail, struct report_line *report)
{
	const struct sim_sender *sender = mail->sender;
	unsigned int network = sender->network +
		(unsigned int)(mail->number % sender->networks);
	unsigned int host = 1 + (unsigned int)(mail->number % 9);

	if (sender->kind == SIM_CUSTOMER) {
		log_add(report, "client", "192.0.2.10");
		log_add(report, "name", "web10.old.example");
	} else {
		log_add(report, "client", "100.%u.%u.%u", 64 + network / 256,
			network % 256, host);
		if (sender->provider > 0) {
			log_add(report, "name", "out%u.provider%u.example",
				host, sender->provider);
		} else {
			log_add(report, "name", "out%u.mail%u.example", host,
				sender->number);
		}
	}
	log_add(report, "from", "<someone@sender%u.example>",
		sender->number);
	log_add(report, "size", "%u", 1000 + (unsigned int)
		(mail->number * 7919 % 100000));
	log_add(report, "spam", mail->marked ? "yes" : "no");
}

static void report_arrival(const struct sim_mail *mail)
{
	struct sim_world *world = mail->sender->world;
	struct report_line report;

	if (!sim_milter_arrival(&world->milters[mail->side], &report))
		return;
	log_add(&report, "id", "4W%08llXz", (unsigned long long)mail->number);
	sim_mail_describe(mail, &report);
	log_add(&report, "to", "<user%u@" SIM_DOMAIN ">", mail->user);
	log_add(&report, "via", "direct");
	sim_log_milter(&world->logs[mail->side], &report);
}

/* What no log tells. */
static void note_truth(const struct sim_mail *mail)
{
	struct sim_world *world = mail->sender->world;
	struct sim_truth *truth = &world->truth;

	if (mail->side != SIM_OLD || world->clock.now < SIM_SWITCHED)
		return;
	if (mail->sender->kind == SIM_SPAMMER) {
		if (!mail->marked)
			truth->unmarked++;
		return;
	}
	if (truth->count == world->arrivals_room) {
		world->arrivals_room = world->arrivals_room * 2 + 64;
		world->arrivals = memory_resize(world->arrivals,
						world->arrivals_room,
						sizeof(*world->arrivals));
	}
	world->arrivals[truth->count++] = (struct sim_arrival){
		world->clock.now, mail->why
	};
}

static void deliver(struct sim_mail *mail)
{
	note_truth(mail);
	sim_sender_delivered(mail);
	if (mail->sender->world->logs_ended)
		return;
	report_arrival(mail);
	if (mail->side == SIM_OLD)
		sim_account_add(mail);
}

static bool is_wired(const struct sim_sender *sender)
{
	const struct sim_world *world = sender->world;

	return world->clock.now < (sender->kind == SIM_CUSTOMER ?
				   world->host_called_until :
				   sender->wired_until);
}

static enum sim_why why_wired(enum sim_sender_kind kind)
{
	return kind == SIM_CUSTOMER ? SIM_WHY_CUSTOMER :
		kind == SIM_ROUTED ? SIM_WHY_ROUTED :
		kind == SIM_ROUTED_MONTHLY ? SIM_WHY_ROUTED_MONTHLY :
		SIM_WHY_STALE;
}

static bool has_backup(const struct sim_world *world)
{
	return world->clock.now >= SIM_SWITCHED &&
		world->clock.now < world->plan.backup_until;
}

static void find_address(struct sim_mail *mail)
{
	struct sim_sender *sender = mail->sender;

	if (is_wired(sender)) {
		mail->side = SIM_OLD;
		mail->why = why_wired(sender->kind);
		return;
	}
	if (mail->tries > 0 && sender->keeps_address &&
	    mail->why != SIM_WHY_BACKUP) {
		mail->why = SIM_WHY_QUEUED;
		return;
	}
	mail->side = sim_resolver_ask(sender, &mail->why);
	if (mail->side == SIM_NEW && sender->likes_backup &&
	    has_backup(sender->world)) {
		mail->side = SIM_OLD;
		mail->why = SIM_WHY_BACKUP;
	}
}

static bool is_down(const struct sim_world *world, enum sim_side side)
{
	return sim_span_has(&world->plan.servers[side].mta_down,
			    world->clock.now);
}

/* The first MX didn't answer, is there a second? */
static void try_backup(struct sim_mail *mail)
{
	struct sim_sender *sender = mail->sender;

	if (mail->side == SIM_NEW && has_backup(sender->world) &&
	    (is_down(sender->world, SIM_NEW) ||
	     chance(&sender->rng, FIRST_MX_FAILS))) {
		mail->side = SIM_OLD;
		mail->why = SIM_WHY_BACKUP;
	}
}

static void try(void *context);

static void try_later(struct sim_mail *mail)
{
	struct sim_world *world = mail->sender->world;
	unsigned int doublings = mail->tries < RETRY_DOUBLINGS ? mail->tries :
		RETRY_DOUBLINGS;
	int64_t next = world->clock.now + ((int64_t)RETRY_FIRST << doublings);

	mail->tries++;
	/* else it goes back to its sender */
	if (next <= mail->sent + mail->sender->patience)
		sim_clock_at(&world->clock, next, try, mail);
}

static void try(void *context)
{
	struct sim_mail *mail = context;
	struct sim_sender *sender = mail->sender;

	find_address(mail);
	if (sender->world->clock.now < mail->held_until ||
	    chance(&sender->rng, TRY_FAILS)) {
		try_later(mail);
		return;
	}
	try_backup(mail);
	if (is_down(sender->world, mail->side))
		try_later(mail);
	else
		deliver(mail);
}

void sim_mail_send(struct sim_mail *mail)
{
	struct corpus_rng *rng = &mail->sender->rng;

	if (chance(rng, HELD)) {
		mail->held_until = mail->sent + chance_whole(
			chance_between(rng, 0, HELD_DAYS * SIM_DAY));
	}
	try(mail);
}
