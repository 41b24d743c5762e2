/*
 * sim-account: a user's mailboxes: when they become local, and what polls of the
 * old server find afterwards
 */
#include "sim-world-private.h"

#include <string.h>

/* Mailboxes are cut over in the days before the switch. */
#define CUTOVER_DAYS 5
#define FILL_SECS (2 * SIM_DAY)
/* Each hour, from cron: doveadm migration catchup -A. */
#define POLL_SECS SIM_HOUR

/* One user in a hundred is away when passwords are collected, and comes back within
   a month; one in ten of these never does. */
#define NO_PASSWORD 0.01
#define NO_PASSWORD_DAYS 30
#define NEVER_PASSWORD 0.1
/* For half of them polls are tried, and fail; the others aren't in the list. */
#define TRIED_WITHOUT 0.5
/* Who changes his password at the old server: polls fail until it's told. */
#define PASSWORD_CHANGED 0.03
#define PASSWORD_CHANGED_DAYS 14
/* A forgotten phone that fetches from the old server by POP3, and removes what it
   has: most of it before we look. */
#define POPPER 0.03
#define POPPER_DAYS 30
#define POPPER_FIRST 0.8
/* A client with the old server's name, for some days: it reads a few mails a day. */
#define OLD_CLIENT 0.1
#define OLD_CLIENT_MEAN (5.0 * SIM_DAY)
#define OLD_CLIENT_READS 0.1

static const char *const mailboxes[] = { "INBOX", "Sent", "Junk", "Trash" };
/* It's there when the copy was compared with the old server's bytes. */
#define DIGEST "8f434346648f6b96df89dda901c5176b"
#define MAILBOXES (sizeof(mailboxes) / sizeof(mailboxes[0]))

struct waiting_mail {
	const struct sim_mail *mail;
	/* By the old server's clock. */
	int64_t received;
};

struct sim_account {
	struct sim_world *world;
	struct corpus_rng rng;
	char name[40];
	/* INT64_MAX: never */
	int64_t cutover;
	bool tried_without;
	struct sim_span poll_fails;
	int64_t popper_until, client_until;
	/* At the old server since the cutover, not seen by a poll yet. */
	struct waiting_mail *waiting;
	unsigned int count, room, gone, uid;
};

static void begin_line(const struct sim_account *account,
		       struct report_line *report, const char *event,
		       const char *mailbox)
{
	report_line_begin(report, event);
	report_line_add_str(report, "user", account->name);
	if (mailbox != NULL)
		report_line_add_str(report, "mailbox", mailbox);
}

static void end_line(const struct sim_account *account,
		     struct report_line *report)
{
	sim_log_plugin(&account->world->logs[SIM_NEW], account->name, report);
}

static void add_size(struct report_line *report)
{
	log_add(report, "messages", "%u", 250);
	log_add(report, "bytes", "%u", 9500000);
}

static void fill(void *context)
{
	struct sim_account *account = context;
	struct report_line report;
	size_t i;

	begin_line(account, &report, "tree", NULL);
	report_line_add_number(&report, "folders", MAILBOXES);
	end_line(account, &report);
	for (i = 0; i < MAILBOXES; i++) {
		begin_line(account, &report, "filled", mailboxes[i]);
		log_add(&report, "fetched", "%u", 250);
		add_size(&report);
		end_line(account, &report);
	}
}

static void cut_over(void *context)
{
	struct sim_account *account = context;
	struct report_line report;
	size_t i;

	for (i = 0; i < MAILBOXES; i++) {
		begin_line(account, &report, "cutover", mailboxes[i]);
		add_size(&report);
		report_line_add_millis(&report, "seconds", 12);
		report_line_add_str(&report, "digest", DIGEST);
		end_line(account, &report);
	}
}

static void report_late(struct sim_account *account,
			const struct waiting_mail *waiting)
{
	const struct sim_mail *mail = waiting->mail;
	int64_t delay = sim_log_time(&account->world->logs[SIM_NEW]) -
		waiting->received;
	struct report_line report;

	begin_line(account, &report, "late", mail->marked ? "Junk" : "INBOX");
	log_add(&report, "uidvalidity", "%u", 1393000000);
	log_add(&report, "uid", "%u", ++account->uid);
	log_add(&report, "mid", "<%llu@sender%u.example>",
		(unsigned long long)mail->number, mail->sender->number);
	sim_mail_describe(mail, &report);
	report_line_add_number(&report, "received",
			       (uint64_t)waiting->received);
	report_line_add_number(&report, "delay",
			       delay > 0 ? (uint64_t)delay : 0);
	report_line_add_str(&report, "action", "delivered");
	end_line(account, &report);
}

static void report_gone(struct sim_account *account)
{
	struct report_line report;

	begin_line(account, &report, "late_gone", "INBOX");
	report_line_add_number(&report, "messages", account->gone);
	end_line(account, &report);
}

static void report_old_client(struct sim_account *account)
{
	struct report_line report;

	begin_line(account, &report, "old_client", "INBOX");
	report_line_add_number(&report, "flags", 0);
	report_line_add_number(&report, "seen", account->gone == 0 ? 1 : 0);
	report_line_add_number(&report, "expunged", account->gone);
	report_line_add_number(&report, "saved", 0);
	report_line_add_number(&report, "moved", 0);
	end_line(account, &report);
}

