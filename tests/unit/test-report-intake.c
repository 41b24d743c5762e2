/* test-report-intake: report lines in, the picture out. */
#include "unit.h"
#include "report/report-doubles.h"
#include "report/report-intake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2026-11-22T00:00:00Z */
#define START 1795305600
#define MINUTE 60
#define HOUR 3600
#define DAY 86400

static struct report_intake_settings settings;
static struct report_intake *intake;
static struct report_reading reading;
static unsigned int broken;

static void note_broken(void *context, const char *reason, const char *message,
			size_t size)
{
	(void)context;
	(void)message;
	CU_ASSERT(*reason != '\0' && size > 0);
	broken++;
}

static void begin(void)
{
	broken = 0;
	settings.broken = note_broken;
	if (settings.domain == NULL)
		settings.domain = "";
	intake = report_intake_init(&settings);
}

static void end(void)
{
	report_intake_deinit(&intake);
	memset(&settings, 0, sizeof(settings));
}

/* A message, seconds after START. */
static void __attribute__((format(printf, 2, 3)))
feed(int64_t seconds, const char *fmt, ...)
{
	struct log_record record = { .time = START + seconds, .host = "loghost",
				     .host_size = 7 };
	char message[2100] = "migration: event=";
	size_t used = strlen(message);
	va_list args;

	va_start(args, fmt);
	vsnprintf(message + used, sizeof(message) - used, fmt, args);
	va_end(args);
	/* exactly as long as it is, for what reads beyond */
	record.message = strdup(message);
	record.message_size = strlen(message);
	report_intake_add(intake, &record);
	free((char *)record.message);
}

static void feed_arrival(int64_t seconds, const char *at, const char *sender,
			 const char *more)
{
	static unsigned int id;

	feed(seconds, "arrival at=%s host=mx.%s id=%u client=192.0.2.7 "
	     "name=mail.sender.example from=a@%s to=u@ours.example%s", at, at,
	     ++id, sender, more);
}

static const struct report_model *finish(void)
{
	memset(&reading, 0, sizeof(reading));
	return report_intake_model(intake, START + 30 * DAY, 0, &reading);
}

static const struct report_domain *only_domain(const struct report_model *model)
{
	CU_ASSERT_EQUAL_FATAL(model->domains_count, 1);
	return model->domains[0];
}

static void test_shares(void)
{
	const struct report_model *model;
	const struct report_domain *domain;

	begin();
	feed_arrival(0, "old", "a.example", " via=direct spam=no");
	feed_arrival(DAY, "new", "a.example", "");
	feed_arrival(DAY + 1, "old", "b.example", " spam=yes");
	feed_arrival(DAY + 2, "old", "b.example", "");
	feed_arrival(DAY + 3, "new", "b.example", " via=relayed first_at=old");
	feed_arrival(DAY + 4, "new", "b.example", " via=local");
	feed_arrival(DAY + 5, "old", "b.example", " via=submission auth=u");
	feed_arrival(DAY + 2 * HOUR, "new", "c.example", " via=direct");
	model = finish();
	domain = only_domain(model);
	CU_ASSERT_STRING_EQUAL(domain->name, "ours.example");
	CU_ASSERT_EQUAL(model->switched, START + DAY);
	CU_ASSERT_EQUAL(model->switched_by, REPORT_SWITCHED_INFERRED);
	CU_ASSERT_EQUAL(domain->wanted.count[REPORT_OLD], 2);
	CU_ASSERT_EQUAL(domain->wanted.count[REPORT_NEW], 2);
	CU_ASSERT_EQUAL(domain->wanted_since[REPORT_OLD], 1);
	CU_ASSERT_EQUAL(domain->wanted_since[REPORT_NEW], 2);
	CU_ASSERT_EQUAL(domain->spam.count[REPORT_OLD], 1);
	CU_ASSERT_EQUAL(domain->spam_since[REPORT_OLD], 1);
	CU_ASSERT_EQUAL(domain->relayed.count[REPORT_NEW], 1);
	CU_ASSERT_EQUAL(domain->local.count[REPORT_NEW], 1);
	CU_ASSERT_EQUAL(domain->submitted.count[REPORT_OLD], 1);
	CU_ASSERT_EQUAL(domain->wanted.first[REPORT_OLD], START);
	CU_ASSERT_EQUAL(domain->wanted.last[REPORT_OLD], START + DAY + 2);
	/* from the first arrival, a day before the switch, on */
	CU_ASSERT_EQUAL(domain->hours_count, 27);
	CU_ASSERT_EQUAL(domain->hours[0].start, START);
	CU_ASSERT_EQUAL(domain->hours[0].wanted[REPORT_OLD], 1);
	CU_ASSERT_EQUAL(domain->hours[24].wanted[REPORT_OLD], 1);
	CU_ASSERT_EQUAL(domain->hours[24].spam[REPORT_OLD], 1);
	CU_ASSERT_EQUAL(domain->hours[26].wanted[REPORT_NEW], 1);
	CU_ASSERT_EQUAL(domain->days_count, 2);
	CU_ASSERT_EQUAL(domain->days[1].start, START + DAY);
	CU_ASSERT_EQUAL(domain->days[1].wanted[REPORT_NEW], 2);
	end();
}

