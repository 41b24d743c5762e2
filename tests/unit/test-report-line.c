/* test-report-line: report lines as written, found and read again */
#include "common/report-line.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define RFC5424 "<22>1 2026-11-22T03:04:05Z mx dovecot 7 - "
#define HEAD "Nov  2 03:04:05 mx dovecot: "

static const char *written(const void *value, size_t size)
{
	static struct report_line line;

	report_line_begin(&line, "x");
	report_line_add(&line, "v", value, size);
	return report_line_end(&line) + strlen(REPORT_TOKEN "x v=");
}

static void test_write_values(void)
{
	static const struct {
		const char *value;
		size_t size;
		const char *line;
	} tests[] = {
		{ "plain", 5, "plain" },
		{ "", 0, "\"\"" },
		{ "a b", 3, "\"a b\"" },
		{ " ", 1, "\" \"" },
		{ "\"", 1, "\"\\x22\"" },
		{ "a\\b", 3, "\"a\\x5cb\"" },
		{ "a=b", 3, "\"a\\x3db\"" },
		{ "a\nb", 3, "\"a\\x0ab\"" },
		{ "a\r\n\tb", 5, "\"a\\x0d\\x0a\\x09b\"" },
		{ "\0", 1, "\"\\x00\"" },
		{ "a\0b", 3, "\"a\\x00b\"" },
		{ "\x7f", 1, "\"\\x7f\"" },
		{ "\x1b[31m", 5, "\"\\x1b[31m\"" },
		{ "~", 1, "~" },
		{ "<a@b>", 5, "<a@b>" },
		{ "Gr\xc3\xbc\xc3\x9f" "e", 7, "Gr\xc3\xbc\xc3\x9f" "e" },
		{ "\xf0\x9f\x9a\x80", 4, "\xf0\x9f\x9a\x80" },
		/* latin 1, cut, overlong, surrogate, too high, C1 */
		{ "\xfc", 1, "\"\\xfc\"" },
		{ "\xf0\x9f\x9a", 3, "\"\\xf0\\x9f\\x9a\"" },
		{ "\xc0\x80", 2, "\"\\xc0\\x80\"" },
		{ "\xe0\x80\xbd", 3, "\"\\xe0\\x80\\xbd\"" },
		{ "\xed\xa0\x80", 3, "\"\\xed\\xa0\\x80\"" },
		{ "\xf4\x90\x80\x80", 4, "\"\\xf4\\x90\\x80\\x80\"" },
		{ "\xc2\x85", 2, "\"\\xc2\\x85\"" },
		{ "\xc2\xa0", 2, "\xc2\xa0" },
		{ "x event=arrival at=new", 22,
		  "\"x event\\x3darrival at\\x3dnew\"" },
		{ "migration: event=cutover", 24,
		  "\"migration: event\\x3dcutover\"" }
	};
	const char *line;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		line = written(tests[i].value, tests[i].size);
		UNIT_CHECK(strcmp(line, tests[i].line) == 0,
			   "case %zu: %s, not %s", i, line, tests[i].line);
	}
}

static void test_write_line(void)
{
	struct report_line line;

	report_line_begin(&line, "cutover");
	report_line_add_str(&line, "user", "alice");
	report_line_add_str(&line, "none", NULL);
	report_line_add_number(&line, "bytes", UINT64_MAX);
	report_line_add_millis(&line, "seconds", 12);
	report_line_add_millis(&line, "long", 61002);
	CU_ASSERT_STRING_EQUAL(report_line_end(&line),
		"migration: event=cutover user=alice none=\"\" "
		"bytes=18446744073709551615 seconds=0.012 long=61.002");
	CU_ASSERT_EQUAL(strlen(line.text), line.used);
}

static void test_write_bad_keys(void)
{
	static const char *const keys[] = {
		"", "A", "1a", "_a", "a b", "a=", "a-b", "k\xc3\xa9y", "a\n",
		"event", "dropped", "given",
		"a123456789012345678901234567890123"
	};
	struct report_line line;
	size_t i;

	report_line_begin(&line, "bad event=name");
	report_line_add_str(&line, "given", "1");
	for (i = 0; i < N_ELEMENTS(keys); i++)
		report_line_add_str(&line, keys[i], "x");
	CU_ASSERT_STRING_EQUAL(report_line_end(&line),
		"migration: event=unnamed given=1 dropped=13");
}

