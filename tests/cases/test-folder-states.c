/*
 * test-folder-states: what is remembered of a folder goes with it (I1, I5)
 *
 * RENAME takes the digests, the lease and the states of all below along, and is
 * killed at each write: whatever is left, the next look at the folders ends it.
 * No state without a folder keeps CREATE from making one. Made and deleted
 * folders have the right state, also where a fill is at work meanwhile.
 */
#include "case.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 5
/* users: the last one is local all over */
enum { USER, FULLY_LOCAL };

static void append(const char *server, unsigned int user, const char *name,
		   const char *id)
{
	struct imap_client *client = case_imap(server, user);
	size_t size;
	char *data = case_message(id, 2000, &size);

	UNIT_CHECK(client != NULL &&
		   imap_append(client, name, NULL, NULL, data, size, NULL) ==
		   IMAP_OK, "APPEND to %s: %s", name,
		   client == NULL ? "" : imap_error(client));
	free(data);
	imap_logout(&client);
}

static enum imap_status
run(const char *server, unsigned int user, const char *command)
{
	struct imap_client *client = case_imap(server, user);
	enum imap_status status = IMAP_LOST;

	if (client != NULL) {
		status = imap_run(client, "%s", command);
		printf("%s%s", status == IMAP_OK ? "" : "\n    ",
		       status == IMAP_OK ? "" : imap_error(client));
	}
	imap_logout(&client);
	return status;
}

/* Messages in it, UINT32_MAX when it can't be selected. */
static uint32_t count(const char *server, unsigned int user, const char *name)
{
	struct imap_client *client = case_imap(server, user);
	struct imap_box box = { .exists = UINT32_MAX };

	if (client != NULL && imap_select(client, name, &box) != IMAP_OK)
		box.exists = UINT32_MAX;
	imap_logout(&client);
	return box.exists;
}

static bool lists(const char *server, unsigned int user, const char *name)
{
	struct imap_client *client = case_imap(server, user);
	bool found = false;

	if (client != NULL && UNIT_CHECK(imap_run(client, "LIST \"\" \"%s\"",
						  name) == IMAP_OK, "LIST: %s",
					 imap_error(client)))
		found = imap_find(imap_untagged(client), "LIST") != NULL;
	imap_logout(&client);
	return found;
}

static void make(const char *server, unsigned int user, const char *name,
		 unsigned int messages)
{
	char command[100], id[100];

	snprintf(command, sizeof(command), "CREATE %s", name);
	UNIT_CHECK(run(server, user, command) == IMAP_OK, "%s", command);
	for (unsigned int i = 0; i < messages; i++) {
		snprintf(id, sizeof(id), "%s-%u@case.example", name, i);
		append(server, user, name, id);
	}
}

/* Nothing was fetched again, and nothing differs. */
static void verifies(const char *mailbox, const char *what)
{
	unsigned int rebuilt = case_log_count("event=rebuild"),
		differ = case_log_count("event=mismatch");

	case_migration("verify -u %s %s", case_user(USER), mailbox);
	UNIT_CHECK(case_log_count("event=rebuild") == rebuilt &&
		   case_log_count("event=mismatch") == differ,
		   "%s: %s was fetched again", what, mailbox);
	case_is_state(USER, mailbox, "filled");
}

static void test_rename_takes_all(void)
{
	struct imap_client *client;
	struct imap_box box;
	unsigned int tag;

	make("OLD_IMAP_DIRECT", USER, "From", MESSAGES);
	make("OLD_IMAP_DIRECT", USER, "From.Child", MESSAGES);
	case_migration("fill -u %s", case_user(USER));
	/* has it selected all the time */
	client = case_imap("NEW_IMAP", USER);
	if (client == NULL || !UNIT_CHECK(imap_select(client, "From", &box) ==
					  IMAP_OK, "%s", imap_error(client)))
		return;
	UNIT_CHECK(run("NEW_IMAP", USER, "RENAME From To") == IMAP_OK, "RENAME");
	verifies("To", "after RENAME");
	verifies("To.Child", "after RENAME");
	/* and may not write any more once that is local */
	case_migration("cutover -u %s To", case_user(USER));
	tag = imap_send(client, "STORE 1 +FLAGS (\\Flagged)");
	UNIT_CHECK(imap_wait(client, tag) != IMAP_OK,
		   "STORE: OK behind the cutover of the renamed mailbox");
	imap_logout(&client);
	case_is_state(USER, "To", "local");
	UNIT_CHECK(count("NEW_IMAP", USER, "To") == MESSAGES, "lost");
}

/* To is local and has a child that isn't. */
static void test_rename_over_children(void)
{
	append("NEW_IMAP", USER, "To", "here@case.example");
	UNIT_CHECK(run("NEW_IMAP", USER, "RENAME To From") == IMAP_OK, "RENAME");
	UNIT_CHECK(count("NEW_IMAP", USER, "From") == MESSAGES + 1 &&
		   count("NEW_IMAP", USER, "From.Child") == MESSAGES &&
		   count("OLD_IMAP_DIRECT", USER, "From.Child") == MESSAGES,
		   "not moved");
	case_is_state(USER, "From", "local");
	verifies("From.Child", "RENAME of a local parent");
	UNIT_CHECK(!lists("NEW_IMAP", USER, "To") &&
		   !lists("NEW_IMAP", USER, "To.Child"), "both names are there");
	/* a parent of the old server's with a local child */
	make("NEW_IMAP", USER, "Old", MESSAGES);
	make("NEW_IMAP", USER, "Old.Here", MESSAGES);
	case_migration("fill -u %s Old*", case_user(USER));
	case_migration("cutover -u %s Old.Here", case_user(USER));
	append("NEW_IMAP", USER, "Old.Here", "there@case.example");
}

