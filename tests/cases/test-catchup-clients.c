/*
 * test-catchup-clients: what clients that still use the old server do there
 * after the cutover: flags are merged, expunges remove nothing here unless that is
 * wanted, what they move is moved
 *
 * Each case has a user of its own, with a mailbox Work of ten mails.
 */
#include "case-late.h"

#include <stdio.h>
#include <string.h>

#define MESSAGES 10
#define FOLLOW LATE_SETTINGS "plugin {\n  migration_late_expunge = yes\n}\n"
#define OLD "OLD_IMAP_DIRECT"
#define NEW "NEW_IMAP"

/* Commands on a mailbox there, or here. */
#define DO(server, user, mailbox, ...) \
	late_client(server, user, mailbox, \
		    (const char *const []){ __VA_ARGS__, NULL })

static unsigned int begin(void)
{
	return late_user_with("Work Else", MESSAGES);
}

/* Flags of a mail of Work, by the number in its Message-ID, and where it is. */
static void check_flags_in(unsigned int user, const char *mailbox,
			   unsigned int mail, const char *flags)
{
	struct imap_client *client = case_imap(NEW, user);
	struct case_mail seen;
	char id[60];

	if (client == NULL)
		return;
	snprintf(id, sizeof(id), "Work-%u@case.example", mail);
	case_mail_look(client, mailbox, case_mail_find(client, mailbox, id),
		       &seen);
	UNIT_CHECK(strcmp(seen.flags, flags) == 0, "%s has (%s), not (%s)", id,
		   seen.flags, flags);
	imap_logout(&client);
}

static void check_flags(unsigned int user, unsigned int mail, const char *flags)
{
	check_flags_in(user, "Work", mail, flags);
}

static void check_count(unsigned int user, const char *mailbox, uint32_t count)
{
	uint32_t found = folder_count(NEW, user, mailbox);

	UNIT_CHECK(found == count, "%s has %u mails, not %u", mailbox, found,
		   count);
}

static void test_flags(void)
{
	unsigned int user = begin();

	DO(NEW, user, "Work", "STORE 6 +FLAGS (\\Flagged Here)",
	   "STORE 7 +FLAGS (\\Seen)", "STORE 8 +FLAGS (\\Deleted)");
	DO(OLD, user, "Work", "STORE 1 +FLAGS (\\Seen)",
	   "STORE 2 +FLAGS (\\Flagged \\Answered \\Draft)",
	   "STORE 3 +FLAGS (There $Forwarded)",
	   "STORE 6 +FLAGS (\\Seen There)", "STORE 7 +FLAGS (\\Seen)");
	late_look(user, "");
	check_flags(user, 0, "\\Seen");
	check_flags(user, 1, "\\Answered \\Draft \\Flagged");
	check_flags(user, 2, "$Forwarded There");
	check_flags(user, 3, "");
	check_flags(user, 5, "Here There \\Flagged \\Seen");
	check_flags(user, 6, "\\Seen");
	check_flags(user, 7, "\\Deleted");
	LATE_EVENTS(user, 1, "old_client", "mailbox=Work flags=5 seen=3 "
		    "expunged=0");
	LATE_EVENTS(user, 1, "flags_conflict", "mailbox=Work");
	/* and nothing of it again */
	DO(NEW, user, "Work", "STORE 1 -FLAGS (\\Seen)");
	late_look(user, "--full");
	check_flags(user, 0, "");
	LATE_EVENTS(user, 1, "old_client", "");
}

static void test_removed(void)
{
	unsigned int user = late_user_with("Empty", 0);

	folder_make(OLD, user, "Work", 3);
	DO(OLD, user, "Work", "STORE 1:3 +FLAGS (\\Seen \\Flagged Mine)");
	case_migration("fill -u %s", case_user(user));
	case_is_state(user, "Work", "local");
	DO(OLD, user, "Work", "STORE 1 -FLAGS (\\Seen)",
	   "STORE 2 -FLAGS (\\Flagged Mine)", "STORE 3 -FLAGS (Mine)");
	DO(NEW, user, "Work", "STORE 3 -FLAGS (\\Seen)");
	late_look(user, "");
	check_flags(user, 0, "Mine \\Flagged");
	check_flags(user, 1, "\\Seen");
	check_flags(user, 2, "\\Flagged");
}

