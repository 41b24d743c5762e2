/*
 * test-report-verdict: what makes the old server safe to cancel, and what doesn't
 *
 * A small world in which it's safe: MX was switched on the second day, two
 * accounts were cut over on the first one, and both servers and both accounts
 * were watched ever since. Each case spoils one thing, and says which condition
 * that breaks: that one and no other.
 */
#include "unit.h"
#include "report/report-intake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2026-10-01T00:00:00Z */
#define START 1790812800
#define HOUR 3600
#define DAY 86400
#define CUTOVER DAY
#define SWITCHED (2 * DAY)
#define END (20 * DAY)
#define DOMAIN "ours.example"
#define ANNA "anna@" DOMAIN
#define BERT "bert@" DOMAIN
#define SENDER "from=a@sender.example client=192.0.2.7 name=mail.sender.example"
#define LATER "from=b@late.example client=198.51.100.9 name=mx.late.example"
#define LATE "late user=" ANNA " mailbox=INBOX uidvalidity=1 mid=x@y size=9 " \
	"delay=40 action=delivered "
#define MAX_LINES 10000
#define NO_CONDITION REPORT_CONDITIONS

/* What a case leaves out of the world, or changes in it. */
enum world {
	NO_OLD_MILTER = 0x01,
	NO_NEW_MILTER = 0x02,
	/* Both milters for three hours of the 15th day. */
	MILTER_GAP = 0x04,
	NO_POLLS = 0x08,
	BERT_NOT_POLLED = 0x10,
	BERT_NOT_CUT_OVER = 0x20,
	NO_DIGEST = 0x40,
	NOTHING_NEW = 0x80,
	/* New mail until the tenth day only. */
	NEW_ENDS = 0x100,
	NO_ACCOUNTS = 0x200,
	/* It's switched five days before the end. */
	SWITCHED_LATE = 0x400,
	/* The log has the last ten, or the last five days only. */
	LOG_10_DAYS = 0x800,
	LOG_5_DAYS = 0x1000,
	/* Polls end on the 18th day, the milter of the old server too. */
	POLLS_END = 0x2000,
	OLD_MILTER_ENDS = 0x4000,
};

struct extra {
	int64_t seconds;
	const char *message;
};

struct verdict_case {
	const char *name;
	unsigned int world;
	struct extra extra[4];
	struct report_verdict_settings set;
	enum report_answer answer;
	/* The only one that is broken. */
	enum report_condition broken;
};

struct line {
	int64_t seconds;
	size_t number;
	char message[400];
};

static struct line lines[MAX_LINES];
static size_t lines_count;
static struct report_verdict_settings settings;
static struct report_intake_settings intake_settings;
static struct report_intake *intake;
static struct report_reading reading;

static void __attribute__((format(printf, 2, 3)))
add(int64_t seconds, const char *fmt, ...)
{
	struct line *line = &lines[lines_count];
	va_list args;
	size_t used;

	CU_ASSERT_FATAL(lines_count < MAX_LINES);
	line->seconds = seconds;
	line->number = lines_count++;
	used = (size_t)snprintf(line->message, sizeof(line->message),
				"migration: event=");
	va_start(args, fmt);
	vsnprintf(line->message + used, sizeof(line->message) - used, fmt,
		  args);
	va_end(args);
}

static void add_milter(const char *at, unsigned int world, int64_t end)
{
	int64_t time;
	unsigned int seq = 0;

	for (time = 0; time <= end; time += HOUR / 2) {
		if ((world & MILTER_GAP) != 0 && time > 15 * DAY &&
		    time < 15 * DAY + 3 * HOUR)
			continue;
		add(time, "heartbeat at=%s host=mx.%s uptime=%lld seq=%u "
		    "interval=1800", at, at, (long long)time, ++seq);
	}
}

static void add_arrivals(unsigned int world)
{
	int64_t time, switched = (world & SWITCHED_LATE) != 0 ? END - 5 * DAY :
		SWITCHED;
	int64_t end = (world & NEW_ENDS) != 0 ? 10 * DAY : END;

	for (time = 0; time < end; time += 4 * HOUR) {
		if (time < switched && (world & NO_OLD_MILTER) == 0)
			add(time, "arrival at=old host=mx.old id=o%lld " SENDER
			    " to=" ANNA, (long long)time);
		else if (time >= switched && (world & NOTHING_NEW) == 0)
			add(time, "arrival at=new host=mx.new id=n%lld " SENDER
			    " to=" ANNA, (long long)time);
	}
	/* spam keeps coming there */
	for (time = 0; time < end; time += DAY) {
		if ((world & NO_OLD_MILTER) == 0)
			add(time + HOUR, "arrival at=old host=mx.old id=s%lld "
			    "client=203.0.113.5 from=x@spam.example spam=yes "
			    "to=" ANNA, (long long)time);
	}
}