static const struct report_source *
find_source(const struct report_domain *domain, const char *sender)
{
	size_t i;

	for (i = 0; i < domain->sources_count; i++) {
		if (strcmp(domain->sources[i]->sender_domain, sender) == 0)
			return domain->sources[i];
	}
	CU_FAIL_FATAL("no such source");
	return NULL;
}

/* Each case: where a sender's mails came, in hours after the switch. */
static void test_standings(void)
{
	static const struct {
		enum report_standing standing;
		struct {
			int hour;
			const char *at, *more;
		} mails[4];
	} tests[] = {
		{ REPORT_STRAGGLER, { { -5, "old", "" }, { 2, "old", "" } } },
		{ REPORT_STRAGGLER, { { 1, "new", "" }, { 2, "old", "" } } },
		{ REPORT_WAVERING, { { 1, "old", "" }, { 2, "new", "" } } },
		{ REPORT_MOVED, { { -1, "old", "" }, { 2, "new", "" } } },
		{ REPORT_MOVED, { { 2, "new", "" } } },
		{ REPORT_QUIET, { { -1, "old", "" } } },
		{ REPORT_ONLY_SPAM, { { 2, "old", " spam=yes" } } },
		/* spam doesn't make a straggler of who has moved */
		{ REPORT_MOVED, { { 2, "new", "" }, { 3, "old", " spam=yes" } } },
		/* nor does relayed mail */
		{ REPORT_QUIET, { { -1, "old", "" },
				  { 3, "new", " via=relayed" } } },
	};
	const struct report_model *model;
	const struct report_domain *domain;
	char sender[32];
	size_t i, j, sum = 0;

	settings.switched = START + DAY;
	begin();
	for (i = 0; i < COUNT(tests); i++) {
		snprintf(sender, sizeof(sender), "s%zu.example", i);
		for (j = 0; j < 4 && tests[i].mails[j].at != NULL; j++) {
			feed_arrival(DAY + tests[i].mails[j].hour * HOUR,
				     tests[i].mails[j].at, sender,
				     tests[i].mails[j].more);
		}
	}
	model = finish();
	CU_ASSERT_EQUAL(model->switched_by, REPORT_SWITCHED_GIVEN);
	domain = only_domain(model);
	CU_ASSERT_EQUAL(domain->sources_count, COUNT(tests));
	for (i = 0; i < COUNT(tests); i++) {
		snprintf(sender, sizeof(sender), "s%zu.example", i);
		UNIT_CHECK(find_source(domain, sender)->standing ==
			   tests[i].standing, "case %zu: %s", i,
			   report_standing_name(find_source(domain,
						sender)->standing));
	}
	for (i = 0; i < domain->sources_count; i++) {
		CU_ASSERT(i == 0 || domain->sources[i]->standing >=
			  domain->sources[i - 1]->standing);
	}
	for (i = 0; i < REPORT_STANDINGS; i++)
		sum += domain->standings[i];
	CU_ASSERT_EQUAL(sum, COUNT(tests));
	end();
}