/* Of the late mails themselves: they have other UIDs here. */
static void test_flags_of_late(void)
{
	unsigned int user = begin();

	late_mail(user, "Work", "Work-99@case.example");
	late_look(user, "");
	DO(OLD, user, "Work", "STORE * +FLAGS (\\Flagged)");
	late_look(user, "");
	late_is_once(user, "Work", "Work-99@case.example");
	/* no other mail may have got it */
	for (unsigned int i = 0; i < MESSAGES; i++)
		check_flags(user, i, "");
	LATE_EVENTS(user, 1, "old_client", "mailbox=Work flags=1");
}

static void test_expunge(void)
{
	unsigned int user = begin();

	folder_expunge(OLD, user, "Work", "1:2");
	late_look(user, "");
	late_look(user, "--full");
	check_count(user, "Work", MESSAGES);
	LATE_EVENTS(user, 1, "old_client", "mailbox=Work expunged=2");
	LATE_EVENTS(user, 0, "late_expunged", "");
}

static void test_follow(void)
{
	unsigned int user = begin();

	case_settings(FOLLOW, false);
	/* the second one was changed here */
	DO(NEW, user, "Work", "STORE 2 +FLAGS (\\Flagged)");
	folder_expunge(OLD, user, "Work", "1:3");
	late_look(user, "");
	case_settings(LATE_SETTINGS, false);
	check_count(user, "Work", MESSAGES - 2);
	late_is_once(user, "Work", "Work-1@case.example");
	CU_ASSERT_EQUAL(late_here(user, NULL, "Work-0@case.example"), 0);
	CU_ASSERT_EQUAL(late_here(user, NULL, "Work-2@case.example"), 0);
	LATE_EVENTS(user, 1, "late_expunged", "mailbox=Work messages=2");
}

static void test_follow_not_all(void)
{
	unsigned int user = begin();

	case_settings(FOLLOW, false);
	folder_expunge(OLD, user, "Work", "1:3");
	late_look(user, "");
	late_look(user, "--full");
	check_count(user, "Work", MESSAGES);
	LATE_EVENTS(user, 1, "late_expunge_refused", "mailbox=Work messages=3");
	DO(NEW, user, "Work", "STORE 3 +FLAGS (\\Seen)");
	late_look(user, "--follow-expunges");
	case_settings(LATE_SETTINGS, false);
	check_count(user, "Work", MESSAGES - 2);
	late_is_once(user, "Work", "Work-2@case.example");
	LATE_EVENTS(user, 1, "late_expunged", "mailbox=Work messages=2");
}

static void test_follow_word(void)
{
	unsigned int user = begin();

	folder_expunge(OLD, user, "Work", "1:8");
	late_look(user, "--follow-expunges");
	check_count(user, "Work", MESSAGES - 8);
	LATE_EVENTS(user, 1, "late_expunged", "mailbox=Work messages=8");
}

static void test_move(void)
{
	unsigned int user = begin();

	DO(OLD, user, "Work", "MOVE 1:2 Else");
	late_look(user, "");
	late_look(user, "--full");
	late_is_once(user, "Else", "Work-0@case.example");
	late_is_once(user, "Else", "Work-1@case.example");
	check_count(user, "Work", MESSAGES - 2);
	check_count(user, "Else", MESSAGES + 2);
	LATE_EVENTS(user, 2, "late_moved", "mailbox=Work to_mailbox=Else");
	LATE_EVENTS(user, 0, "late", "");
	LATE_EVENTS(user, 1, "old_client", "mailbox=Work moved=2 expunged=0");
}

/* The user here has done something else with it already. */
static void test_move_of_moved(void)
{
	unsigned int user = begin();

	case_settings(FOLLOW, false);
	CU_ASSERT_EQUAL(folder_run(NEW, user, "CREATE Mine"), IMAP_OK);
	DO(NEW, user, "Work", "MOVE 1 Mine");
	folder_expunge(NEW, user, "Work", "1");
	/* 0 is in Mine, 1 is deleted, 2 was read */
	DO(NEW, user, "Work", "STORE 1 +FLAGS (\\Seen)");
	DO(OLD, user, "Work", "MOVE 1:4 Else");
	late_look(user, "");
	late_look(user, "--full");
	case_settings(LATE_SETTINGS, false);
	late_is_once(user, "Mine", "Work-0@case.example");
	CU_ASSERT_EQUAL(late_here(user, NULL, "Work-1@case.example"), 0);
	check_flags_in(user, "Else", 2, "\\Seen");
	late_is_once(user, "Else", "Work-3@case.example");
	check_count(user, "Work", MESSAGES - 4);
}

