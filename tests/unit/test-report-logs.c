/*
 * test-report-logs: reading logs: compressed, cut, rotated, several at once.
 */
#include "unit.h"
#include "process.h"
#include "report/log-set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TIMEOUT_MS 60000
#define MAX_RECORDS 5000

static char folder[] = "/tmp/test-report-logs.XXXXXX";

static const char *path(const char *name)
{
	static char paths[4][100];
	static unsigned int next;
	char *to = paths[next++ % 4];

	snprintf(to, sizeof(paths[0]), "%s/%s", folder, name);
	return to;
}

static void put(const char *name, const char *mode, const char *text)
{
	FILE *file = fopen(path(name), mode);

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT(fputs(text, file) >= 0);
	CU_ASSERT_EQUAL(fclose(file), 0);
}

/* Seconds from 2026-11-22T03:00:00Z on, with a number to know it by. */
static const char *line(unsigned int seconds, unsigned int number)
{
	static char lines[4][200];
	static unsigned int next;
	char *to = lines[next++ % 4];

	snprintf(to, sizeof(lines[0]), "2026-11-22T03:%02u:%02uZ mx migration-"
		 "milter[1]: migration: event=x n=%u\n", seconds / 60,
		 seconds % 60, number);
	return to;
}

static void shell(const char *command)
{
	struct process_result result;
	int ret = process_shell(TIMEOUT_MS, &result, "cd %s && %s", folder,
				command);

	UNIT_CHECK(ret == 0, "%s: %s", command, result.output);
	process_result_free(&result);
}

struct seen {
	unsigned int troubles[LOG_TROUBLES];
};

static void trouble(void *context, const char *name, enum log_trouble kind,
		    const char *text, size_t size)
{
	struct seen *seen = context;

	(void)name;
	(void)text;
	CU_ASSERT(size > 0);
	seen->troubles[kind]++;
}

static struct seen seen;
static const struct log_settings settings = {
	.trouble = trouble, .context = &seen, .latest = INT64_MAX
};

static struct log_set *open_set(const char *const *names, size_t count)
{
	struct log_set *set = log_set_init(&settings);
	const char *error = "";
	size_t i;

	memset(&seen, 0, sizeof(seen));
	for (i = 0; i < count; i++) {
		UNIT_CHECK(log_set_add_file(set, path(names[i]), "UTC", 0,
					    &error) == 0, "%s: %s", names[i],
			   error);
	}
	return set;
}

/* "1 2 3": the numbers of the lines, as they come. */
static const char *read_numbers(struct log_set *set)
{
	static char numbers[1000];
	struct log_record record;
	const char *n;
	size_t used = 0;

	numbers[0] = '\0';
	while (log_set_next(set, &record)) {
		n = memmem(record.message, record.message_size, " n=", 3);
		if (n == NULL || used > sizeof(numbers) - 20)
			continue;
		used += (size_t)snprintf(numbers + used, sizeof(numbers) - used,
			"%s%lu", used == 0 ? "" : " ", strtoul(n + 3, NULL, 10));
	}
	return numbers;
}

static void check_numbers(const char *const *names, size_t count,
			  const char *wanted)
{
	struct log_set *set = open_set(names, count);
	const char *got = read_numbers(set);

	UNIT_CHECK(strcmp(got, wanted) == 0, "%s: \"%s\", not \"%s\"", names[0],
		   got, wanted);
	log_set_deinit(&set);
}

static void test_lines(void)
{
	const char *const name = "lines";
	struct log_set *set;
	struct log_input *input;

	put(name, "w", "no report line\n");
	put(name, "a", line(1, 1));
	put(name, "a", "\n\r\n2026-11-22T03:00:00Z mx a[1]: b\n");
	put(name, "a", "Nov 22 03:00:02 mx dovecot: migration: event=x n=2\r\n");
	put(name, "a", "<22>1 2026-11-22T03:00:03Z mx a 1 - - migration: "
	    "event=x n=3\n");
	put(name, "a", "2026-11-22T03:00:03Z mx a: helo=<migration: event=x>\n");
	put(name, "a", "0000-00-00T03:00:03Z mx a: migration: event=x n=9\n");
	put(name, "a", line(4, 4));
	set = open_set(&name, 1);
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "1 2 3 4");
	input = log_set_input(set, 0);
	CU_ASSERT_EQUAL(input->seen.lines, 10);
	CU_ASSERT_EQUAL(input->seen.report_lines, 4);
	CU_ASSERT_EQUAL(input->troubles[LOG_SUSPICIOUS], 1);
	CU_ASSERT_EQUAL(input->troubles[LOG_UNDATED], 1);
	CU_ASSERT_EQUAL(seen.troubles[LOG_SUSPICIOUS], 1);
	CU_ASSERT_EQUAL(input->seen.last - input->seen.first, 3);
	CU_ASSERT_STRING_EQUAL(input->seen.error, "");
	log_set_deinit(&set);
}