/* A name that the other server has. */
static void test_rename_exists(void)
{
	make("NEW_IMAP", USER, "Taken", 0);
	UNIT_CHECK(run("NEW_IMAP", USER, "RENAME From Taken") == IMAP_NO,
		   "RENAME of a local to a remote");
	UNIT_CHECK(run("NEW_IMAP", USER, "RENAME Taken From") == IMAP_NO,
		   "RENAME of a remote to a local");
	UNIT_CHECK(run("NEW_IMAP", USER, "RENAME From Old.Here") == IMAP_NO,
		   "RENAME of a local to a local");
	case_is_state(USER, "From", "local");
	case_is_state(USER, "Taken", "remote");
	case_is_state(USER, "Old.Here", "local");
	UNIT_CHECK(count("NEW_IMAP", USER, "From") == MESSAGES + 1 &&
		   count("NEW_IMAP", USER, "Old.Here") == MESSAGES + 1 &&
		   count("OLD_IMAP_DIRECT", USER, "Taken") == 0,
		   "another mailbox under that name");
}

/* Killed at the n-th such call? */
static bool
rename_killed(const char *call, unsigned int n, const char *from, const char *to)
{
	struct process_result result;
	int status;

	(void)process_shell(CASE_TIMEOUT_MS, &result,
		"strace -qq -o /dev/null -e trace=%s "
		"-e inject=%s:signal=KILL:when=%u %s mailbox rename -u %s %s %s",
		call, call, n, case_get("DOVEADM"), case_user(USER), from, to);
	status = result.status;
	UNIT_CHECK(status == 0 || status == 128 + SIGKILL,
		   "%s %u: status %d: %s", call, n, status, result.output);
	process_result_free(&result);
	return status == 128 + SIGKILL;
}

/* One name is there, whole, and the other free. Returns the one. */
static const char *is_ended(const char *call, unsigned int n)
{
	bool done = lists("NEW_IMAP", USER, "New");
	const char *name = done ? "New" : "Old", *other = done ? "Old" : "New";
	char child[20], command[40];

	UNIT_CHECK(lists("NEW_IMAP", USER, "Old") != done,
		   "%s %u: both or none of the names", call, n);
	snprintf(child, sizeof(child), "%s.Here", name);
	UNIT_CHECK(count("OLD_IMAP_DIRECT", USER, name) == MESSAGES &&
		   count("NEW_IMAP", USER, name) == MESSAGES &&
		   count("NEW_IMAP", USER, child) == MESSAGES + 1,
		   "%s %u: %s isn't whole", call, n, name);
	case_is_state(USER, child, "local");
	case_is_state(USER, name, "filled");
	verifies(name, call);
	snprintf(command, sizeof(command), "CREATE %s", other);
	UNIT_CHECK(run("NEW_IMAP", USER, command) == IMAP_OK, "%s %u: %s",
		   call, n, command);
	snprintf(command, sizeof(command), "DELETE %s", other);
	UNIT_CHECK(run("NEW_IMAP", USER, command) == IMAP_OK, "%s %u: %s",
		   call, n, command);
	return name;
}

/* from: the name that it has, before and afterwards */
static unsigned int killed_at_each(const char *call, const char **from)
{
	unsigned int n = 0;
	bool killed = true;

	while (killed && n < 40 && CU_get_number_of_failures() == 0) {
		killed = rename_killed(call, ++n, *from,
				       strcmp(*from, "Old") == 0 ? "New" : "Old");
		*from = is_ended(call, n);
	}
	UNIT_CHECK(!killed, "%s: still killed at call %u", call, n);
	return n;
}

static void test_rename_killed(void)
{
	static const char *const calls[] = {
		"fsync", "rename", "unlink", "syncfs",
	};
	const char *name = "Old";
	unsigned int points = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		points += killed_at_each(calls[i], &name);
	UNIT_CHECK(points > 10, "only %u points", points);
	printf("\n    killed at %u points ", points);
}

/* A state whose folder is nowhere: its DELETE was cut short. */
static void test_orphan(void)
{
	case_shell("cp -p '%s/%s/migration/state/Taken' '%s/state'",
		   case_get("NEW_HOME"), case_user(USER), case_get("DIR"));
	UNIT_CHECK(run("NEW_IMAP", USER, "DELETE Taken") == IMAP_OK, "DELETE");
	case_shell("cp -p '%s/state' '%s/%s/migration/state/Taken'",
		   case_get("DIR"), case_get("NEW_HOME"), case_user(USER));
	UNIT_CHECK(run("NEW_IMAP", USER, "CREATE Taken") == IMAP_OK,
		   "CREATE over an orphan");
	UNIT_CHECK(lists("OLD_IMAP_DIRECT", USER, "Taken"), "not made there");
	UNIT_CHECK(run("NEW_IMAP", USER, "DELETE Taken") == IMAP_OK, "DELETE");
	case_shell("cp -p '%s/state' '%s/%s/migration/state/Taken'",
		   case_get("DIR"), case_get("NEW_HOME"), case_user(USER));
	case_migration("fill -u %s INBOX", case_user(USER));
	case_shell("test ! -e '%s/%s/migration/state/Taken'",
		   case_get("NEW_HOME"), case_user(USER));
}

static void test_end(void)
{
	case_no_crash();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "RENAME takes all along", test_rename_takes_all },
		{ "RENAME over children", test_rename_over_children },
		{ "RENAME to a name that is taken", test_rename_exists },
		{ "RENAME killed at each write", test_rename_killed },
		{ "a state without a folder", test_orphan },
		{ "no crash", test_end },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "2", "--messages", "10", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-folder-states",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL,
	};

	return case_main(&program);
}
