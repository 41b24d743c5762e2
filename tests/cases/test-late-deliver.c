/*
 * test-late-deliver: migration-deliver delivers late mail as LMTP does, keeps
 * what it had on the old server, and answers OK for nothing that isn't done
 */
#include "case-mirror.h"
#include "late-mail.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SIEVE "lib90_sieve_plugin.so"
/* somebody else */
#define NOBODY 65534
#define MAX_WORKERS 16
#define NO_QUOTA CASE_MANUAL "plugin {\n  quota = count:User quota\n" \
	"  quota_vsizes = yes\n  quota_rule = *:messages=1\n}\n" \
	"protocol lmtp {\n  mail_plugins = $mail_plugins quota\n}\n"

static bool settle_in(const char *settings)
{
	char all[1000];

	snprintf(all, sizeof(all), "submission_host = %s\n%s",
		 case_get("NEW_SMTP"), settings);
	return case_settings(all, true);
}

static bool make_local(unsigned int user)
{
	return case_migration("fill -u %s", case_user(user)) &&
		case_migration("cutover -u %s", case_user(user));
}

static bool has_sieve(void)
{
	if (case_has_module(SIEVE))
		return true;
	printf("(no Pigeonhole: no Sieve) ");
	return false;
}

static void begins(void)
{
	if (settle_in(CASE_MANUAL) && make_local(0))
		make_local(1);
}

static void delivers(void)
{
	const struct late_mail mail = { .id = "plain@late" };

	if (late_mail_ok(0, &mail))
		late_mail_kept(0, "INBOX", "plain@late", "");
	UNIT_CHECK(case_log_count("<plain@late>: ") == 1, "it isn't logged");
}

static void saves(void)
{
	const struct late_mail mail = {
		.id = "saved@late", .save_into = "Drafts"
	};
	const struct late_mail lost = {
		.id = "nowhere@late", .save_into = "No such mailbox"
	};
	const char *line;

	if (late_mail_ok(0, &mail))
		late_mail_kept(0, "Drafts", "saved@late", "");
	UNIT_CHECK(late_mail_count(0, "INBOX", "saved@late") == 0, "in INBOX");
	line = late_mail_give(0, &lost);
	UNIT_CHECK(strncmp(line, "NO\tnotfound\t", 12) == 0, "%s", line);
}

/* Each filter acts on its own mail. */
static const char script[] =
	"require [\"fileinto\", \"mailbox\", \"imap4flags\", \"copy\",\n"
	"  \"duplicate\", \"envelope\", \"reject\", \"variables\"];\n"
	"if header \"X-Do\" \"create\" { fileinto :create \"Made\"; }\n"
	"if header \"X-Do\" \"flag\" { addflag \"\\\\Flagged\"; keep; }\n"
	"if header \"X-Do\" \"copy\" { fileinto :copy \"Trash\"; }\n"
	"if header \"X-Do\" \"discard\" { discard; }\n"
	"if header \"X-Do\" \"once\" { if duplicate { discard; } }\n"
	"if header \"X-Do\" \"forward\" { redirect \"user2@lab.example\"; }\n"
	"if header \"X-Do\" \"reject\" { reject \"not this\"; }\n"
	"if header \"X-Do\" \"fail\" { fileinto \"No such mailbox\"; }\n"
	"if envelope \"from\" \"list@example.org\" { fileinto \"Sent\"; }\n";

static const struct filtered {
	const char *what, *id;
	const char *header, *from;
	/* where it is then; NULL for nowhere */
	const char *mailbox, *flag;
} filtered[] = {
	{ "fileinto :create", "create@late", "X-Do: create\r\n", NULL,
	  "Made", "" },
	{ "addflag", "flag@late", "X-Do: flag\r\n", NULL, "INBOX",
	  "\\Flagged" },
	{ "fileinto :copy", "copy@late", "X-Do: copy\r\n", NULL, "Trash", "" },
	{ "keep beside it", "copy2@late", "X-Do: copy\r\n", NULL, "INBOX",
	  "" },
	{ "discard", "discard@late", "X-Do: discard\r\n", NULL, NULL, "" },
	{ "not duplicate", "once@late", "X-Do: once\r\n", NULL, "INBOX", "" },
	{ "redirect", "forward@late", "X-Do: forward\r\n", CASE_MESSAGE_FROM,
	  NULL, "" },
	{ "reject", "reject@late", "X-Do: reject\r\n", "user2@lab.example",
	  NULL, "" },
	/* as in LMTP: an error of the script keeps the mail */
	{ "runtime error", "fail@late", "X-Do: fail\r\n", NULL, "INBOX", "" },
	{ "envelope", "list@late", NULL, "list@example.org", "Sent", "" },
};