static void test_write_caps(void)
{
	struct report_line line;
	struct report_field field;
	const char *error = "";
	static char huge[100000];
	unsigned int i;
	char key[8];

	memset(huge, 'x', sizeof(huge));
	report_line_begin(&line, "x");
	for (i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		report_line_add(&line, key, huge, sizeof(huge));
	}
	report_line_add_number(&line, "small", 5);
	report_line_end(&line);
	CU_ASSERT(line.used <= REPORT_LINE_MAX);
	CU_ASSERT_EQUAL(strlen(line.text), line.used);
	CU_ASSERT_EQUAL(report_line_check(line.text, line.used, &error), 0);
	CU_ASSERT_FATAL(report_line_get(line.text, line.used, "k0", &field));
	CU_ASSERT(field.cut);
	CU_ASSERT_EQUAL(field.size, REPORT_VALUE_MAX - 3);
	CU_ASSERT_FATAL(report_line_get(line.text, line.used, "small",
					&field));
	CU_ASSERT_FATAL(report_line_get(line.text, line.used, "dropped",
					&field));
	CU_ASSERT_STRING_EQUAL(field.value, "17");
}

/* Cut at each place of a character of several bytes and of an escape. */
static void test_write_cut(void)
{
	char value[REPORT_VALUE_MAX * 2];
	struct report_field field;
	const char *line, *error;
	struct report_parser parser;
	size_t lead, size;

	for (lead = 490; lead < REPORT_VALUE_MAX + 2; lead++) {
		memset(value, 'x', lead);
		for (size = lead; size + 5 < sizeof(value); size += 5)
			memcpy(value + size, "\xf0\x9f\x9a\x80\xff", 5);
		line = written(value, size) - strlen(REPORT_TOKEN "x v=");
		report_parser_init(&parser, line, strlen(line));
		CU_ASSERT_EQUAL(report_parser_next(&parser, &field, &error), 1);
		CU_ASSERT_EQUAL(report_parser_next(&parser, &field, &error), 1);
		UNIT_CHECK(field.cut && field.size >= REPORT_VALUE_MAX - 27 &&
			   memcmp(field.value, value, field.size) == 0,
			   "lead %zu", lead);
		/* whole characters only */
		UNIT_CHECK(field.size <= lead || (field.size - lead) % 5 == 0 ||
			   (field.size - lead) % 5 == 4, "lead %zu: %zu", lead,
			   field.size);
		CU_ASSERT_EQUAL(report_parser_next(&parser, &field, &error), 0);
	}
}

static void test_cut_marks(void)
{
	char value[REPORT_VALUE_MAX + 1];
	const char *line;

	memset(value, 'y', sizeof(value));
	line = written(value, REPORT_VALUE_MAX);
	CU_ASSERT_EQUAL(strlen(line), REPORT_VALUE_MAX);
	line = written(value, REPORT_VALUE_MAX + 1);
	CU_ASSERT_EQUAL(strlen(line), REPORT_VALUE_MAX);
	CU_ASSERT_STRING_EQUAL(line + REPORT_VALUE_MAX - 3, "y\"~");
}

static unsigned int random_size(void)
{
	return (unsigned int)random() % ((unsigned int)random() % 4 == 0 ?
					 100 : 12);
}

static void fill_random(char *data, size_t size)
{
	static const char odd[] = "\"\\=~ \n\r\0x2migration: event=\x80\xc3\xbc";
	bool any = random() % 2 == 0;
	size_t i;

	for (i = 0; i < size; i++) {
		data[i] = any ? (char)random() :
			odd[(size_t)random() % (sizeof(odd) - 1)];
	}
}

