/*
 * test-late-kill: a delivery of late mail is killed at each call that changes a
 * file, and begun again: the mail is there once, in each store
 *
 * The script puts it into two mailboxes, so that some of the kills come between
 * them.
 */
#include "faulty-deliver.h"
#include "late-mail.h"

#include <stdio.h>
#include <string.h>

/* more than any delivery has */
#define MAX_CALLS 500
/* a delivery can't have less: two mailboxes, two syncs, a record */
#define MIN_KILLS 10

static const char script[] =
	"require [\"fileinto\", \"copy\"];\nfileinto :copy \"Trash\";\n";

static bool has_sieve;

static bool settle_in(void)
{
	has_sieve = case_has_module("lib90_sieve_plugin.so");
	return faulty_deliver_init(CASE_MANUAL) &&
		case_migration("fill -u %s", case_user(0)) &&
		case_migration("cutover -u %s", case_user(0)) &&
		late_mail_sieve(0, script);
}

static bool is_there_once(const char *id)
{
	return late_mail_kept(0, "INBOX", id, "") &&
		(!has_sieve || late_mail_kept(0, "Trash", id, ""));
}

/* Returns 1 when it was killed and all was well, 0 when it wasn't, -1. */
static int kill_at(unsigned int n)
{
	char fault[40], id[60];
	struct late_mail mail = { .id = id };
	const char *line;
	bool killed;

	snprintf(id, sizeof(id), "kill-%u@late", n);
	snprintf(fault, sizeof(fault), "kill any %u", n);
	if (!faulty_deliver_set(fault))
		return -1;
	line = late_mail_give(0, &mail);
	killed = strcmp(line, "lost") == 0;
	if (!UNIT_CHECK(killed || strcmp(line, "OK") == 0, "%u: '%s'", n,
			line) || !faulty_deliver_set(""))
		return -1;
	mail.begun = LATE_DATE;
	if (killed && (!faulty_deliver_unlock(0) || !late_mail_ok(0, &mail)))
		return -1;
	return is_there_once(id) ? killed : -1;
}

static void killed_at_each_call(void)
{
	unsigned int n, killed = 0;
	int ret = 1;

	for (n = 1; n < MAX_CALLS && ret > 0; n++) {
		if ((ret = kill_at(n)) > 0)
			killed++;
	}
	UNIT_CHECK(ret == 0 && killed > MIN_KILLS, "%u were killed", killed);
	printf("\n    killed at each of %u calls\n    ", killed);
}

static void test_store(const char *store)
{
	const char *const args[] = {
		"--users", "1", "--messages", "20", "--folders", "2",
		"--no-milter", "--store", store, NULL
	};
	struct lab *lab;

	if (case_lab_up(args, NULL) != 0)
		return;
	lab = case_lab;
	if (settle_in())
		killed_at_each_call();
	case_lab_down(&lab);
}

static void test_sdbox(void)
{
	test_store("sdbox");
}

static void test_mdbox(void)
{
	test_store("mdbox");
}

static void test_maildir(void)
{
	test_store("maildir");
}

static const struct unit_test tests[] = {
	{ "sdbox", test_sdbox },
	{ "mdbox", test_mdbox },
	{ "Maildir", test_maildir },
	{ NULL, NULL }
};

int main(void)
{
	const struct case_program program = {
		.name = "test-late-kill",
		.tests = tests,
	};

	return case_main(&program);
}