/* Seen as gone by one look, and as new elsewhere by the next. */
static void test_move_in_two_steps(void)
{
	unsigned int user = begin();
	const struct late_text text = { .id = "stepped@case.example" };

	case_settings(FOLLOW, false);
	late_arrives(user, "Work", NULL, &text);
	late_look(user, "");
	folder_expunge(OLD, user, "Work", "*");
	late_look(user, "");
	late_arrives(user, "Else", NULL, &text);
	late_look(user, "");
	case_settings(LATE_SETTINGS, false);
	CU_ASSERT(late_here(user, NULL, text.id) >= 1);
}

static void test_copy(void)
{
	unsigned int user = begin();

	DO(OLD, user, "Work", "COPY 1 Else");
	late_look(user, "");
	late_look(user, "--full");
	CU_ASSERT_EQUAL(late_here(user, "Work", "Work-0@case.example"), 1);
	/* no Received: a client's, as any that is saved */
	CU_ASSERT_EQUAL(late_here(user, "Else", "Work-0@case.example"), 1);
	LATE_EVENTS(user, 1, "old_client", "mailbox=Else saved=1");
}

static void check_wiped(unsigned int user, const char *reason)
{
	char keys[60];

	snprintf(keys, sizeof(keys), "mailbox=Work reason=%s", reason);
	late_look(user, "");
	late_look(user, "--full");
	check_count(user, "Work", MESSAGES);
	UNIT_CHECK(late_events(user, "old_reset", keys) >= 1, "no old_reset %s",
		   keys);
	LATE_EVENTS(user, 0, "late_expunged", "");
}

static void test_wiped(void)
{
	unsigned int user = begin();

	case_settings(FOLLOW, false);
	folder_expunge(OLD, user, "Work", "1:*");
	check_wiped(user, "emptied");
	late_mail(user, "Work", "after@case.example");
	late_look(user, "");
	case_settings(LATE_SETTINGS, false);
	late_is_once(user, "Work", "after@case.example");
}

/* Few of many that are here: that they are all that was there tells it. */
static void test_wiped_of_many(void)
{
	unsigned int user = begin();

	DO(NEW, user, "Work", "COPY 1:* Work", "COPY 1:* Work",
	   "COPY 1:* Work");
	case_settings(FOLLOW, false);
	folder_expunge(OLD, user, "Work", "1:*");
	late_look(user, "");
	check_count(user, "Work", 8 * MESSAGES);
	LATE_EVENTS(user, 1, "old_reset", "mailbox=Work reason=emptied");
	LATE_EVENTS(user, 0, "late_expunged", "");
	late_look(user, "--follow-expunges");
	check_count(user, "Work", 7 * MESSAGES);
	case_settings(LATE_SETTINGS, false);
}

/* Deleted here, and made again: the same UIDs are other mails. */
static void test_made_again_here(void)
{
	unsigned int user = begin();

	case_settings(FOLLOW, false);
	CU_ASSERT_EQUAL(folder_run(NEW, user, "DELETE Work"), IMAP_OK);
	CU_ASSERT_EQUAL(folder_run(NEW, user, "CREATE Work"), IMAP_OK);
	DO(NEW, user, "Else", "COPY 1:* Work");
	DO(OLD, user, "Work", "STORE 1 +FLAGS (\\Flagged)");
	folder_expunge(OLD, user, "Work", "2");
	late_mail(user, "Work", "again@case.example");
	late_look(user, "");
	late_is_once(user, "Work", "again@case.example");
	check_count(user, "Work", MESSAGES + 1);
	LATE_EVENTS(user, 0, "late_expunged", "");
	LATE_EVENTS(user, 1, "old_client", "mailbox=Work flags=1 seen=0 "
		    "expunged=1");
	case_settings(LATE_SETTINGS, false);
}