static void filter(const struct filtered *test)
{
	const struct late_mail mail = {
		.id = test->id, .header = test->header, .from = test->from,
	};

	if (!late_mail_ok(0, &mail))
		return;
	if (test->mailbox != NULL)
		late_mail_kept(0, test->mailbox, test->id, test->flag);
	else
		UNIT_CHECK(late_mail_count(0, "INBOX", test->id) == 0,
			   "%s: it's in INBOX", test->what);
}

static bool has_forwarded(void *context)
{
	(void)context;
	return late_mail_count(1, "INBOX", "forward@late") == 1;
}

static void filters(void)
{
	if (!has_sieve() || !late_mail_sieve(0, script))
		return;
	for (size_t i = 0; i < sizeof(filtered) / sizeof(*filtered); i++)
		filter(&filtered[i]);
	UNIT_CHECK(wait_until(has_forwarded, NULL, CASE_TIMEOUT_MS),
		   "it isn't forwarded");
	late_mail_sieve(0, "keep;\n");
}

/* One that was delivered to the end isn't delivered again, whatever became of
   it. */
static void remembers(void)
{
	struct late_mail mail = { .id = "moved@late" };

	if (!late_mail_ok(0, &mail))
		return;
	case_doveadm("expunge -u %s mailbox INBOX header Message-ID "
		     "moved@late", case_user(0));
	mail.begun = LATE_DATE;
	late_mail_ok(0, &mail);
	UNIT_CHECK(late_mail_count(0, "INBOX", "moved@late") == 0,
		   "it's there again");
}

static bool forget_delivered(unsigned int user)
{
	return case_shell("rm '%s/%s/migration/deliver/delivered'",
			  case_get("NEW_HOME"), case_user(user));
}

/* One whose delivery was killed just before it was remembered. By lib-lda alone,
   and by the deliverer: test-late-kill has Sieve. */
static void finds_again(void)
{
	struct late_mail mails[] = {
		{ .id = "again@late" },
		{ .id = "again2@late", .save_into = "Drafts" },
	};
	const char *mailboxes[] = { "INBOX", "Drafts" };

	for (unsigned int i = 0; i < 2; i++) {
		if (!late_mail_ok(1, &mails[i]) || !forget_delivered(1))
			return;
		mails[i].begun = LATE_DATE;
		if (late_mail_ok(1, &mails[i]))
			late_mail_kept(1, mailboxes[i], mails[i].id, "");
	}
}

/* Nothing is bounced, and nothing is lost. */
static void waits_for_room(void)
{
	struct late_mail mail = { .id = "room@late", .from = CASE_MESSAGE_FROM };
	const char *line;

	if (!settle_in(NO_QUOTA))
		return;
	line = late_mail_give(0, &mail);
	UNIT_CHECK(strncmp(line, "NO\tnoquota\t", 11) == 0, "%s", line);
	UNIT_CHECK(late_mail_count(0, "INBOX", "room@late") == 0, "saved");
	if (!settle_in(CASE_MANUAL))
		return;
	mail.begun = LATE_DATE;
	if (late_mail_ok(0, &mail))
		late_mail_kept(0, "INBOX", "room@late", "");
}

static const char *said(const char *user, uid_t uid, const char *what)
{
	const char *line;
	struct asker *asker = asker_start("migration-deliver", user, uid,
					  &line);

	if (asker != NULL && strcmp(line, "OK") == 0 && what != NULL)
		line = asker_ask(asker, "%s", what);
	asker_close(&asker);
	return line;
}

#define MAIL_WORDS "0123456789abcdef0123456789abcdef\t10\t1\t0"

static void refuses(void)
{
	static const struct {
		const char *what, *answer;
	} lines[] = {
		{ "HELLO", "NO\tparams\tExpected DELIVER or SAVE" },
		{ "DELIVER", "NO\tparams\tExpected a GUID" },
		{ "DELIVER\t"MAIL_WORDS"\t\t\t\t\t0\tmore",
		  "NO\tparams\tExpected no more words" },
		{ "DELIVER\t"MAIL_WORDS"\t\t\t\t\t0",
		  "NO\tparams\tExpected the mail's file" },
		{ "SAVE\t\t"MAIL_WORDS"\t\t\t\t\t0",
		  "NO\tparams\tExpected a mailbox name" },
	};
	const char *line = said(case_user(0), NOBODY, NULL);

	UNIT_CHECK(strcmp(line, "NO\tPermission denied") == 0, "%s", line);
	line = said("nobody-here", geteuid(), NULL);
	UNIT_CHECK(strncmp(line, "NO\t", 3) == 0, "%s", line);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		line = said(case_user(0), geteuid(), lines[i].what);
		UNIT_CHECK(strcmp(line, lines[i].answer) == 0, "%s: '%s'",
			   lines[i].what, line);
	}
}