/* What has no newline yet may have been cut anywhere. */
static void test_unfinished(void)
{
	const char *const name = "unfinished";
	struct log_set *set;
	char *text = strdup(line(2, 2));

	put(name, "w", line(1, 1));
	text[strlen(text) - 1] = '\0';
	put(name, "a", text);
	set = open_set(&name, 1);
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "1");
	/* it's read when it is whole */
	put(name, "a", "5\n");
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "25");
	put(name, "a", text);
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "");
	log_input_finish(log_set_input(set, 0));
	CU_ASSERT_EQUAL(seen.troubles[LOG_UNFINISHED], 1);
	log_set_deinit(&set);
	free(text);
}

/* Lines at all offsets of the buffer, and one that is larger than it. */
static void test_long_lines(void)
{
	const char *const name = "long";
	struct log_set *set;
	struct log_record record;
	FILE *file = fopen(path(name), "w");
	unsigned int i, count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	for (i = 0; i < MAX_RECORDS; i++) {
		fprintf(file, "%0*d\n", (int)(i % 611 + 1), 0);
		fputs(line(i % 60, i), file);
		if (i % 1000 == 500)
			fprintf(file, "%0*dmigration: event=x n=1\n", 400000, 0);
	}
	CU_ASSERT_EQUAL(fclose(file), 0);
	set = open_set(&name, 1);
	while (log_set_next(set, &record)) {
		const char *n = memmem(record.message, record.message_size,
				       "n=", 2);

		UNIT_CHECK(n != NULL && strtoul(n + 2, NULL, 10) == count,
			   "line %u", count);
		count++;
	}
	CU_ASSERT_EQUAL(count, MAX_RECORDS);
	CU_ASSERT_EQUAL(log_set_input(set, 0)->seen.lines,
			2 * MAX_RECORDS + 5);
	log_set_deinit(&set);
}

/* Names say nothing. */
static void test_compressed(void)
{
	static const char *const names[] = {
		"a.log", "b.log", "several", "several-xz", "empty", "empty-gz"
	};

	put("plain", "w", line(1, 1));
	put("plain2", "w", line(2, 2));
	put("empty", "w", "");
	shell("gzip -c plain >a.log && xz -c plain >b.log && "
	      "(gzip -c plain; gzip -c plain2) >several && "
	      "(xz -c plain; xz -c plain2) >several-xz && "
	      "gzip -c empty >empty-gz");
	check_numbers(&names[0], 1, "1");
	check_numbers(&names[1], 1, "1");
	check_numbers(&names[2], 1, "1 2");
	check_numbers(&names[3], 1, "1 2");
	check_numbers(&names[4], 1, "");
	check_numbers(&names[5], 1, "");
}

/* What could be read of a damaged one counts, and it's told. */
static void test_damaged(void)
{
	static const struct {
		const char *command, *name, *error;
	} tests[] = {
		{ "gzip -c big >t.gz && truncate -s -20 t.gz", "t.gz",
		  "ends in the middle of its compressed data" },
		{ "xz -c big >t.xz && truncate -s -40 t.xz", "t.xz",
		  "ends in the middle of its compressed data" },
		{ "gzip -c big >d.gz && printf 'XXXXXXXXXXXXXXXX' | "
		  "dd of=d.gz bs=1 seek=15000 conv=notrunc 2>/dev/null", "d.gz",
		  "its compressed data is damaged" },
		{ "printf '\\037\\213' >h.gz", "h.gz",
		  "ends in the middle of its compressed data" },
		{ "gzip -c big >g.gz && echo garbage >>g.gz", "g.gz",
		  "its compressed data is damaged" },
	};
	struct log_record record;
	struct log_set *set;
	FILE *file = fopen(path("big"), "w");
	unsigned int i, count;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	srandom(1);
	for (i = 0; i < MAX_RECORDS; i++)
		fputs(line(i % 60, (unsigned int)random()), file);
	CU_ASSERT_EQUAL(fclose(file), 0);
	for (i = 0; i < COUNT(tests); i++) {
		shell(tests[i].command);
		set = open_set(&tests[i].name, 1);
		for (count = 0; log_set_next(set, &record); count++) ;
		UNIT_CHECK(strcmp(log_set_input(set, 0)->seen.error,
				  tests[i].error) == 0, "case %u: \"%s\"", i,
			   log_set_input(set, 0)->seen.error);
		UNIT_CHECK(count <= MAX_RECORDS &&
			   (i == 3 ? count == 0 : count > 100),
			   "case %u: %u lines", i, count);
		log_set_deinit(&set);
	}
}

