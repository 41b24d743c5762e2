/*
 * test-cutover-large: a message of 200 MB in 64 MB of memory
 */
#include "case.h"

#include <stdlib.h>
#include <sys/resource.h>

#define MESSAGE_BYTES (200UL * 1024 * 1024)
#define MEMORY_KB (64L * 1024)

static bool append_large(void)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);
	size_t size;
	char *data = case_message("large@case.example", MESSAGE_BYTES, &size);
	bool ok = client != NULL &&
		imap_append(client, "INBOX", NULL, NULL, data, size, NULL) ==
		IMAP_OK;

	UNIT_CHECK(ok, "APPEND: %s", client == NULL ? "" : imap_error(client));
	free(data);
	imap_logout(&client);
	return ok;
}

/* The largest of all children so far: doveadm is. */
static long children_kb(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_CHILDREN, &usage);
	return usage.ru_maxrss;
}

static void memory_stays_flat(void)
{
	struct snapshot *old, *new;
	long kb;

	if (!append_large())
		return;
	UNIT_CHECK(children_kb() < MEMORY_KB, "%ld KB before it began",
		   children_kb());
	case_migration("fill -u %s", case_user(0));
	kb = children_kb();
	case_migration("cutover -u %s", case_user(0));
	case_is_state(0, "*", "local");
	printf("\n    doveadm took %ld KB\n    ", kb);
	UNIT_CHECK(children_kb() < MEMORY_KB, "%ld KB", children_kb());
	old = case_snapshot("OLD", 0, false);
	new = case_snapshot("NEW", 0, false);
	case_same(&old, &new, SNAPSHOT_IGNORE_UIDNEXT, "cut over");
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "memory stays flat with a message of 200 MB", memory_stays_flat },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "1", "--messages", "20", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-cutover-large",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL,
	};

	return case_main(&program);
}
