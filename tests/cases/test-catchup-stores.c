/*
 * test-catchup-stores: catch-up with each kind of old server, into each kind of
 * store
 *
 * Cyrus and Courier have other names for folders; Courier has no CONDSTORE:
 * what its clients change is found by looking at all flags.
 */
#include "case-late.h"
#include "case-mirror.h"

#include <stdio.h>
#include <string.h>

#define MESSAGES 6
#define OLD "OLD_IMAP_DIRECT"
#define DO(server, user, mailbox, ...) \
	late_client(server, user, mailbox, \
		    (const char *const []){ __VA_ARGS__, NULL })

static char work[60], other[60];

static void arrivals(unsigned int user)
{
	const struct late_text text = {
		.id = "eight@case.example", .body = "\xc3\xa4\xff\r\n.\r\n"
	};

	late_arrives(user, "INBOX", "\\Seen $Label1", &text);
	late_mail(user, "INBOX", "plain@case.example");
	late_mail(user, work, "work@case.example");
	late_look(user, "");
	late_look(user, "--full");
	late_same(user, "INBOX", text.id);
	late_same(user, "INBOX", "plain@case.example");
	late_same(user, work, "work@case.example");
	late_is_once(user, "INBOX", "plain@case.example");
	late_is_once(user, work, "work@case.example");
	LATE_EVENTS(user, 3, "late", "client=" LATE_CLIENT);
}

/* In lots: what is waiting on the way must be durable for each store. */
static void many(unsigned int user)
{
	uint32_t before = folder_count("NEW_IMAP", user, "INBOX");

	late_many(user, 0, 60);
	late_look(user, "");
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, "INBOX"), before + 60);
}

static void clients(unsigned int user)
{
	char move[100];

	snprintf(move, sizeof(move), "COPY 2 %s", other);
	DO(OLD, user, work, "STORE 1 +FLAGS (\\Flagged)", move,
	   "STORE 2:3 +FLAGS (\\Deleted)", "EXPUNGE");
	late_look(user, "");
	late_look(user, "");
	CU_ASSERT_STRING_EQUAL(folder_flags("NEW_IMAP", user, work, 1),
			       "\\Flagged ");
	/* the second one was moved, the third one expunged: it stays */
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, work), MESSAGES - 1);
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, other), 1);
	LATE_EVENTS(user, 1, "late_moved", "");
	LATE_EVENTS(user, 1, "old_client", "flags=1 expunged=1 moved=1");
}

static void replaced(unsigned int user)
{
	uint32_t before = folder_count("NEW_IMAP", user, work);

	CU_ASSERT_EQUAL(folder_run(OLD, user, "DELETE %s", work), IMAP_OK);
	folder_make(OLD, user, work, 0);
	late_mail(user, work, "work@case.example");
	late_mail(user, work, "again@case.example");
	late_look(user, "");
	late_look(user, "");
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, work), before + 1);
	late_is_once(user, work, "work@case.example");
	late_is_once(user, work, "again@case.example");
}

static void round_trip(const char *old, const char *store)
{
	const char *const args[] = {
		"--old", old, "--store", store, "--users", "1",
		"--messages", "10", "--folders", "0", "--no-milter",
		"--corpus", "small", NULL
	};
	unsigned int user;
	struct lab *lab;

	if (case_lab_up(args, LATE_SETTINGS) != 0)
		return;
	lab = case_lab;
	snprintf(work, sizeof(work), "%s", case_mirror_name("Work"));
	snprintf(other, sizeof(other), "%s", case_mirror_name("Else"));
	folder_make(OLD, 0, other, 0);
	user = late_user_with("Work", MESSAGES - 1);
	arrivals(user);
	many(user);
	clients(user);
	replaced(user);
	case_no_crash();
	case_lab_down(&lab);
}

static void test_dovecot(void)
{
	round_trip("dovecot", "mdbox");
}

static void test_cyrus(void)
{
	round_trip("cyrus", "sdbox");
}

static void test_courier(void)
{
	round_trip("courier", "maildir");
}

static void test_others(void)
{
	static const char *const olds[] = { "dovecot", "cyrus", "courier" };
	static const char *const stores[] = { "sdbox", "mdbox", "maildir" };

	for (unsigned int i = 0; i < 9 && case_soak(); i++)
		round_trip(olds[i / 3], stores[i % 3]);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "Dovecot to mdbox", test_dovecot },
		{ "Cyrus to sdbox", test_cyrus },
		{ "Courier to Maildir", test_courier },
		{ "all pairs (MIGRATION_SOAK=1)", test_others },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "catchup-stores", .tests = tests,
	};

	return case_main(&program);
}
