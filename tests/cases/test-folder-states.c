/*
 * test-folder-states: what is remembered of a folder goes with it (I1, I5)
 *
 * RENAME takes the digests, the lease and the states of all below along, and is
 * killed at each write: whatever is left, the next look at the folders ends it.
 * No state without a folder keeps CREATE from making one. Made and deleted
 * folders have the right state, also where a fill is at work meanwhile.
 */
#include "case-folder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 5
/* a fill hangs for so long */
#define HANG_MS 2000
/* users: the last one is local all over */
enum { USER, FULLY_LOCAL };

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

	folder_make("OLD_IMAP_DIRECT", USER, "From", MESSAGES);
	folder_make("OLD_IMAP_DIRECT", USER, "From.Child", MESSAGES);
	case_migration("fill -u %s", case_user(USER));
	/* has it selected all the time */
	client = case_imap("NEW_IMAP", USER);
	if (client == NULL || !UNIT_CHECK(imap_select(client, "From", &box) ==
					  IMAP_OK, "%s", imap_error(client)))
		return;
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "RENAME From To") == IMAP_OK,
		   "RENAME");
	verifies("To", "after RENAME");
	verifies("To.Child", "after RENAME");
	/* and may not write any more once that is local */
	case_migration("cutover -u %s To", case_user(USER));
	tag = imap_send(client, "STORE 1 +FLAGS (\\Flagged)");
	UNIT_CHECK(imap_wait(client, tag) != IMAP_OK,
		   "STORE: OK behind the cutover of the renamed mailbox");
	imap_logout(&client);
	case_is_state(USER, "To", "local");
	UNIT_CHECK(folder_count("NEW_IMAP", USER, "To") == MESSAGES, "lost");
}

/* To is local and has a child that isn't. */
static void test_rename_over_children(void)
{
	folder_append("NEW_IMAP", USER, "To", "here@case.example");
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "RENAME To From") == IMAP_OK,
		   "RENAME");
	UNIT_CHECK(folder_count("NEW_IMAP", USER, "From") == MESSAGES + 1 &&
		   folder_count("NEW_IMAP", USER, "From.Child") == MESSAGES &&
		   folder_count("OLD_IMAP_DIRECT", USER, "From.Child") ==
		   MESSAGES,
		   "not moved");
	case_is_state(USER, "From", "local");
	verifies("From.Child", "RENAME of a local parent");
	UNIT_CHECK(!folder_listed("NEW_IMAP", USER, "To") &&
		   !folder_listed("NEW_IMAP", USER, "To.Child"),
		   "both names are there");
	/* a parent of the old server's with a local child */
	folder_make("NEW_IMAP", USER, "Old", MESSAGES);
	folder_make("NEW_IMAP", USER, "Old.Here", MESSAGES);
	case_migration("fill -u %s Old*", case_user(USER));
	case_migration("cutover -u %s Old.Here", case_user(USER));
	folder_append("NEW_IMAP", USER, "Old.Here", "there@case.example");
}

/* A name that the other server has. */
static void test_rename_exists(void)
{
	folder_make("NEW_IMAP", USER, "Taken", 0);
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "RENAME From Taken") == IMAP_NO,
		   "RENAME of a local to a remote");
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "RENAME Taken From") == IMAP_NO,
		   "RENAME of a remote to a local");
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "RENAME From Old.Here") ==
		   IMAP_NO,
		   "RENAME of a local to a local");
	case_is_state(USER, "From", "local");
	case_is_state(USER, "Taken", "remote");
	case_is_state(USER, "Old.Here", "local");
	UNIT_CHECK(folder_count("NEW_IMAP", USER, "From") == MESSAGES + 1 &&
		   folder_count("NEW_IMAP", USER, "Old.Here") == MESSAGES + 1 &&
		   folder_count("OLD_IMAP_DIRECT", USER, "Taken") == 0,
		   "another mailbox under that name");
}

/* A mailbox of the old server's that isn't here: its mail must still come. */
static void test_rename_not_here(void)
{
	folder_make("NEW_IMAP", USER, "Par", 1);
	folder_make("NEW_IMAP", USER, "Par.Kid", 1);
	folder_make("NEW_IMAP", USER, "Ghost.Kid", MESSAGES);
	case_migration("fill -u %s", case_user(USER));
	case_migration("cutover -u %s Par*", case_user(USER));
	(void)case_doveadm("-o plugin/migration=no mailbox delete -u %s "
			   "Ghost.Kid Ghost", case_user(USER));
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "RENAME Par Ghost") == IMAP_NO,
		   "RENAME of a local to one that isn't here");
	case_shell("grep -q state=filled '%s'",
		   folder_file(USER, "state", "Ghost.Kid"));
	case_migration("fill -u %s", case_user(USER));
	case_is_state(USER, "Par.Kid", "local");
	case_is_state(USER, "Ghost.Kid", "filled");
	UNIT_CHECK(folder_count("NEW_IMAP", USER, "Par.Kid") == 1 &&
		   folder_count("NEW_IMAP", USER, "Ghost.Kid") == MESSAGES,
		   "mail is missing");
}

