/*
 * test-close: the end of a user's migration: when it is refused, and what is
 * left of it: nothing that a client sees
 *
 * A user is closed with a session open, and seen as before: by that session, by
 * new ones, with migration = no, and without the plugin. Killed at each call that
 * changes files, he is either wholly as before or closed.
 */
#include "case-folder.h"
#include "case-mirror.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIEVE_MODULE "lib90_sieve_plugin.so"
#define SIEVE "protocol lmtp {\n  mail_plugins = $mail_plugins sieve\n}\n"
#define QUIET(time) CASE_MANUAL \
	"plugin {\n  migration_quiet_period = " time "\n}\n"
/* who is killed */
#define KILLED_USER 1

static bool use_settings(const char *settings, bool restart)
{
	char text[600];

	snprintf(text, sizeof(text), "%s%s", settings,
		 case_has_module(SIEVE_MODULE) ? SIEVE : "");
	return case_settings(text, restart);
}

static const char *dir_of(unsigned int user)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s/migration", case_get("NEW_HOME"),
		 case_user(user));
	return path;
}

/* Nothing but the file. */
static void check_only_closed(unsigned int user, const char *what)
{
	case_shell("cd '%s' && find . -mindepth 1", dir_of(user));
	UNIT_CHECK(strcmp(case_output(), "./closed\n") == 0, "%s: %s", what,
		   case_output());
}

static bool is_closed(unsigned int user)
{
	return strcmp(case_status(user, "*", "state"), "closed") == 0;
}

static void check_refused(unsigned int user, const char *reason)
{
	int status = case_doveadm("migration close -u %s", case_user(user));

	UNIT_CHECK(status == 65, "status %d: %s", status, case_output());
	UNIT_CHECK(strstr(case_output(), reason) != NULL,
		   "'%s' isn't among the reasons: %s", reason, case_output());
	UNIT_CHECK(!is_closed(user), "closed nevertheless");
}

/*
 * When it isn't
 */

static void is_refused(void)
{
	unsigned int reported = case_log_count("event=close_refused");

	if (!use_settings(QUIET("7 days"), true) ||
	    !case_migration("fill -u %s", case_user(0)))
		return;
	check_refused(0, "not local: ");
	if (!case_migration("cutover -u %s", case_user(0)))
		return;
	check_refused(0, "a mailbox was cut over ");
	UNIT_CHECK(case_log_count("event=close_refused") == reported + 2,
		   "not reported");
	case_is_state(0, "*", "local");
}

static void is_refused_without_the_old_server(void)
{
	if (!use_settings(QUIET("0"), false) ||
	    !case_server("old", "stop", NULL))
		return;
	check_refused(0, "the old server");
	case_server("old", "start", NULL);
}

static void is_refused_while_late(void)
{
	size_t size;
	char *data = case_message("late@case.example", 2000, &size);

	UNIT_CHECK(case_lmtp("OLD_LMTP", 0, data, size) == 0, "LMTP");
	free(data);
	use_settings(QUIET("1 hour"), false);
	check_refused(0, "wanted mail arrived late ");
	UNIT_CHECK(folder_count("NEW_IMAP", 0, "INBOX") ==
		   folder_count("OLD_IMAP_DIRECT", 0, "INBOX"),
		   "it isn't here");
}

/*
 * What clients see
 */

/* RECENT, \Marked and \UnMarked only say who has looked since. */
static void add_response(FILE *out, const struct imap_response *resp)
{
	static const char *const hints[] = { " \\Marked", " \\UnMarked" };
	const char *raw = resp->raw;

	if (strcmp(resp->name, "RECENT") == 0)
		return;
	while (*raw != '\0') {
		for (unsigned int i = 0; i < 2; i++) {
			if (strncmp(raw, hints[i], strlen(hints[i])) == 0)
				raw += strlen(hints[i]);
		}
		putc(*raw++, out);
	}
	putc('\n', out);
}

/* All that a client may be told of an account and can compare with what it was
   told before. From malloc(). */
