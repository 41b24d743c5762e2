/* test-imap-parse: what a server may say, sense and nonsense */
#include "imap-parse.h"
#include "mutf7.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static struct imap_response *
parse(const char *text, size_t size, const char **error_r)
{
	struct imap_response *resp;
	char *raw = malloc(size + 1);

	memcpy(raw, text, size);
	raw[size] = '\0';
	*error_r = "none";
	return imap_response_parse(raw, size, &resp, error_r) < 0 ? NULL : resp;
}

static void test_fetch(void)
{
	static const char text[] = "* 5 fetch (UID 7 FLAGS (\\Seen $Label1 [x)"
		" INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 12"
		" MODSEQ (99) BODY[HEADER.FIELDS (DATE FROM)] NIL"
		" ENVELOPE (\"a \\\"b\\\" \\\\\" NIL ((NIL)) {3}\r\na)\0\0)"
		" BODY[]<0> {4}\r\n(\"\r\n\0 X \"last\")";
	struct imap_response *resp;
	struct imap_fetch fetch;
	const char *error;
	time_t instant;

	resp = parse(text, sizeof(text) - 1, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(resp);
	CU_ASSERT_FATAL(imap_parse_fetch(resp, &fetch));
	CU_ASSERT_EQUAL(fetch.seq, 5);
	CU_ASSERT_EQUAL(fetch.uid, 7);
	CU_ASSERT_EQUAL(fetch.size, 12);
	CU_ASSERT_EQUAL(fetch.modseq, 99);
	CU_ASSERT(fetch.has_flags && imap_arg_is(fetch.flags, "\\seen"));
	CU_ASSERT_STRING_EQUAL(fetch.flags->next->next->data, "[x");
	CU_ASSERT_EQUAL(fetch.body_size, 4);
	CU_ASSERT_EQUAL(memcmp(fetch.body, "(\"\r\n", 4), 0);
	CU_ASSERT_EQUAL(imap_parse_date(fetch.internaldate, &instant), 0);
	CU_ASSERT_EQUAL(instant, 837596665);
	imap_response_free(&resp);
}

static void test_status(void)
{
	static const struct {
		const char *line, *tag, *name, *code, *text;
	} tests[] = {
		{ "A1 OK done", "A1", "OK", NULL, "done" },
		{ "A1 NO [INUSE] try later", "A1", "NO", "INUSE", "try later" },
		{ "A1 BAD", "A1", "BAD", NULL, "" },
		{ "* bye [UNAVAILABLE]", "", "BYE", "UNAVAILABLE", "" },
		{ "* OK [broken", "", "OK", NULL, "[broken" },
		{ "* OK [A] (\"{5}", "", "OK", "A", "(\"{5}" },
		{ "+ [X] go on", "", "", "X", "go on" },
		{ "+", "", "", NULL, "" }
	};
	struct imap_response *resp;
	const char *error;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		resp = parse(tests[i].line, strlen(tests[i].line), &error);
		if (!UNIT_CHECK(resp != NULL, "case %zu: %s", i, error))
			continue;
		UNIT_CHECK(strcmp(resp->tag, tests[i].tag) == 0 &&
			   strcmp(resp->name, tests[i].name) == 0 &&
			   strcmp(resp->text, tests[i].text) == 0 &&
			   (resp->code == NULL) == (tests[i].code == NULL) &&
			   (resp->code == NULL ||
			    strcmp(resp->code, tests[i].code) == 0),
			   "case %zu: %s", i, resp->text);
		imap_response_free(&resp);
	}
}

static void test_nonsense(void)
{
	static const char *const lines[] = {
		"", "*", "* ", "A1", "A1 ", "A1 LIST ()", "* LIST (",
		"* LIST )", "* LIST (\"", "* LIST (\"\\", "* LIST ({5}",
		"* LIST ({5}\r\nab", "* LIST ({99999999999999999999}\r\n",
		"* LIST {x}\r\n", "* LIST ~{", "* LIST (() () (", "* 5"
	};
	struct imap_response *resp;
	const char *error;
	size_t i;

	for (i = 0; i < N_ELEMENTS(lines); i++) {
		resp = parse(lines[i], strlen(lines[i]), &error);
		UNIT_CHECK(resp == NULL && strcmp(error, "none") != 0,
			   "case %zu: %s", i, lines[i]);
		imap_response_free(&resp);
	}
}

static void test_bad_fetches(void)
{
	static const char *const lines[] = {
		"* FETCH (UID 1)", "* 1 FETCH", "* 1 FETCH UID", "* 1 FETCH (UID)",
		"* 1 FETCH (UID x)", "* 1 FETCH (UID 4294967296)",
		"* 1 FETCH (UID (1))", "* 1 FETCH ((UID) 1)",
		"* 1 FETCH (FLAGS NIL)", "* 1 FETCH (RFC822.SIZE -1)",
		"* 1 FETCH (INTERNALDATE NIL)", "* 1 FETCH (MODSEQ 5)",
		"* 4294967296 FETCH (UID 1)", "* 1 EXISTS"
	};
	struct imap_response *resp;
	struct imap_fetch fetch;
	const char *error;
	size_t i;

	for (i = 0; i < N_ELEMENTS(lines); i++) {
		resp = parse(lines[i], strlen(lines[i]), &error);
		UNIT_CHECK(resp == NULL || !imap_parse_fetch(resp, &fetch),
			   "case %zu: %s", i, lines[i]);
		imap_response_free(&resp);
	}
}

