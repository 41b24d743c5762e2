/* test-arrival-tag: tags as made and checked, and the mail that they are bound to */
#include "arrival-unit.h"
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* Computed without our code: Python's hmac and hashlib over what arrival-tag.h
   says, the first one with `openssl dgst -mac HMAC` as well. */
static void test_known_answers(void)
{
	static char host[ARRIVAL_HOST_MAX + 1], id[ARRIVAL_ID_MAX + 1];
	static char key256[ARRIVAL_KEY_MAX + 1];
	const struct {
		const char *key;
		enum arrival_at at;
		const char *host, *id;
		int64_t time;
		struct header headers[HEADERS_MAX];
		const char *signature;
	} tests[] = {
		{ KEY, ARRIVAL_AT_NEW, "mx1.new.example", "4XyZ", TIME,
		  { MAIL }, "GBi-qdysjU9gAoUQxL9dsQ" },
		{ KEY, ARRIVAL_AT_OLD, "mx1.new.example", "4XyZ", TIME,
		  { MAIL }, "4YyjcSFKGzHTahrZ5oEgag" },
		{ "sixteen-bytes-16", ARRIVAL_AT_NEW, "mx1.new.example", "4XyZ",
		  TIME, { MAIL }, "P5EX4QXjA7ZtMSNjk5mNCw" },
		{ key256, ARRIVAL_AT_NEW, "mx1.new.example", "4XyZ", TIME,
		  { MAIL }, "K8ZCupZz2JzG5P95pbkbHw" },
		{ KEY, ARRIVAL_AT_OLD, "localhost", "6AM5hQ12012345", 0,
		  { { NULL, NULL } }, "Fa7qKDuRgXrnR4GAO-G5fw" },
		{ KEY, ARRIVAL_AT_OLD, host, id, INT64_C(999999999999999999),
		  { MAIL }, "IjwkIt47E0fT9KdlOEIUqw" },
		{ KEY, ARRIVAL_AT_NEW, "mx_1.example", "1abcDE-000123-AB", 1,
		  { { "Message-ID", "" } }, "tmNsrIQcUtVla-17fX3DHg" },
		{ KEY, ARRIVAL_AT_NEW, "mx", "a", 1,
		  { MAIL, { "Message-ID", "<2@mail.example.net>" } },
		  "RMCg5XCscGDdnB0ie1nvrQ" },
		{ KEY, ARRIVAL_AT_NEW, "mx", "a", 1,
		  { { "From", "\xfc\xff\x80 \"B \\\\ \\\"C\" <\xc3\xbc@example.net>" } },
		  "sxVnzTmBWYoxUDdMEGg76Q" }
	};
	struct arrival_tag tag;
	char expected[ARRIVAL_VALUE_SIZE];
	const char *value;
	size_t i;

	memset(host, 'h', ARRIVAL_HOST_MAX);
	memset(id, 'I', ARRIVAL_ID_MAX);
	memset(key256, 'k', ARRIVAL_KEY_MAX);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		tag.at = tests[i].at;
		tag.time = tests[i].time;
		strcpy(tag.host, tests[i].host);
		strcpy(tag.id, tests[i].id);
		snprintf(expected, sizeof(expected),
			 "v=1; at=%s; host=%s; id=%s; t=%lld; s=%s",
			 tag.at == ARRIVAL_AT_OLD ? "old" : "new", tag.host,
			 tag.id, (long long)tag.time, tests[i].signature);
		value = make(tests[i].key, &tag, tests[i].headers);
		UNIT_CHECK(strcmp(value, expected) == 0, "case %zu: %s", i,
			   value);
		UNIT_CHECK(check(tests[i].key, value, strlen(value),
				 tests[i].headers) == ARRIVAL_VALID,
			   "case %zu isn't valid", i);
	}
}

