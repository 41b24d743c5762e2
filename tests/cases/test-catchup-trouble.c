/*
 * test-catchup-trouble: nothing is lost for want of the old server, of room, of
 * the deliverer or of the disk; what fails is told, and tried again
 *
 * Between the servers stand a proxy that spoils one message and the delay proxy.
 * Each case has a user of its own.
 */
#include "case-late.h"
#include "fault-proxy.h"
#include "test-trouble-lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 200
#define RTT "20"
/* of a catch-up's calls that change files, how many fail */
#define FAIL_POINTS 12
#define QUOTA "mail_plugins = $mail_plugins quota\nprotocol lmtp {\n" \
	"  mail_plugins = $mail_plugins quota\n}\nplugin {\n  quota = count:User quota\n  quota_vsizes = yes\n" \
	"  quota_rule = *:messages=%u\n}\n"
#define NO_DELIVERER "service migration-deliver {\n" \
	"  executable = /bin/false\n}\n"

static struct fault_proxy *proxy;

static bool is_in_between(void *context)
{
	const char *port = context;

	(void)case_doveadm("user -f imapc_port %s", case_user(0));
	return strncmp(case_output(), port, strlen(port)) == 0;
}

/* The new server finds the old one behind the proxy, until it is restarted. */
static void test_begin(void)
{
	unsigned int port, old;
	char text[20];

	(void)late_user();
	old = (unsigned int)strtoul(strrchr(case_get("OLD_IMAP"), ':') + 1,
				    NULL, 10);
	proxy = fault_proxy_start(old, &port);
	snprintf(text, sizeof(text), "%u", port);
	/* a file of the same second and size is taken for the same one */
	CU_ASSERT(case_shell("sed -i -e 's/imapc_port=%u/imapc_port=%s/' "
			     "-e '$a#' '%s/new/users'", old, text,
			     case_get("DIR")));
	CU_ASSERT(wait_until(is_in_between, text, CASE_TIMEOUT_MS));
}

static void test_away(void)
{
	unsigned int user = late_user();

	late_mail(user, "INBOX", "away@case.example");
	trouble_down();
	late_look_fails(user);
	late_look_fails(user);
	trouble_up();
	LATE_EVENTS(user, 2, "poll", "ok=no new=0");
	CU_ASSERT(*late_value(user, "poll", "ok=no", "reason") != '\0');
	late_look(user, "");
	late_is_once(user, "INBOX", "away@case.example");
}

static void test_refused(void)
{
	unsigned int user = late_user();

	late_mail(user, "INBOX", "refused@case.example");
	CU_ASSERT(trouble_password(user, "another"));
	late_look_fails(user);
	LATE_EVENTS(user, 1, "poll", "ok=no");
	CU_ASSERT(trouble_password(user, case_get("PASSWORD")));
	late_look(user, "");
	late_is_once(user, "INBOX", "refused@case.example");
}

static void spoilt(enum fault fault, const char *what)
{
	unsigned int user = late_user();
	char keys[40];
	uint32_t uid;

	late_mail(user, "INBOX", "first@case.example");
	uid = late_mail(user, "INBOX", "spoilt@case.example");
	late_mail(user, "INBOX", "last@case.example");
	fault_proxy_set(proxy, fault, uid);
	late_look_fails(user);
	snprintf(keys, sizeof(keys), "mailbox=INBOX uid=%u", uid);
	UNIT_CHECK(late_here(user, NULL, "spoilt@case.example") == 0, "%s: "
		   "it is here", what);
	if (fault != FAULT_CUT) {
		UNIT_CHECK(late_events(user, "late_failed", keys) == 1,
			   "%s: no late_failed", what);
		late_is_once(user, "INBOX", "first@case.example");
		late_is_once(user, "INBOX", "last@case.example");
	}
	late_look_fails(user);
	fault_proxy_set(proxy, FAULT_NONE, 0);
	late_look(user, "");
	late_look(user, "");
	late_is_once(user, "INBOX", "first@case.example");
	late_is_once(user, "INBOX", "spoilt@case.example");
	late_is_once(user, "INBOX", "last@case.example");
	LATE_EVENTS(user, 3, "late", "");
}

static void test_spoilt(void)
{
	spoilt(FAULT_DROP, "left out");
	spoilt(FAULT_NO, "refused");
	spoilt(FAULT_NIL, "NIL");
	spoilt(FAULT_CUT, "cut off");
	spoilt(FAULT_DATE, "without a date");
}

static bool set_quota(unsigned int messages)
{
	char text[400];

	snprintf(text, sizeof(text), LATE_SETTINGS QUOTA, messages);
	return case_settings(text, true);
}

/* In all mailboxes. */
static unsigned int count_all(unsigned int user)
{
	const char *said;

	(void)case_doveadm("-f flow mailbox status -t -u %s messages '*'",
			   case_user(user));
	said = strstr(case_output(), "messages=");
	return said == NULL ? 0 : (unsigned int)strtoul(said + 9, NULL, 10);
}