static char *transcript(unsigned int user)
{
	static const char *const commands[] = {
		/* who looks first takes \Recent away */
		"SELECT INBOX", "UNSELECT",
		"CAPABILITY", "ENABLE QRESYNC", "NAMESPACE",
		"LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)",
		"LSUB \"\" \"*\"",
		"STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN "
			"HIGHESTMODSEQ)",
		"EXAMINE INBOX",
		"UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE MODSEQ)",
	};
	struct imap_client *client = case_imap("NEW_IMAP", user);
	const struct imap_response *resp;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		abort();
	for (unsigned int i = 0; client != NULL &&
	     i < sizeof(commands) / sizeof(commands[0]); i++) {
		UNIT_CHECK(imap_run(client, "%s", commands[i]) == IMAP_OK,
			   "%s: %s", commands[i], imap_error(client));
		for (resp = imap_untagged(client); resp != NULL;
		     resp = resp->next)
			add_response(out, resp);
		imap_clear(client);
	}
	imap_logout(&client);
	fclose(out);
	return text;
}

struct picture {
	char *transcript;
	struct snapshot *snapshot;
};

static void take(unsigned int user, struct picture *picture)
{
	picture->transcript = transcript(user);
	picture->snapshot = case_snapshot("NEW", user, true);
}

/* The first line that differs. */
static void check_transcript(const char *before, const char *after,
			     const char *what)
{
	size_t same = 0, line = 0;

	while (before[same] != '\0' && before[same] == after[same]) {
		if (before[same++] == '\n')
			line = same;
	}
	UNIT_CHECK(before[same] == after[same], "%s: '%.*s' became '%.*s'",
		   what, (int)strcspn(before + line, "\n"), before + line,
		   (int)strcspn(after + line, "\n"), after + line);
}

/* *before is what it is now. */
static void check_unchanged(unsigned int user, struct picture *before,
			    const char *what)
{
	struct picture now;

	take(user, &now);
	check_transcript(before->transcript, now.transcript, what);
	free(before->transcript);
	before->transcript = now.transcript;
	if (now.snapshot != NULL && before->snapshot != NULL)
		case_same(&before->snapshot, &now.snapshot, 0, what);
	before->snapshot = case_snapshot("NEW", user, true);
}

static void picture_free(struct picture *picture)
{
	free(picture->transcript);
	snapshot_free(&picture->snapshot);
}

static bool can_be_closed(void *context)
{
	const unsigned int *user = context;

	return case_doveadm("migration close -u %s", case_user(*user)) == 0;
}

static void session_ok(struct imap_client *session, const char *command)
{
	imap_clear(session);
	UNIT_CHECK(imap_run(session, "%s", command) == IMAP_OK, "%s: %s",
		   command, imap_error(session));
}

/* As it was, and with all that is done to mailboxes. */
static void goes_on(struct imap_client *session)
{
	static const char *const commands[] = {
		"NOOP", "STORE 1 +FLAGS (\\Flagged)", "STORE 1 -FLAGS (\\Flagged)",
		"LIST \"\" \"*\"", "CREATE Made", "SUBSCRIBE Made",
		"COPY 1 Made", "SELECT Made", "STORE 1 +FLAGS (\\Deleted)",
		"EXPUNGE", "SELECT INBOX", "RENAME Made Renamed",
		"UNSUBSCRIBE Made", "DELETE Renamed", "IDLE",
	};

	for (unsigned int i = 0; i + 1 < sizeof(commands) / sizeof(commands[0]);
	     i++)
		session_ok(session, commands[i]);
	UNIT_CHECK(imap_idle_start(session) == IMAP_OK &&
		   imap_idle_stop(session) == IMAP_OK, "IDLE: %s",
		   imap_error(session));
}