static void test_fields_come_back(void)
{
	const char *value = make(KEY, &mail_tag, mail_headers), *error;
	struct arrival_key *key = new_key(KEY);
	struct arrival_mail *mail = new_mail(mail_headers);
	struct arrival_tag tag;

	CU_ASSERT_EQUAL(arrival_tag_check(key, value, strlen(value), mail, &tag,
					  &error), ARRIVAL_VALID);
	CU_ASSERT_EQUAL(tag.at, ARRIVAL_AT_NEW);
	CU_ASSERT_STRING_EQUAL(tag.host, "mx1.new.example");
	CU_ASSERT_STRING_EQUAL(tag.id, "4XyZ");
	CU_ASSERT_EQUAL(tag.time, TIME);
	arrival_mail_deinit(&mail);
	arrival_key_free(&key);
}

/* Against the mail that was tagged with mail_headers. */
static void test_other_headers(void)
{
	static const struct {
		struct header headers[HEADERS_MAX];
		enum arrival_result result;
	} tests[] = {
		{ { MAIL }, ARRIVAL_VALID },
		/* what relays do */
		{ { { "FROM", "Alice <alice@example.net>" },
		    { "message-id", "<1@mail.example.net>" },
		    { "Received", "from x" },
		    { "dAtE", "Sun, 22 Nov 2026 03:00:00 +0000" } },
		  ARRIVAL_VALID },
		{ { { "Message-ID", "<1@mail.example.net>" },
		    { "Date", "Sun, 22 Nov 2026 03:00:00 +0000" },
		    { "From", "\"Alice\" <alice@example\\.net>" } },
		  ARRIVAL_VALID },
		{ { { "Message-ID ", "\r\n <1@mail.example.net> \t" },
		    { "Date\t", "Sun,22\tNov 2026\n 03:00:00   +0000\r\n" },
		    { "From", "  Alice\r\n\t<alice\r\n @example.net>" } },
		  ARRIVAL_VALID },
		/* another mail */
		{ { { "Message-ID", "<2@mail.example.net>" },
		    { "Date", "Sun, 22 Nov 2026 03:00:00 +0000" },
		    { "From", "Alice <alice@example.net>" } }, ARRIVAL_FORGED },
		{ { { "Message-ID", "<1@mail.example.net>" },
		    { "Date", "Sun, 22 Nov 2026 03:00:01 +0000" },
		    { "From", "Alice <alice@example.net>" } }, ARRIVAL_FORGED },
		{ { { "Message-ID", "<1@mail.example.net>" },
		    { "Date", "Sun, 22 Nov 2026 03:00:00 +0000" },
		    { "From", "alice <alice@example.net>" } }, ARRIVAL_FORGED },
		/* missing, empty, other white space */
		{ { { NULL, NULL } }, ARRIVAL_FORGED },
		{ { { "Date", "Sun, 22 Nov 2026 03:00:00 +0000" },
		    { "From", "Alice <alice@example.net>" } }, ARRIVAL_FORGED },
		{ { { "Message-ID", "" },
		    { "Date", "Sun, 22 Nov 2026 03:00:00 +0000" },
		    { "From", "Alice <alice@example.net>" } }, ARRIVAL_FORGED },
		{ { { "Message-ID", "<1@mail.example.net>\v" },
		    { "Date", "Sun, 22 Nov 2026 03:00:00 +0000" },
		    { "From", "Alice <alice@example.net>" } }, ARRIVAL_FORGED },
		/* one more: an empty one, another in front or behind, the same */
		{ { MAIL, { "message-id", " \r\n" } }, ARRIVAL_VALID },
		{ { MAIL, { "From", "Mallory <mallory@example.org>" } },
		  ARRIVAL_FORGED },
		{ { { "From", "Mallory <mallory@example.org>" }, MAIL },
		  ARRIVAL_FORGED },
		{ { MAIL, { "From ", "Alice <alice@example.net>" } },
		  ARRIVAL_FORGED },
		/* one in two; one name's value under the other */
		{ { { "Message-ID", "<1@mail." }, { "Message-ID", "example.net>" },
		    { "Date", "Sun, 22 Nov 2026 03:00:00 +0000" },
		    { "From", "Alice <alice@example.net>" } }, ARRIVAL_FORGED },
		{ { { "Date", "<1@mail.example.net>" },
		    { "Message-ID", "Sun, 22 Nov 2026 03:00:00 +0000" },
		    { "From", "Alice <alice@example.net>" } }, ARRIVAL_FORGED },
		/* names that only resemble */
		{ { MAIL, { "Fro", "x" }, { "X-From", "x" }, { "From-", "x" },
		    { "", "x" }, { "Resent-Date", "x" } }, ARRIVAL_VALID }
	};
	const char *value = make(KEY, &mail_tag, mail_headers);
	enum arrival_result result;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		result = check(KEY, value, strlen(value), tests[i].headers);
		UNIT_CHECK(result == tests[i].result, "case %zu: %s", i,
			   arrival_result_name(result));
	}
}

