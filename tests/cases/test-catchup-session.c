/*
 * test-catchup-session: late mail comes by itself while a user has a session
 *
 * To IMAP sessions within seconds, to POP3 at login; with one connection to the
 * old server for two users; and whatever is wrong with the old server or the
 * worker, nobody's login is delayed or refused.
 */
#include "asker.h"
#include "case-folder.h"
#include "case-mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS 2
/* late mail of an INBOX is heard of by itself, long before the interval */
#define INTERVAL(time) CASE_MANUAL \
	"plugin {\n  migration_catchup_interval = " time "\n}\n" \
	"service migration-worker {\n  idle_kill = 1 s\n}\n"
/* what a login takes at most */
#define LOGIN_MS 5000

static bool no_worker(void *context)
{
	pid_t pid;

	(void)context;
	return case_mirror_workers(&pid, 1) == 0;
}

static bool use_settings(const char *settings)
{
	return case_settings(settings, true) &&
		UNIT_CHECK(wait_until(no_worker, NULL, CASE_TIMEOUT_MS),
			   "the workers don't end");
}

/* Into the old server's INBOX, by its own LMTP. */
static void send_late(unsigned int user, const char *id)
{
	size_t size;
	char *data = case_message(id, 2000, &size);

	UNIT_CHECK(case_lmtp("OLD_LMTP", user, data, size) == 0, "LMTP: %s",
		   id);
	free(data);
}

struct wanted {
	struct imap_client *session;
	uint32_t exists;
};

static bool has_come(void *context)
{
	const struct wanted *wanted = context;

	return imap_run(wanted->session, "NOOP") != IMAP_OK ||
		imap_exists(wanted->session) >= wanted->exists;
}

/* To a session that has INBOX selected; how long it took. */
static unsigned int late_mail_comes(struct imap_client *session,
				    unsigned int user, const char *id)
{
	struct wanted wanted = { session, imap_exists(session) + 1 };
	uint64_t begin;

	send_late(user, id);
	begin = now_ms();
	UNIT_CHECK(wait_until(has_come, &wanted, CASE_TIMEOUT_MS),
		   "%s doesn't come", id);
	UNIT_CHECK(!imap_is_lost(session), "the session is lost");
	UNIT_CHECK(imap_exists(session) == wanted.exists, "%s came twice", id);
	return (unsigned int)(now_ms() - begin);
}

static struct imap_client *open_inbox(unsigned int user)
{
	struct imap_client *session = case_imap("NEW_IMAP", user);
	struct imap_box box;

	if (session != NULL)
		UNIT_CHECK(imap_select(session, "INBOX", &box) == IMAP_OK,
			   "SELECT: %s", imap_error(session));
	return session;
}

static bool is_looked_for(void *context)
{
	const unsigned int *polls = context;

	return case_log_count("event=poll") > *polls;
}

static bool poll_comes(unsigned int polls)
{
	return UNIT_CHECK(wait_until(is_looked_for, &polls, CASE_TIMEOUT_MS),
			  "nobody looks");
}

/* Heard of, for the interval is too long. */
static void comes_by_itself(void)
{
	unsigned int polls = case_log_count("event=poll"), took;
	struct imap_client *session;

	if (!use_settings(INTERVAL("1 hour")) ||
	    (session = open_inbox(0)) == NULL)
		return;
	poll_comes(polls);
	took = late_mail_comes(session, 0, "first@case.example");
	printf("\n    late mail was seen after %u ms\n    ", took);
	late_mail_comes(session, 0, "second@case.example");
	imap_logout(&session);
	UNIT_CHECK(wait_until(no_worker, NULL, CASE_TIMEOUT_MS),
		   "the worker stays without a session");
}

static bool inboxes_are_equal(void *context)
{
	(void)context;
	return folder_count("NEW_IMAP", 0, "INBOX") ==
		folder_count("OLD_IMAP_DIRECT", 0, "INBOX");
}

/* What came while nobody was there is looked for when a session begins; what isn't
   INBOX at the interval. */
static void comes_at_intervals(void)
{
	struct imap_client *session;
	struct wanted wanted;
	struct imap_box box;

	if (!use_settings(INTERVAL("2 s")))
		return;
	send_late(0, "before@case.example");
	session = case_imap("NEW_IMAP", 0);
	if (session == NULL || imap_select(session, "Sent", &box) != IMAP_OK)
		return;
	folder_append("OLD_IMAP_DIRECT", 0, "Sent", "sent-there@case.example");
	wanted.session = session;
	wanted.exists = box.exists + 1;
	UNIT_CHECK(wait_until(has_come, &wanted, CASE_TIMEOUT_MS),
		   "nothing comes to another mailbox");
	UNIT_CHECK(wait_until(inboxes_are_equal, NULL, CASE_TIMEOUT_MS),
		   "what came before isn't here");
	imap_logout(&session);
}

static void comes_to_pop3(void)
{
	uint32_t there = folder_count("OLD_IMAP_DIRECT", 0, "INBOX");
	struct pop3_client *box = NULL;
	struct pop3_list list;
	const char *error = "";
	uint64_t begin;

	send_late(0, "pop3@case.example");
	begin = now_ms();
	if (!UNIT_CHECK(pop3_open(case_get("NEW_POP3"), case_user(0),
				  case_get("PASSWORD"), CASE_TIMEOUT_MS, &box,
				  &error) == 0, "POP3: %s", error))
		return;
	UNIT_CHECK(now_ms() - begin < LOGIN_MS, "the login took %u ms",
		   (unsigned int)(now_ms() - begin));
	if (UNIT_CHECK(pop3_list(box, &list) == POP3_OK, "%s",
		       pop3_error(box))) {
		UNIT_CHECK(list.count == there + 1, "%zu messages, not %u",
			   list.count, there + 1);
		pop3_list_free(&list);
	}
	pop3_quit(&box);
}

