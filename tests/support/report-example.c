#include "report-example.h"
#include "report-example-verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOUR 3600
#define DAY 86400
#define DAYS 15
#define HOURS (DAYS * 24 - 7)
/* Wednesday, 4 November 2026, 00:00 UTC */
#define START 1793750400
#define SWITCHED (START + 33 * HOUR)
#define END (START + HOURS * (int64_t)HOUR - 600)
#define AT(day, hour) (START + (day) * (int64_t)DAY + (hour) * HOUR)
/* When the old server's milter was down, and the host of both. */
#define OLD_DOWN_FROM (6 * 24 + 9)
#define OLD_DOWN_TO (6 * 24 + 14)
#define HOST_DOWN_FROM (9 * 24 + 13)
#define HOST_DOWN_TO (10 * 24 + 3)

static const struct report_client clients[] = {
	{ "203.0.113.0/24", "newsletter.example" },
	{ "2001:db8:17::/48", "bank.example" },
	{ "198.51.100.0/24", "" },
	{ "192.0.2.0/24", REPORT_EXAMPLE_SCRIPT },
	{ "", "" },
};

#define SEEN(old, first_old, last_old, new, first_new, last_new) { \
	.count = { (old), (new) }, .first = { (first_old), (first_new) }, \
	.last = { (last_old), (last_new) } }

static const struct report_source sources[] = {
	{
		.client = &clients[0], .sender_domain = "newsletter.example",
		.standing = REPORT_STRAGGLER,
		.wanted = SEEN(212, AT(0, 1), AT(14, 11), 0, 0, 0),
		.deferred = 3, .last_deferred = AT(13, 4),
		.example_from = "weekly@newsletter.example",
		.example_to = "anna@example.org", .example_id = "4Xq2Lm1Zz9",
		.example_host = "mx.old.example",
		.example_client = "203.0.113.7",
		.example_name = "out7.newsletter.example",
	}, {
		.client = &clients[1], .sender_domain = "bank.example",
		.standing = REPORT_STRAGGLER,
		.wanted = SEEN(4, AT(1, 9), AT(11, 6), 1, AT(5, 2), AT(5, 2)),
		.client_last_new = AT(14, 3),
		.example_from = "statements@bank.example",
		.example_to = "bert@example.org", .example_id = "4Xp9Jd0Kk1",
		.example_host = "mx.old.example",
		.example_client = "2001:db8:17::19",
		.example_name = "mail.bank.example",
	}, {
		.client = &clients[3], .sender_domain = REPORT_EXAMPLE_IMAGE,
		.standing = REPORT_STRAGGLER,
		.wanted = SEEN(1, AT(9, 4), AT(9, 4), 0, 0, 0),
		.spam = SEEN(7, AT(2, 4), AT(9, 5), 0, 0, 0),
		.example_from = REPORT_EXAMPLE_SCRIPT "@evil.example",
		.example_to = "anna@example.org",
		.example_id = "\" onmouseover=\"alert(1)",
		.example_host = REPORT_EXAMPLE_STYLE,
		.example_client = "192.0.2.66",
		.example_name = "\xe2\x80\xae" "elpmaxe.live",
	}, {
		.client = &clients[4], .sender_domain = "",
		.standing = REPORT_WAVERING,
		.wanted = SEEN(9, AT(0, 2), AT(8, 7), 31, AT(1, 10), AT(14, 9)),
		.example_from = "", .example_to = "carl@example.org",
		.example_id = "4Xk3Bb7Tt2", .example_host = "mx.old.example",
		.example_client = "", .example_name = "",
	}, {
		.client = &clients[2], .sender_domain = "parish.example",
		.standing = REPORT_QUIET,
		.wanted = SEEN(2, AT(0, 8), AT(1, 7), 0, 0, 0),
		.example_from = "office@parish.example",
		.example_to = "anna@example.org", .example_id = "4Xj1Aa5Rr0",
		.example_host = "mx.old.example",
		.example_client = "198.51.100.4", .example_name = "",
	}, {
		.client = &clients[0], .sender_domain = "shop.example",
		.standing = REPORT_MOVED,
		.wanted = SEEN(0, 0, 0, 88, AT(1, 10), AT(14, 12)),
		.example_from = "", .example_to = "", .example_id = "",
		.example_host = "", .example_client = "", .example_name = "",
	}, {
		.client = &clients[2], .sender_domain = "pills.example",
		.standing = REPORT_ONLY_SPAM,
		.spam = SEEN(301, AT(0, 0), AT(14, 12), 12, AT(2, 2),
			     AT(13, 1)),
		.example_from = "", .example_to = "", .example_id = "",
		.example_host = "", .example_client = "", .example_name = "",
	},
};