/* Sendmail adds what's missing, and replaces what's empty, after the milters. */
static void test_added_headers(void)
{
	static const struct {
		struct header tagged[HEADERS_MAX], found[HEADERS_MAX];
		enum arrival_result result;
	} tests[] = {
		{ { { "From", "a" } }, { { "From", "a" }, { "Date", "b" } },
		  ARRIVAL_VALID },
		{ { { "Date", "a" } },
		  { { "From", "b" }, { "Date", "a" }, { "Message-ID", "c" } },
		  ARRIVAL_VALID },
		{ { { "From", "a" }, { "Message-ID", "" } },
		  { { "From", "a" }, { "Message-ID", "b" } }, ARRIVAL_VALID },
		{ { { "From", "a" }, { "Date", "b" } },
		  { { "From", "a" }, { "Date", "b" }, { "Message-ID", "c" } },
		  ARRIVAL_VALID },
		/* what was there must be there still */
		{ { { "From", "a" } }, { { "From", "b" }, { "Date", "b" } },
		  ARRIVAL_FORGED },
		{ { { "From", "a" }, { "Date", "b" } }, { { "From", "a" } },
		  ARRIVAL_FORGED },
		{ { { "From", "a" }, { "Date", "b" } },
		  { { "From", "a" }, { "Message-ID", "c" } }, ARRIVAL_FORGED },
		{ { { "From", "a" } },
		  { { "From", "a" }, { "From", "b" }, { "Date", "b" } },
		  ARRIVAL_FORGED },
		/* a tag for nothing is a tag for nothing */
		{ { { NULL, NULL } }, { { NULL, NULL } }, ARRIVAL_VALID },
		{ { { NULL, NULL } }, { { "From", "a" } }, ARRIVAL_FORGED },
		{ { { NULL, NULL } },
		  { { "From", "a" }, { "Date", "b" }, { "Message-ID", "c" } },
		  ARRIVAL_FORGED }
	};
	static const char *const keys = "the-second-key-signs\n" KEY "\n";
	enum arrival_result result;
	const char *value;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		value = make(KEY, &mail_tag, tests[i].tagged);
		result = check(keys, value, strlen(value), tests[i].found);
		UNIT_CHECK(result == tests[i].result, "case %zu: %s", i,
			   arrival_result_name(result));
	}
}