/* The folder that holds this one. */
static void set_mode(const char *mode)
{
	case_shell("chmod %s \"$(dirname \"$(dirname \"$("
		   "%s -o plugin/migration=no mailbox path -u %s From)\")\")\"",
		   mode, case_get("DOVEADM"), case_user(USER));
}

/* The files can't be renamed: nothing has happened. */
static void test_rename_denied(void)
{
	unsigned int failed = case_log_count("event=folder_failed");

	set_mode("u-w");
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "RENAME From Denied") ==
		   IMAP_NO, "RENAME");
	set_mode("u+w");
	UNIT_CHECK(case_log_count("event=folder_failed") > failed,
		   "not reported");
	case_is_state(USER, "From", "local");
	case_shell("test ! -e '%s'", folder_file(USER, "state", "Denied"));
	case_shell("test ! -e '%s'", folder_file(USER, "state", ".rename"));
	case_shell("test -e '%s'", folder_file(USER, "digest", "From"));
	UNIT_CHECK(folder_count("NEW_IMAP", USER, "From") == MESSAGES + 1,
		   "mail is missing");
	folder_make("NEW_IMAP", USER, "Denied", 0);
	case_is_state(USER, "Denied", "remote");
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "DELETE Denied") == IMAP_OK,
		   "DELETE");
}

/* Killed at the n-th such call? */
static bool
rename_killed(const char *call, unsigned int n, const char *from,
	      const char *to)
{
	struct process_result result;
	int status;

	(void)process_shell(CASE_TIMEOUT_MS, &result,
		"%s mailbox rename -u %s %s %s",
		case_faulty("kill %s %u", call, n), case_user(USER), from, to);
	status = result.status;
	UNIT_CHECK(status == 0 || status == 128 + SIGKILL,
		   "%s %u: status %d: %s", call, n, status, result.output);
	process_result_free(&result);
	return status == 128 + SIGKILL;
}

/* One name is there, whole, and the other free. Returns the one. */
static const char *is_ended(const char *call, unsigned int n)
{
	bool done = folder_listed("NEW_IMAP", USER, "New");
	const char *name = done ? "New" : "Old", *other = done ? "Old" : "New";
	char child[20];

	UNIT_CHECK(folder_listed("NEW_IMAP", USER, "Old") != done,
		   "%s %u: both or none of the names", call, n);
	snprintf(child, sizeof(child), "%s.Here", name);
	UNIT_CHECK(folder_count("OLD_IMAP_DIRECT", USER, name) == MESSAGES &&
		   folder_count("NEW_IMAP", USER, name) == MESSAGES &&
		   folder_count("NEW_IMAP", USER, child) == MESSAGES + 1,
		   "%s %u: %s isn't whole", call, n, name);
	case_is_state(USER, child, "local");
	case_is_state(USER, name, "filled");
	verifies(name, call);
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "CREATE %s", other) == IMAP_OK &&
		   folder_run("NEW_IMAP", USER, "DELETE %s", other) == IMAP_OK,
		   "%s %u: CREATE %s", call, n, other);
	return name;
}

/* from: the name that it has, before and afterwards */
static unsigned int killed_at_each(const char *call, const char **from)
{
	unsigned int n = 0;
	bool killed = true;

	while (killed && n < 40 && CU_get_number_of_failures() == 0) {
		const char *to = strcmp(*from, "Old") == 0 ? "New" : "Old";

		killed = rename_killed(call, ++n, *from, to);
		*from = is_ended(call, n);
	}
	UNIT_CHECK(!killed, "%s: still killed at call %u", call, n);
	return n;
}

static void test_rename_killed(void)
{
	static const char *const calls[] = {
		"fsync", "rename", "link", "unlink", "syncfs",
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
	case_shell("cp -p '%s' '%s/state'",
		   folder_file(USER, "state", "Taken"), case_get("DIR"));
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "DELETE Taken") == IMAP_OK,
		   "DELETE");
	case_shell("cp -p '%s/state' '%s'", case_get("DIR"),
		   folder_file(USER, "state", "Taken"));
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "CREATE Taken") == IMAP_OK,
		   "CREATE over an orphan");
	UNIT_CHECK(folder_listed("OLD_IMAP_DIRECT", USER, "Taken"),
		   "not made there");
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "DELETE Taken") == IMAP_OK,
		   "DELETE");
	case_shell("cp -p '%s/state' '%s'", case_get("DIR"),
		   folder_file(USER, "state", "Taken"));
	case_migration("fill -u %s INBOX", case_user(USER));
	case_shell("test ! -e '%s'", folder_file(USER, "state", "Taken"));
}