static void add_account(const char *user, unsigned int world)
{
	bool bert = strcmp(user, BERT) == 0;
	int64_t time, end = (world & POLLS_END) != 0 ? 18 * DAY : END;

	add(0, "tree user=%s folders=1", user);
	if (!bert || (world & BERT_NOT_CUT_OVER) == 0)
		add(CUTOVER, "cutover user=%s mailbox=INBOX messages=3 bytes=9 "
		    "seconds=0.012%s", user,
		    bert && (world & NO_DIGEST) != 0 ? "" : " digest=abc");
	if ((world & NO_POLLS) != 0 || (bert && (world & BERT_NOT_POLLED) != 0))
		return;
	for (time = CUTOVER + HOUR; time <= end; time += HOUR)
		add(time, "poll user=%s ok=yes mailboxes=1 new=0", user);
}

static void make_world(unsigned int world)
{
	int64_t old_end = (world & OLD_MILTER_ENDS) != 0 ? 18 * DAY : END;

	lines_count = 0;
	if ((world & NO_OLD_MILTER) == 0)
		add_milter("old", world, old_end);
	if ((world & NO_NEW_MILTER) == 0)
		add_milter("new", world, END);
	add_arrivals(world);
	if ((world & NO_ACCOUNTS) == 0) {
		add_account(ANNA, world);
		add_account(BERT, world);
	}
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *one = a, *two = b;

	if (one->seconds != two->seconds)
		return one->seconds < two->seconds ? -1 : 1;
	return one->number < two->number ? -1 : 1;
}

static int64_t log_begins(unsigned int world)
{
	return (world & LOG_5_DAYS) != 0 ? END - 5 * DAY :
		(world & LOG_10_DAYS) != 0 ? END - 10 * DAY : INT64_MIN;
}

/* Reads the lines, in the order of time. */
static void read_lines(int64_t begins)
{
	struct log_record record = { .host = "h", .host_size = 1 };
	size_t i;

	memset(&reading, 0, sizeof(reading));
	intake_settings.domain = DOMAIN;
	intake_settings.verdict = &settings;
	intake = report_intake_init(&intake_settings);
	qsort(lines, lines_count, sizeof(*lines), compare_lines);
	for (i = 0; i < lines_count; i++) {
		if (lines[i].seconds < begins)
			continue;
		record.time = START + lines[i].seconds;
		record.message = lines[i].message;
		record.message_size = strlen(lines[i].message);
		report_intake_add(intake, &record);
		reading.report_lines++;
	}
}

static const struct report_verdict *get_verdict(void)
{
	const struct report_model *model;

	settings.as_of = START + END + HOUR;
	model = report_intake_model(intake, settings.as_of, 0, &reading);
	CU_ASSERT_EQUAL_FATAL(model->verdicts_count, 1);
	return model->verdicts[0];
}

static void end(void)
{
	report_intake_deinit(&intake);
	settings = report_verdict_defaults;
}

/* What was given replaces the default. */
static void take_settings(const struct report_verdict_settings *set)
{
	settings = report_verdict_defaults;
	if (set->quiet_s != 0)
		settings.quiet_s = set->quiet_s;
	if (set->retry_s != 0)
		settings.retry_s = set->retry_s;
	if (set->ttl_s != 0)
		settings.ttl_s = set->ttl_s;
	if (set->age_s != 0)
		settings.age_s = set->age_s;
	if (set->patience_s != 0)
		settings.patience_s = set->patience_s;
	settings.spam_counts = set->spam_counts;
	settings.known = set->known;
	settings.known_count = set->known_count;
	settings.accounts = set->accounts;
	settings.accounts_count = set->accounts_count;
	settings.accounts_listed = set->accounts_listed;
}

static void check(const struct verdict_case *test,
		  const struct report_verdict *verdict)
{
	unsigned int condition;
	size_t i;

	UNIT_CHECK(verdict->answer == test->answer, "%s: %s", test->name,
		   report_answer_name(verdict->answer));
	for (condition = 0; condition < REPORT_CONDITIONS; condition++) {
		UNIT_CHECK((verdict->broken[condition] > 0) ==
			   (condition == (unsigned int)test->broken),
			   "%s: %s is broken by %zu", test->name,
			   report_condition_name(
				   (enum report_condition)condition),
			   verdict->broken[condition]);
	}
	for (i = 0; i < verdict->findings_count; i++)
		CU_ASSERT(*verdict->findings[i].text != '\0');
}