static const struct report_submitter submitters[] = {
	{
		.auth = "anna@example.org", .client = "192.0.2.130",
		.name = "dsl-130.isp.example", .from = "anna@example.org",
		.domain = "example.org",
		.mails = SEEN(14, AT(0, 9), AT(14, 10), 3, AT(12, 9),
			      AT(13, 9)),
		.recipients = 19, .tell = true,
	}, {
		.auth = REPORT_EXAMPLE_SCRIPT, .client = "198.51.100.200",
		.name = "", .from = REPORT_EXAMPLE_IMAGE,
		.domain = "example.org",
		.mails = SEEN(1, AT(8, 9), AT(8, 9), 0, 0, 0),
		.recipients = 1, .tell = true,
	}, {
		.auth = "bert@example.org", .client = "2001:db8:9::4",
		.name = "", .from = "bert@example.org",
		.domain = "example.org",
		.mails = SEEN(0, 0, 0, 25, AT(1, 12), AT(14, 8)),
		.recipients = 30,
	},
};

static const struct report_forgery forgeries[] = {
	{ REPORT_NEW, "mx1.new.example", "192.0.2.66", REPORT_EXAMPLE_IMAGE,
	  "signature", "v=1; at=old; s=" REPORT_EXAMPLE_SCRIPT, 12, AT(3, 3),
	  AT(12, 7) },
};

static const struct report_loop loops[] = {
	{ REPORT_OLD, "mx.old.example", "lists@example.org", "4Xy8Hh3Pp6", 3,
	  1, 26, AT(5, 5), AT(5, 6) },
};

static const struct report_mailbox anna_mailboxes[] = {
	{ "Archive/2019 & \"before\"", REPORT_STATE_FILLING, 3100, 402000000,
	  2, "message 4711 can't be read: <NO> [SERVERBUG]", "", AT(13, 2),
	  AT(14, 9), 0, false },
	{ REPORT_EXAMPLE_IMAGE, REPORT_STATE_FILLED, 12, 90000, 0, "", "",
	  AT(12, 2), AT(14, 9), 0, false },
	{ "Drafts", REPORT_STATE_MIRRORED, 4, 12000, 0, "", "", AT(11, 3),
	  AT(11, 3), 0, false },
	{ "INBOX", REPORT_STATE_LOCAL, 18422, 2150000000, 0, "", "4,9:11",
	  AT(11, 4), AT(14, 9), 12, true },
	{ "Sent", REPORT_STATE_LOCAL, 9120, 1210000000, 0, "", "", AT(11, 5),
	  AT(11, 5), 9, true },
	{ "Old newsletters", REPORT_STATE_REMOVED, 0, 0, 0, "", "", AT(9, 5),
	  AT(9, 5), 0, false },
};
static const struct report_mailbox bert_mailboxes[] = {
	{ "Lists", REPORT_STATE_REMOTE, 0, 0, 0, "", "", AT(2, 1), AT(2, 1), 0,
	  false },
	{ "INBOX", REPORT_STATE_LOCAL, 604, 51000000, 0, "", "", AT(10, 1),
	  AT(10, 1), 7, true },
};
static const struct report_mailbox *anna_list[COUNT(anna_mailboxes)];
static const struct report_mailbox *bert_list[COUNT(bert_mailboxes)];

#define NO_CATCHUP { .poll_problem = "", .pending_problem = "" }

