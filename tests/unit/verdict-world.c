#include "verdict-world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINES 10000

struct line {
	int64_t seconds;
	size_t number;
	char message[400];
};

static struct line lines[MAX_LINES];
static size_t lines_count;

struct report_verdict_settings world_settings;
struct report_intake_settings world_intake_settings;
struct report_intake *world_intake;
struct report_reading world_reading;

void world_clear(void)
{
	lines_count = 0;
}

void world_add(int64_t seconds, const char *fmt, ...)
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
		world_add(time, "heartbeat at=%s host=mx.%s uptime=%lld seq=%u "
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
			world_add(time, "arrival at=old host=mx.old id=o%lld " SENDER
			    " to=" ANNA, (long long)time);
		else if (time >= switched && (world & NOTHING_NEW) == 0)
			world_add(time, "arrival at=new host=mx.new id=n%lld " SENDER
			    " to=" ANNA, (long long)time);
	}
	/* spam keeps coming there */
	for (time = 0; time < end; time += DAY) {
		if ((world & NO_OLD_MILTER) == 0)
			world_add(time + HOUR, "arrival at=old host=mx.old id=s%lld "
			    "client=203.0.113.5 from=x@spam.example spam=yes "
			    "to=" ANNA, (long long)time);
	}
}

static void add_account(const char *user, unsigned int world)
{
	bool bert = strcmp(user, BERT) == 0;
	int64_t time, end = (world & POLLS_END) != 0 ? 18 * DAY : END;

	world_add(0, "tree user=%s folders=1", user);
	if (!bert || (world & BERT_NOT_CUT_OVER) == 0)
		world_add(CUTOVER, "cutover user=%s mailbox=INBOX messages=3 bytes=9 "
		    "seconds=0.012%s", user,
		    bert && (world & NO_DIGEST) != 0 ? "" : " digest=abc");
	if ((world & NO_POLLS) != 0 || (bert && (world & BERT_NOT_POLLED) != 0))
		return;
	for (time = CUTOVER + HOUR; time <= end; time += HOUR)
		world_add(time, "poll user=%s ok=yes mailboxes=1 new=0", user);
}

void world_make(unsigned int world)
{
	int64_t old_end = (world & OLD_MILTER_ENDS) != 0 ? 18 * DAY : END;

	world_clear();
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

int64_t world_log_begins(unsigned int world)
{
	return (world & LOG_5_DAYS) != 0 ? END - 5 * DAY :
		(world & LOG_10_DAYS) != 0 ? END - 10 * DAY : INT64_MIN;
}

void world_read(int64_t begins)
{
	struct log_record record = { .host = "h", .host_size = 1 };
	size_t i;

	memset(&world_reading, 0, sizeof(world_reading));
	world_intake_settings.domain = DOMAIN;
	world_intake_settings.verdict = &world_settings;
	world_intake = report_intake_init(&world_intake_settings);
	qsort(lines, lines_count, sizeof(*lines), compare_lines);
	for (i = 0; i < lines_count; i++) {
		if (lines[i].seconds < begins)
			continue;
		record.time = START + lines[i].seconds;
		record.message = lines[i].message;
		record.message_size = strlen(lines[i].message);
		report_intake_add(world_intake, &record);
		world_reading.report_lines++;
	}
}

const struct report_verdict *world_verdict(void)
{
	const struct report_model *model;

	world_settings.as_of = START + END + HOUR;
	model = report_intake_model(world_intake, world_settings.as_of, 0, &world_reading);
	CU_ASSERT_EQUAL_FATAL(model->verdicts_count, 1);
	return model->verdicts[0];
}

void world_end(void)
{
	report_intake_deinit(&world_intake);
	world_settings = report_verdict_defaults;
}