/* Two mails of which one could be taken for the other differ. */
static void test_no_sliding(void)
{
	static const struct header none[] = { { NULL, NULL } };
	static const struct {
		struct arrival_tag tag;
		struct header headers[HEADERS_MAX];
	} tests[] = {
		{ { ARRIVAL_AT_NEW, "a", "bc", 1 }, { { NULL, NULL } } },
		{ { ARRIVAL_AT_NEW, "ab", "c", 1 }, { { NULL, NULL } } },
		{ { ARRIVAL_AT_NEW, "a", "b", 11 }, { { NULL, NULL } } },
		{ { ARRIVAL_AT_NEW, "a", "b1", 1 }, { { NULL, NULL } } },
		{ { ARRIVAL_AT_OLD, "a", "bc", 1 }, { { NULL, NULL } } },
		{ { ARRIVAL_AT_NEW, "a", "bc", 1 }, { { "From", "xy" } } },
		{ { ARRIVAL_AT_NEW, "a", "bc", 1 }, { { "Date", "xy" } } },
		{ { ARRIVAL_AT_NEW, "a", "bc", 1 },
		  { { "From", "x" }, { "From", "y" } } },
		{ { ARRIVAL_AT_NEW, "a", "bc", 1 },
		  { { "From", "y" }, { "From", "x" } } },
		{ { ARRIVAL_AT_NEW, "a", "bc", 1 },
		  { { "From", "x" }, { "Date", "y" } } }
	};
	char signatures[N_ELEMENTS(tests)][32];
	size_t i, j;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		strcpy(signatures[i], strstr(make(KEY, &tests[i].tag,
						  tests[i].headers), "s="));
		for (j = 0; j < i; j++) {
			UNIT_CHECK(strcmp(signatures[i], signatures[j]) != 0,
				   "cases %zu and %zu", j, i);
		}
	}
	CU_ASSERT_STRING_EQUAL(signatures[0],
			       strstr(make(KEY, &tests[0].tag, none), "s="));
}

/* A header of a megabyte counts to its last byte. */
static void test_huge_header(void)
{
	static char huge[1000001];
	struct header headers[HEADERS_MAX] = { { "From", huge } };
	const char *value;

	memset(huge, 'x', sizeof(huge) - 1);
	value = make(KEY, &mail_tag, headers);
	CU_ASSERT_EQUAL(check(KEY, value, strlen(value), headers), ARRIVAL_VALID);
	huge[sizeof(huge) - 2] = 'y';
	CU_ASSERT_EQUAL(check(KEY, value, strlen(value), headers),
			ARRIVAL_FORGED);
}

/* Bytes behind a NUL count. */
static void test_nul(void)
{
	struct arrival_mail *mail = new_mail(mail_headers);
	struct arrival_key *key = new_key(KEY);
	struct arrival_tag tag;
	char value[ARRIVAL_VALUE_SIZE], bytes[] = "a\0b";
	const char *error;

	arrival_mail_begin(mail);
	arrival_mail_add(mail, "From", bytes, 3);
	arrival_mail_end(mail);
	CU_ASSERT_EQUAL(arrival_tag_make(key, &mail_tag, mail, value, &error), 0);
	bytes[2] = 'c';
	arrival_mail_begin(mail);
	arrival_mail_add(mail, "From", bytes, 3);
	arrival_mail_end(mail);
	CU_ASSERT_EQUAL(arrival_tag_check(key, value, strlen(value), mail, &tag,
					  &error), ARRIVAL_FORGED);
	arrival_mail_deinit(&mail);
	arrival_key_free(&key);
}

static void test_make_refuses(void)
{
	static const struct {
		const char *host, *id;
		int64_t time;
	} tests[] = {
		{ "", "4XyZ", TIME },
		{ "mx", "", TIME },
		{ "mx new", "4XyZ", TIME },
		{ "mx;at=old", "4XyZ", TIME },
		{ "mx\r\nBcc: x", "4XyZ", TIME },
		{ "\xc3\xbc.example", "4XyZ", TIME },
		{ "[192.0.2.1]", "4XyZ", TIME },
		{ "mx", "4X=yZ", TIME },
		{ "mx", "4XyZ\n", TIME },
		{ "mx", "4XyZ", -1 },
		{ "mx", "4XyZ", INT64_MIN },
		{ "mx", "4XyZ", INT64_C(1000000000000000000) }
	};
	struct arrival_key *key = new_key(KEY);
	struct arrival_mail *mail = new_mail(mail_headers);
	struct arrival_tag tag = { .at = ARRIVAL_AT_NEW };
	char value[ARRIVAL_VALUE_SIZE] = "x";
	const char *error;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		strcpy(tag.host, tests[i].host);
		strcpy(tag.id, tests[i].id);
		tag.time = tests[i].time;
		error = NULL;
		UNIT_CHECK(arrival_tag_make(key, &tag, mail, value,
					    &error) == -1 &&
			   error != NULL && value[0] == '\0', "case %zu", i);
	}
	/* not ended by a NUL */
	memset(tag.host, 'h', sizeof(tag.host));
	tag.time = TIME;
	CU_ASSERT_EQUAL(arrival_tag_make(key, &tag, mail, value, &error), -1);
	arrival_mail_deinit(&mail);
	arrival_key_free(&key);
}

