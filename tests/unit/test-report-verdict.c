/*
 * test-report-verdict: what makes the old server safe to cancel, and what doesn't,
 * where more than one condition is in it
 */
#include "verdict-world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct report_verdict *
judge(unsigned int world, const char *message, int64_t seconds)
{
	world_settings = report_verdict_defaults;
	world_make(world);
	if (message != NULL)
		world_add(seconds, "%s", message);
	world_read(world_log_begins(world));
	return world_verdict();
}

static void test_nothing_read(void)
{
	const struct report_verdict *verdict;
	unsigned int condition;

	world_settings = report_verdict_defaults;
	world_clear();
	world_read(0);
	verdict = world_verdict();
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	for (condition = 0; condition < REPORT_CONDITIONS; condition++) {
		if (condition == REPORT_COND_LOGS ||
		    condition == REPORT_COND_WATCHED ||
		    condition == REPORT_COND_LOCAL ||
		    condition == REPORT_COND_SWITCHED)
			CU_ASSERT(verdict->broken[condition] > 0);
	}
	world_end();
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
	world_end();
	verdict = judge(LOG_5_DAYS, NULL, 0);
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	CU_ASSERT(verdict->broken[REPORT_COND_WATCHED] == 1);
	CU_ASSERT(verdict->broken[REPORT_COND_SWITCHED] == 1);
	CU_ASSERT_EQUAL(verdict->earliest, START + END + 2 * DAY);
	world_end();
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
	world_end();
	verdict = judge(NO_OLD_MILTER | BERT_NOT_POLLED, NULL, 0);
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	CU_ASSERT_EQUAL(verdict->ends, 0);
	CU_ASSERT(verdict->broken[REPORT_COND_WATCHED] > 0);
	CU_ASSERT(verdict->broken[REPORT_COND_POLLED] > 0);
	world_end();
}

static uint64_t old_mails(void)
{
	const struct report_model *model =
		report_intake_model(world_intake, START + END, 0, &world_reading);

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
	world_end();
	/* a Received header may give the client another name */
	verdict = judge(BERT_NOT_POLLED, LATE "from=a@sender.example "
			"client=192.0.2.9 name=helo.example uid=7", 3 * DAY);
	CU_ASSERT_EQUAL(verdict->missed, 0);
	world_end();
	/* of what they told of, late mail is only the other half */
	verdict = judge(BERT_NOT_POLLED, LATE SENDER " uid=7", 3 * DAY);
	CU_ASSERT_EQUAL(verdict->missed, 0);
	CU_ASSERT_EQUAL(verdict->broken[REPORT_COND_WATCHED], 0);
	CU_ASSERT_EQUAL(old_mails(), 12);
	world_end();
	/* in a gap, it's the only one that tells of the mail */
	(void)judge(MILTER_GAP, LATE SENDER " uid=7", 15 * DAY + HOUR);
	CU_ASSERT_EQUAL(old_mails(), 13);
	world_end();
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
	world_end();
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
		world_settings = report_verdict_defaults;
		world_settings.quiet_s = quiets[i].quiet_s;
		world_settings.retry_s = quiets[i].retry_s;
		world_settings.ttl_s = quiets[i].ttl_s;
		world_make(0);
		world_add(HOUR, "%s", quiets[i].told);
		world_read(0);
		verdict = world_verdict();
		UNIT_CHECK(verdict->quiet_s == quiets[i].expected_s,
			   "case %zu: %llu", i,
			   (unsigned long long)verdict->quiet_s);
		CU_ASSERT_EQUAL(verdict->answer, REPORT_SAFE);
		CU_ASSERT_EQUAL(verdict->ends - verdict->begins,
				(int64_t)verdict->quiet_s);
		world_end();
	}
}

static void add_late(int64_t seconds, int64_t received, unsigned int uid)
{
	world_add(seconds, LATE SENDER " uid=%u received=%lld", uid,
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
		world_settings = report_verdict_defaults;
		world_make(0);
		for (j = 0; j < clocks[i].mails; j++) {
			int64_t seen = 3 * DAY + j * HOUR + 1800;

			add_late(seen, seen - 600 - clocks[i].behind, j);
		}
		world_read(0);
		verdict = world_verdict();
		UNIT_CHECK(verdict->clocks_s == clocks[i].expected_s,
			   "case %zu: %llu", i,
			   (unsigned long long)verdict->clocks_s);
		CU_ASSERT_EQUAL(verdict->quiet_s,
				7 * DAY + clocks[i].expected_s);
		world_end();
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
	world_end();
}

/* What was read badly. */
static void test_reading(void)
{
	static const struct report_input bad = {
		.name = "mail.log.2.gz", .error = "it's damaged"
	};
	const struct report_verdict *verdict = judge(0, NULL, 0);

	CU_ASSERT_EQUAL(verdict->answer, REPORT_SAFE);
	world_reading.inputs = &bad;
	world_reading.inputs_count = 1;
	verdict = world_verdict();
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	CU_ASSERT_EQUAL(verdict->broken[REPORT_COND_LOGS], 1);
	world_reading.inputs_count = 0;
	world_reading.undated = 1;
	verdict = world_verdict();
	CU_ASSERT_EQUAL(verdict->answer, REPORT_UNKNOWN);
	world_reading.undated = 0;
	CU_ASSERT_EQUAL(world_verdict()->answer, REPORT_SAFE);
	world_end();
}

/* Told twice, by a crash between delivery and record, it counts once. */
static void test_told_twice(void)
{
	const struct report_model *model;

	world_settings = report_verdict_defaults;
	world_make(NO_OLD_MILTER);
	world_add(3 * DAY, LATE LATER " uid=7");
	world_add(3 * DAY + 60, LATE LATER " uid=7 action=delivered2");
	world_add(3 * DAY + 90, LATE LATER " uid=8");
	world_read(0);
	CU_ASSERT_EQUAL(world_verdict()->late, 2);
	model = report_intake_model(world_intake, START + END, 0, &world_reading);
	CU_ASSERT_EQUAL(model->domains[0]->wanted.count[REPORT_OLD], 2);
	CU_ASSERT_EQUAL(model->users[0]->catchup.delay_median, 40);
	world_end();
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
	CU_ASSERT_EQUAL(world_verdict()->missed, 1);
	CU_ASSERT_EQUAL(world_verdict()->missed, 1);
	CU_ASSERT_EQUAL(old_mails(), 13);
	record.time = START + END + 1;
	record.message = heard;
	record.message_size = sizeof(heard) - 1;
	report_intake_add(world_intake, &record);
	CU_ASSERT_EQUAL(world_verdict()->missed, 0);
	model = report_intake_model(world_intake, START + END, 0, &world_reading);
	CU_ASSERT_EQUAL(model->domains[0]->wanted.count[REPORT_OLD], 13);
	CU_ASSERT_EQUAL(model->domains[0]->wanted_since[REPORT_OLD], 1);
	CU_ASSERT_EQUAL(model->domains[0]->wanted.last[REPORT_OLD],
			START + END + 1);
	world_end();
}

static const struct unit_test tests[] = {
	{ "each condition", verdict_test_cases },
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