static void test_quota(void)
{
	unsigned int user = late_user();
	uint32_t had = folder_count("NEW_IMAP", user, "INBOX");
	unsigned int all = count_all(user);

	late_mail(user, "INBOX", "fits@case.example");
	late_mail(user, "INBOX", "over@case.example");
	CU_ASSERT(set_quota(all + 1));
	late_look_fails(user);
	late_look_fails(user);
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, "INBOX"), had + 1);
	late_is_once(user, "INBOX", "fits@case.example");
	UNIT_CHECK(late_events(user, "late_failed", "mailbox=INBOX") >= 1,
		   "no late_failed");
	CU_ASSERT(set_quota(all + 2));
	late_look(user, "");
	late_is_once(user, "INBOX", "fits@case.example");
	late_is_once(user, "INBOX", "over@case.example");
	CU_ASSERT(case_settings(LATE_SETTINGS, true));
}

static void test_no_deliverer(void)
{
	unsigned int user = late_user();

	late_mail(user, "INBOX", "nobody@case.example");
	CU_ASSERT(case_settings(LATE_SETTINGS NO_DELIVERER, true));
	late_look_fails(user);
	CU_ASSERT_EQUAL(late_here(user, NULL, "nobody@case.example"), 0);
	CU_ASSERT(case_settings(LATE_SETTINGS, true));
	late_look(user, "");
	late_is_once(user, "INBOX", "nobody@case.example");
}

static void fail_at(unsigned int user, const char *call, unsigned int n)
{
	struct process_result result;

	(void)process_shell(CASE_TIMEOUT_MS, &result,
			    "%s migration catchup -u %s",
			    case_faulty("fail %s %u", call, n),
			    case_user(user));
	UNIT_CHECK(result.status >= 0 && result.status < 128,
		   "%s %u: status %d: %s", call, n, result.status,
		   result.output);
	process_result_free(&result);
}

/* Also of a mail that is moved there, which isn't known as such when it can't be
   had. (Dovecot itself panics when its index logs can't be written.) */
static void test_disk(void)
{
	static const char *const move[] = { "MOVE 1 Else", NULL };
	static const char *const calls[] = { "rename", "fsync" };
	unsigned int user, i;
	char id[60];

	user = late_user_with("Work Else", FAIL_POINTS);
	for (i = 0; i < FAIL_POINTS; i++) {
		snprintf(id, sizeof(id), "disk-%u@case.example", i);
		late_mail(user, "INBOX", id);
		late_client("OLD_IMAP_DIRECT", user, "Work", move);
		fail_at(user, calls[i % 2], i / 2 + 1);
		late_look(user, "");
	}
	for (i = 0; i < FAIL_POINTS; i++) {
		snprintf(id, sizeof(id), "disk-%u@case.example", i);
		late_is_once(user, "INBOX", id);
		snprintf(id, sizeof(id), "Work-%u@case.example", i);
		late_is_once(user, "Else", id);
	}
}

static void test_many_far(void)
{
	unsigned int user = late_user();
	uint32_t before = folder_count("NEW_IMAP", user, "INBOX");
	uint64_t begin;

	late_many(user, 0, MANY);
	(void)trouble_tell("rtt " RTT);
	begin = now_ms();
	late_look(user, "");
	printf("\n    %u in %u ms at RTT " RTT " ", MANY,
	       (unsigned int)(now_ms() - begin));
	(void)trouble_tell("rtt 0");
	late_many_came(user, before, MANY);
}

/* The connection ends somewhere in between. */
static void test_cut_in_between(void)
{
	unsigned int user = late_user(), i;
	uint32_t before = folder_count("NEW_IMAP", user, "INBOX");
	pid_t pid;

	late_many(user, 0, MANY);
	(void)trouble_tell("rtt " RTT);
	for (i = 0; i < 4; i++) {
		pid = folder_start_slow("rename", 50, "migration catchup -u %s",
					case_user(user));
		(void)process_wait(pid, 200 + 100 * i);
		(void)trouble_tell("cut");
		(void)process_wait(pid, CASE_TIMEOUT_MS);
	}
	(void)trouble_tell("rtt 0");
	late_look(user, "");
	late_many_came(user, before, MANY);
}

static void test_end(void)
{
	case_no_crash();
}

int main(void)
{
	static const char *const lab[] = {
		"--users", "16", "--messages", "5", "--folders", "0",
		"--corpus", "small", "--no-milter", NULL
	};
	static const struct unit_test tests[] = {
		{ "the proxies", test_begin },
		{ "the old server is away", test_away },
		{ "the old server refuses the login", test_refused },
		{ "a mail that it doesn't give", test_spoilt },
		{ "a writing call fails", test_disk },
		{ "no room here", test_quota },
		{ "200 at a distance", test_many_far },
		{ "the connection is cut in between", test_cut_in_between },
		{ "nothing crashed", test_end },
		{ "no deliverer", test_no_deliverer },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "catchup-trouble", .tests = tests,
		.lab_args = lab, .settings = LATE_SETTINGS
	};

	return case_main(&program);
}
