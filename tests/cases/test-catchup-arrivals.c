/*
 * test-catchup-arrivals: mail that arrives at the old server after the cutover
 * is here, once, where it belongs, and as it is there
 *
 * Each case has a user of its own.
 */
#include "case-late.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 200

static const char sieve[] =
	"require [\"fileinto\", \"mailbox\"];\n"
	"if header :contains \"subject\" \"list\" {\n"
	"  fileinto :create \"Lists\";\n}\n";

static void test_sieve(void)
{
	const struct late_text list = {
		.id = "to-list@case.example", .subject = "a list's mail"
	};
	unsigned int user = late_user();

	if (!case_has_module("lib90_sieve_plugin.so")) {
		printf("\n    skipped: no Pigeonhole\n    ");
		return;
	}
	late_sieve(user, sieve);
	late_mail(user, "INBOX", "kept@case.example");
	late_arrives(user, "INBOX", NULL, &list);
	late_look(user, "");
	late_is_once(user, "INBOX", "kept@case.example");
	late_is_once(user, "Lists", list.id);
	LATE_EVENTS(user, 2, "late", "mailbox=INBOX action=delivered");
	LATE_EVENTS(user, 1, "poll", "ok=yes new=2");
}

/* Sieve threw it away, as it would have done at any delivery. */
static void test_discard(void)
{
	unsigned int user = late_user();

	if (!case_has_module("lib90_sieve_plugin.so"))
		return;
	late_sieve(user, "discard;\n");
	late_mail(user, "INBOX", "discarded@case.example");
	late_look(user, "");
	late_look(user, "--full");
	CU_ASSERT_EQUAL(late_here(user, NULL, "discarded@case.example"), 0);
	LATE_EVENTS(user, 1, "late", "");
}

static void test_save(void)
{
	const struct late_text list = {
		.id = "saved@case.example", .subject = "a list's mail"
	};
	unsigned int user = late_user();

	late_sieve(user, sieve);
	case_settings(LATE_SETTINGS "plugin {\n"
		      "  migration_late_delivery = save\n}\n", false);
	late_arrives(user, "INBOX", NULL, &list);
	late_look(user, "");
	case_settings(LATE_SETTINGS, false);
	late_is_once(user, "INBOX", list.id);
	LATE_EVENTS(user, 1, "late", "mailbox=INBOX action=saved");
}

static void test_folders(void)
{
	const struct late_text sent = {
		.id = "sent@case.example", .by = ""
	};
	unsigned int user = late_user_with("Work", 3);

	late_mail(user, "Work", "work@case.example");
	late_arrives(user, "Sent", "\\Seen", &sent);
	late_look(user, "");
	late_is_once(user, "Work", "work@case.example");
	late_is_once(user, "Sent", sent.id);
	late_same(user, "Work", "work@case.example");
	late_same(user, "Sent", sent.id);
	LATE_EVENTS(user, 1, "late", "mailbox=Work action=saved");
	/* what a client saved is no arrival */
	LATE_EVENTS(user, 0, "late", "mailbox=Sent");
	LATE_EVENTS(user, 1, "old_client", "mailbox=Sent saved=1");
}

static void test_same_as_there(void)
{
	static const struct {
		const char *id, *flags, *body, *above;
	} mails[] = {
		{ "plain@case.example", NULL, "words", NULL },
		{ "flags@case.example", "\\Seen \\Flagged \\Answered $Label1 "
		  "Private", "words", NULL },
		{ "draft@case.example", "\\Draft \\Deleted", "words", NULL },
		{ "eight@case.example", NULL, "8 bit: \xc3\xa4\xff\xfe", NULL },
		{ "lines@case.example", NULL, ".\r\n..\r\n\r\nFrom me\r\n"
		  ">From him\r\n\r\n\r\n", NULL },
		{ "bare@case.example", NULL, "a\rb\rc", NULL },
		{ "headers@case.example", NULL, "words", "X-Folded: a\r\n\t b "
		  "\r\n \r\nX-Empty:\r\nX-8: \xe4\r\n" },
	};
	unsigned int user = late_user();
	struct late_text text;

	for (unsigned int i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
		text = (struct late_text){
			.id = mails[i].id, .body = mails[i].body,
			.above = mails[i].above
		};
		late_arrives(user, "INBOX", mails[i].flags, &text);
	}
	late_look(user, "");
	for (unsigned int i = 0; i < sizeof(mails) / sizeof(*mails); i++)
		late_same(user, "INBOX", mails[i].id);
}