static void sessions_go_on(void)
{
	struct imap_client *session = case_imap("NEW_IMAP", 0);
	struct imap_box box;
	unsigned int user = 0, closed = case_log_count("event=closed");

	if (session == NULL || !use_settings(QUIET("1 s"), false) ||
	    !UNIT_CHECK(imap_select(session, "INBOX", &box) == IMAP_OK,
			"SELECT: %s", imap_error(session)))
		return;
	UNIT_CHECK(wait_until(can_be_closed, &user, CASE_TIMEOUT_MS),
		   "it isn't closed: %s", case_output());
	UNIT_CHECK(strstr(case_output(), "userdb_imapc_password") != NULL,
		   "it doesn't say where the password is: %s", case_output());
	UNIT_CHECK(case_log_count("event=closed") == closed + 1 &&
		   case_log_count("forced=no") > 0, "not reported");
	UNIT_CHECK(is_closed(0), "status doesn't say closed");
	check_only_closed(0, "closed");
	goes_on(session);
	imap_logout(&session);
	check_only_closed(0, "after the session went on");
	/* once more is no harm */
	UNIT_CHECK(can_be_closed(&user), "the second time: %s",
		   case_output());
	check_only_closed(0, "closed twice");
	case_no_crash();
}

static unsigned int old_logins(void)
{
	char text[100];

	snprintf(text, sizeof(text), "Login: user=<%s>", case_user(0));
	return case_old_log_count(text);
}

static void deliver(const char *id, const char *mailbox)
{
	uint32_t before = folder_count("NEW_IMAP", 0, mailbox);
	size_t size;
	char *data = case_message(id, 2000, &size);

	UNIT_CHECK(case_lmtp("NEW_LMTP", 0, data, size) == 0, "LMTP: %s", id);
	free(data);
	UNIT_CHECK(folder_count("NEW_IMAP", 0, mailbox) == before + 1,
		   "%s isn't in %s", id, mailbox);
}

static void takes_mail(void)
{
	unsigned int logins = old_logins();

	deliver("plain@case.example", "INBOX");
	if (case_has_module(SIEVE_MODULE)) {
		case_shell("cd '%s/%s' && printf 'require \"fileinto\";\\n"
			   "if header :contains \"subject\" \"sort\" "
			   "{ fileinto \"Sent\"; }\\n' >.dovecot.sieve && "
			   "chown %s:%s .dovecot.sieve", case_get("NEW_HOME"),
			   case_user(0), case_get("MAIL_ID"),
			   case_get("MAIL_ID"));
		deliver("sort-this@case.example", "Sent");
	}
	UNIT_CHECK(old_logins() == logins, "the old server was asked");
	check_only_closed(0, "after deliveries");
}

static void plugin_is_not_missed(void)
{
	struct picture before;

	take(0, &before);
	UNIT_CHECK(strstr(before.transcript, " CONDSTORE QRESYNC ") != NULL,
		   "QRESYNC isn't offered");
	if (use_settings("plugin {\n  migration = no\n}\n", true))
		check_unchanged(0, &before, "migration = no");
	if (use_settings("", false) &&
	    case_server("new", "restart", "--no-plugin"))
		check_unchanged(0, &before, "without the plugin");
	takes_mail();
	if (case_server("new", "restart", NULL) && case_settings(
			QUIET("1 s"), true))
		UNIT_CHECK(is_closed(0), "not closed any more");
	picture_free(&before);
}

/* A user whose mailboxes are all local, and the same one closed. */
static void is_seen_as_before(void)
{
	struct picture before;

	if (!use_settings(QUIET("0"), true) ||
	    !case_migration("fill -u %s", case_user(KILLED_USER)) ||
	    !case_migration("cutover -u %s", case_user(KILLED_USER)))
		return;
	take(KILLED_USER, &before);
	case_shell("rm -rf '%s/kept' && cp -a '%s/%s' '%s/kept'",
		   case_get("DIR"), case_get("NEW_HOME"),
		   case_user(KILLED_USER), case_get("DIR"));
	UNIT_CHECK(case_doveadm("migration close -u %s",
				case_user(KILLED_USER)) == 0, "%s",
		   case_output());
	check_unchanged(KILLED_USER, &before, "closed");
	picture_free(&before);
}

