/*
 * test-catchup-kill: a catch-up, or the deliverer that it asks, is killed at each
 * call that changes a file, and the next one ends in peace: each mail is there
 * once, in each store
 *
 * Each round has late mails of its own: two in INBOX, which Sieve puts into two
 * mailboxes, one in Work, and one that a client there moves from Work to Else.
 * MIGRATION_SOAK=1: at every call, else at some that are spread evenly, and the
 * deliverer with sdbox only: test-late-kill has it for each store. An mdbox that was
 * killed may be rebuilt by stock Dovecot, which brings back what was half saved.
 */
#include "case-late.h"
#include "faulty-deliver.h"
#include "message-ids.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* more than there are calls */
#define ROUNDS_MAX 1000
#define SPREAD_POINTS 8
#define SPREAD_DELIVERIES 16
/* what moves can take from */
#define WORK_MESSAGES 60
#define WORK_MESSAGES_SOAK 500

static const char script[] =
	"require [\"fileinto\", \"copy\"];\nfileinto :copy \"Trash\";\n";

static bool has_sieve;
static unsigned int rounds;

static bool add_mails(unsigned int user)
{
	static const char *const move[] = { "MOVE 1 Else", NULL };
	char id[60];

	rounds++;
	for (char c = 'a'; c <= 'c'; c++) {
		snprintf(id, sizeof(id), "kill-%u-%c@case.example", rounds, c);
		late_mail(user, c == 'c' ? "Work" : "INBOX", id);
	}
	return late_client("OLD_IMAP_DIRECT", user, "Work", move);
}

static void check_id(const struct message_ids *ids, const char *mailbox,
		     size_t all, const char *id)
{
	size_t there, count;

	there = message_ids_count(ids, id, mailbox);
	count = message_ids_count(ids, id, NULL);
	UNIT_CHECK(there == 1 && count == all, "%s is %zu times in %s, and %zu "
		   "times in all", id, there, mailbox, count);
}

/* All mails of all rounds. */
static void check_all(unsigned int user)
{
	struct message_ids ids;
	const char *error;
	unsigned int n;
	char id[60];

	if (!UNIT_CHECK(message_ids_take(case_get("NEW_IMAP"), case_user(user),
					 case_get("PASSWORD"), CASE_TIMEOUT_MS,
					 &ids, &error) == 0, "%s", error))
		return;
	for (n = 1; n <= rounds; n++) {
		for (char c = 'a'; c <= 'c'; c++) {
			snprintf(id, sizeof(id), "<kill-%u-%c@case.example>",
				 n, c);
			check_id(&ids, c == 'c' ? "Work" : "INBOX",
				 c != 'c' && has_sieve ? 2 : 1, id);
		}
		snprintf(id, sizeof(id), "<Work-%u@case.example>", n - 1);
		check_id(&ids, "Else", 1, id);
	}
	message_ids_free(&ids);
}

/* One that ends in peace. */
static bool look_again(unsigned int user)
{
	return faulty_deliver_unlock(user) && late_look(user, "");
}

/* doveadm with the fault; its output says how many calls. Returns its status. */
static int
look_with(unsigned int user, const char *fault, struct process_result *result_r)
{
	(void)process_shell(CASE_TIMEOUT_MS, result_r,
			    "%s migration catchup -u %s",
			    case_faulty("%s", fault), case_user(user));
	return result_r->status;
}

static unsigned int count_calls(unsigned int user)
{
	static const char said[] = "fault-at: ";
	struct process_result result;
	unsigned int count = 0;
	const char *p;

	if (!add_mails(user))
		return 0;
	if (UNIT_CHECK(look_with(user, "count any 0", &result) == 0, "%s",
		       result.output) &&
	    (p = strstr(result.output, said)) != NULL)
		count = (unsigned int)strtoul(p + strlen(said), NULL, 10);
	process_result_free(&result);
	return count;
}

/* Returns 1 when it was killed, 0 when it wasn't, -1. */
static int kill_look_at(unsigned int user, unsigned int n)
{
	struct process_result result;
	char fault[40];
	int status;

	if (!add_mails(user))
		return -1;
	snprintf(fault, sizeof(fault), "kill any %u", n);
	status = look_with(user, fault, &result);
	UNIT_CHECK(status == 0 || status == 128 + SIGKILL, "%u: status %d: %s",
		   n, status, result.output);
	process_result_free(&result);
	return !look_again(user) ? -1 : status != 0;
}

static int kill_deliver_at(unsigned int user, unsigned int n)
{
	char fault[40];
	int status;

	snprintf(fault, sizeof(fault), "kill any %u", n);
	if (!add_mails(user) || !faulty_deliver_set(fault))
		return -1;
	status = case_doveadm("migration catchup -u %s", case_user(user));
	if (!faulty_deliver_set("") || !look_again(user))
		return -1;
	return status != 0;
}

/* Returns how many were killed. */
static unsigned int
kill_all(unsigned int user, int (*kill_at)(unsigned int, unsigned int),
	 unsigned int step)
{
	unsigned int n, killed = 0;
	int ret = 1;

	for (n = 1; n < ROUNDS_MAX && ret > 0; n += step) {
		if ((ret = kill_at(user, n)) > 0)
			killed++;
	}
	UNIT_CHECK(ret == 0, "no end with %u", n);
	return killed;
}

static void kill_in(unsigned int user, bool deliverer)
{
	unsigned int calls = count_calls(user), looks, deliveries = 0, step;

	step = case_soak() ? 1 : calls / SPREAD_POINTS + 1;
	looks = kill_all(user, kill_look_at, step);
	if (deliverer)
		deliveries = kill_all(user, kill_deliver_at, case_soak() ? 1 :
				      SPREAD_DELIVERIES);
	UNIT_CHECK(looks >= SPREAD_POINTS / 2 &&
		   (!deliverer || deliveries > 1), "%u of %u calls", looks,
		   calls);
	printf("\n    killed %u looks of %u calls, %u times the deliverer ",
	       looks, calls, deliveries);
	check_all(user);
}

static void test_store(const char *store)
{
	const char *const args[] = {
		"--users", "1", "--messages", "10", "--folders", "0",
		"--corpus", "small", "--no-milter", "--store", store, NULL
	};
	unsigned int user;
	struct lab *lab;

	if (case_lab_up(args, LATE_SETTINGS) != 0)
		return;
	lab = case_lab;
	has_sieve = case_has_module("lib90_sieve_plugin.so");
	rounds = 0;
	folder_make("OLD_IMAP_DIRECT", 0, "Else", 1);
	user = late_user_with("Work", case_soak() ? WORK_MESSAGES_SOAK :
			      WORK_MESSAGES);
	late_sieve(user, script);
	if (faulty_deliver_init(LATE_SETTINGS))
		kill_in(user, case_soak() || strcmp(store, "sdbox") == 0);
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

int main(void)
{
	static const struct unit_test tests[] = {
		{ "sdbox", test_sdbox },
		{ "mdbox", test_mdbox },
		{ "Maildir", test_maildir },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "catchup-kill", .tests = tests,
	};

	return case_main(&program);
}