static void test_round_trip(void)
{
	struct report_line line;
	struct report_field field;
	struct report_parser parser;
	const char *error = "";
	char value[4][100], key[2] = "a";
	unsigned int round, i, size[4];

	srandom(20240229);
	for (round = 0; round < 20000; round++) {
		report_line_begin(&line, "random");
		for (i = 0; i < 4; i++) {
			size[i] = random_size();
			fill_random(value[i], size[i]);
			key[0] = (char)('a' + (int)i);
			report_line_add(&line, key, value[i], size[i]);
		}
		report_line_end(&line);
		CU_ASSERT_PTR_NULL(memchr(line.text, '\n', line.used));
		report_parser_init(&parser, line.text, line.used);
		CU_ASSERT_EQUAL(report_parser_next(&parser, &field, &error), 1);
		for (i = 0; i < 4; i++) {
			if (!UNIT_CHECK(report_parser_next(&parser, &field,
							   &error) == 1,
					"round %u: %s: %s", round, error,
					line.text))
				break;
			UNIT_CHECK(!field.cut && field.key[0] == 'a' + (int)i &&
				   field.size == size[i] &&
				   memcmp(field.value, value[i], size[i]) == 0,
				   "round %u, key %u: %s", round, i, line.text);
		}
		CU_ASSERT_EQUAL(report_parser_next(&parser, &field, &error), 0);
	}
}

static void test_parse_errors(void)
{
	static const struct {
		const char *line;
		const char *error;
	} tests[] = {
		{ "migration: event=x", NULL },
		{ "migration: event=x a=1", NULL },
		{ "migration: event=x a=\"1\"~ b=2", NULL },
		{ "", "no report line" },
		{ "migration: ", "no report line" },
		{ "migration: event", "no report line" },
		{ "migration: event=", "empty value without quotes" },
		{ "migration: event=\"x\"", "character that must be quoted" },
		{ "migration: event=X", "event isn't a name" },
		{ "migration: event=1", "event isn't a name" },
		{ "migration: event=x ", "not key=value" },
		{ "migration: event=x  a=1", "not key=value" },
		{ "migration: event=x a", "not key=value" },
		{ "migration: event=x A=1", "not key=value" },
		{ "migration: event=x =1", "not key=value" },
		{ "migration: event=x a=", "empty value without quotes" },
		{ "migration: event=x a= b=1", "empty value without quotes" },
		{ "migration: event=x a=1 a=2", "key given twice" },
		{ "migration: event=x a=1 event=y", "key given twice" },
		{ "migration: event=x a=1=2", "character that must be quoted" },
		{ "migration: event=x a=1\"", "character that must be quoted" },
		{ "migration: event=x a=\xff", "character that must be quoted" },
		{ "migration: event=x a=\"", "quoted value without an end" },
		{ "migration: event=x a=\"b", "quoted value without an end" },
		{ "migration: event=x a=\"b\"c", "no space after a value" },
		{ "migration: event=x a=\"b\"~~", "no space after a value" },
		{ "migration: event=x a=\"b=c\"",
		  "character that must be escaped" },
		{ "migration: event=x a=\"b\nc\"",
		  "character that must be escaped" },
		{ "migration: event=x a=\"\\", "broken escape" },
		{ "migration: event=x a=\"\\x", "broken escape" },
		{ "migration: event=x a=\"\\x4", "broken escape" },
		{ "migration: event=x a=\"\\xg0\"", "broken escape" },
		{ "migration: event=x a=\"\\x0A\"", "broken escape" },
		{ "migration: event=x a=\"\\n\"", "broken escape" },
		{ "migration: event=x a12345678901234567890123456789012=1",
		  "not key=value" }
	};
	const char *error;
	size_t i;
	int ret;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = "none";
		ret = report_line_check(tests[i].line, strlen(tests[i].line),
					&error);
		UNIT_CHECK(tests[i].error == NULL ? ret == 0 :
			   ret == -1 && strcmp(error, tests[i].error) == 0,
			   "case %zu: %d, %s", i, ret, error);
	}
}

static void test_parse_too_long(void)
{
	static char line[REPORT_LINE_MAX * 2];
	struct report_field field;
	const char *error = "";

	strcpy(line, "migration: event=x a=");
	memset(line + strlen(line), 'y', REPORT_VALUE_MAX + 1);
	CU_ASSERT_EQUAL(report_line_check(line, strlen(line), &error), -1);
	CU_ASSERT_STRING_EQUAL(error, "value too long");
	CU_ASSERT(!report_line_get(line, strlen(line), "a", &field));
	memset(line + strlen(line), 'y', REPORT_LINE_MAX);
	CU_ASSERT_EQUAL(report_line_check(line, strlen(line), &error), -1);
	CU_ASSERT_STRING_EQUAL(error, "line too long");
}