static void test_source_names(void)
{
	static const struct {
		const char *client, *name, *from, *network, *domain, *sender;
	} tests[] = {
		{ "192.0.2.77", "mx1.mail.example.co.uk", "a@Sub.Example.COM",
		  "192.0.2.0/24", "example.co.uk", "sub.example.com" },
		{ "2001:db8:1:2::3", "example.net", "\"\"",
		  "2001:db8:1::/48", "example.net", "" },
		{ "IPv6:2001:db8:1:2::4", "a.b.example.net.", "a@b.example.",
		  "2001:db8:1::/48", "example.net", "b.example" },
		{ "::ffff:192.0.2.9", "unknown", "a@b@c.example",
		  "192.0.2.0/24", "", "c.example" },
		{ "local", "com", "nobody", "", "com", "" },
		{ "192.0.2.777", "\"\"", "a@x", "", "", "x" },
		{ "192.0.2.1", "unknown", "<a@b.example>", "192.0.2.0/24", "",
		  "b.example" },
		{ "192.0.2.1", "unknown", "<>", "192.0.2.0/24", "", "" },
		{ "192.0.2.1", "unknown", ">", "192.0.2.0/24", "", "" },
	};
	const struct report_source *source;
	const struct report_domain *domain;
	size_t i;

	for (i = 0; i < COUNT(tests); i++) {
		begin();
		feed(0, "arrival at=new host=h id=1 client=%s name=%s from=%s "
		     "to=u@Ours.Example", tests[i].client, tests[i].name,
		     tests[i].from);
		domain = only_domain(finish());
		CU_ASSERT_STRING_EQUAL(domain->name, "ours.example");
		source = domain->sources[0];
		UNIT_CHECK(strcmp(source->client->network, tests[i].network) == 0,
			   "case %zu: %s", i, source->client->network);
		UNIT_CHECK(strcmp(source->client->name_domain,
				  tests[i].domain) == 0, "case %zu: %s", i,
			   source->client->name_domain);
		UNIT_CHECK(strcmp(source->sender_domain, tests[i].sender) == 0,
			   "case %zu: %s", i, source->sender_domain);
		end();
	}
}

/* What isn't known is the same, whatever it isn't known by. */
static void test_unknown_source(void)
{
	static const char *const clients[] = {
		"", " name=unknown", " name=\"\"", " client=local",
		" client=\"\" name=\"[192.0.2.1]\""
	};
	size_t i;

	begin();
	for (i = 0; i < COUNT(clients); i++) {
		feed(1, "arrival at=new host=h id=%zu from=a@b.example "
		     "to=u@ours.example%s", i, clients[i]);
	}
	CU_ASSERT_EQUAL(only_domain(finish())->sources_count, 1);
	end();
}

/* Sources that share a place in the cache, and clients that share a network. */
static void test_many_sources(void)
{
	const struct report_domain *domain;
	unsigned int i, round;
	uint64_t sum = 0;

	begin();
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 30000; i++) {
			feed(round, "arrival at=new host=h id=%u-%u client="
			     "10.%u.%u.%u from=a@s%u.example to=u@ours.example",
			     round, i, i >> 12 & 255, i >> 4 & 255, i & 15,
			     i >> 4);
		}
	}
	domain = only_domain(finish());
	CU_ASSERT_EQUAL(domain->sources_count, 30000 / 16);
	for (i = 0; i < domain->sources_count; i++)
		sum += domain->sources[i]->wanted.count[REPORT_NEW];
	CU_ASSERT_EQUAL(sum, 60000);
	end();
}

