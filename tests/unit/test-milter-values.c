/* test-milter-values: what migration-milter's settings are made of, and what it
   takes an address, a domain, a time and a spam header for */
#include "milter/config-values.h"
#include "milter/domain-set.h"
#include "milter/iso-time.h"
#include "milter/mail-address.h"
#include "milter/spam-header.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static void test_times(void)
{
	static const struct {
		const char *text;
		/* -1: refused */
		long long time;
	} tests[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-22T06:00:00Z", 1795327200 },
		{ "2026-11-22T07:00:00+01:00", 1795327200 },
		{ "2026-11-22T07:00+0100", 1795327200 },
		{ "2026-11-22T00:30-05:30", 1795327200 },
		{ "2024-02-29T00:00Z", 1709164800 },
		{ "2026-02-29T00:00Z", -1 },
		{ "2026-11-31T00:00Z", -1 },
		{ "2026-13-01T00:00Z", -1 },
		{ "2026-11-22T24:00Z", -1 },
		{ "2026-11-22T06:60Z", -1 },
		{ "2026-11-22T06:00:60Z", -1 },
		{ "2026-11-22T06:00", -1 },
		{ "2026-11-22T06:00:00", -1 },
		{ "2026-11-22 06:00Z", -1 },
		{ "2026-11-22", -1 },
		{ "2026-11-22T06:00+1", -1 },
		{ "2026-11-22T06:00+15:00", -1 },
		{ "2026-11-22T06:00Zulu", -1 },
		{ "tomorrow", -1 },
		{ "", -1 }
	};
	char text[ISO_TIME_SIZE];
	time_t when;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		if (!iso_time_parse(tests[i].text, &when))
			when = -1;
		UNIT_CHECK(when == tests[i].time, "%s: %lld", tests[i].text,
			   (long long)when);
	}
	CU_ASSERT_STRING_EQUAL(iso_time_format(1795327200, text),
			       "2026-11-22T06:00:00Z");
}

static void test_sockets(void)
{
	static const struct {
		const char *text;
		bool good;
	} tests[] = {
		{ "inet:8891@127.0.0.1", true },
		{ "inet:8891@localhost", true },
		{ "inet6:8891@[::1]", true },
		{ "inet:milter@localhost", true },
		{ "local:/run/migration-milter/socket", true },
		{ "unix:/run/migration-milter/socket", true },
		{ "inet:127.0.0.1:8891", false },
		{ "inet:8891", false },
		{ "inet:0@localhost", false },
		{ "inet:65536@localhost", false },
		{ "inet:123456789012@localhost", false },
		{ "inet:@localhost", false },
		{ "inet:8891@", false },
		{ "local:run/socket", false },
		{ "/run/socket", false },
		{ "tcp:8891@localhost", false },
		{ "", false },
		{ "local:/0123456789012345678901234567890123456789012345678901"
		  "2345678901234567890123456789012345678901234567890123456789",
		  false }
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		UNIT_CHECK((config_socket(tests[i].text) == NULL) ==
			   tests[i].good, "%s", tests[i].text);
	}
}

static void test_numbers(void)
{
	unsigned int number = 7;
	mode_t mask = 0;

	CU_ASSERT_PTR_NULL(config_number("60", 1, 3600, &number));
	CU_ASSERT_EQUAL(number, 60);
	CU_ASSERT_PTR_NOT_NULL(config_number("0", 1, 3600, &number));
	CU_ASSERT_PTR_NOT_NULL(config_number("3601", 1, 3600, &number));
	CU_ASSERT_PTR_NOT_NULL(config_number("99999999999", 1, 9, &number));
	CU_ASSERT_PTR_NOT_NULL(config_number("-1", 1, 3600, &number));
	CU_ASSERT_PTR_NOT_NULL(config_number("60s", 1, 3600, &number));
	CU_ASSERT_PTR_NOT_NULL(config_number("", 1, 3600, &number));
	CU_ASSERT_EQUAL(number, 60);
	CU_ASSERT_PTR_NULL(config_umask("007", &mask));
	CU_ASSERT_EQUAL(mask, 07);
	CU_ASSERT_PTR_NULL(config_umask("0117", &mask));
	CU_ASSERT_EQUAL(mask, 0117);
	CU_ASSERT_PTR_NOT_NULL(config_umask("7", &mask));
	CU_ASSERT_PTR_NOT_NULL(config_umask("008", &mask));
	CU_ASSERT_PTR_NOT_NULL(config_umask("1007", &mask));
	CU_ASSERT_PTR_NOT_NULL(config_host(""));
	CU_ASSERT_PTR_NOT_NULL(config_host("a b"));
	CU_ASSERT_PTR_NULL(config_host("mx1.example.org"));
}

static bool has(const struct domain_set *set, const char *name)
{
	return domain_set_has(set, name, strlen(name));
}