static const struct report_user users[] = {
	{
		.name = "anna@example.org", .mailboxes = anna_list,
		.mailboxes_count = COUNT(anna_mailboxes),
		.states = { 0, 1, 1, 1, 2, 1 }, .folders = 5,
		.messages = 30658, .bytes = 3762102000, .errors = 2,
		.problems = 1, .problem = "", .first = AT(1, 0),
		.last = AT(14, 9), .local_since = AT(11, 5),
		.catchup = {
			.polls = 900, .failed_polls = 2,
			.first_poll = AT(11, 4), .last_poll = AT(14, 9),
			.last_failed_poll = AT(14, 10),
			.poll_problem = "NO " REPORT_EXAMPLE_IMAGE,
			.late = 12, .doubles = 1, .last_late = AT(14, 2),
			.delay_median = 31, .delay_max = 7200, .pending = 1,
			.pending_problem = REPORT_EXAMPLE_SCRIPT,
		},
	}, {
		.name = REPORT_EXAMPLE_STYLE, .problem =
		"login refused: " REPORT_EXAMPLE_SCRIPT, .errors = 9,
		.catchup = NO_CATCHUP, .first = AT(1, 0), .last = AT(14, 9),
	}, {
		.name = "bert@example.org", .mailboxes = bert_list,
		.mailboxes_count = COUNT(bert_mailboxes),
		.states = { 1, 0, 0, 0, 1, 0 }, .folders = 4, .messages = 604,
		.bytes = 51000000, .problem = "",
		.catchup = NO_CATCHUP, .first = AT(2, 0),
		.last = AT(10, 1),
	},
};

static const struct report_gap old_gaps[] = {
	{ START + OLD_DOWN_FROM * HOUR, START + OLD_DOWN_TO * HOUR,
	  REPORT_GAP_STOPPED, 0, false },
	{ START + HOST_DOWN_FROM * HOUR, START + HOST_DOWN_TO * HOUR,
	  REPORT_GAP_KILLED, 840, false },
	{ END - 720, END, REPORT_GAP_SILENT, 0, true },
};
static const struct report_gap new_gaps[] = {
	{ START + HOST_DOWN_FROM * HOUR, START + HOST_DOWN_TO * HOUR,
	  REPORT_GAP_LOST, 840, false },
};

static const struct report_watcher watchers[] = {
	{
		.side = REPORT_OLD, .host = "mx.old.example",
		.version = "0.2.0", .mode = "tag", .domains = "example.org",
		.first = AT(0, 0), .last = END - 720, .heartbeats = 20000,
		.starts = 3, .stops = 1, .reloads = 2, .bad_reloads = 1,
		.missing = 840, .blind_s = 19 * HOUR + 720,
		.arrivals_lost = 2, .failures = 1,
		.failure = REPORT_EXAMPLE_IMAGE, .last_failure = AT(4, 4),
		.gaps = old_gaps, .gaps_count = COUNT(old_gaps),
		.gaps_total = COUNT(old_gaps), .blind_now = true,
	}, {
		.side = REPORT_NEW, .host = "mx1.new.example",
		.version = "0.2.0", .mode = "tag", .domains = "example.org",
		.first = AT(0, 6), .last = END, .heartbeats = 20100,
		.starts = 1, .missing = 840, .blind_s = 14 * HOUR,
		.failure = "", .gaps = new_gaps, .gaps_count = 1,
		.gaps_total = 1,
	},
};

static const struct report_input inputs[] = {
	{ "/var/log/old/mail.log", 900120, 212000000, 20400, AT(0, 0), END, "" },
	{ "/var/log/new/mail.log.1.gz", 1204331, 290000000, 41000, AT(0, 6),
	  AT(7, 0), "" },
	{ "/tmp/" REPORT_EXAMPLE_SCRIPT, 12, 900, 0, 0, 0,
	  "unexpected end of file" },
};

/* What a second domain needs; its name can be anything as well. */
static const struct report_domain hostile_domain = {
	.name = REPORT_EXAMPLE_IMAGE,
	.standings = { 0 },
};

