/* verdict-cases: each case spoils one thing of the world, and says which condition
   that breaks: that one and no other. */
#include "verdict-world.h"

#include <string.h>

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

/* What was given replaces the default. */
static void take_settings(const struct report_verdict_settings *set)
{
	world_settings = report_verdict_defaults;
	if (set->quiet_s != 0)
		world_settings.quiet_s = set->quiet_s;
	if (set->retry_s != 0)
		world_settings.retry_s = set->retry_s;
	if (set->ttl_s != 0)
		world_settings.ttl_s = set->ttl_s;
	if (set->age_s != 0)
		world_settings.age_s = set->age_s;
	if (set->patience_s != 0)
		world_settings.patience_s = set->patience_s;
	world_settings.spam_counts = set->spam_counts;
	world_settings.known = set->known;
	world_settings.known_count = set->known_count;
	world_settings.accounts = set->accounts;
	world_settings.accounts_count = set->accounts_count;
	world_settings.accounts_listed = set->accounts_listed;
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
	world_make(test->world);
	for (i = 0; i < COUNT(test->extra) && test->extra[i].message != NULL;
	     i++)
		world_add(test->extra[i].seconds, "%s", test->extra[i].message);
	world_read(world_log_begins(test->world));
	check(test, world_verdict());
	world_end();
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

void verdict_test_cases(void)
{
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		run_case(&cases[i]);
}