static void test_example(void)
{
	const struct report_source *source;

	settings.switched = START;
	begin();
	feed(9, "arrival at=old host=mx id=B client=192.0.2.1 name=m.b.example "
	     "from=late@b.example to=u@ours.example");
	feed(5, "arrival at=old host=mx id=A client=192.0.2.1 name=m.b.example "
	     "from=early@b.example to=u@ours.example");
	feed(10, "arrival at=old host=mx id=C client=192.0.2.1 name=m.b.example "
	     "from=\"x\\x1b[2J\\xff\"@b.example to=u@ours.example");
	feed(11, "arrival at=old host=mx id=C client=192.0.2.1 name=m.b.example "
	     "from=spam@b.example to=u@ours.example spam=yes");
	feed(12, "arrival at=new host=mx id=D client=192.0.2.2 name=m.b.example "
	     "from=other@c.example to=u@ours.example");
	source = only_domain(finish())->sources[0];
	CU_ASSERT_STRING_EQUAL(source->sender_domain, "b.example");
	CU_ASSERT_STRING_EQUAL(source->example_id, "B");
	CU_ASSERT_STRING_EQUAL(source->example_from, "late@b.example");
	CU_ASSERT_STRING_EQUAL(source->example_client, "192.0.2.1");
	CU_ASSERT_EQUAL(source->client_last_new, START + 12);
	/* quoted in part isn't the grammar */
	CU_ASSERT_EQUAL(broken, 1);
	end();
}

/* What strangers choose is shown, but does nothing. */
static void test_hostile_strings(void)
{
	const struct report_domain *domain;

	settings.switched = START;
	begin();
	feed(1, "arrival at=old host=mx id=\"\\x00\\x0a\" client=192.0.2.1 "
	     "from=\"\\x1b[2J\\xff\\xc2\\x9b\\xc3\\xbc\\x40b.example\" "
	     "to=u@ours.example");
	domain = only_domain(finish());
	CU_ASSERT_STRING_EQUAL(domain->sources[0]->example_from,
			       "\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd"
			       "\xef\xbf\xbd\xc3\xbc@b.example");
	CU_ASSERT_STRING_EQUAL(domain->sources[0]->example_id,
			       "\xef\xbf\xbd\xef\xbf\xbd");
	end();
}

static void test_doubles(void)
{
	const struct report_domain *domain;
	unsigned int i;

	begin();
	for (i = 0; i < 2; i++) {
		feed(1, "arrival at=old host=h id=1 from=a@b.example to=u@ours.example");
		/* another time, as another log has it */
		feed(2 + i, "arrival at=old host=h id=2 from=a@b.example "
		     "to=u@ours.example");
		feed(4, "heartbeat at=old host=h seq=1 uptime=0");
		feed(5, "fill_failed user=u mailbox=m reason=r");
	}
	/* none: another recipient, host, side; no id at all */
	feed(6, "arrival at=old host=h id=1 from=a@b.example to=v@ours.example");
	feed(6, "arrival at=old host=i id=1 from=a@b.example to=u@ours.example");
	feed(6, "arrival at=new host=h id=1 from=a@b.example to=u@ours.example");
	feed(6, "arrival at=new host=h from=a@b.example to=u@ours.example");
	feed(7, "arrival at=new host=h from=a@b.example to=u@ours.example");
	domain = only_domain(finish());
	CU_ASSERT_EQUAL(domain->wanted.count[REPORT_OLD], 4);
	CU_ASSERT_EQUAL(domain->wanted.count[REPORT_NEW], 3);
	CU_ASSERT_EQUAL(reading.doubles, 4);
	end();
}

/* As far back as is promised, wherever the generations change. */
static void test_doubles_window(void)
{
	const unsigned int window = REPORT_DOUBLES_MIN - 1;
	unsigned int i, again = 0;

	begin();
	for (i = 0; i < 5 * window; i++) {
		feed(i, "arrival at=new host=h id=%u to=u@ours.example", i);
		if (i < window || i % 97 != 0)
			continue;
		again++;
		feed(i, "arrival at=new host=h id=%u to=u@ours.example",
		     i - window);
	}
	CU_ASSERT_EQUAL(only_domain(finish())->wanted.count[REPORT_NEW],
			5 * window);
	CU_ASSERT_EQUAL(reading.doubles, again);
	end();
}