static bool pop3_lists(const char *server, unsigned int user,
		       struct pop3_list *list_r)
{
	struct pop3_client *client = NULL;
	const char *error = "";
	bool ok;

	memset(list_r, 0, sizeof(*list_r));
	ok = UNIT_CHECK(pop3_open(case_get(server), case_user(user),
				  case_get("PASSWORD"), CASE_TIMEOUT_MS,
				  &client, &error) == 0, "%s: %s", server,
			error) &&
		UNIT_CHECK(pop3_uidl(client, list_r) == POP3_OK, "%s: %s",
			   server, pop3_error(client));
	if (client != NULL)
		(void)pop3_quit(&client);
	return ok;
}

/* A POP3 client that has them all from there fetches none again. */
static void test_uidl(void)
{
	unsigned int user = late_user();
	struct pop3_list old, new;

	late_mail(user, "INBOX", "uidl-1@case.example");
	late_mail(user, "INBOX", "uidl-2@case.example");
	late_look(user, "");
	late_mail(user, "INBOX", "uidl-3@case.example");
	late_look(user, "");
	if (pop3_lists("OLD_POP3_DIRECT", user, &old) &&
	    pop3_lists("NEW_POP3", user, &new)) {
		UNIT_CHECK(old.count == new.count, "%zu mails there, %zu here",
			   old.count, new.count);
		for (size_t i = 0; i < old.count && i < new.count; i++)
			UNIT_CHECK(strcmp(old.items[i].uidl,
					  new.items[i].uidl) == 0,
				   "UIDL of %zu: %s there, %s here", i + 1,
				   old.items[i].uidl, new.items[i].uidl);
		pop3_list_free(&old);
		pop3_list_free(&new);
	}
}

static void test_once(void)
{
	unsigned int user = late_user_with("Work", 1);

	late_mail(user, "INBOX", "once@case.example");
	late_mail(user, "Work", "once-work@case.example");
	for (unsigned int i = 0; i < 4; i++)
		late_look(user, i % 2 == 0 ? "" : "--full");
	late_is_once(user, "INBOX", "once@case.example");
	late_is_once(user, "Work", "once-work@case.example");
	LATE_EVENTS(user, 2, "late", "");
	LATE_EVENTS(user, 1, "poll", "ok=yes new=2");
	LATE_EVENTS(user, 3, "poll", "ok=yes new=0");
}

/* The old server's, as any that isn't local yet. */
static void test_new_folder(void)
{
	unsigned int user = late_user();

	folder_make("OLD_IMAP_DIRECT", user, "Fresh", 2);
	late_look(user, "");
	CU_ASSERT(folder_listed("NEW_IMAP", user, "Fresh"));
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, "Fresh"), 2);
	case_migration("fill -u %s", case_user(user));
	case_is_state(user, "Fresh", "local");
	late_mail(user, "Fresh", "fresh@case.example");
	late_look(user, "");
	late_is_once(user, "Fresh", "fresh@case.example");
}

static void test_renamed_here(void)
{
	unsigned int user = late_user_with("Work", 2);

	CU_ASSERT_EQUAL(folder_run("NEW_IMAP", user, "RENAME Work Done"),
			IMAP_OK);
	late_mail(user, "Work", "renamed@case.example");
	late_look(user, "");
	late_look(user, "");
	late_is_once(user, "INBOX", "renamed@case.example");
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, "Done"), 2);
	CU_ASSERT(!folder_listed("NEW_IMAP", user, "Work"));
}

static void test_deleted_here(void)
{
	unsigned int user = late_user_with("Work", 2);

	CU_ASSERT_EQUAL(folder_run("NEW_IMAP", user, "DELETE Work"), IMAP_OK);
	late_mail(user, "Work", "deleted@case.example");
	late_look(user, "");
	late_look(user, "");
	late_is_once(user, "INBOX", "deleted@case.example");
	CU_ASSERT(!folder_listed("NEW_IMAP", user, "Work"));
	LATE_EVENTS(user, 1, "late", "mailbox=Work");
}

static void check_value(unsigned int user, const char *key, const char *value)
{
	const char *found = late_value(user, "late", "", key);

	UNIT_CHECK(strcmp(found, value) == 0, "%s is '%s', not '%s'", key,
		   found, value);
}