static bool is_filling(void *context)
{
	struct process_result result;
	bool ok;

	(void)process_shell(CASE_TIMEOUT_MS, &result,
			    "grep -q state=filling '%s'", (char *)context);
	ok = result.status == 0;
	process_result_free(&result);
	return ok;
}

/* DELETE while a fill of it hangs: its state doesn't come back. */
static void test_deleted_meanwhile(void)
{
	char file[600];
	pid_t pid;

	folder_make("OLD_IMAP_DIRECT", USER, "Doomed", MESSAGES);
	case_migration("fill -u %s INBOX", case_user(USER));
	snprintf(file, sizeof(file), "%s",
		 folder_file(USER, "state", "Doomed"));
	pid = folder_start_slow("syncfs", HANG_MS, "migration fill -u %s Doomed",
				case_user(USER));
	UNIT_CHECK(wait_until(is_filling, file, CASE_TIMEOUT_MS), "not filling");
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "DELETE Doomed") == IMAP_OK,
		   "DELETE");
	UNIT_CHECK(process_wait(pid, CASE_TIMEOUT_MS) > 0, "fill: ok");
	case_shell("test ! -e '%s'", file);
	case_shell("test ! -e '%s'", folder_file(USER, "digest", "Doomed"));
	UNIT_CHECK(folder_run("NEW_IMAP", USER, "CREATE Doomed") == IMAP_OK,
		   "CREATE again");
}

/* Made through this server, and never filled. */
static void test_created(void)
{
	folder_make("NEW_IMAP", USER, "Empty", 0);
	case_is_state(USER, "Empty", "remote");
	case_migration("cutover -u %s Empty", case_user(USER));
	case_is_state(USER, "Empty", "local");
	/* of a user who has all here: the old server isn't asked any more */
	case_migration("fill -u %s", case_user(FULLY_LOCAL));
	case_migration("cutover -u %s", case_user(FULLY_LOCAL));
	case_is_state(FULLY_LOCAL, "*", "local");
	folder_make("NEW_IMAP", FULLY_LOCAL, "Fresh", 1);
	case_shell("grep -q state=local '%s'",
		   folder_file(FULLY_LOCAL, "state", "Fresh"));
	UNIT_CHECK(!folder_listed("OLD_IMAP_DIRECT", FULLY_LOCAL, "Fresh"),
		   "made there as well");
	folder_make("OLD_IMAP_DIRECT", FULLY_LOCAL, "Fresh", 3);
	case_migration("fill -u %s", case_user(FULLY_LOCAL));
	case_is_state(FULLY_LOCAL, "Fresh", "local");
	UNIT_CHECK(folder_count("NEW_IMAP", FULLY_LOCAL, "Fresh") == 1,
		   "the old server's took its place");
}

/* What was known once is neither the old server's again, nor emptied. */
static void test_lost_state(void)
{
	char file[600];
	uint32_t messages;

	folder_append("NEW_IMAP", FULLY_LOCAL, "Sent", "late@case.example");
	messages = folder_count("NEW_IMAP", FULLY_LOCAL, "Sent");
	snprintf(file, sizeof(file), "%s",
		 folder_file(FULLY_LOCAL, "state", "Sent"));
	case_shell("cp -p '%s' '%s/state' && rm '%s'", file, case_get("DIR"),
		   file);
	UNIT_CHECK(folder_count("NEW_IMAP", FULLY_LOCAL, "Sent") == UINT32_MAX,
		   "served without a state");
	UNIT_CHECK(case_doveadm("migration fill -u %s",
				case_user(FULLY_LOCAL)) != 0, "filled");
	UNIT_CHECK(case_doveadm("migration cutover -u %s",
				case_user(FULLY_LOCAL)) != 0, "cut over");
	case_shell("test ! -e '%s'", file);
	UNIT_CHECK(strcmp(case_status(FULLY_LOCAL, "Sent", "state"),
			  "unknown") == 0, "status says %s",
		   case_status(FULLY_LOCAL, "Sent", "state"));
	case_shell("cp -p '%s/state' '%s'", case_get("DIR"), file);
	case_is_state(FULLY_LOCAL, "Sent", "local");
	UNIT_CHECK(folder_count("NEW_IMAP", FULLY_LOCAL, "Sent") == messages,
		   "it was emptied");
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
		{ "RENAME to one that isn't here", test_rename_not_here },
	{ "RENAME that is denied here", test_rename_denied },
	{ "RENAME killed at each write", test_rename_killed },
		{ "a state without a folder", test_orphan },
		{ "deleted while it is filled", test_deleted_meanwhile },
		{ "made, and never filled", test_created },
		{ "a state that is lost", test_lost_state },
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