/* What is the old server's stays there. */
static void leaves_others(void)
{
	const struct late_mail mail = { .id = "early@late" };
	const struct late_mail saved = {
		.id = "early2@late", .save_into = "Drafts"
	};
	const char *line;

	case_migration("fill -u %s", case_user(2));
	line = late_mail_give(2, &mail);
	UNIT_CHECK(strncmp(line, "NO\ttemp\t", 8) == 0, "%s", line);
	line = late_mail_give(2, &saved);
	UNIT_CHECK(strncmp(line, "NO\ttemp\t", 8) == 0, "%s", line);
}

static bool signal_workers(int signal)
{
	pid_t pids[MAX_WORKERS];
	unsigned int i, count = case_mirror_workers(pids, MAX_WORKERS);

	for (i = 0; i < count; i++)
		kill(pids[i], signal);
	return UNIT_CHECK(count > 0, "no worker");
}

/* The script may file into a mailbox that is still mirrored, when it is the
   worker who waits for the delivery. That mailbox keeps no GUID. */
static void files_into_others(void)
{
	struct late_mail mail = { .id = "others@late" };

	if (!has_sieve() || !settle_in(CASE_MIRROR) ||
	    !case_migration("fill -u %s", case_user(2)) ||
	    !case_is_state(2, "Sent", "mirrored") ||
	    !case_migration("cutover -u %s INBOX", case_user(2)) ||
	    !late_mail_sieve(2, "require \"fileinto\"; fileinto \"Sent\";\n"))
		return;
	if (signal_workers(SIGSTOP)) {
		late_mail_ok(2, &mail);
		signal_workers(SIGCONT);
	}
	UNIT_CHECK(late_mail_count(2, "Sent", mail.id) == 1, "not there");
	forget_delivered(2);
	mail.begun = LATE_DATE;
	late_mail_ok(2, &mail);
	UNIT_CHECK(late_mail_count(2, "Sent", mail.id) == 1, "there twice");
	settle_in(CASE_MANUAL);
}

static bool is_waiting(void *context)
{
	const char *lock = context;
	struct process_result result;
	bool waits;

	/* inode of a lock that somebody waits for: "->" */
	process_shell(CASE_TIMEOUT_MS, &result,
		      "grep -- '->' /proc/locks | grep -q \":$(stat -c %%i "
		      "'%s') \"", lock);
	waits = result.status == 0;
	process_result_free(&result);
	return waits;
}

/* Who has gone while others were served has his mail delivered by another
   catch-up: not by this one. */
static void forgets_who_left(void)
{
	struct late_mail mail = { .id = "left@late" };
	struct asker *asker;
	const char *line;
	char lock[300];
	int fd;

	snprintf(lock, sizeof(lock), "%s/%s/migration/lease/.deliver",
		 case_get("NEW_HOME"), case_user(0));
	if (!UNIT_CHECK((fd = open(lock, O_RDWR)) != -1 &&
			flock(fd, LOCK_EX) == 0, "%s", lock))
		return;
	if ((asker = late_mail_asker(0, &line)) != NULL)
		late_mail_say(asker, &mail);
	UNIT_CHECK(wait_until(is_waiting, lock, CASE_TIMEOUT_MS),
		   "nobody waits: %s", line);
	asker_close(&asker);
	close(fd);
	/* its turn is over when ours is there */
	mail.id = "stayed@late";
	late_mail_ok(0, &mail);
	UNIT_CHECK(late_mail_count(0, "INBOX", "left@late") == 0,
		   "it was delivered");
	case_no_crash();
}

static void goes_on(void)
{
	struct asker *asker;
	const char *line;

	asker = late_mail_asker(0, &line);
	if (!UNIT_CHECK(asker != NULL, "%s", line))
		return;
	for (unsigned int i = 0; i < 3; i++) {
		char id[40];
		struct late_mail mail = { .id = id };

		snprintf(id, sizeof(id), "next-%u@late", i);
		late_mail_say(asker, &mail);
		line = asker_answer(asker, CASE_TIMEOUT_MS);
		UNIT_CHECK(strcmp(line, "OK") == 0, "%u: %s", i, line);
		late_mail_kept(0, "INBOX", id, "");
	}
	asker_close(&asker);
}

static const struct unit_test tests[] = {
	{ "begin", begins },
	{ "is delivered", delivers },
	{ "is saved", saves },
	{ "filtered by Sieve", filters },
	{ "one after the other", goes_on },
	{ "never again", remembers },
	{ "found again", finds_again },
	{ "over quota", waits_for_room },
	{ "refused", refuses },
	{ "not local", leaves_others },
	{ "filed at the old server", files_into_others },
	{ "the asker leaves", forgets_who_left },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "3", "--messages", "20", "--folders", "2",
		"--no-milter", NULL
	};
	const struct case_program program = {
		.name = "test-late-deliver",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
