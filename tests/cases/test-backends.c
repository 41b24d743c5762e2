/*
 * test-backends: two new servers, each in a network namespace of its own, with
 * half of the users each. Their services know of each other by a dict (Redis),
 * and share the old server's limits; rsyslog has the lines of both.
 */
#include "case.h"

#include <stdio.h>
#include <string.h>

#define USERS 4
#define LINE_SIZE 512
/* as scheduler-backends.h has it: a look, and half as much */
#define LOOK_MS 15000

static const char *const lab[] = {
	"--users", "4", "--messages", "40", "--folders", "2", "--no-milter",
	NULL
};

/* How many lines of all backends have both texts. */
static unsigned int log_count(const char *text, const char *other)
{
	char path[LINE_SIZE], line[LINE_SIZE * 4];
	unsigned int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/log/backends.log", case_get("DIR"));
	if ((file = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strstr(line, text) != NULL && strstr(line, other) != NULL)
			count++;
	}
	fclose(file);
	return count;
}

struct wanted {
	const char *text, *other;
};

static bool is_logged(void *context)
{
	const struct wanted *wanted = context;

	return log_count(wanted->text, wanted->other) > 0;
}

static bool wait_log(const char *text, const char *other)
{
	struct wanted wanted = { text, other };

	return UNIT_CHECK(wait_until(is_logged, &wanted, LOOK_MS),
			  "no line with %s, %s", text, other);
}

static bool has_crashed(void)
{
	return log_count("Panic", "") + log_count("killed with signal", "") > 0;
}

/* doveadm migration STATUS of that backend has the text. */
static bool status_has(const char *backend, const char *text)
{
	return case_shell("'%s/bin/doveadm' -c '%s/%s/dovecot.conf' migration "
			  "status --watch --once | grep -q '%s'",
			  case_get("DIR"), case_get("DIR"), backend, text);
}

/* The second one knows it at once, the first at its next look. */
static void test_share(void)
{
	CU_ASSERT(case_shell("%s backends start", case_get("LAB")));
	CU_ASSERT(wait_log("backend2 dovecot: ", "event=backends count=2"));
	CU_ASSERT(status_has("backend2", " of 1 "));
}

static void test_all_local(void)
{
	char text[LINE_SIZE];
	unsigned int user, lines;

	CU_ASSERT(wait_log("backend1 dovecot: ", "users=2 unseen=0 moving=0 local=2"));
	CU_ASSERT(wait_log("backend2 dovecot: ", "users=2 unseen=0 moving=0 local=2"));
	for (user = 0; user < USERS; user++) {
		snprintf(text, sizeof(text), "user=%s mailbox=INBOX",
			 case_user(user));
		lines = log_count("event=cutover", text);
		UNIT_CHECK(lines == 1, "%s: %u lines", text, lines);
	}
}

/* One report of what both wrote. */
static void test_report(void)
{
	CU_ASSERT(case_shell("'%s' '%s/log/backends.log' | "
			     "grep -q '%u users; mailboxes: .* local'",
			     MIGRATION_REPORT, case_get("DIR"), USERS));
}

static void test_one_ends(void)
{
	CU_ASSERT(case_shell("%s backends stop backend1", case_get("LAB")));
	CU_ASSERT(wait_log("backend2 dovecot: ", "event=backends count=1"));
	CU_ASSERT(status_has("backend2", " of 2 "));
	CU_ASSERT(!has_crashed());
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "two share what one may have", test_share },
		{ "all of their users are local", test_all_local },
		{ "one report of both", test_report },
		{ "one ends", test_one_ends },
		{ NULL, NULL }
	};
	static const struct case_program program = {
		.name = "backends",
		.tests = tests,
		.lab_args = lab,
	};

	return case_main(&program);
}