struct example {
	struct report_model model;
	struct report_slot hours[HOURS], days[DAYS];
	struct report_domain domain;
	const struct report_domain *domains[2];
	const struct report_source **source_list;
	struct report_source *more;
	const struct report_submitter *submitter_list[COUNT(submitters)];
	const struct report_forgery *forgery_list[COUNT(forgeries)];
	const struct report_loop *loop_list[COUNT(loops)];
	const struct report_user *user_list[COUNT(users)];
	const struct report_watcher *watcher_list[COUNT(watchers)];
};

static bool is_within(size_t hour, size_t from, size_t to)
{
	return hour >= from && hour < to;
}

/* Busy by day, quiet at night and on Sundays; after the switch the old server's
   share falls, fast at first. */
static void make_hour(struct report_slot *slot, size_t hour)
{
	double day = 0.5 - 0.5 * cos(6.2832 * (double)(hour % 24) / 24);
	double mails = 4 + 460 * day * day * (hour / 24 % 7 == 4 ? 0.3 : 1);
	double late = (double)(START + (int64_t)hour * HOUR - SWITCHED) / HOUR;
	double old = late < 0 ? 1 : 0.85 * exp(-late / 9) +
		0.1 * exp(-late / 150) + 0.004;
	bool host = is_within(hour, HOST_DOWN_FROM, HOST_DOWN_TO);
	bool down = host || is_within(hour, OLD_DOWN_FROM, OLD_DOWN_TO);

	slot->start = START + (int64_t)hour * HOUR;
	slot->blind[REPORT_OLD] = down ? HOUR : 0;
	slot->blind[REPORT_NEW] = host ? HOUR : hour < 6 ? HOUR : 0;
	if (!down) {
		slot->wanted[REPORT_OLD] = (uint64_t)(mails * old + 0.5);
		slot->spam[REPORT_OLD] = hour % 3;
		slot->deferred = hour == 13 * 24 + 4 ? 3 : 0;
	}
	if (!host && late >= 0) {
		slot->wanted[REPORT_NEW] =
			(uint64_t)(mails * (1 - old) + 0.5);
		slot->spam[REPORT_NEW] = hour % 5 == 0;
	}
}

static void add_to_day(struct report_slot *day, const struct report_slot *hour)
{
	int side;

	for (side = 0; side < REPORT_SIDES; side++) {
		day->wanted[side] += hour->wanted[side];
		day->spam[side] += hour->spam[side];
		day->blind[side] += hour->blind[side];
	}
	day->deferred += hour->deferred;
}

static void see(struct report_seen *seen, enum report_side side,
		uint64_t count, int64_t time)
{
	if (count == 0)
		return;
	if (seen->count[side] == 0)
		seen->first[side] = time;
	seen->count[side] += count;
	seen->last[side] = time + HOUR / 2;
}

static void make_slots(struct example *example)
{
	struct report_domain *domain = &example->domain;
	struct report_slot *hour;
	size_t i;
	int side;

	for (i = 0; i < HOURS; i++) {
		hour = &example->hours[i];
		make_hour(hour, i);
		if (i == HOURS - 1)
			hour->blind[REPORT_OLD] = 720;
		example->days[i / 24].start = AT((int64_t)(i / 24), 0);
		add_to_day(&example->days[i / 24], hour);
		domain->deferred += hour->deferred;
		for (side = 0; side < REPORT_SIDES; side++) {
			see(&domain->wanted, side, hour->wanted[side],
			    hour->start);
			see(&domain->spam, side, hour->spam[side],
			    hour->start);
			if (hour->start < SWITCHED)
				continue;
			domain->wanted_since[side] += hour->wanted[side];
			domain->spam_since[side] += hour->spam[side];
		}
	}
	domain->hours = example->hours;
	domain->hours_count = HOURS;
	domain->days = example->days;
	domain->days_count = DAYS;
}

