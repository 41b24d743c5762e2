/*
 * test-refusals: what a fill and a cutover refuse, so that nothing is lost (I4,
 * I5): messages in the copy that aren't the old server's, a mailbox that the old
 * server lost most of, a message given up that isn't bad, a disk that fails in
 * the middle of a cutover. The mailbox goes on to be served from the old server,
 * status says why, and there's a way out.
 */
#include "case-folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 5
#define MANY 250
#define GONE 200
/* past any doubt about what a cutover does meanwhile */
#define SLOW_MS 1500

/* doveadm as an administrator without the plugin has it. */
#define STOCK "-o plugin/migration=no"

static void refused(const char *mailbox, const char *why)
{
	UNIT_CHECK(case_doveadm("migration fill -u %s %s", case_user(0),
				mailbox) == 65, "fill of %s: %s", mailbox,
		   case_output());
	UNIT_CHECK(strstr(case_status(0, mailbox, "problem"), why) != NULL,
		   "%s: status says '%s'", mailbox,
		   case_status(0, mailbox, "problem"));
	case_is_state(0, mailbox, "filled");
	UNIT_CHECK(case_doveadm("migration verify -u %s %s", case_user(0),
				mailbox) == 65, "verify of %s: %s", mailbox,
		   case_output());
	UNIT_CHECK(case_doveadm("migration cutover -u %s %s", case_user(0),
				mailbox) != 0, "%s was cut over", mailbox);
	case_is_state(0, mailbox, "filled");
}

/* Messages of the local copy itself. */
static unsigned int copy_count(const char *mailbox)
{
	if (!UNIT_CHECK(case_doveadm(STOCK " -f tab mailbox status -u %s "
				     "messages %s", case_user(0), mailbox) == 0,
			"%s", case_output()))
		return 0;
	return (unsigned int)strtoul(strrchr(case_output(), '\t') + 1, NULL, 10);
}

static void cut_over(const char *mailbox, uint32_t messages)
{
	case_migration("fill -u %s %s", case_user(0), mailbox);
	case_migration("cutover -u %s %s", case_user(0), mailbox);
	case_is_state(0, mailbox, "local");
	UNIT_CHECK(folder_count("NEW_IMAP", 0, mailbox) == messages,
		   "%s: %u messages instead of %u", mailbox,
		   folder_count("NEW_IMAP", 0, mailbox), messages);
}

/* Delivered by a Dovecot without the plugin. */
static void test_foreign(void)
{
	folder_make("OLD_IMAP_DIRECT", 0, "Work", MESSAGES);
	case_migration("fill -u %s", case_user(0));
	case_shell("printf 'Subject: stray\\n\\nstray\\n' | %s " STOCK
		   " save -u %s -m Work", case_get("DOVEADM"), case_user(0));
	refused("Work", "UIDs 6");
	/* that is the UID of the old server's next */
	folder_append("OLD_IMAP_DIRECT", 0, "Work", "next@case.example");
	refused("Work", "UIDs 6");
	UNIT_CHECK(copy_count("Work") == MESSAGES + 1, "the stray went");
	UNIT_CHECK(folder_count("NEW_IMAP", 0, "Work") == MESSAGES + 1,
		   "not served from the old server");
	/* the way out, see the manual page */
	case_shell("%s " STOCK " -f tab fetch -u %s text mailbox Work uid 6 | "
		   "tail -n +2 | %s save -u %s -m Work", case_get("DOVEADM"),
		   case_user(0), case_get("DOVEADM"), case_user(0));
	case_shell("%s " STOCK " expunge -u %s mailbox Work uid 6",
		   case_get("DOVEADM"), case_user(0));
	cut_over("Work", MESSAGES + 2);
}

/* Somebody made the mailbox anew, and delivered into it. */
static void test_in_the_way(void)
{
	folder_make("OLD_IMAP_DIRECT", 0, "Way", MESSAGES);
	case_migration("fill -u %s", case_user(0));
	case_shell("d='%s " STOCK "'; $d mailbox delete -u %s Way && "
		   "$d mailbox create -u %s Way && "
		   "printf 'Subject: stray\\n\\nstray\\n' | $d save -u %s -m Way",
		   case_get("DOVEADM"), case_user(0), case_user(0),
		   case_user(0));
	refused("Way", "in the way");
	UNIT_CHECK(copy_count("Way") == 1, "the stray went");
	case_shell("%s " STOCK " mailbox delete -u %s Way",
		   case_get("DOVEADM"), case_user(0));
	cut_over("Way", MESSAGES);
}

