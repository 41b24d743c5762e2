/*
 * test-mirror: a filled mailbox is the old one's mirror (I1, I2)
 *
 * Sessions open it locally. Each kind of write is on the old server when it's
 * acknowledged, under the UID that the client was told, and in the client's own
 * view at once; what others change on the old server shows up by itself. At the
 * end both servers are equal. For each kind of store, and old servers of two
 * kinds; one that can't do it keeps its mailboxes filled.
 */
#include "test-mirror-session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 8
#define SIEVE "lib90_sieve_plugin.so"

/* Has INBOX selected from before the fill on: it sees it through the proxy. */
static struct imap_client *early;

static bool open_early(void)
{
	struct imap_box box;

	early = case_imap("NEW_IMAP", 0);
	return early != NULL &&
		UNIT_CHECK(imap_select(early, "INBOX", &box) == IMAP_OK,
			   "SELECT: %s", imap_error(early));
}

static bool early_ok(const char *command, uint32_t uid, const char *args)
{
	return UNIT_CHECK(imap_run(early, "UID %s %u %s", command, uid,
				   args) == IMAP_OK, "UID %s: %s", command,
			  imap_error(early));
}

/* What it has written to the mirror it can write to again at once. */
static void goes_on_through_proxy(void)
{
	const char *other = case_mirror_name("Other");
	uint32_t uid = 0;
	size_t size;
	char *data = case_message("early@case.example", 900, &size);

	UNIT_CHECK(imap_append(early, "INBOX", "$Early", NULL, data, size,
			       &uid) == IMAP_OK, "APPEND: %s",
		   imap_error(early));
	free(data);
	case_pair_same(&session_watch, "INBOX", uid, "$Early",
		       "APPEND by an early session");
	/* what the proxy does, the mirror hears of */
	if (early_ok("STORE", uid, "+FLAGS (\\Flagged)") &&
	    case_mirror_settles(0, false, "STORE by an early session"))
		case_pair_same(&session_watch, "INBOX", uid, "$Early \\Flagged",
			       "STORE by an early session");
	if (early_ok("MOVE", uid, other) &&
	    case_mirror_settles(0, false, "MOVE by an early session"))
		case_pair_gone(&session_watch, "INBOX", uid,
			       "MOVE by an early session");
	uid = case_mail_find(session_watch.old, other, "early@case.example");
	case_pair_same(&session_watch, other, uid, "$Early \\Flagged",
		       "MOVE by an early session");
	imap_logout(&early);
}

/* opening */

static unsigned int logins_at_old(void)
{
	return case_old_log_count("Login: user=") +
		case_old_log_count(" User logged in");
}

static void opens_locally(void)
{
	unsigned int before = logins_at_old(), after;
	struct imap_client *session;
	struct imap_box box;

	for (unsigned int i = 0; i < SESSIONS; i++) {
		session = case_imap("NEW_IMAP", 0);
		if (session == NULL)
			return;
		UNIT_CHECK(imap_select(session, "INBOX", &box) == IMAP_OK &&
			   imap_run(session, "FETCH 1:* (FLAGS ENVELOPE "
				    "BODY.PEEK[])") == IMAP_OK &&
			   imap_run(session, "SEARCH TEXT fox") == IMAP_OK,
			   "a session: %s", imap_error(session));
		imap_logout(&session);
	}
	after = logins_at_old();
	UNIT_CHECK(after - before < SESSIONS / 2, "%u sessions made %u "
		   "connections to the old server", SESSIONS, after - before);
}

static void has_no_modseqs(void)
{
	struct imap_box box;

	UNIT_CHECK(!imap_has(session, "CONDSTORE") &&
		   !imap_has(session, "QRESYNC"), "CONDSTORE is offered");
	if (!session_done(imap_select(session, "INBOX", &box), "SELECT"))
		return;
	UNIT_CHECK(imap_run(session, "STORE 1 (UNCHANGEDSINCE 1) +FLAGS "
			    "(\\Answered)") != IMAP_OK,
		   "UNCHANGEDSINCE is accepted");
}

/* deliveries */

static void deliver(const char *id, const char *mailbox)
{
	size_t size;
	char *data = case_message(id, 2000, &size);
	uint32_t uid;

	UNIT_CHECK(case_lmtp("NEW_LMTP", 0, data, size) == 0, "LMTP: %s", id);
	free(data);
	uid = case_mail_find(session_watch.old, mailbox, id);
	if (UNIT_CHECK(uid != 0, "LMTP: %s isn't in %s of the old server", id,
		       mailbox))
		case_pair_same(&session_watch, mailbox, uid, "", id);
}

static void takes_deliveries(void)
{
	uint32_t exists = imap_exists(session);

	deliver("lmtp@case.example", "INBOX");
	session_ok("NOOP");
	UNIT_CHECK(imap_exists(session) == exists + 1, "LMTP: no EXISTS");
}

