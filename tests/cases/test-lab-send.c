/*
 * test-lab-send: what `lab send` and `lab up --rented` promise
 *
 * Each mail is in the mailbox when the command ends, once, no two have a
 * Message-ID in common but those of --same, and what can't be delivered is told.
 * A rented old server has no milter: what arrives there is neither tagged nor
 * reported, what arrives at the new one is both.
 */
#include "case.h"
#include "message-ids.h"
#include "report-log.h"

#include <stdlib.h>
#include <string.h>

/* All that is there by now. */
static struct message_ids take_ids(const char *server, unsigned int user)
{
	struct message_ids ids;
	const char *error;

	if (message_ids_take(case_get(server), case_user(user),
			     case_get("PASSWORD"), CASE_TIMEOUT_MS, &ids,
			     &error) < 0) {
		UNIT_CHECK(false, "%s: %s", server, error);
		memset(&ids, 0, sizeof(ids));
	}
	return ids;
}

/* `lab send WORDS`; the number of its first mail, 0 on failure. */
static unsigned int send_mails(const char *words)
{
	unsigned int first = 0;
	const char *told;

	if (!case_shell("%s send %s", case_get("LAB"), words))
		return 0;
	told = strstr(case_output(), " first=");
	if (told != NULL)
		first = (unsigned int)strtoul(told + 7, NULL, 10);
	UNIT_CHECK(first > 0, "send %s: %s", words, case_output());
	return first;
}

/* Mails first and so on are at that server, each as often, all of them for the
   user. */
static void check_mails(const char *server, unsigned int user,
			unsigned int first, unsigned int count, size_t times)
{
	struct message_ids ids = take_ids(server, user);
	char id[100];
	unsigned int i;
	size_t found;

	for (i = first; i < first + count; i++) {
		snprintf(id, sizeof(id), "<sent-%u.%s@world.example>", i,
			 case_user(user));
		found = message_ids_count(&ids, id, NULL);
		UNIT_CHECK(found == times, "%s has %s %zu times", server, id,
			   found);
	}
	message_ids_free(&ids);
}

static size_t count_sent(const char *server, unsigned int user)
{
	struct message_ids ids = take_ids(server, user);
	size_t i, count = 0;

	for (i = 0; i < ids.count; i++)
		count += strncmp(ids.items[i].message_id, "<sent-", 6) == 0;
	message_ids_free(&ids);
	return count;
}

static unsigned int count_arrivals(const char *at)
{
	return report_log_count(case_get("REPORT_LOG"), "arrival", "at", at);
}

struct arrivals_goal {
	unsigned int count;
};

static bool are_reported(void *context)
{
	const struct arrivals_goal *goal = context;

	return count_arrivals("new") >= goal->count;
}

static void test_numbers(void)
{
	unsigned int first = send_mails("new 3 --user user1");

	CU_ASSERT_EQUAL(send_mails("old 2 --user=user1"), first + 3);
	check_mails("OLD_IMAP_DIRECT", 0, first, 5, 1);
	/* it is served from the old server */
	check_mails("NEW_IMAP", 0, first, 5, 1);
	CU_ASSERT_EQUAL(count_sent("NEW_IMAP", 1), 0);
}

static void test_turns(void)
{
	size_t had[] = {
		count_sent("OLD_IMAP_DIRECT", 0),
		count_sent("OLD_IMAP_DIRECT", 1)
	};

	send_mails("old 6");
	CU_ASSERT_EQUAL(count_sent("OLD_IMAP_DIRECT", 0), had[0] + 3);
	CU_ASSERT_EQUAL(count_sent("OLD_IMAP_DIRECT", 1), had[1] + 3);
}

static void test_same(void)
{
	unsigned int same, old;

	case_migration("fill -u %s", case_user(0));
	case_migration("cutover -u %s", case_user(0));
	same = send_mails("new 3 --user user1 --same");
	check_mails("NEW_IMAP", 0, same, 3, 1);
	check_mails("OLD_IMAP_DIRECT", 0, same, 3, 1);
	old = send_mails("old 2 --user user1");
	check_mails("OLD_IMAP_DIRECT", 0, old, 2, 1);
	/* whose they are is up to a catch-up */
	same = send_mails("new 1 --user user1");
	check_mails("OLD_IMAP_DIRECT", 0, same, 1, 0);
}

static void test_rented(void)
{
	struct arrivals_goal goal = { .count = count_arrivals("new") + 2 };

	send_mails("old 3");
	send_mails("new 2");
	UNIT_CHECK(wait_until(are_reported, &goal, CASE_TIMEOUT_MS),
		   "%u arrivals reported at the new server",
		   count_arrivals("new"));
	CU_ASSERT_EQUAL(count_arrivals("old"), 0);
	CU_ASSERT_EQUAL(report_log_count(case_get("REPORT_LOG"),
					 "milter_start", "at", "old"), 0);
	CU_ASSERT(case_shell("! %s milter old start", case_get("LAB")));
	CU_ASSERT(case_shell("! grep -q milter '%s/main.cf'",
			     case_get("OLD_SMTP_CONF")));
}

static void test_queue(void)
{
	case_server("old", "stop", NULL);
	CU_ASSERT(case_shell("! %s send old 1 --timeout 1",
			     case_get("LAB")));
	UNIT_CHECK(strstr(case_output(), "in the queue of the old") != NULL &&
		   strstr(case_output(), "Connection refused") != NULL,
		   "%s", case_output());
	case_server("old", "start", NULL);
}

static void test_wrong_usage(void)
{
	static const char *const wrong[] = {
		"", "both 1", "old", "old many", "old 1 --user nobody"
	};
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		case_shell("%s send %s; [ $? = 64 ]", case_get("LAB"),
			   wrong[i]);
}

int main(void)
{
	static const char *const lab[] = {
		"--users", "2", "--messages", "10", "--folders", "0",
		"--rented", NULL
	};
	static const struct unit_test tests[] = {
		{ "numbers go on from send to send", test_numbers },
		{ "users take turns", test_turns },
		{ "the same mail to both servers", test_same },
		{ "a rented old server has no milter", test_rented },
		{ "what is still queued is told", test_queue },
		{ "wrong usage", test_wrong_usage },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "lab-send", .tests = tests,
		.lab_args = lab, .settings = CASE_MANUAL
	};

	return case_main(&program);
}