static void test_nesting(void)
{
	char line[IMAP_MAX_NESTING * 2 + 100] = "* X ";
	struct imap_response *resp;
	const char *error;

	memset(line + 4, '(', IMAP_MAX_NESTING + 1);
	memset(line + IMAP_MAX_NESTING + 5, ')', IMAP_MAX_NESTING + 1);
	resp = parse(line, IMAP_MAX_NESTING * 2 + 6, &error);
	CU_ASSERT_PTR_NULL(resp);
	CU_ASSERT_STRING_EQUAL(error, "too many parentheses");
	memset(line + 4, '(', IMAP_MAX_NESTING);
	memset(line + IMAP_MAX_NESTING + 4, ')', IMAP_MAX_NESTING);
	resp = parse(line, IMAP_MAX_NESTING * 2 + 4, &error);
	CU_ASSERT_PTR_NOT_NULL(resp);
	imap_response_free(&resp);
}

/* Damaged responses: an answer each time, and nothing read beyond. */
static void test_damaged(void)
{
	static const char good[] = "* 5 FETCH (UID 7 FLAGS (\\Seen) BODY[TEXT "
		"(A B)]<5> {3}\r\nabc\0 INTERNALDATE \"a\\\"b\" ~{1}\r\nx\0)";
	struct imap_response *resp;
	struct imap_fetch fetch;
	const char *error;
	char line[sizeof(good)];
	unsigned int round, i, parsed = 0;

	srandom(11);
	for (round = 0; round < 50000; round++) {
		memcpy(line, good, sizeof(good));
		for (i = 0; i < 1 + round % 3; i++)
			line[(size_t)random() % (sizeof(good) - 1)] =
				round % 2 == 0 ? (char)random() :
				"(){}\"\\[]\r\n 0~"[random() % 14];
		resp = parse(line, round % 4 == 0 ? (size_t)random() %
			     sizeof(good) : sizeof(good) - 1, &error);
		if (resp != NULL) {
			parsed++;
			(void)imap_parse_fetch(resp, &fetch);
			imap_response_free(&resp);
		}
	}
	CU_ASSERT(parsed > 100 && parsed < round);
}

static void test_literals(void)
{
	static const struct {
		const char *line;
		bool literal, body;
		uint64_t size;
	} tests[] = {
		{ "* 5 FETCH (BODY[] {12}", true, true, 12 },
		{ "* 5 FETCH (BODY[]<7> {12}", true, true, 12 },
		{ "* 5 FETCH (BODY[HEADER.FIELDS (A)] {0}", true, true, 0 },
		{ "* 5 FETCH (BINARY[1] ~{12}", true, true, 12 },
		{ "* 5 FETCH (RFC822 {12}", true, true, 12 },
		{ "* 5 FETCH (ENVELOPE ({12}", true, false, 12 },
		{ "* LIST () \"/\" {12+}", true, false, 12 },
		{ "* LIST [] {12}", true, false, 12 },
		{ "{12}", true, false, 12 },
		{ "] {12}", true, false, 12 },
		{ "> {1}", true, false, 1 },
		{ "{}", false, false, 0 }, { "}", false, false, 0 },
		{ "{12", false, false, 0 }, { "{1x}", false, false, 0 },
		{ "{12} ", false, false, 0 },
		{ "{99999999999999999999}", false, false, 0 },
		{ "{000000000000000000000000000001}", false, false, 0 }
	};
	uint64_t size;
	bool body, literal;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		size = 0;
		body = false;
		literal = imap_line_literal(tests[i].line,
					    strlen(tests[i].line), &size,
					    &body);
		UNIT_CHECK(literal == tests[i].literal &&
			   (!literal || (size == tests[i].size &&
					 body == tests[i].body)),
			   "case %zu: %d %d %llu", i, literal, body,
			   (unsigned long long)size);
	}
}

static void test_uidsets(void)
{
	static const struct {
		const char *set;
		size_t count;
		uint32_t last;
	} tests[] = {
		{ "1", 1, 1 }, { "1:3,7", 4, 7 }, { "3:1", 3, 3 },
		{ "4294967295", 1, 4294967295U }, { "", 0, 0 }, { "*", 0, 0 },
		{ "1:*", 0, 0 }, { "0", 0, 0 }, { "1,", 0, 0 }, { "1:", 0, 0 },
		{ "4294967296", 0, 0 }, { "1:4294967295", 0, 0 }, { "1 2", 0, 0 }
	};
	uint32_t *uids;
	size_t i, count;
	int ret;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		ret = imap_parse_uidset(tests[i].set, &uids, &count);
		UNIT_CHECK(ret == (tests[i].count > 0 ? 0 : -1) &&
			   count == tests[i].count &&
			   (count == 0 || uids[count - 1] == tests[i].last),
			   "case %zu", i);
		free(uids);
	}
}