static void test_key_change(void)
{
	static const char *const other = "no-server-knows-this-one";
	static const char *const old_new = KEY "\nthe-new-key-of-both\n";
	static const char *const new_old = "the-new-key-of-both\n" KEY "\n";
	static const struct {
		const char *signer, *verifier;
		enum arrival_result result;
	} tests[] = {
		{ KEY, KEY, ARRIVAL_VALID },
		/* each step, servers in either order */
		{ KEY, old_new, ARRIVAL_VALID },
		{ old_new, KEY, ARRIVAL_VALID },
		{ old_new, new_old, ARRIVAL_VALID },
		{ new_old, old_new, ARRIVAL_VALID },
		{ new_old, "the-new-key-of-both", ARRIVAL_VALID },
		{ "the-new-key-of-both", new_old, ARRIVAL_VALID },
		/* a step left out */
		{ new_old, KEY, ARRIVAL_FORGED },
		{ KEY, "the-new-key-of-both", ARRIVAL_FORGED },
		{ other, old_new, ARRIVAL_FORGED },
		{ other, new_old, ARRIVAL_FORGED }
	};
	const char *value;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		value = make(tests[i].signer, &mail_tag, mail_headers);
		UNIT_CHECK(check(tests[i].verifier, value, strlen(value),
				 mail_headers) == tests[i].result,
			   "case %zu", i);
	}
}

#define THREADS 4
#define ROUNDS 2000

struct shared {
	const struct arrival_key *key;
	unsigned int number, valid;
};

/* Mail after mail in one object; every other tag is the mail's before. */
static void *check_many(void *context)
{
	struct shared *shared = context;
	struct arrival_mail *mail = arrival_mail_init();
	struct arrival_tag tag = mail_tag;
	char value[2][ARRIVAL_VALUE_SIZE], id[32];
	const char *error;
	unsigned int i;

	value[1][0] = '\0';
	for (i = 0; i < ROUNDS; i++) {
		snprintf(id, sizeof(id), "<%u.%u@x>", shared->number, i);
		arrival_mail_begin(mail);
		arrival_mail_add(mail, "Message-ID", id, strlen(id));
		arrival_mail_end(mail);
		if (arrival_tag_make(shared->key, &tag, mail, value[i % 2],
				     &error) < 0)
			break;
		if (arrival_tag_check(shared->key, value[i % 2],
				      strlen(value[i % 2]), mail, &tag,
				      &error) == ARRIVAL_VALID &&
		    arrival_tag_check(shared->key, value[1 - i % 2],
				      strlen(value[1 - i % 2]), mail, &tag,
				      &error) != ARRIVAL_VALID)
			shared->valid++;
		tag = mail_tag;
	}
	arrival_mail_deinit(&mail);
	return NULL;
}

static void test_threads(void)
{
	struct arrival_key *key = new_key(KEY);
	struct shared shared[THREADS];
	pthread_t threads[THREADS];
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		shared[i].key = key;
		shared[i].number = i;
		shared[i].valid = 0;
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL,
						     check_many, &shared[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(shared[i].valid, ROUNDS);
	}
	arrival_key_free(&key);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "known answers", test_known_answers },
		{ "fields come back", test_fields_come_back },
		{ "other headers", test_other_headers },
		{ "headers added on the way", test_added_headers },
		{ "no field slides into the next", test_no_sliding },
		{ "a huge header", test_huge_header },
		{ "NUL", test_nul },
		{ "make refuses", test_make_refuses },
		{ "keys change", test_key_change },
		{ "threads", test_threads },
		{ NULL, NULL }
	};

	return unit_run("arrival-tag", tests);
}