static void takes_filtered(void)
{
	if (!case_has_module(SIEVE)) {
		printf("(no Pigeonhole: no Sieve) ");
		return;
	}
	case_shell("printf 'require \"fileinto\";\\nif header :contains "
		   "\"subject\" \"sort\" { fileinto \"%s\"; }\\n' "
		   ">'%s/%s/.dovecot.sieve' && chown %s:%s "
		   "'%s/%s/.dovecot.sieve'", case_mirror_name("Other"),
		   case_get("NEW_HOME"), case_user(0), case_get("MAIL_ID"),
		   case_get("MAIL_ID"), case_get("NEW_HOME"), case_user(0));
	deliver("sort-this@case.example", case_mirror_name("Other"));
	deliver("leave-this@case.example", "INBOX");
}

static void deletes_by_pop3(void)
{
	struct pop3_client *box = NULL;
	const char *error = "";
	uint32_t uid = session_uid(1);

	if (!UNIT_CHECK(pop3_open(case_get("NEW_POP3"), case_user(0),
				  case_get("PASSWORD"), CASE_TIMEOUT_MS, &box,
				  &error) == 0, "POP3: %s", error))
		return;
	UNIT_CHECK(pop3_dele(box, 1) == POP3_OK, "DELE: %s", pop3_error(box));
	UNIT_CHECK(pop3_quit(&box) == POP3_OK, "QUIT");
	case_pair_gone(&session_watch, "INBOX", uid, "DELE");
}

/* the frame */

static const struct mirror_part others[] = {
	{ "a session from before", goes_on_through_proxy },
	{ "opening", opens_locally },
	{ "MODSEQs", has_no_modseqs },
	{ "LMTP", takes_deliveries },
	{ "Sieve", takes_filtered },
	{ "POP3", deletes_by_pop3 },
	{ NULL, NULL }
};

static void run_part(const struct mirror_part *part)
{
	unsigned int failures = CU_get_number_of_failures();
	struct imap_box box;

	session = case_imap("NEW_IMAP", 0);
	if (session == NULL ||
	    !session_done(imap_select(session, "INBOX", &box), "SELECT"))
		return;
	part->run();
	imap_logout(&session);
	if (CU_get_number_of_failures() != failures)
		printf("\n    (this was %s) ", part->name);
}

static void run_parts(const struct mirror_part *part)
{
	for (; part->name != NULL; part++)
		run_part(part);
}

/* lmtp reads its settings when it starts. */
static bool settle_in(const char *uidl)
{
	char settings[700];

	snprintf(settings, sizeof(settings), "pop3_uidl_format = %s\n%s%s",
		 uidl, CASE_MIRROR_QUICK, !case_has_module(SIEVE) ? "" :
		 "protocol lmtp {\n  mail_plugins = $mail_plugins sieve\n}\n");
	return case_settings(settings, true);
}

static bool prepare(const char *uidl)
{
	static const char *const mailboxes[] = { "INBOX", "Other", NULL };

	return settle_in(uidl) && case_mirror_make(0, "Other", 3) &&
		open_early() && case_mirror_fill(0, mailboxes) &&
		case_pair_open(&session_watch, 0);
}

static void mirrors(const char *old, const char *old_store, const char *store)
{
	const char *const args[] = {
		"--old", old, "--old-store", old_store, "--store", store,
		"--users", "1", "--messages", "40", "--folders", "2",
		"--corpus", "small", NULL
	};

	if (case_lab_up(args, NULL) != 0)
		return;
	if (prepare(strcmp(old, "cyrus") == 0 ? "%v.%u" : "%08Xu%08Xv")) {
		run_parts(others);
		run_parts(mirror_writes);
		run_parts(mirror_news);
		case_mirror_settles(0, true, "at the end");
	}
	case_pair_close(&session_watch);
	case_no_crash();
	case_lab_down(&case_lab);
}

static void dovecot_to_sdbox(void)
{
	mirrors("dovecot", "maildir", "sdbox");
}

static void cyrus_to_mdbox(void)
{
	mirrors("cyrus", "maildir", "mdbox");
}

static void dovecot_to_maildir(void)
{
	mirrors("dovecot", "sdbox", "maildir");
}

static void courier_stays_filled(void)
{
	static const char *const args[] = {
		"--old", "courier", "--users", "1", "--messages", "20",
		"--folders", "1", NULL
	};

	if (case_lab_up(args, CASE_MIRROR_QUICK) != 0)
		return;
	case_migration("fill -u %s", case_user(0));
	case_is_state(0, "INBOX", "filled");
	(void)case_doveadm("migration status -u %s", case_user(0));
	UNIT_CHECK(strstr(case_output(), "CONDSTORE") != NULL,
		   "status doesn't say why: %s", case_output());
	case_lab_down(&case_lab);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "Dovecot's Maildir by sdbox", dovecot_to_sdbox },
		{ "Cyrus by mdbox", cyrus_to_mdbox },
		{ "Dovecot's sdbox by Maildir", dovecot_to_maildir },
		{ "Courier's stay filled", courier_stays_filled },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "test-mirror",
		.tests = tests,
	};

	return case_main(&program);
}