static void test_broken(void)
{
	static const char *const messages[] = {
		"arrival", "arrival at=old host=h", "arrival at=here host=h to=a@b",
		"arrival at=old to=a@b.example", "heartbeat at=old host=h",
		"arrival at=old host=h to=a@b.example to=c@d.example",
		"arrival at=old host=h to=", "filled mailbox=m", "loop host=h",
		"arrival at=old host=h to=\"a", "arrival  at=old",
	};
	const struct report_model *model;
	size_t i;

	begin();
	for (i = 0; i < COUNT(messages); i++)
		feed(1, "%s", messages[i]);
	feed(1, "of_tomorrow at=old host=h");
	feed(1, "arrivals at=old host=h");
	model = finish();
	CU_ASSERT_EQUAL(broken, COUNT(messages));
	CU_ASSERT_EQUAL(reading.broken, COUNT(messages));
	CU_ASSERT_EQUAL(reading.unknown, 2);
	CU_ASSERT_EQUAL(model->domains_count, 0);
	CU_ASSERT_EQUAL(model->users_count, 0);
	CU_ASSERT_EQUAL(model->watchers_count, 0);
	CU_ASSERT_EQUAL(model->switched_by, REPORT_SWITCHED_UNKNOWN);
	end();
}

static void test_chosen(void)
{
	const struct report_model *model;

	settings.domain = "OURS.example";
	settings.since = START + 10;
	settings.until = START + 20;
	begin();
	feed(9, "arrival at=old host=h id=1 to=a@ours.example");
	feed(10, "arrival at=old host=h id=2 to=a@ours.example");
	feed(15, "arrival at=old host=h id=3 to=a@theirs.example");
	feed(16, "submission at=old host=h id=4 auth=a from=a@theirs.example");
	feed(16, "submission at=old host=h id=5 auth=b from=a@Ours.Example");
	feed(17, "filled user=a@theirs.example mailbox=m");
	feed(17, "filled user=b@ours.example mailbox=m");
	feed(17, "filled user=c mailbox=m");
	feed(20, "arrival at=old host=h id=6 to=a@ours.example");
	feed(21, "arrival at=old host=h id=7 to=a@ours.example");
	model = finish();
	CU_ASSERT_EQUAL(only_domain(model)->wanted.count[REPORT_OLD], 2);
	CU_ASSERT_EQUAL(model->submitters_count, 1);
	CU_ASSERT_EQUAL(model->users_count, 2);
	CU_ASSERT_EQUAL(model->first, START + 10);
	CU_ASSERT_EQUAL(model->last, START + 20);
	end();
}

static void test_deferred(void)
{
	const struct report_domain *domain;

	settings.switched = START;
	begin();
	feed(1, "deferred at=old host=h client=192.0.2.1 from=a@b.example "
	     "to=u@ours.example");
	feed(2, "deferred at=old host=h client=192.0.2.1 from=a@c.example "
	     "to=u@ours.example");
	feed(3, "arrival at=new host=i id=1 client=192.0.2.1 from=a@c.example "
	     "to=u@ours.example");
	domain = only_domain(finish());
	CU_ASSERT_EQUAL(domain->deferred, 2);
	CU_ASSERT_EQUAL(domain->last_deferred, START + 2);
	CU_ASSERT_EQUAL(domain->hours[0].deferred, 2);
	CU_ASSERT_EQUAL(find_source(domain, "b.example")->standing,
			REPORT_STRAGGLER);
	CU_ASSERT_EQUAL(find_source(domain, "c.example")->standing,
			REPORT_WAVERING);
	end();
}