static void test_event(void)
{
	unsigned int user = late_user();
	uint32_t uid = late_mail(user, "INBOX", "event@case.example");
	char text[20];

	late_look(user, "");
	snprintf(text, sizeof(text), "%u", uid);
	check_value(user, "mailbox", "INBOX");
	check_value(user, "uid", text);
	check_value(user, "mid", "<event@case.example>");
	check_value(user, "from", "<" CASE_MESSAGE_FROM ">");
	check_value(user, "client", LATE_CLIENT);
	check_value(user, "name", LATE_NAME);
	/* 2026-01-06 12:00:00 +0100, by the old server's own line */
	check_value(user, "received", "1767697200");
	check_value(user, "spam", "no");
	check_value(user, "action", "delivered");
	CU_ASSERT(strtoul(late_value(user, "late", "", "delay"), NULL, 10) > 0);
	CU_ASSERT(strtoul(late_value(user, "late", "", "size"), NULL, 10) >
		  300);
}

/* What we never saw is told. */
static void test_gone_before(void)
{
	static const char *const expunge[] = {
		"STORE * +FLAGS.SILENT (\\Deleted)", "EXPUNGE", NULL
	};
	unsigned int user = late_user();

	late_mail(user, "INBOX", "stays@case.example");
	late_mail(user, "INBOX", "passes@case.example");
	late_client("OLD_IMAP_DIRECT", user, "INBOX", expunge);
	late_look(user, "");
	late_is_once(user, "INBOX", "stays@case.example");
	LATE_EVENTS(user, 1, "late_gone", "mailbox=INBOX messages=1");
}

/* Through the old server's MTA, with its milter's tag. */
static void test_sent(void)
{
	unsigned int user = late_user();
	uint32_t before = folder_count("NEW_IMAP", user, "INBOX");

	if (!case_shell("%s send old 3 --user %s", case_get("LAB"),
			case_user(user)))
		return;
	late_look(user, "");
	late_look(user, "");
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, "INBOX"), before + 3);
	LATE_EVENTS(user, 3, "late", "client=127.0.0.1");
}

static void test_many(void)
{
	unsigned int user = late_user();
	uint32_t before = folder_count("NEW_IMAP", user, "INBOX");

	late_many(user, 0, MANY);
	late_look(user, "");
	late_many_came(user, before, MANY);
}

/* More come while it looks and delivers. */
static void test_during(void)
{
	unsigned int user = late_user();
	uint32_t before = folder_count("NEW_IMAP", user, "INBOX");
	unsigned int count = 5;
	pid_t pid;

	late_many(user, 0, count);
	pid = folder_start_slow("rename", 200, "migration catchup -u %s",
				case_user(user));
	while (process_wait(pid, 1) < 0)
		late_many(user, count++, 1);
	late_look(user, "");
	UNIT_CHECK(count > 10, "only %u mails", count);
	late_many_came(user, before, count);
}

/* One waits for the other, or leaves it to it. */
static void test_two_looks(void)
{
	unsigned int user = late_user();
	uint32_t before = folder_count("NEW_IMAP", user, "INBOX");
	pid_t pid;

	late_many(user, 0, 20);
	pid = folder_start_slow("rename", 100, "migration catchup -u %s",
				case_user(user));
	(void)case_doveadm("migration catchup -u %s", case_user(user));
	(void)case_doveadm("migration catchup -u %s", case_user(user));
	CU_ASSERT_EQUAL(process_wait(pid, CASE_TIMEOUT_MS), 0);
	late_look(user, "");
	late_many_came(user, before, 20);
	case_no_crash();
}

int main(void)
{
	static const char *const lab[] = {
		"--users", "18", "--messages", "8", "--folders", "0",
		"--corpus", "small", NULL
	};
	static const struct unit_test tests[] = {
		{ "INBOX, with Sieve: kept, and filed", test_sieve },
		{ "INBOX, with Sieve: thrown away", test_discard },
		{ "INBOX, only saved", test_save },
		{ "other folders, and what clients saved", test_folders },
		{ "flags, date and bytes", test_same_as_there },
		{ "POP3 UIDLs", test_uidl },
		{ "once, however often it is looked for", test_once },
		{ "a folder that was made there", test_new_folder },
		{ "a folder that was renamed here", test_renamed_here },
		{ "a folder that was deleted here", test_deleted_here },
		{ "what is reported", test_event },
		{ "gone before anybody looked", test_gone_before },
		{ "through the old server's MTA", test_sent },
		{ "200 at once", test_many },
		{ "during a look", test_during },
		{ "two looks at once", test_two_looks },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "catchup-arrivals", .tests = tests,
		.lab_args = lab, .settings = LATE_SETTINGS
	};

	return case_main(&program);
}