/* Any prefix and any changed byte: an answer, and no read beyond. */
static void test_parse_damaged(void)
{
	static const char good[] = "Nov  2 03:04:05 mx dovecot: imap(a)<1><b>: "
		"Info: migration: event=x a=\"\\x22 \xc3\xbc\"~ b=2";
	struct report_head head;
	const char *message, *error;
	size_t size, i, message_size;
	char *copy;

	srandom(7);
	for (size = 0; size < sizeof(good); size++) {
		for (i = 0; i < 200; i++) {
			copy = malloc(size + 1);
			memcpy(copy, good, size);
			if (i > 0 && size > 0)
				copy[(size_t)random() % size] = (char)random();
			if (report_line_find(copy, size, &head, &message,
					     &message_size) == REPORT_FOUND)
				(void)report_line_check(message, message_size,
							&error);
			free(copy);
		}
	}
	CU_ASSERT_EQUAL(report_line_find(good, strlen(good), &head, &message,
					 &message_size), REPORT_FOUND);
	CU_ASSERT_EQUAL(report_line_check(message, message_size, &error), 0);
}

static void test_find(void)
{
	static const struct {
		const char *line;
		enum report_found found;
	} tests[] = {
		{ HEAD "migration: event=x", REPORT_FOUND },
		{ "Nov 22 03:04:05 mx migration-milter[12]: migration: event=x",
		  REPORT_FOUND },
		{ "2026-11-22T03:04:05.123456+01:00 mx dovecot: imap(a@b.c)"
		  "<12><Ab/+=>: Info: migration: event=x", REPORT_FOUND },
		{ "<22>Nov 22 03:04:05 mx dovecot: lmtp(a)<1><b>: Warning: "
		  "migration: event=x", REPORT_FOUND },
		{ "Nov 22 03:04:05 imap(a)<12><b>: Info: migration: event=x",
		  REPORT_FOUND },
		{ "Nov 22 03:04:05 migration: Info: migration: event=x",
		  REPORT_FOUND },
		{ "Nov 22 03:04:05 doveadm: Error: migration: event=x",
		  REPORT_FOUND },
		{ "Nov 22 03:04:05 migration: event=x", REPORT_FOUND },
		{ HEAD "imap(a@b.c)<12><Ab/+=>: migration: event=x",
		  REPORT_FOUND },
		{ HEAD "migration: migration: event=x", REPORT_FOUND },
		{ RFC5424 "- imap(a)<1><b>: migration: event=x",
		  REPORT_FOUND },
		{ RFC5424 "- migration: event=x", REPORT_FOUND },
		{ RFC5424 "- \xef\xbb\xbfmigration: event=x", REPORT_FOUND },
		{ RFC5424 "[a@1 b=\"]\" c=\"\\\" \"][d] migration: event=x",
		  REPORT_FOUND },
		{ RFC5424 "- imap(a)<1><b>: Info: migration: event=x",
		  REPORT_FOUND },
		{ "<22>1 - - - - - - migration: event=x", REPORT_FOUND },
		{ "", REPORT_NONE },
		{ HEAD "something else", REPORT_NONE },
		{ HEAD "migration: even", REPORT_NONE },
		{ HEAD "migration: Event=x", REPORT_NONE },
		{ "migration: event=x", REPORT_MISPLACED },
		{ HEAD "x migration: event=x", REPORT_MISPLACED },
		{ HEAD " migration: event=x", REPORT_MISPLACED },
		{ HEAD "imap-login: Info: Aborted login: user=<a>, migration: "
		  "event=cutover user=b", REPORT_MISPLACED },
		{ HEAD "imap-login: Info: user=<x): Info: migration: event=x>",
		  REPORT_MISPLACED },
		{ HEAD "imap(a b)<1><c>: Info: migration: event=x",
		  REPORT_MISPLACED },
		{ HEAD "imap(a)b: Info: migration: event=x", REPORT_MISPLACED },
		{ HEAD "lmtp(a)<1><c>: sieve: migration: event=x",
		  REPORT_MISPLACED },
		{ "Nov 22 03:04:05 mx x: imap(a)<1><b>: migration: event=x",
		  REPORT_MISPLACED },
		{ "Nov 22 03:04:05 imap(a)<12><b>: migration: event=x",
		  REPORT_MISPLACED },
		{ HEAD "lmtp(a)<1><c>: Info: sieve: Info: migration: event=x",
		  REPORT_MISPLACED },
		{ "Nov 22 03:04:05 mx postfix/smtpd[9]: warning: migration: "
		  "event=x", REPORT_MISPLACED },
		{ "Nov 22 03:04:05 mx postfix/smtpd[9]: NOQUEUE: reject: RCPT: "
		  "helo=<migration: event=arrival at=new>", REPORT_MISPLACED },
		{ "Nov 22 03:04:05 mx postfix/cleanup[9]: 4Xyz: warning: header"
		  " Subject: migration: event=x", REPORT_MISPLACED },
		{ "yesterday mx dovecot: migration: event=x", REPORT_MISPLACED },
		{ "Nov 22 03:04 mx dovecot: migration: event=x",
		  REPORT_MISPLACED },
		{ "<>Nov 22 03:04:05 mx dovecot: migration: event=x",
		  REPORT_MISPLACED },
		{ RFC5424 "[a b=\"c\"migration: event=x", REPORT_MISPLACED },
		{ RFC5424 "[a b=\"] migration: event=x\"] y",
		  REPORT_MISPLACED },
		{ RFC5424 "[a b=\"\\", REPORT_NONE },
		{ RFC5424 "[a]migration: event=x", REPORT_MISPLACED },
		{ RFC5424 "migration: event=x", REPORT_MISPLACED },
		{ RFC5424, REPORT_NONE },
		{ RFC5424 "-", REPORT_NONE },
		{ "<22>1 2026-11-22T03:04:05Z mx migration: event=x",
		  REPORT_MISPLACED },
		{ "<22>2 2026-11-22T03:04:05Z mx a - - - migration: event=x",
		  REPORT_MISPLACED },
		{ "1 2026-11-22T03:04:05Z mx a - - - migration: event=x",
		  REPORT_MISPLACED },
		{ "<", REPORT_NONE }
	};
	struct report_head head;
	const char *message;
	size_t i, size;
	enum report_found found;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		found = report_line_find(tests[i].line, strlen(tests[i].line),
					 &head, &message, &size);
		UNIT_CHECK(found == tests[i].found, "case %zu: %d", i,
			   (int)found);
		UNIT_CHECK(found != REPORT_FOUND ||
			   (size == strlen(message) &&
			    strcmp(message, "migration: event=x") == 0),
			   "case %zu: message", i);
	}
}