static void test_gone(void)
{
	unsigned int user = begin();

	case_settings(FOLLOW, false);
	CU_ASSERT_EQUAL(folder_run(OLD, user, "DELETE Work"), IMAP_OK);
	check_wiped(user, "gone");
	case_settings(LATE_SETTINGS, false);
	LATE_EVENTS(user, 2, "poll", "ok=yes");
	CU_ASSERT(folder_listed(NEW, user, "Work"));
}

/* Made anew there: another UIDVALIDITY. Some of it is here already. */
static void test_replaced(void)
{
	const struct late_text known = { .id = "known@case.example" };
	unsigned int user = begin();

	late_arrives(user, "Work", NULL, &known);
	late_look(user, "");
	case_settings(FOLLOW, false);
	CU_ASSERT_EQUAL(folder_run(OLD, user, "DELETE Work"), IMAP_OK);
	/* the same mails, from a copy, and one more of each kind */
	folder_make(OLD, user, "Work", MESSAGES);
	late_arrives(user, "Work", NULL, &known);
	late_mail(user, "Work", "unknown@case.example");
	late_look(user, "");
	late_look(user, "--full");
	case_settings(LATE_SETTINGS, false);
	check_count(user, "Work", MESSAGES + 2);
	late_is_once(user, "Work", "Work-0@case.example");
	late_is_once(user, "Work", known.id);
	late_is_once(user, "Work", "unknown@case.example");
	LATE_EVENTS(user, 1, "old_reset", "mailbox=Work reason=uidvalidity");
	/* whose flags are whose isn't known any more */
	DO(OLD, user, "Work", "STORE 1:* +FLAGS (\\Flagged)");
	late_look(user, "");
	check_count(user, "Work", MESSAGES + 2);
}

static void test_gone_and_back(void)
{
	unsigned int user = begin();

	CU_ASSERT_EQUAL(folder_run(OLD, user, "DELETE Work"), IMAP_OK);
	late_look(user, "");
	folder_make(OLD, user, "Work", 4);
	late_mail(user, "Work", "back@case.example");
	late_look(user, "");
	check_count(user, "Work", MESSAGES + 1);
	late_is_once(user, "Work", "back@case.example");
}

/* Its index is made anew there, and counts MODSEQs from the beginning: what is new
   has lower ones than what was. */
static void test_index_anew(void)
{
	unsigned int user = begin();

	for (unsigned int i = 0; i < 10; i++)
		DO(OLD, user, "Work", i % 2 == 0 ? "STORE 1 +FLAGS (\\Draft)" :
		   "STORE 1 -FLAGS (\\Draft)");
	late_mail(user, "Work", "before@case.example");
	late_look(user, "");
	case_shell("find '%s/old/home/%s' -name 'dovecot.index*' "
		   "! -name '*uidlist*' -delete", case_get("DIR"),
		   case_user(user));
	late_mail(user, "Work", "anew@case.example");
	DO(OLD, user, "Work", "STORE 2 +FLAGS (\\Flagged)");
	late_look(user, "");
	check_count(user, "Work", MESSAGES + 2);
	late_is_once(user, "Work", "before@case.example");
	late_is_once(user, "Work", "anew@case.example");
	check_flags(user, 1, "\\Flagged");
}

int main(void)
{
	static const char *const lab[] = {
		"--users", "21", "--messages", "5", "--folders", "0",
		"--corpus", "small", NULL
	};
	static const struct unit_test tests[] = {
		{ "flags that were set", test_flags },
		{ "flags that were removed", test_removed },
		{ "flags of late mails", test_flags_of_late },
		{ "expunged there", test_expunge },
		{ "expunged there: followed", test_follow },
		{ "expunged there: too many to follow", test_follow_not_all },
		{ "expunged there: followed by word", test_follow_word },
		{ "moved there", test_move },
		{ "moved there, and something else here", test_move_of_moved },
		{ "moved there in two steps", test_move_in_two_steps },
		{ "copied there", test_copy },
		{ "all expunged there", test_wiped },
		{ "wiped there, many more here", test_wiped_of_many },
		{ "deleted here, and made again", test_made_again_here },
		{ "folder deleted there", test_gone },
		{ "folder replaced there", test_replaced },
		{ "folder deleted there, and made again", test_gone_and_back },
		{ "index made anew there", test_index_anew },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "catchup-clients", .tests = tests,
		.lab_args = lab, .settings = LATE_SETTINGS
	};

	return case_main(&program);
}