static void make_sources(struct example *example, size_t more)
{
	size_t i, count = COUNT(sources) + more;

	example->more = calloc(more + 1, sizeof(*example->more));
	example->source_list = calloc(count, sizeof(*example->source_list));
	for (i = 0; i < more; i++) {
		example->more[i] = sources[0];
		example->source_list[i] = &example->more[i];
	}
	for (i = 0; i < COUNT(sources); i++)
		example->source_list[more + i] = &sources[i];
	for (i = 0; i < count; i++)
		example->domain.standings[example->source_list[i]->standing]++;
	example->domain.sources = example->source_list;
	example->domain.sources_count = count;
}

static void make_domain(struct example *example, size_t more)
{
	struct report_domain *domain = &example->domain;
	const struct report_seen relayed =
		SEEN(0, 0, 0, 40, AT(2, 0), AT(14, 2));
	const struct report_seen submitted =
		SEEN(15, AT(0, 9), AT(14, 10), 28, AT(1, 12), AT(14, 8));
	const struct report_seen local =
		SEEN(6, AT(0, 5), AT(14, 5), 5, AT(3, 5), AT(13, 5));

	domain->name = "example.org";
	domain->relayed = relayed;
	domain->submitted = submitted;
	domain->local = local;
	domain->last_deferred = AT(13, 4);
	make_slots(example);
	make_sources(example, more);
	example->domains[0] = domain;
	example->domains[1] = &hostile_domain;
	example->model.domains = example->domains;
	example->model.domains_count = 2;
}

#define POINT_AT(list, things) \
	for (i = 0; i < COUNT(things); i++) \
		(list)[i] = &(things)[i]

static void make_lists(struct example *example)
{
	struct report_model *model = &example->model;
	size_t i;

	POINT_AT(anna_list, anna_mailboxes);
	POINT_AT(bert_list, bert_mailboxes);
	POINT_AT(example->submitter_list, submitters);
	POINT_AT(example->forgery_list, forgeries);
	POINT_AT(example->loop_list, loops);
	POINT_AT(example->user_list, users);
	POINT_AT(example->watcher_list, watchers);
	model->submitters = example->submitter_list;
	model->submitters_count = COUNT(submitters);
	model->forgeries = example->forgery_list;
	model->forgeries_count = COUNT(forgeries);
	model->loops = example->loop_list;
	model->loops_count = COUNT(loops);
	model->users = example->user_list;
	model->users_count = COUNT(users);
	model->watchers = example->watcher_list;
	model->watchers_count = COUNT(watchers);
}

struct report_model *report_example(size_t more_stragglers)
{
	struct example *example = calloc(1, sizeof(*example));
	struct report_model *model = &example->model;
	const struct report_reading reading = {
		.lines = 2104463, .bytes = 502000900, .report_lines = 61400,
		.suspicious = 4, .broken = 3, .last_broken = AT(3, 3), .undated = 2, .unknown = 1,
		.doubles = 12, .inputs = inputs, .inputs_count = COUNT(inputs),
	};

	model->now = END + 60;
	model->first = START;
	model->last = END;
	model->switched = SWITCHED;
	model->switched_by = REPORT_SWITCHED_INFERRED;
	model->zone = "UTC";
	model->domain_chosen = "";
	model->blind_s[REPORT_OLD] = 19 * HOUR + 720;
	model->blind_s[REPORT_NEW] = 14 * HOUR;
	model->watched[REPORT_OLD] = true;
	model->watched[REPORT_NEW] = true;
	model->clock_ahead = 3600;
	model->ttl_s = 86400;
	model->verdicts = report_example_verdicts;
	model->verdicts_count = REPORT_EXAMPLE_VERDICTS;
	model->reading = reading;
	make_domain(example, more_stragglers);
	make_lists(example);
	return model;
}

void report_example_free(struct report_model **model)
{
	struct example *example = (struct example *)*model;

	*model = NULL;
	free(example->source_list);
	free(example->more);
	free(example);
}

const struct report_model *report_example_empty(void)
{
	static const struct report_model empty = {
		.now = END, .zone = "UTC", .domain_chosen = "",
	};

	return &empty;
}