static void report_poll(struct sim_account *account, const char *reason)
{
	struct report_line report;

	begin_line(account, &report, "poll", NULL);
	report_line_add_str(&report, "ok", reason == NULL ? "yes" : "no");
	report_line_add_number(&report, "mailboxes",
			       reason == NULL ? MAILBOXES : 0);
	report_line_add_number(&report, "new",
			       reason == NULL ? account->count : 0);
	report_line_add_number(&report, "waiting", 0);
	if (reason != NULL)
		report_line_add_str(&report, "reason", reason);
	end_line(account, &report);
}

static bool has_old_client(struct sim_account *account)
{
	return account->gone > 0 ||
		(account->world->clock.now < account->client_until &&
		 chance(&account->rng, OLD_CLIENT_READS));
}

static void look(struct sim_account *account)
{
	unsigned int i;

	for (i = 0; i < account->count; i++)
		report_late(account, &account->waiting[i]);
	if (has_old_client(account))
		report_old_client(account);
	if (account->gone > 0)
		report_gone(account);
	report_poll(account, NULL);
	account->count = account->gone = 0;
}

/* Why a poll fails now, NULL if it doesn't. */
static const char *get_trouble(const struct sim_account *account)
{
	const struct sim_plan *plan = &account->world->plan;
	int64_t now = account->world->clock.now;

	if (now < account->cutover)
		return "no password is known";
	if (sim_span_has(&account->poll_fails, now))
		return "login refused";
	if (sim_span_has(&plan->polls_fail, now) ||
	    sim_span_has(&plan->servers[SIM_OLD].mta_down, now))
		return "the old server can't be reached";
	return NULL;
}

static void poll(void *context)
{
	struct sim_account *account = context;
	struct sim_clock *clock = &account->world->clock;
	const char *trouble = get_trouble(account);

	if (account->world->logs_ended)
		return;
	if (trouble == NULL)
		look(account);
	else if (clock->now >= account->cutover || account->tried_without)
		report_poll(account, trouble);
	sim_clock_at(clock, clock->now + POLL_SECS, poll, account);
}

void sim_account_add(const struct sim_mail *mail)
{
	struct sim_world *world = mail->sender->world;
	struct sim_account *account = &world->accounts[mail->user];

	/* until then it's one of those that are copied */
	if (world->clock.now < account->cutover)
		return;
	if (world->clock.now < account->popper_until &&
	    chance(&account->rng, POPPER_FIRST)) {
		account->gone++;
		return;
	}
	if (account->count == account->room) {
		account->room = account->room * 2 + 16;
		account->waiting = memory_resize(account->waiting,
						 account->room,
						 sizeof(*account->waiting));
	}
	account->waiting[account->count++] = (struct waiting_mail){
		mail, sim_log_time(&world->logs[SIM_OLD])
	};
}

static int64_t after_switch(struct corpus_rng *rng, double min, double max)
{
	return SIM_SWITCHED +
		chance_whole(chance_between(rng, min, max) * SIM_DAY);
}

/* Everything is drawn in any case, so that one of them doesn't change others. */
static void draw_account(struct sim_account *account)
{
	struct corpus_rng *rng = &account->rng;
	int64_t found = after_switch(rng, 1, NO_PASSWORD_DAYS);
	int64_t lasts = chance_whole(
		chance_between(rng, 1, PASSWORD_CHANGED_DAYS) * SIM_DAY);
	bool never = chance(rng, NEVER_PASSWORD);

	account->cutover = after_switch(rng, -CUTOVER_DAYS, 0);
	if (chance(rng, NO_PASSWORD))
		account->cutover = never ? INT64_MAX : found;
	account->tried_without = chance(rng, TRIED_WITHOUT);
	account->poll_fails.from = after_switch(rng, 0, NO_PASSWORD_DAYS);
	account->poll_fails.to = account->poll_fails.from + lasts;
	if (!chance(rng, PASSWORD_CHANGED))
		account->poll_fails.to = 0;
	account->popper_until = after_switch(rng, 1, POPPER_DAYS);
	if (!chance(rng, POPPER))
		account->popper_until = 0;
	account->client_until = SIM_SWITCHED +
		chance_whole(chance_exponential(rng, OLD_CLIENT_MEAN));
	if (!chance(rng, OLD_CLIENT))
		account->client_until = 0;
}

static void start_account(struct sim_account *account)
{
	struct sim_clock *clock = &account->world->clock;
	int64_t minute = corpus_rng_below(&account->rng, 60);
	int64_t first = account->tried_without ?
		SIM_SWITCHED - CUTOVER_DAYS * SIM_DAY : account->cutover;

	if (account->cutover > account->world->truth.local)
		account->world->truth.local = account->cutover;
	if (account->cutover != INT64_MAX) {
		sim_clock_at(clock, account->cutover - FILL_SECS, fill,
			     account);
		sim_clock_at(clock, account->cutover, cut_over, account);
	}
	if (first > account->cutover)
		first = account->cutover;
	if (first != INT64_MAX)
		sim_clock_at(clock, first + minute * 60, poll, account);
}

void sim_accounts_start(struct sim_world *world)
{
	struct sim_account *account;
	unsigned int i;

	world->accounts = pool_array(&world->pool, world->plan.users,
				     sizeof(*world->accounts));
	for (i = 0; i < world->plan.users; i++) {
		account = &world->accounts[i];
		account->world = world;
		snprintf(account->name, sizeof(account->name),
			 "user%u@" SIM_DOMAIN, i);
		corpus_rng_init(&account->rng, world->plan.seed,
				SIM_STREAM_ACCOUNTS + i);
		draw_account(account);
		start_account(account);
	}
}

void sim_accounts_end(struct sim_world *world)
{
	unsigned int i;

	for (i = 0; i < world->plan.users; i++)
		free(world->accounts[i].waiting);
}