static void test_submitters(void)
{
	const struct report_model *model;
	const struct report_submitter *first;

	settings.switched = START + 100;
	begin();
	/* told already: uses the new one after the old one */
	feed(110, "submission at=old host=h id=1 auth=told client=192.0.2.1 "
	     "from=told@ours.example recipients=1");
	feed(120, "submission at=new host=i id=2 auth=told client=192.0.2.1 "
	     "from=told@ours.example recipients=1");
	/* before the switch only */
	feed(90, "submission at=old host=h id=3 auth=early client=192.0.2.2 "
	     "from=early@ours.example recipients=1");
	/* must be told; one mail with two recipients of ours, and one more */
	feed(130, "arrival at=old host=h id=4 via=submission auth=must client="
	     "192.0.2.3 from=must@ours.example to=a@ours.example");
	feed(130, "arrival at=old host=h id=4 via=submission auth=must client="
	     "192.0.2.3 from=must@ours.example to=b@ours.example");
	feed(131, "submission at=old host=h id=5 auth=must client=192.0.2.3 "
	     "from=must@ours.example recipients=3");
	model = finish();
	CU_ASSERT_EQUAL_FATAL(model->submitters_count, 3);
	first = model->submitters[0];
	CU_ASSERT_STRING_EQUAL(first->auth, "must");
	CU_ASSERT(first->tell);
	CU_ASSERT_EQUAL(first->mails.count[REPORT_OLD], 2);
	CU_ASSERT_EQUAL(first->recipients, 5);
	CU_ASSERT_STRING_EQUAL(first->domain, "ours.example");
	CU_ASSERT(!model->submitters[1]->tell && !model->submitters[2]->tell);
	/* they are no arrivals from outside */
	CU_ASSERT_EQUAL(only_domain(model)->wanted.count[REPORT_OLD], 0);
	end();
}

static void test_incidents(void)
{
	const struct report_model *model;

	begin();
	feed(1, "forged at=old host=h id=1 client=192.0.2.1 from=a@b "
	     "reason=signature value=\"v\\x3d1\"");
	feed(2, "forged at=old host=h id=2 client=192.0.2.1 from=c@d "
	     "reason=signature value=w");
	feed(3, "forged at=old host=h id=3 client=192.0.2.1 reason=format");
	feed(4, "loop at=new host=i id=4 from=a@b.example rounds=2 refused=no");
	feed(5, "loop at=new host=i id=5 from=a@b.example rounds=9 refused=yes");
	model = finish();
	CU_ASSERT_EQUAL_FATAL(model->forgeries_count, 2);
	CU_ASSERT_STRING_EQUAL(model->forgeries[0]->reason, "format");
	CU_ASSERT_EQUAL(model->forgeries[1]->count, 2);
	CU_ASSERT_STRING_EQUAL(model->forgeries[1]->value, "v=1");
	CU_ASSERT_EQUAL_FATAL(model->loops_count, 1);
	CU_ASSERT_EQUAL(model->loops[0]->count, 2);
	CU_ASSERT_EQUAL(model->loops[0]->refused, 1);
	CU_ASSERT_EQUAL(model->loops[0]->rounds_max, 9);
	CU_ASSERT_EQUAL(model->loops[0]->side, REPORT_NEW);
	end();
}

static void test_users(void)
{
	const struct report_model *model;
	const struct report_user *user;
	const struct report_mailbox *box;

	begin();
	feed(0, "tree user=u folders=5 made=5 removed=0 failed=0 foreign=0");
	feed(1, "fill user=u mailbox=A fetched=10 bytes=1000 bad=1");
	feed(2, "message_failed user=u mailbox=A uid=7 reason=\"no such mail\"");
	feed(3, "fill_failed user=u mailbox=B reason=timeout");
	feed(4, "filled user=u mailbox=B fetched=3 bytes=300");
	feed(5, "cutover user=u mailbox=C messages=7 bytes=700 seconds=0.012 "
	     "digest=x without=\"\"");
	feed(6, "fill user=u mailbox=C fetched=1 bytes=1");
	feed(7, "cutover_failed user=v reason=locked");
	feed(8, "filled user=w mailbox=D fetched=1 bytes=1");
	feed(9, "cutover user=w mailbox=D messages=1 bytes=1 seconds=0.001");
	feed(9, "without user=u mailbox=A uids=7");
	model = finish();
	CU_ASSERT_EQUAL_FATAL(model->users_count, 3);
	/* those with problems first, then what isn't done */
	user = model->users[0];
	CU_ASSERT_STRING_EQUAL(user->name, "u");
	CU_ASSERT_STRING_EQUAL(model->users[1]->name, "v");
	CU_ASSERT_STRING_EQUAL(model->users[1]->problem,
			       "cutover_failed: locked");
	CU_ASSERT_STRING_EQUAL(model->users[2]->name, "w");
	CU_ASSERT_EQUAL(user->problems, 1);
	CU_ASSERT_EQUAL(user->errors, 2);
	CU_ASSERT_EQUAL(user->states[REPORT_STATE_REMOTE], 2);
	CU_ASSERT_EQUAL(user->states[REPORT_STATE_FILLING], 1);
	CU_ASSERT_EQUAL(user->states[REPORT_STATE_FILLED], 1);
	CU_ASSERT_EQUAL(user->states[REPORT_STATE_LOCAL], 1);
	CU_ASSERT_EQUAL(user->mailboxes_count, 3);
	box = user->mailboxes[0];
	CU_ASSERT_STRING_EQUAL(box->name, "A");
	CU_ASSERT_STRING_EQUAL(box->problem, "message_failed: no such mail");
	CU_ASSERT_STRING_EQUAL(box->without, "7");
	CU_ASSERT_EQUAL(box->messages, 10);
	CU_ASSERT_STRING_EQUAL(user->mailboxes[1]->name, "B");
	CU_ASSERT_STRING_EQUAL(user->mailboxes[1]->problem, "");
	box = user->mailboxes[2];
	CU_ASSERT_EQUAL(box->state, REPORT_STATE_LOCAL);
	CU_ASSERT_EQUAL(box->cutover_ms, 12);
	CU_ASSERT_EQUAL(box->since, START + 5);
	end();
}

