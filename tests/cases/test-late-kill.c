/*
 * test-late-kill: a delivery of late mail is killed at each call that changes a
 * file, and begun again: the mail is there once, in each store
 *
 * The script puts it into two mailboxes, so that some of the kills come between
 * them.
 */
#include "late-mail.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* more than any delivery has */
#define MAX_CALLS 500
/* a delivery can't have less: two mailboxes, two syncs, a record */
#define MIN_KILLS 10

static const char script[] =
	"require [\"fileinto\", \"copy\"];\nfileinto :copy \"Trash\";\n";

static bool has_sieve;

/* "" for none. */
static bool write_fault(const char *fault)
{
	return case_shell("echo '%s' >'%s/fault'", fault, case_get("DIR"));
}

/* What is started as migration-deliver. */
static bool write_wrapper(const char *path)
{
	FILE *file = fopen(path, "w");
	const char *dir = case_get("DIR");

	if (!UNIT_CHECK(file != NULL, "%s", path))
		return false;
	fprintf(file, "#!/bin/sh\nread -r FAULT <'%s/fault'\nexport FAULT\n"
		"LD_PRELOAD='%s' exec '%s/bin/migration-deliver' \"$@\"\n",
		dir, FAULT_AT, dir);
	fclose(file);
	return UNIT_CHECK(chmod(path, 0755) == 0, "chmod");
}

static bool settle_in(void)
{
	char path[200], settings[500];

	snprintf(path, sizeof(path), "%s/bin/deliver-faulty", case_get("DIR"));
	snprintf(settings, sizeof(settings), CASE_MANUAL
		 "service migration-deliver {\n  executable = %s\n}\n", path);
	has_sieve = case_has_module("lib90_sieve_plugin.so");
	return write_wrapper(path) && write_fault("") &&
		case_settings(settings, true) &&
		case_migration("fill -u %s", case_user(0)) &&
		case_migration("cutover -u %s", case_user(0)) &&
		late_mail_sieve(0, script);
}

static bool is_there_once(const char *id)
{
	return late_mail_kept(0, "INBOX", id, "") &&
		(!has_sieve || late_mail_kept(0, "Trash", id, ""));
}

/* A lock of Maildir's that was made and doesn't say yet whose it is: Dovecot
   waits two minutes before it removes it. */
static bool remove_empty_locks(void)
{
	return case_shell("find '%s/%s' -name dovecot-uidlist.lock "
			  "-empty -delete",
			  case_get("NEW_HOME"), case_user(0));
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
	if (!write_fault(fault))
		return -1;
	line = late_mail_give(0, &mail);
	killed = strcmp(line, "lost") == 0;
	if (!UNIT_CHECK(killed || strcmp(line, "OK") == 0, "%u: '%s'", n,
			line) || !write_fault(""))
		return -1;
	mail.begun = LATE_DATE;
	if (killed && (!remove_empty_locks() || !late_mail_ok(0, &mail)))
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