static void test_find_head(void)
{
	static const char line[] = "<22>2026-11-22T03:04:05Z mx.example "
		"dovecot[7]: imap(a)<1>: Info: migration: event=x";
	struct report_head head;
	const char *message;
	size_t size;

	CU_ASSERT_EQUAL(report_line_find(line, strlen(line), &head, &message,
					 &size), REPORT_FOUND);
	CU_ASSERT(head.time_size == 20 &&
		  memcmp(head.time, "2026-11-22T03:04:05Z", 20) == 0);
	CU_ASSERT(head.host_size == 10 &&
		  memcmp(head.host, "mx.example", 10) == 0);
	CU_ASSERT(head.tag_size == 10 &&
		  memcmp(head.tag, "dovecot[7]", 10) == 0);
}

static void test_find_head_rfc5424(void)
{
	static const char line[] = RFC5424 "- migration: event=x";
	struct report_head head;
	const char *message;
	size_t size;

	CU_ASSERT_EQUAL(report_line_find(line, strlen(line), &head, &message,
					 &size), REPORT_FOUND);
	CU_ASSERT(head.time_size == 20 &&
		  memcmp(head.time, "2026-11-22T03:04:05Z", 20) == 0);
	CU_ASSERT(head.host_size == 2 && memcmp(head.host, "mx", 2) == 0);
	CU_ASSERT(head.tag_size == 7 && memcmp(head.tag, "dovecot", 7) == 0);
}