/* One that was removed hides none that nothing happened to yet. */
static void test_users_removed(void)
{
	const struct report_model *model;
	const struct report_user *user;

	begin();
	feed(0, "tree user=b folders=3 made=3 removed=0 failed=0 foreign=0");
	feed(1, "cutover user=b mailbox=A messages=1 bytes=1 seconds=0.001");
	feed(2, "fill user=b mailbox=B fetched=1 bytes=1");
	feed(3, "folder_removed user=b mailbox=B");
	feed(3, "tree user=b folders=2 made=0 removed=1 failed=0 foreign=0");
	feed(4, "cutover user=a mailbox=A messages=1 bytes=1 seconds=0.001");
	model = finish();
	CU_ASSERT_EQUAL_FATAL(model->users_count, 2);
	/* what isn't done comes first */
	user = model->users[0];
	CU_ASSERT_STRING_EQUAL(user->name, "b");
	CU_ASSERT_EQUAL(user->states[REPORT_STATE_REMOTE], 1);
	CU_ASSERT_EQUAL(user->states[REPORT_STATE_FILLING], 0);
	CU_ASSERT_EQUAL(user->states[REPORT_STATE_LOCAL], 1);
	CU_ASSERT_EQUAL(user->states[REPORT_STATE_REMOVED], 1);
	end();
}

/* The picture can be made again and again while lines come. */
static void test_again(void)
{
	begin();
	feed_arrival(0, "old", "a.example", "");
	CU_ASSERT_EQUAL(only_domain(finish())->hours_count, 1);
	feed_arrival(2 * HOUR, "new", "a.example", "");
	CU_ASSERT_EQUAL(only_domain(finish())->hours_count, 3);
	CU_ASSERT_EQUAL(only_domain(finish())->sources_count, 1);
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "shares by hour and day", test_shares },
		{ "standings of sources", test_standings },
		{ "names of sources", test_source_names },
		{ "unknown sources", test_unknown_source },
		{ "many sources", test_many_sources },
		{ "the example of a source", test_example },
		{ "hostile strings", test_hostile_strings },
		{ "told twice", test_doubles },
		{ "told twice, far apart", test_doubles_window },
		{ "broken and unknown", test_broken },
		{ "a domain and a time chosen", test_chosen },
		{ "deferred", test_deferred },
		{ "who hands in mail", test_submitters },
		{ "forged tags and loops", test_incidents },
		{ "users", test_users },
		{ "removed mailboxes", test_users_removed },
		{ "again and again", test_again },
		{ NULL, NULL }
	};

	(void)setenv("TZ", "UTC", 1);
	tzset();
	return unit_run("report-intake", tests);
}