/* Two sessions, and one connection for both of their users. */
static void connections_are_counted(void)
{
	struct imap_client *sessions[USERS];
	unsigned int user, round;
	char id[60];

	if (!use_settings(INTERVAL("1 s")
			  "plugin {\n  migration_old_connections = 1\n}\n"))
		return;
	for (user = 0; user < USERS; user++) {
		if ((sessions[user] = open_inbox(user)) == NULL)
			return;
	}
	for (round = 0; round < 3; round++) {
		for (user = 0; user < USERS; user++) {
			snprintf(id, sizeof(id), "counted-%u@case.example",
				 round);
			late_mail_comes(sessions[user], user, id);
		}
	}
	for (user = 0; user < USERS; user++)
		imap_logout(&sessions[user]);
}

static void login_works(const char *what)
{
	uint64_t begin = now_ms();
	struct imap_client *session = open_inbox(0);
	struct pop3_client *box = NULL;
	const char *error = "";

	if (session != NULL)
		UNIT_CHECK(imap_run(session, "NOOP") == IMAP_OK, "%s: NOOP",
			   what);
	imap_logout(&session);
	UNIT_CHECK(now_ms() - begin < LOGIN_MS, "%s: IMAP took %u ms", what,
		   (unsigned int)(now_ms() - begin));
	begin = now_ms();
	if (UNIT_CHECK(pop3_open(case_get("NEW_POP3"), case_user(0),
				 case_get("PASSWORD"), CASE_TIMEOUT_MS, &box,
				 &error) == 0, "%s: POP3: %s", what, error))
		pop3_quit(&box);
	UNIT_CHECK(now_ms() - begin < LOGIN_MS, "%s: POP3 took %u ms", what,
		   (unsigned int)(now_ms() - begin));
}

static void logins_are_not_held_up(void)
{
	unsigned int errors;

	if (!use_settings(INTERVAL("0")))
		return;
	login_works("without an interval");
	CU_ASSERT(no_worker(NULL));
	/* nobody may connect to the service */
	if (!use_settings(INTERVAL("2 s") "service migration-worker {\n"
			  "  unix_listener migration-worker {\n"
			  "    mode = 0600\n  }\n}\n"))
		return;
	errors = case_log_count(": Error:");
	login_works("without a worker");
	UNIT_CHECK(case_log_count(": Error:") == errors, "errors are logged");
	CU_ASSERT(no_worker(NULL));
	if (!use_settings(INTERVAL("2 s")) ||
	    !case_server("old", "stop", NULL))
		return;
	login_works("without the old server");
	case_server("old", "start", NULL);
	case_no_crash();
}

static void is_asked_for(void)
{
	struct asker *asker;

	if (!use_settings(INTERVAL("1 hour")) ||
	    (asker = asker_open(0)) == NULL)
		return;
	send_late(0, "asked@case.example");
	/* busy=0, of so many mailboxes one has a late mail */
	ASKER_CHECK(asker, "OK\t0\t", "CATCHUP\t0\t0");
	UNIT_CHECK(folder_count("NEW_IMAP", 0, "INBOX") ==
		   folder_count("OLD_IMAP_DIRECT", 0, "INBOX"),
		   "it isn't here when the answer is");
	ASKER_CHECK(asker, "NO\tparams", "CATCHUP\t0\t99");
	asker_close(&asker);
}

/* auth looks at the file once a second */
static bool all_are_looked_at_with(void *context)
{
	const int *status = context;

	return case_doveadm("-f tab migration catchup -A") == *status;
}

static void all_become(int status)
{
	UNIT_CHECK(wait_until(all_are_looked_at_with, &status,
			      CASE_TIMEOUT_MS), "not status %d: %s", status,
		   case_output());
}

static void set_old_password(unsigned int user, const char *password)
{
	case_shell("sed -i '/^%s:/s/imapc_password=[^ ]*/imapc_password=%s/' "
		   "'%s/new/users'", case_user(user), password,
		   case_get("DIR"));
}

/* One user's login is refused: the others are looked at all the same. */
static void others_go_on(void)
{
	char polled[80];
	unsigned int polls;

	snprintf(polled, sizeof(polled), "event=poll user=%s ok=yes",
		 case_user(1));
	set_old_password(0, "wrong");
	polls = case_log_count(polled);
	all_become(77);
	UNIT_CHECK(strstr(case_output(), case_user(1)) != NULL,
		   "the second user is missing: %s", case_output());
	UNIT_CHECK(case_log_count(polled) > polls &&
		   case_log_count("ok=no") > 0, "the polls");
	set_old_password(0, case_get("PASSWORD"));
	all_become(0);
}

static void prepare(void)
{
	for (unsigned int user = 0; user < USERS; user++) {
		case_migration("fill -u %s", case_user(user));
		case_migration("cutover -u %s", case_user(user));
	}
}

static const struct unit_test tests[] = {
	{ "cutover", prepare },
	{ "by itself", comes_by_itself },
	{ "at intervals", comes_at_intervals },
	{ "POP3", comes_to_pop3 },
	{ "counted connections", connections_are_counted },
	{ "asked for", is_asked_for },
	{ "logins aren't held up", logins_are_not_held_up },
	{ "others go on", others_go_on },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "2", "--messages", "20", "--folders", "2",
		"--rented", NULL
	};
	const struct case_program program = {
		.name = "test-catchup-session",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL,
	};

	return case_main(&program);
}