static void test_mass_expunge(void)
{
	char set[20];

	snprintf(set, sizeof(set), "1:%u", GONE);
	folder_make("OLD_IMAP_DIRECT", 0, "Lost", MANY);
	folder_make("OLD_IMAP_DIRECT", 0, "Tidied", MANY);
	for (unsigned int i = 0; i < MANY; i++)
		folder_append("OLD_IMAP_DIRECT", 0, "Trash", "x@case.example");
	case_migration("fill -u %s", case_user(0));
	folder_expunge("OLD_IMAP_DIRECT", 0, "Lost", set);
	/* asked for by the user himself, or what the folder is for */
	folder_expunge("NEW_IMAP", 0, "Tidied", set);
	folder_expunge("OLD_IMAP_DIRECT", 0, "Trash", set);
	refused("Lost", "--follow-expunges");
	UNIT_CHECK(copy_count("Lost") == MANY, "the copy was emptied");
	UNIT_CHECK(folder_count("NEW_IMAP", 0, "Lost") == MANY - GONE,
		   "not served from the old server");
	case_shell("grep -c . '%s'", folder_file(0, "expunged", "Tidied"));
	cut_over("Tidied", MANY - GONE);
	cut_over("Trash", folder_count("OLD_IMAP_DIRECT", 0, "Trash"));
	case_shell("test ! -e '%s'", folder_file(0, "expunged", "Tidied"));
	UNIT_CHECK(case_log_count("event=expunges_followed") == 0, "followed");
	case_migration("fill -u %s --follow-expunges Lost", case_user(0));
	UNIT_CHECK(case_log_count("event=expunges_followed") == 1, "not logged");
	cut_over("Lost", MANY - GONE);
}

/* Only what is known to be bad, and then it isn't here either. */
static void test_without(void)
{
	folder_make("OLD_IMAP_DIRECT", 0, "Given", MESSAGES);
	case_migration("fill -u %s", case_user(0));
	UNIT_CHECK(case_doveadm("migration cutover -u %s --without 2 Given",
				case_user(0)) != 0, "a good one given up");
	case_shell("sed -i 's/^bad_uids=.*/bad_uids=2:3/' '%s'",
		   folder_file(0, "state", "Given"));
	UNIT_CHECK(case_doveadm("migration cutover -u %s --without 3:4 Given",
				case_user(0)) != 0, "a good one given up");
	UNIT_CHECK(strstr(case_output(), "UIDs 4 ") != NULL, "says %s",
		   case_output());
	case_is_state(0, "Given", "filled");
	case_migration("cutover -u %s --without 3 Given", case_user(0));
	case_is_state(0, "Given", "local");
	UNIT_CHECK(copy_count("Given") == MESSAGES - 1, "it is here");
	UNIT_CHECK(folder_count("OLD_IMAP_DIRECT", 0, "Given") == MESSAGES,
		   "changed there");
}

/* The last look finds what must be made anew: not while clients wait. */
static void test_no_rebuild_while_exclusive(void)
{
	unsigned int before = case_log_count("event=rebuild");
	pid_t pid;

	folder_make("OLD_IMAP_DIRECT", 0, "Damaged", MESSAGES);
	case_migration("fill -u %s", case_user(0));
	/* slow to make all durable, before it excludes anybody */
	pid = folder_start_slow("syncfs", SLOW_MS,
				"migration cutover -u %s Damaged", case_user(0));
	(void)process_wait(pid, SLOW_MS / 2);
	case_shell("%s " STOCK " expunge -u %s mailbox Damaged uid 2",
		   case_get("DOVEADM"), case_user(0));
	UNIT_CHECK(process_wait(pid, CASE_TIMEOUT_MS) > 0, "cut over");
	UNIT_CHECK(case_log_count("event=rebuild") == before, "made anew");
	case_is_state(0, "Damaged", "filled");
	UNIT_CHECK(strstr(case_status(0, "Damaged", "problem"), "anew") != NULL,
		   "status says %s", case_status(0, "Damaged", "problem"));
	cut_over("Damaged", MESSAGES);
}

/* A cutover in which the n-th fsync fails. Returns its exit status. */
static int cut_over_with_bad_disk(unsigned int n)
{
	struct process_result result;
	int status;

	(void)process_shell(CASE_TIMEOUT_MS, &result,
		"%s migration cutover -u %s Disk",
		case_faulty("fail fsync %u", n), case_user(0));
	status = result.status;
	process_result_free(&result);
	return status;
}

/* It is wholly before or wholly after, as it says (I3). */
static void test_bad_disk(void)
{
	unsigned int n = 0, refusals = 0;
	int status = 1;

	folder_make("OLD_IMAP_DIRECT", 0, "Disk", MESSAGES);
	case_migration("fill -u %s", case_user(0));
	while (status != 0 && n < 60) {
		status = cut_over_with_bad_disk(++n);
		if (status == 0)
			break;
		refusals++;
		if (!case_is_state(0, "Disk", "filled"))
			break;
	}
	UNIT_CHECK(refusals > 5, "only %u refusals", refusals);
	case_is_state(0, "Disk", "local");
	UNIT_CHECK(folder_count("NEW_IMAP", 0, "Disk") == MESSAGES, "lost");
	printf("\n    failed at %u places ", refusals);
}

static void test_end(void)
{
	case_no_crash();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "messages of somebody else", test_foreign },
		{ "a mailbox in the way", test_in_the_way },
		{ "most messages gone", test_mass_expunge },
		{ "--without", test_without },
		{ "no copy made anew while clients wait",
		  test_no_rebuild_while_exclusive },
		{ "a disk that fails", test_bad_disk },
		{ "no crash", test_end },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "1", "--messages", "10", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-refusals",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL,
	};

	return case_main(&program);
}