/*
 * Killed
 */

static void put_back(void)
{
	case_shell("rm -rf '%s/%s' && cp -a '%s/kept' '%s/%s'",
		   case_get("NEW_HOME"), case_user(KILLED_USER),
		   case_get("DIR"), case_get("NEW_HOME"),
		   case_user(KILLED_USER));
}

/* Returns doveadm's exit status. */
static int close_killed_at(unsigned int n)
{
	struct process_result result;
	int status;

	put_back();
	(void)process_shell(CASE_TIMEOUT_MS, &result, "%s migration close -u %s",
			    case_faulty("kill any %u", n),
			    case_user(KILLED_USER));
	status = result.status;
	UNIT_CHECK(status == 0 || status == 128 + SIGKILL,
		   "call %u: status %d: %s", n, status, result.output);
	process_result_free(&result);
	return status;
}

/* Either he is local as before, or closed; and closing ends it. */
static bool recovers(unsigned int n, bool *was_closed)
{
	const char *state = case_status(KILLED_USER, "*", "state");
	unsigned int failures = CU_get_number_of_failures();
	char what[60];

	snprintf(what, sizeof(what), "killed at call %u", n);
	if (*was_closed)
		UNIT_CHECK(strcmp(state, "closed") == 0, "%s: %s", what, state);
	else
		UNIT_CHECK(strcmp(state, "closed") == 0 ||
			   strcmp(state, "local") == 0, "%s: %s", what, state);
	*was_closed = strcmp(state, "closed") == 0;
	UNIT_CHECK(case_doveadm("migration close -u %s",
				case_user(KILLED_USER)) == 0, "%s: %s", what,
		   case_output());
	check_only_closed(KILLED_USER, what);
	return CU_get_number_of_failures() == failures;
}

static void is_killed(void)
{
	struct snapshot *before, *after;
	unsigned int n;
	bool closed = false;

	put_back();
	before = case_snapshot("NEW", KILLED_USER, true);
	for (n = 1; close_killed_at(n) != 0; n++) {
		if (!recovers(n, &closed))
			break;
	}
	UNIT_CHECK(closed, "no kill came behind the step");
	after = case_snapshot("NEW", KILLED_USER, true);
	case_same(&before, &after, 0, "after all kills");
	printf("\n    killed at each of %u calls\n    ", n - 1);
	case_no_crash();
}

static void is_forced(void)
{
	put_back();
	if (!use_settings(QUIET("7 days"), false))
		return;
	check_refused(KILLED_USER, "a mailbox was cut over ");
	UNIT_CHECK(case_doveadm("migration close --force -u %s",
				case_user(KILLED_USER)) == 0, "%s",
		   case_output());
	UNIT_CHECK(strstr(case_output(), "Closed although: ") != NULL,
		   "it doesn't say why not: %s", case_output());
	UNIT_CHECK(case_log_count("forced=yes") == 1, "not reported");
	check_only_closed(KILLED_USER, "forced");
	UNIT_CHECK(case_doveadm("migration cutover -u %s",
				case_user(KILLED_USER)) == 65 &&
		   strstr(case_output(), "was closed") != NULL,
		   "cutover of a closed user: %s", case_output());
	UNIT_CHECK(case_doveadm("migration catchup -A") == 0, "catchup -A: %s",
		   case_output());
}

static const struct unit_test tests[] = {
	{ "refused", is_refused },
	{ "refused without the old server", is_refused_without_the_old_server },
	{ "refused while mail is late", is_refused_while_late },
	{ "sessions go on", sessions_go_on },
	{ "mail goes on", takes_mail },
	{ "the plugin isn't missed", plugin_is_not_missed },
	{ "seen as before", is_seen_as_before },
	{ "killed", is_killed },
	{ "forced", is_forced },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "2", "--messages", "20", "--folders", "2",
		"--rented", NULL
	};
	const struct case_program program = {
		.name = "test-close",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