static void test_codes(void)
{
	uint32_t uidvalidity;
	char *from, *to;

	CU_ASSERT_FATAL(imap_parse_appenduid("APPENDUID 5 7:9", &uidvalidity,
					     &from));
	CU_ASSERT_EQUAL(uidvalidity, 5);
	CU_ASSERT_STRING_EQUAL(from, "7:9");
	free(from);
	CU_ASSERT_FATAL(imap_parse_copyuid("copyuid 5 1,3 8:9", &uidvalidity,
					   &from, &to));
	CU_ASSERT_STRING_EQUAL(from, "1,3");
	CU_ASSERT_STRING_EQUAL(to, "8:9");
	free(from);
	free(to);
	CU_ASSERT(!imap_parse_copyuid("COPYUID 5 1,3", &uidvalidity, &from,
				      &to));
	CU_ASSERT(!imap_parse_copyuid("COPYUID", &uidvalidity, &from, &to));
	CU_ASSERT(!imap_parse_copyuid(NULL, &uidvalidity, &from, &to));
	CU_ASSERT(!imap_parse_appenduid("APPENDUID x 7", &uidvalidity, &from));
}

static void test_dates(void)
{
	static const struct {
		time_t instant;
		int zone;
		const char *date;
	} tests[] = {
		{ 0, 0, " 1-Jan-1970 00:00:00 +0000" },
		{ 917843523, -210, " 1-Feb-1999 01:02:03 -0330" },
		{ 2145916799, 840, " 1-Jan-2038 13:59:59 +1400" },
		{ 951782400, 0, "29-Feb-2000 00:00:00 +0000" }
	};
	static const char *const bad[] = {
		"", "x", "1-Jan-1970", "1-Xxx-1970 00:00:00 +0000",
		"1-anF-1970 00:00:00 +0000", "1-Jan-1970 00:00:00 0000",
		"1-Jan-1970 00:00:00 +000", "1-Jan-1970 00:00:00 +0000 ",
		"1-Ja-1970 00:00:00 +0000"
	};
	char date[IMAP_DATE_SIZE];
	time_t instant;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		imap_format_date(tests[i].instant, tests[i].zone, date);
		UNIT_CHECK(strcmp(date, tests[i].date) == 0, "case %zu: %s", i,
			   date);
		UNIT_CHECK(imap_parse_date(date, &instant) == 0 &&
			   instant == tests[i].instant, "case %zu", i);
	}
	for (i = 0; i < N_ELEMENTS(bad); i++)
		UNIT_CHECK(imap_parse_date(bad[i], &instant) < 0, "bad %zu", i);
}

static void test_mutf7(void)
{
	static const struct {
		const char *utf8, *name;
	} tests[] = {
		{ "INBOX", "INBOX" }, { "R&D", "R&-D" }, { "&", "&-" },
		{ "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
		{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac"
		  "\xe8\xaa\x9e", "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
		{ "\xf0\x9f\x9a\x80", "&2D3egA-" }, { "\t", "&AAk-" },
		{ "", "" }
	};
	static const char *const bad_utf8[] = {
		"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "a\xe2\x82"
	};
	static const char *const bad_names[] = {
		"&", "&AP", "&AP!-", "&2D0-", "&3oA-", "&AAA-", "&APwAA-"
	};
	char *result;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		result = mutf7_encode(tests[i].utf8);
		UNIT_CHECK(result != NULL && strcmp(result, tests[i].name) == 0,
			   "encode %zu: %s", i, result);
		free(result);
		result = mutf7_decode(tests[i].name);
		UNIT_CHECK(result != NULL && strcmp(result, tests[i].utf8) == 0,
			   "decode %zu: %s", i, result);
		free(result);
	}
	for (i = 0; i < N_ELEMENTS(bad_utf8); i++)
		UNIT_CHECK(mutf7_encode(bad_utf8[i]) == NULL, "bad %zu", i);
	for (i = 0; i < N_ELEMENTS(bad_names); i++)
		UNIT_CHECK(mutf7_decode(bad_names[i]) == NULL, "name %zu", i);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "FETCH", test_fetch },
		{ "status responses", test_status },
		{ "nonsense", test_nonsense },
		{ "bad FETCHes", test_bad_fetches },
		{ "nesting", test_nesting },
		{ "damaged responses", test_damaged },
		{ "literals", test_literals },
		{ "UID sets", test_uidsets },
		{ "APPENDUID and COPYUID", test_codes },
		{ "dates", test_dates },
		{ "modified UTF-7", test_mutf7 },
		{ NULL, NULL }
	};

	return unit_run("imap-parse", tests);
}