static void test_domains(void)
{
	static const char *const there[] = {
		"example.org", "EXAMPLE.org", "example.org.",
		"m\xc3\xbcnchen.example", "M\xc3\x9cNCHEN.example",
		"mu\xcc\x88nchen.example", "xn--mnchen-3ya.example",
		"XN--MNCHEN-3YA.EXAMPLE", "xn--bcher-kva.example",
		"b\xc3\xbc" "cher.example", "Zz.example"
	};
	static const char *const missing[] = {
		"", ".", "org", "sub.example.org", "example.org.evil",
		"example.orgx", "munchen.example", "\xff\xfe.example",
		"example.org\n"
	};
	struct domain_set *set = domain_set_init();
	size_t i;

	CU_ASSERT_PTR_NULL(domain_set_add(set, "Example.ORG"));
	CU_ASSERT_PTR_NULL(domain_set_add(set, "zz.example"));
	CU_ASSERT_PTR_NULL(domain_set_add(set, "m\xc3\xbcnchen.example"));
	CU_ASSERT_PTR_NULL(domain_set_add(set, "xn--bcher-kva.example"));
	CU_ASSERT_PTR_NULL(domain_set_add(set, "example.org."));
	CU_ASSERT_EQUAL(domain_set_count(set), 4);
	for (i = 0; i < N_ELEMENTS(there); i++)
		UNIT_CHECK(has(set, there[i]), "%s is missing", there[i]);
	for (i = 0; i < N_ELEMENTS(missing); i++)
		UNIT_CHECK(!has(set, missing[i]), "%s is there", missing[i]);
	CU_ASSERT_PTR_NOT_NULL(domain_set_add(set, "user@example.org"));
	CU_ASSERT_PTR_NOT_NULL(domain_set_add(set, "a..b"));
	CU_ASSERT_PTR_NOT_NULL(domain_set_add(set, "*.example"));
	CU_ASSERT_PTR_NOT_NULL(domain_set_add(set, ""));
	CU_ASSERT_PTR_NOT_NULL(domain_set_add(set, "\xff.example"));
	CU_ASSERT_EQUAL(domain_set_count(set), 4);
	domain_set_deinit(&set);
}

static void test_many_domains(void)
{
	struct domain_set *set = domain_set_init();
	char name[32];
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "d%u.example", i * 7919 % 1000);
		CU_ASSERT_PTR_NULL(domain_set_add(set, name));
	}
	CU_ASSERT_EQUAL(domain_set_count(set), 1000);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "d%u.example", i);
		UNIT_CHECK(has(set, name), "%s", name);
	}
	CU_ASSERT(!has(set, "d1000.example"));
	domain_set_deinit(&set);
}

static void test_addresses(void)
{
	static const struct {
		const char *address, *domain, *copy;
	} tests[] = {
		{ "<a@b.example>", "b.example", "<a@b.example>" },
		{ "a@b.example", "b.example", "<a@b.example>" },
		{ "<\"a@c\"@b.example>", "b.example", "<\"a@c\"@b.example>" },
		{ "<@x,@y:a@b.example>", "b.example", "<@x,@y:a@b.example>" },
		{ "<\xc3\xbc@\xc3\xbc.example>", "\xc3\xbc.example",
		  "<\xc3\xbc@\xc3\xbc.example>" },
		{ "<>", NULL, "<>" },
		{ "", NULL, "<>" },
		{ "<postmaster>", NULL, "<postmaster>" },
		{ "<a@>", NULL, "<a@>" },
		{ "a@", NULL, "<a@>" }
	};
	const char *domain;
	char *copy;
	size_t i, size;
	bool found;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		found = mail_address_domain(tests[i].address, &domain, &size);
		UNIT_CHECK(found == (tests[i].domain != NULL) &&
			   (!found || (size == strlen(tests[i].domain) &&
				       memcmp(domain, tests[i].domain,
					      size) == 0)),
			   "%s", tests[i].address);
		copy = mail_address_dup(tests[i].address);
		CU_ASSERT_STRING_EQUAL(copy, tests[i].copy);
		free(copy);
	}
}

static void test_spam(void)
{
	static const struct {
		const char *name, *value;
		bool spam;
	} tests[] = {
		{ "X-Spam-Flag", "YES", true },
		{ "x-spam-flag", " yes", true },
		{ "X-Spam-Flag", "\r\n\tYES", true },
		{ "X-Spam-Flag", "NO", false },
		{ "X-Spam-Flag", "", false },
		{ "X-Spam-Flag", "YESTERDAY", false },
		{ "X-Spam-Status", "Yes, score=9.1", true },
		{ "X-Spam-Status", "No, score=Yes", false },
		{ "X-Junk", "", true },
		{ "X-Junk", "whatever", true },
		{ "X-Spam", "YES", false },
		{ "X-Spam-Flags", "YES", false }
	};
	struct spam_header *list = NULL;
	size_t i;

	CU_ASSERT(!spam_header_matches(list, "X-Spam-Flag", "YES"));
	CU_ASSERT_PTR_NULL(spam_header_add(&list, "X-Spam-Flag: YES"));
	CU_ASSERT_PTR_NULL(spam_header_add(&list, "X-Spam-Status:yes"));
	CU_ASSERT_PTR_NULL(spam_header_add(&list, "X-Junk"));
	CU_ASSERT_PTR_NOT_NULL(spam_header_add(&list, "X-Spam-Flag YES"));
	CU_ASSERT_PTR_NOT_NULL(spam_header_add(&list, ": YES"));
	CU_ASSERT_PTR_NOT_NULL(spam_header_add(&list, "X: YES or NO"));
	CU_ASSERT_PTR_NOT_NULL(spam_header_add(&list, ""));
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		UNIT_CHECK(spam_header_matches(list, tests[i].name,
					       tests[i].value) ==
			   tests[i].spam, "%s: %s", tests[i].name,
			   tests[i].value);
	}
	spam_header_free(&list);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "times", test_times },
		{ "sockets", test_sockets },
		{ "numbers and names", test_numbers },
		{ "domains", test_domains },
		{ "1,000 domains", test_many_domains },
		{ "addresses", test_addresses },
		{ "spam headers", test_spam },
		{ NULL, NULL }
	};

	return unit_run("milter-values", tests);
}