static void test_order(void)
{
	static const char *const names[] = { "new", "old", "rotated" };

	put("rotated", "w", line(1, 1));
	put("rotated", "a", line(2, 2));
	put("old", "w", line(3, 3));
	put("old", "a", line(5, 5));
	put("old", "a", line(7, 7));
	put("new", "w", "a line without a time\n");
	put("new", "a", line(4, 4));
	/* its own order stays where the time goes back */
	put("new", "a", line(6, 6));
	put("new", "a", line(3, 33));
	put("new", "a", line(8, 8));
	check_numbers(names, 3, "1 2 3 4 5 6 33 7 8");
}

/* One of the clocks is an hour ahead: its lines come as it says. */
static void test_clocks_apart(void)
{
	static const char *const names[] = { "ahead", "right" };

	put("right", "w", "2026-11-22T03:00:00Z mx a: migration: event=x n=1\n"
	    "2026-11-22T04:30:00Z mx a: migration: event=x n=2\n");
	put("ahead", "w", "2026-11-22T04:00:00Z mx a: migration: event=x n=3\n"
	    "2026-11-22T05:30:00Z mx a: migration: event=x n=4\n");
	check_numbers(names, 2, "1 3 2 4");
}

static void test_rotated(void)
{
	static const char *const name = "mail.log";
	struct log_set *set;

	put(name, "w", line(1, 1));
	set = open_set(&name, 1);
	/* between opening and reading */
	shell("mv mail.log mail.log.1");
	put(name, "w", line(2, 2));
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "1 2");
	/* its writer hasn't noticed yet */
	put("mail.log.1", "a", line(3, 3));
	put(name, "a", line(4, 4));
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "3 4");
	shell("mv mail.log mail.log.1");
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "");
	put(name, "w", line(5, 5));
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "5");
	log_set_deinit(&set);
}

static void test_truncated(void)
{
	static const char *const name = "copied.log";
	struct log_set *set;

	put(name, "w", line(1, 1));
	put(name, "a", line(2, 2));
	set = open_set(&name, 1);
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "1 2");
	put(name, "w", line(3, 3));
	CU_ASSERT_STRING_EQUAL(read_numbers(set), "3");
	CU_ASSERT_STRING_EQUAL(log_set_input(set, 0)->seen.error,
			       "was truncated while it was read");
	log_set_deinit(&set);
}

static void test_no_file(void)
{
	struct log_set *set = log_set_init(&settings);
	struct log_record record;
	const char *error = "";

	CU_ASSERT_EQUAL(log_set_add_file(set, path("none"), NULL, 0, &error),
			-1);
	CU_ASSERT_STRING_EQUAL(error, "No such file or directory");
	CU_ASSERT_EQUAL(log_set_add_file(set, folder, NULL, 0, &error), -1);
	CU_ASSERT_STRING_EQUAL(error, "Is a directory");
	CU_ASSERT(!log_set_next(set, &record));
	log_set_deinit(&set);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "lines", test_lines },
		{ "an unfinished line", test_unfinished },
		{ "long lines", test_long_lines },
		{ "compressed", test_compressed },
		{ "damaged", test_damaged },
		{ "several, in the order of time", test_order },
		{ "clocks an hour apart", test_clocks_apart },
		{ "rotated while it's read", test_rotated },
		{ "truncated while it's read", test_truncated },
		{ "no file", test_no_file },
		{ NULL, NULL }
	};

	return unit_run_in(folder, "report-logs", tests);
}