/* Keys that look alike to the parser's first look. */
static void test_parse_many_keys(void)
{
	char line[REPORT_LINE_MAX], *p = line;
	const char *error = "";
	unsigned int i;

	p += sprintf(p, "migration: event=x");
	for (i = 0; i < 200; i++)
		p += sprintf(p, " k%u=1", i);
	CU_ASSERT_EQUAL(report_line_check(line, strlen(line), &error), 0);
	for (i = 0; i < 200; i++) {
		sprintf(p, " k%u=1", i);
		UNIT_CHECK(report_line_check(line, strlen(line), &error) == -1 &&
			   strcmp(error, "key given twice") == 0, "key %u", i);
	}
}

/* What a stranger chooses, in each place that our own lines give him. */
static void test_forgery(void)
{
	static const char *const hostile[] = {
		"x event=arrival at=new", "a\" at=new b=\"", "\" at=new",
		"a\nNov 22 03:04:05 mx dovecot: migration: event=cutover",
		"\\x22 at=new", "a\" at=\"new", "\r\nat=new", "", "\\", "\"~",
		"migration: event=arrival at=new"
	};
	struct report_line line;
	struct report_field field;
	struct report_head head;
	const char *message, *error;
	char log[4096];
	size_t i, size;

	for (i = 0; i < N_ELEMENTS(hostile); i++) {
		report_line_begin(&line, "reject");
		report_line_add_str(&line, "helo", hostile[i]);
		report_line_add_str(&line, "at", "old");
		snprintf(log, sizeof(log), HEAD "%s", report_line_end(&line));
		CU_ASSERT_PTR_NULL(strchr(log, '\n'));
		CU_ASSERT_EQUAL(report_line_find(log, strlen(log), &head,
						 &message, &size),
				REPORT_FOUND);
		CU_ASSERT_EQUAL(report_line_check(message, size, &error), 0);
		CU_ASSERT(report_line_get(message, size, "event", &field));
		CU_ASSERT_STRING_EQUAL(field.value, "reject");
		CU_ASSERT(report_line_get(message, size, "at", &field));
		CU_ASSERT_STRING_EQUAL(field.value, "old");
		CU_ASSERT(report_line_get(message, size, "helo", &field));
		UNIT_CHECK(strcmp(field.value, hostile[i]) == 0, "case %zu", i);
	}
}

static void test_numbers(void)
{
	static const struct {
		const char *value;
		bool number, millis;
		uint64_t n, ms;
	} tests[] = {
		{ "0", true, true, 0, 0 },
		{ "12", true, true, 12, 12000 },
		{ "18446744073709551615", true, false, UINT64_MAX, 0 },
		{ "18446744073709551616", false, false, 0, 0 },
		{ "0.012", false, true, 0, 12 },
		{ "1.5", false, true, 0, 1500 },
		{ "1.0123", false, false, 0, 0 },
		{ "1.", false, false, 0, 0 },
		{ ".5", false, false, 0, 0 },
		{ "-1", false, false, 0, 0 },
		{ "1 ", false, false, 0, 0 },
		{ "", false, false, 0, 0 },
		{ "0x1", false, false, 0, 0 }
	};
	struct report_field field = { .cut = false };
	uint64_t n;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		field.size = strlen(tests[i].value);
		memcpy(field.value, tests[i].value, field.size + 1);
		n = 0;
		UNIT_CHECK(report_field_number(&field, &n) == tests[i].number &&
			   n == tests[i].n, "case %zu as a number", i);
		n = 0;
		UNIT_CHECK(report_field_millis(&field, &n) == tests[i].millis &&
			   n == tests[i].ms, "case %zu as seconds", i);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "write: values", test_write_values },
		{ "write: a line", test_write_line },
		{ "write: bad keys", test_write_bad_keys },
		{ "write: caps", test_write_caps },
		{ "write: cut at characters", test_write_cut },
		{ "write: cut marks", test_cut_marks },
		{ "any bytes come back", test_round_trip },
		{ "parse: errors", test_parse_errors },
		{ "parse: too long", test_parse_too_long },
		{ "parse: damaged lines", test_parse_damaged },
		{ "find: where a message begins", test_find },
		{ "find: time, host, tag", test_find_head },
		{ "find: RFC 5424", test_find_head_rfc5424 },
		{ "parse: many keys", test_parse_many_keys },
		{ "forgery", test_forgery },
		{ "numbers", test_numbers },
		{ NULL, NULL }
	};

	return unit_run("report-line", tests);
}