static void run_case(const struct verdict_case *test)
{
	size_t i;

	take_settings(&test->set);
	make_world(test->world);
	for (i = 0; i < COUNT(test->extra) && test->extra[i].message != NULL;
	     i++)
		add(test->extra[i].seconds, "%s", test->extra[i].message);
	read_lines(log_begins(test->world));
	check(test, get_verdict());
	end();
}

static const char *const known_network[] = { "198.51.100.0/24" };
static const char *const known_name[] = { "LATE.example" };
static const char *const known_local[] = { "local" };
static const char *const known_clients[] = { "clients" };
static const char *const both[] = { "anna", BERT };
static const char *const three[] = { ANNA, BERT, "carla@" DOMAIN };

#define KNOWN(list) .known = (list), .known_count = COUNT(list)
#define ACCOUNTS(list) .accounts = (list), .accounts_count = COUNT(list), \
	.accounts_listed = true

static const struct verdict_case cases[] = {
	{ .name = "as it should be", .answer = REPORT_SAFE,
	  .broken = NO_CONDITION },

	/* is MX switched? */
	{ .name = "not switched", .world = NOTHING_NEW,
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_SWITCHED },
	{ .name = "nobody sees the new server",
	  .world = NOTHING_NEW | NO_NEW_MILTER,
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_SWITCHED },
	{ .name = "switched too late", .world = SWITCHED_LATE,
	  .extra = { { CUTOVER, "arrival at=old host=mx.old id=1 spam=yes to="
		       ANNA } },
	  /* the last ones at the old server were within the period too */
	  .set = { KNOWN(((const char *const[]){ "sender.example" })) },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_SWITCHED },
	{ .name = "nothing comes at all", .world = NEW_ENDS,
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_SWITCHED },

	/* wanted mail at the old server */
	{ .name = "a mail in the quiet period",
	  .extra = { { END - 6 * DAY, "arrival at=old host=mx.old id=1 " LATER
		       " to=" ANNA } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_QUIET },
	{ .name = "spam in the quiet period",
	  .extra = { { END - 6 * DAY, "arrival at=old host=mx.old id=1 " LATER
		       " spam=yes to=" ANNA } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "spam counts", .set = { .spam_counts = true },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_QUIET },
	{ .name = "one that was deferred",
	  .extra = { { END - 6 * DAY, "deferred at=old host=mx.old " LATER
		       " to=" ANNA } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_QUIET },
	{ .name = "made on the old server",
	  .extra = { { END - 6 * DAY, "arrival at=old host=mx.old id=1 "
		       "from=www@" DOMAIN " via=local to=" ANNA } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_QUIET },
	{ .name = "made there, and known", .set = { KNOWN(known_local) },
	  .extra = { { END - 6 * DAY, "arrival at=old host=mx.old id=1 "
		       "from=www@" DOMAIN " via=local to=" ANNA } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "a known network", .set = { KNOWN(known_network) },
	  .extra = { { END - 6 * DAY, "arrival at=old host=mx.old id=1 " LATER
		       " to=" ANNA } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "a known name", .set = { KNOWN(known_name) },
	  .extra = { { END - 6 * DAY, "arrival at=old host=mx.old id=1 " LATER
		       " to=" ANNA } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "found by a poll",
	  .extra = { { END - 6 * DAY, LATE LATER " uid=7" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_QUIET },
	{ .name = "a double is an arrival too",
	  .extra = { { END - 6 * DAY, "late_double user=" ANNA " mailbox=INBOX "
		       "uidvalidity=1 uid=7 of=tag " LATER } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_QUIET },
	{ .name = "a clock that is years behind",
	  .extra = { { END - 6 * DAY, LATE LATER " uid=7 received=1000000" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_QUIET },
	{ .name = "mails of a mailbox that was reset",
	  .extra = { { END - 6 * DAY, "old_reset user=" ANNA " mailbox=INBOX "
		       "reason=uidvalidity" },
		     { END - 6 * DAY, "late_double user=" ANNA " mailbox=INBOX "
		       "uidvalidity=2 uid=7 of=digest received=1000000 "
		       LATER } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "one that came to it since",
	  .extra = { { END - 6 * DAY, "old_reset user=" ANNA " mailbox=INBOX "
		       "reason=uidvalidity" },
		     { END - 6 * DAY, "late_double user=" ANNA " mailbox=INBOX "
		       "uidvalidity=2 uid=7 of=digest " LATER } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_QUIET },
	{ .name = "late spam",
	  .extra = { { END - 6 * DAY, LATE LATER " uid=7 spam=yes" } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },

	/* stragglers */
	{ .name = "one who sends rarely, and came when caches had expired",
	  .extra = { { 11 * DAY, "arrival at=old host=mx.old id=1 " LATER
		       " to=" ANNA } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_STRAGGLERS },
	{ .name = "for whom there's no patience",
	  .set = { .patience_s = 8 * DAY },
	  .extra = { { 11 * DAY, "arrival at=old host=mx.old id=1 " LATER
		       " to=" ANNA } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "who was seen at the new server since",
	  .extra = { { 11 * DAY, "arrival at=old host=mx.old id=1 " LATER
		       " to=" ANNA },
		     { 18 * DAY, "arrival at=new host=mx.new id=1 " LATER
		       " to=" ANNA } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "who was seen before the switch only",
	  .extra = { { -40 * DAY, "dns ttl=0" },
		     { DAY, "arrival at=old host=mx.old id=1 " LATER
		       " to=" ANNA } },
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_STRAGGLERS },
	{ .name = "who was, and has been silent for long enough",
	  .set = { .patience_s = 18 * DAY },
	  .extra = { { -40 * DAY, "dns ttl=0" },
		     { DAY, "arrival at=old host=mx.old id=1 " LATER
		       " to=" ANNA } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "whose client knows the new server",
	  .extra = { { -40 * DAY, "dns ttl=0" },
		     { DAY, "arrival at=old host=mx.old id=1 " LATER
		       " to=" ANNA },
		     { 3 * DAY, "arrival at=new host=mx.new id=1 "
		       "from=c@other.example client=198.51.100.9 "
		       "name=mx.late.example to=" ANNA } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "who may have had it in a cache",
	  .extra = { { SWITCHED + HOUR, "arrival at=old host=mx.old id=1 "
		       LATER " to=" ANNA } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },

	/* mailboxes */
	{ .name = "a mailbox isn't local", .world = BERT_NOT_CUT_OVER,
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_LOCAL },
	{ .name = "rolled back",
	  .extra = { { END - DAY, "rollback user=" BERT " mailbox=INBOX" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_LOCAL },
	{ .name = "a folder that only the tree knows",
	  .extra = { { HOUR, "tree user=" BERT " folders=2" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_LOCAL },
	{ .name = "not verified", .world = NO_DIGEST,
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_LOCAL },
	{ .name = "a problem",
	  .extra = { { END - DAY, "message_failed user=" BERT " mailbox=INBOX "
		       "uid=3 reason=broken" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_LOCAL },
	{ .name = "all accounts listed", .set = { ACCOUNTS(both) },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "an account that left no line", .set = { ACCOUNTS(three) },
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_LOCAL },
	{ .name = "an address of no account",
	  .extra = { { DAY, "arrival at=old host=mx.old id=1 " SENDER
		       " to=<Carla@" DOMAIN ">" } },
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_LOCAL },
	{ .name = "an address of an account",
	  .extra = { { DAY, "arrival at=old host=mx.old id=1 " SENDER
		       " to=<Anna+list@" DOMAIN ">" } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "an alias, for all accounts are listed",
	  .set = { ACCOUNTS(both) },
	  .extra = { { DAY, "arrival at=old host=mx.old id=1 " SENDER
		       " to=<Carla@" DOMAIN ">" } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "no account", .world = NO_ACCOUNTS,
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_LOCAL },

	/* late mail */
	{ .name = "late mail that can't be delivered",
	  .extra = { { 3 * DAY, "late_failed user=" ANNA " mailbox=INBOX uid=7 "
		       "reason=\"no room\"" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_FETCHED },
	{ .name = "and then was", .set = { KNOWN(known_name) },
	  .extra = { { 3 * DAY, "late_failed user=" ANNA " mailbox=INBOX uid=7 "
		       "reason=\"no room\"" },
		     { 3 * DAY + HOUR, LATE LATER " uid=7" } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "or went otherwise",
	  .extra = { { 3 * DAY, "late_failed user=" ANNA " mailbox=INBOX uid=7 "
		       "reason=\"no room\"" },
		     { 3 * DAY + HOUR, "poll user=" ANNA " ok=yes mailboxes=1 "
		       "waiting=0" } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "a look that leaves some",
	  .extra = { { END - HOUR, "poll user=" ANNA " ok=yes mailboxes=1 "
		       "waiting=2" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_FETCHED },
	{ .name = "mail that went unseen",
	  .extra = { { END - DAY, "late_gone user=" ANNA " mailbox=INBOX "
		       "messages=2" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_FETCHED },

	/* clients */
	{ .name = "a client there",
	  .extra = { { END - DAY, "old_client user=" BERT " mailbox=INBOX "
		       "flags=1 seen=1 expunged=0 saved=0 moved=0" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_CLIENTS },
	{ .name = "a client that saves what it sent",
	  .extra = { { END - DAY, "late_saved user=" BERT " mailbox=Sent uid=1 "
		       "uidvalidity=4 from=" BERT " client=\"\" action=saved" } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_CLIENTS },
	{ .name = "a client that sends through it",
	  .extra = { { END - DAY, "submission at=old host=mx.old id=1 "
		       "auth=bert client=192.0.2.99 from=" BERT } },
	  .answer = REPORT_NOT_YET, .broken = REPORT_COND_CLIENTS },
	{ .name = "clients don't matter", .set = { KNOWN(known_clients) },
	  .extra = { { END - DAY, "old_client user=" BERT " mailbox=INBOX "
		       "flags=1" },
		     { END - DAY, "submission at=old host=mx.old id=1 "
		       "auth=bert client=192.0.2.99 from=" BERT } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "a client a month ago",
	  .extra = { { 3 * DAY, "old_client user=" BERT " mailbox=INBOX "
		       "flags=1" } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },

	/* watching */
	{ .name = "polls make up for a gap", .world = MILTER_GAP,
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "a rented server, polls alone", .world = NO_OLD_MILTER,
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "ten days of log, rented",
	  .world = NO_OLD_MILTER | LOG_10_DAYS,
	  .extra = { { END - 9 * DAY, "cutover user=" ANNA " mailbox=INBOX "
		       "digest=abc" },
		     { END - 9 * DAY, "cutover user=" BERT " mailbox=INBOX "
		       "digest=abc" } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "rented, and cut over five days ago",
	  .world = NO_OLD_MILTER,
	  .extra = { { END - 5 * DAY, "rollback user=" BERT
		       " mailbox=INBOX" },
		     { END - 5 * DAY + 1, "cutover user=" BERT
		       " mailbox=INBOX digest=abc" } },
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_WATCHED },
	{ .name = "heartbeats counted what no line tells",
	  .world = POLLS_END,
	  .extra = { { 19 * DAY - 3, "heartbeat at=old host=mx2.old uptime=1 "
		       "seq=1 arrivals=0 interval=86400" },
		     { 19 * DAY - 2, "heartbeat at=old host=mx2.old uptime=2 "
		       "seq=2 arrivals=9 interval=86400" },
		     { 19 * DAY - 1, "heartbeat at=old host=mx2.old uptime=3 "
		       "seq=3 arrivals=9 interval=86400" },
		     { 19 * DAY, "heartbeat at=old host=mx2.old uptime=4 "
		       "seq=4 arrivals=9 interval=86400" } },
	  .set = { .age_s = 3 * DAY },
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_WATCHED },

	/* polls */
	{ .name = "an account that was never polled",
	  .world = BERT_NOT_POLLED,
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_POLLED },
	{ .name = "whose login is refused", .world = BERT_NOT_POLLED,
	  .extra = { { END - DAY, "poll user=" BERT " ok=no "
		       "reason=\"login refused\"" } },
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_POLLED },
	{ .name = "polls ended before the last mail came",
	  .world = POLLS_END,
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_POLLED },
	{ .name = "closed", .world = POLLS_END,
	  .extra = { { 18 * DAY, "closed user=" ANNA " forced=no" },
		     { 18 * DAY, "closed user=" BERT " forced=no" } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "closed by force",
	  .extra = { { 18 * DAY, "closed user=" ANNA " forced=yes" } },
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_POLLED },

	/* logs */
	{ .name = "the watch ended long ago",
	  .world = POLLS_END | OLD_MILTER_ENDS,
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_LOGS },
	{ .name = "a line that is broken",
	  .extra = { { END - DAY, "arrival at=old host=\"x" } },
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_LOGS },
	{ .name = "a line that is broken, before the period",
	  .extra = { { 3 * DAY, "arrival at=old host=\"x" } },
	  .answer = REPORT_SAFE, .broken = NO_CONDITION },
	{ .name = "an arrival without a recipient",
	  .extra = { { END - DAY, "arrival at=old host=mx.old" } },
	  .answer = REPORT_UNKNOWN, .broken = REPORT_COND_LOGS },
};

static void test_cases(void)
{
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		run_case(&cases[i]);
}

/*
 * More than one condition
 */

static const struct report_verdict *
judge(unsigned int world, const char *message, int64_t seconds)
{
	settings = report_verdict_defaults;
	make_world(world);
	if (message != NULL)
		add(seconds, "%s", message);
	read_lines(log_begins(world));
	return get_verdict();
}

static void test_nothing_read(void)
{
	const struct report_verdict *verdict;
	unsigned int condition;

	settings = report_verdict_defaults;
	lines_count = 0;
	read_lines(0);
	verdict = get_verdict();
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	for (condition = 0; condition < REPORT_CONDITIONS; condition++) {
		if (condition == REPORT_COND_LOGS ||
		    condition == REPORT_COND_WATCHED ||
		    condition == REPORT_COND_LOCAL ||
		    condition == REPORT_COND_SWITCHED)
			CU_ASSERT(verdict->broken[condition] > 0);
	}
	end();
}

/* Of logs that begin after the switch: enough, and not enough. */
static void test_log_begins_late(void)
{
	const struct report_verdict *verdict;

	verdict = judge(LOG_10_DAYS, NULL, 0);
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	/* but for the cutovers, which it doesn't tell of */
	CU_ASSERT(verdict->broken[REPORT_COND_LOCAL] == 2);
	CU_ASSERT(verdict->broken[REPORT_COND_WATCHED] == 0);
	CU_ASSERT(verdict->broken[REPORT_COND_SWITCHED] == 0);
	end();
	verdict = judge(LOG_5_DAYS, NULL, 0);
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	CU_ASSERT(verdict->broken[REPORT_COND_WATCHED] == 1);
	CU_ASSERT(verdict->broken[REPORT_COND_SWITCHED] == 1);
	CU_ASSERT_EQUAL(verdict->earliest, START + END + 2 * DAY);
	end();
}

/* Nobody watches: not the milters in a gap, not polls that don't see all. */
static void test_unwatched(void)
{
	const struct report_verdict *verdict;

	verdict = judge(MILTER_GAP | BERT_NOT_POLLED, NULL, 0);
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	CU_ASSERT_EQUAL(verdict->broken[REPORT_COND_WATCHED], 1);
	CU_ASSERT_EQUAL(verdict->unwatched_count, 1);
	CU_ASSERT_EQUAL(verdict->unwatched_s, 3 * HOUR);
	CU_ASSERT_EQUAL(verdict->unwatched[0].from, START + 15 * DAY);
	CU_ASSERT_EQUAL(verdict->none_since, START + 15 * DAY + 3 * HOUR);
	CU_ASSERT_EQUAL(verdict->earliest, START + 22 * DAY + 3 * HOUR);
	end();
	verdict = judge(NO_OLD_MILTER | BERT_NOT_POLLED, NULL, 0);
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	CU_ASSERT_EQUAL(verdict->ends, 0);
	CU_ASSERT(verdict->broken[REPORT_COND_WATCHED] > 0);
	CU_ASSERT(verdict->broken[REPORT_COND_POLLED] > 0);
	end();
}

static uint64_t old_mails(void)
{
	const struct report_model *model =
		report_intake_model(intake, START + END, 0, &reading);

	return model->domains[0]->wanted.count[REPORT_OLD];
}

/* Milters that don't see what polls find aren't relied on. */
static void test_missed(void)
{
	const struct report_verdict *verdict;

	verdict = judge(BERT_NOT_POLLED, LATE LATER " uid=7", 3 * DAY);
	CU_ASSERT_EQUAL(verdict->missed, 1);
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	CU_ASSERT(verdict->broken[REPORT_COND_WATCHED] > 0);
	CU_ASSERT_EQUAL(old_mails(), 13);
	end();
	/* a Received header may give the client another name */
	verdict = judge(BERT_NOT_POLLED, LATE "from=a@sender.example "
			"client=192.0.2.9 name=helo.example uid=7", 3 * DAY);
	CU_ASSERT_EQUAL(verdict->missed, 0);
	end();
	/* of what they told of, late mail is only the other half */
	verdict = judge(BERT_NOT_POLLED, LATE SENDER " uid=7", 3 * DAY);
	CU_ASSERT_EQUAL(verdict->missed, 0);
	CU_ASSERT_EQUAL(verdict->broken[REPORT_COND_WATCHED], 0);
	CU_ASSERT_EQUAL(old_mails(), 12);
	end();
	/* in a gap, it's the only one that tells of the mail */
	(void)judge(MILTER_GAP, LATE SENDER " uid=7", 15 * DAY + HOUR);
	CU_ASSERT_EQUAL(old_mails(), 13);
	end();
}

/* What is known to speak against it beats what isn't known. */
static void test_not_yet_first(void)
{
	const struct report_verdict *verdict =
		judge(NO_OLD_MILTER | BERT_NOT_POLLED,
		      LATE LATER " uid=7", END - DAY);

	CU_ASSERT_EQUAL(verdict->answer, REPORT_NOT_YET);
	CU_ASSERT_FATAL(verdict->findings_count > 2);
	CU_ASSERT_EQUAL(verdict->findings[0].answer, REPORT_NOT_YET);
	CU_ASSERT_EQUAL(verdict->findings[verdict->findings_count - 1].answer,
			REPORT_UNKNOWN);
	end();
}

/* The period, by what is asked for. */
static void test_quiet(void)
{
	static const struct {
		int64_t quiet_s, retry_s, ttl_s;
		const char *told;
		uint64_t expected_s;
	} quiets[] = {
		{ 7 * DAY, 5 * DAY, 0, "stale user=x", 7 * DAY },
		{ 3 * DAY, 5 * DAY, 0, "stale user=x", 5 * DAY },
		{ 3 * DAY, HOUR, 0, "stale user=x", 3 * DAY },
		{ 3 * DAY, HOUR, 4 * DAY, "stale user=x", 8 * DAY },
		{ 3 * DAY, HOUR, 0, "dns ttl=345600", 8 * DAY },
		{ 3 * DAY, HOUR, 0, "dns name=x ttl=60", 3 * DAY },
	};
	const struct report_verdict *verdict;
	size_t i;

	for (i = 0; i < COUNT(quiets); i++) {
		settings = report_verdict_defaults;
		settings.quiet_s = quiets[i].quiet_s;
		settings.retry_s = quiets[i].retry_s;
		settings.ttl_s = quiets[i].ttl_s;
		make_world(0);
		add(HOUR, "%s", quiets[i].told);
		read_lines(0);
		verdict = get_verdict();
		UNIT_CHECK(verdict->quiet_s == quiets[i].expected_s,
			   "case %zu: %llu", i,
			   (unsigned long long)verdict->quiet_s);
		CU_ASSERT_EQUAL(verdict->answer, REPORT_SAFE);
		CU_ASSERT_EQUAL(verdict->ends - verdict->begins,
				(int64_t)verdict->quiet_s);
		end();
	}
}

static void add_late(int64_t seconds, int64_t received, unsigned int uid)
{
	add(seconds, LATE SENDER " uid=%u received=%lld", uid,
	    (long long)(START + received));
}

/* An hour's difference is seen, and makes the period longer. */
static void test_clocks(void)
{
	static const struct {
		int64_t behind;
		unsigned int mails;
		uint64_t expected_s;
	} clocks[] = {
		/* between two polls, which come each hour */
		{ 0, 4, 0 }, { -2 * HOUR, 4, 2 * HOUR - 600 },
		{ 4 * HOUR, 4, 4 * HOUR - 1800 + 600 },
		/* one mail may have waited somewhere */
		{ 4 * HOUR, 1, 0 },
	};
	const struct report_verdict *verdict;
	size_t i;
	unsigned int j;

	for (i = 0; i < COUNT(clocks); i++) {
		settings = report_verdict_defaults;
		make_world(0);
		for (j = 0; j < clocks[i].mails; j++) {
			int64_t seen = 3 * DAY + j * HOUR + 1800;

			add_late(seen, seen - 600 - clocks[i].behind, j);
		}
		read_lines(0);
		verdict = get_verdict();
		UNIT_CHECK(verdict->clocks_s == clocks[i].expected_s,
			   "case %zu: %llu", i,
			   (unsigned long long)verdict->clocks_s);
		CU_ASSERT_EQUAL(verdict->quiet_s,
				7 * DAY + clocks[i].expected_s);
		end();
	}
}

static void test_evidence(void)
{
	const struct report_verdict *verdict =
		judge(0, LATE LATER " uid=7", END - 3 * DAY);
	const struct report_straggler *straggler;

	CU_ASSERT_EQUAL(verdict->answer, REPORT_NOT_YET);
	CU_ASSERT_EQUAL(verdict->last_wanted, START + END - 3 * DAY);
	CU_ASSERT_EQUAL(verdict->none_since, START + END - 3 * DAY);
	/* none in three days: one a day */
	CU_ASSERT(verdict->late_bound > 29.9 && verdict->late_bound < 30.1);
	CU_ASSERT_EQUAL(verdict->earliest, START + END + 4 * DAY);
	CU_ASSERT_EQUAL(verdict->late, 1);
	CU_ASSERT_EQUAL(verdict->accounts, 2);
	CU_ASSERT_EQUAL_FATAL(verdict->stragglers_count, 1);
	straggler = &verdict->stragglers[0];
	CU_ASSERT_STRING_EQUAL(straggler->source->example_from,
			       "b@late.example");
	CU_ASSERT_STRING_EQUAL(straggler->source->example_client,
			       "198.51.100.9");
	CU_ASSERT_EQUAL(straggler->last, START + END - 3 * DAY);
	CU_ASSERT(straggler->lasting && !straggler->known);
	CU_ASSERT_STRING_EQUAL(verdict->findings[0].who, "late.example");
	end();
}

/* What was read badly. */
static void test_reading(void)
{
	static const struct report_input bad = {
		.name = "mail.log.2.gz", .error = "it's damaged"
	};
	const struct report_verdict *verdict = judge(0, NULL, 0);

	CU_ASSERT_EQUAL(verdict->answer, REPORT_SAFE);
	reading.inputs = &bad;
	reading.inputs_count = 1;
	verdict = get_verdict();
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	CU_ASSERT_EQUAL(verdict->broken[REPORT_COND_LOGS], 1);
	reading.inputs_count = 0;
	reading.undated = 1;
	verdict = get_verdict();
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	reading.undated = 0;
	CU_ASSERT_EQUAL(get_verdict()->answer, REPORT_SAFE);
	end();
}

/* Told twice, by a crash between delivery and record, it counts once. */
static void test_told_twice(void)
{
	const struct report_model *model;

	settings = report_verdict_defaults;
	make_world(NO_OLD_MILTER);
	add(3 * DAY, LATE LATER " uid=7");
	add(3 * DAY + 60, LATE LATER " uid=7 action=delivered2");
	add(3 * DAY + 90, LATE LATER " uid=8");
	read_lines(0);
	CU_ASSERT_EQUAL(get_verdict()->late, 2);
	model = report_intake_model(intake, START + END, 0, &reading);
	CU_ASSERT_EQUAL(model->domains[0]->wanted.count[REPORT_OLD], 2);
	CU_ASSERT_EQUAL(model->users[0]->catchup.delay_median, 40);
	end();
}

/* A picture that was made while lines came leaves nothing behind in the last one:
   at first no milter has told of the source, and then one has. */
static void test_pictures(void)
{
	const struct report_model *model;
	struct log_record record = { .host = "h", .host_size = 1 };
	static const char heard[] = "migration: event=arrival at=old "
		"host=mx.old id=9 " LATER " to=" ANNA;

	(void)judge(0, LATE LATER " uid=7", 3 * DAY);
	CU_ASSERT_EQUAL(get_verdict()->missed, 1);
	CU_ASSERT_EQUAL(get_verdict()->missed, 1);
	CU_ASSERT_EQUAL(old_mails(), 13);
	record.time = START + END + 1;
	record.message = heard;
	record.message_size = sizeof(heard) - 1;
	report_intake_add(intake, &record);
	CU_ASSERT_EQUAL(get_verdict()->missed, 0);
	model = report_intake_model(intake, START + END, 0, &reading);
	CU_ASSERT_EQUAL(model->domains[0]->wanted.count[REPORT_OLD], 13);
	CU_ASSERT_EQUAL(model->domains[0]->wanted_since[REPORT_OLD], 1);
	CU_ASSERT_EQUAL(model->domains[0]->wanted.last[REPORT_OLD],
			START + END + 1);
	end();
}

static const struct unit_test tests[] = {
	{ "each condition", test_cases },
	{ "nothing read", test_nothing_read },
	{ "log begins late", test_log_begins_late },
	{ "unwatched", test_unwatched },
	{ "missed by milters", test_missed },
	{ "not yet comes first", test_not_yet_first },
	{ "quiet period", test_quiet },
	{ "clocks", test_clocks },
	{ "evidence", test_evidence },
	{ "reading", test_reading },
	{ "told twice", test_told_twice },
	{ "several pictures", test_pictures },
	{ NULL, NULL }
};

int main(void)
{
	return unit_run("report-verdict", tests);
}
