/*
 * test-mirror: a filled mailbox is the old one's mirror (I1, I2)
 *
 * Sessions open it locally. Each kind of write is on the old server when it's
 * acknowledged, under the UID that the client was told, and in the client's own
 * view at once; what others change on the old server shows up by itself. At the
 * end both servers are equal. For each kind of store, and old servers of two
 * kinds; one that can't do it keeps its mailboxes filled.
 */
#include "case-mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 8
#define SIEVE "lib90_sieve_plugin.so"
#define TIME "17-Jul-2019 02:44:25 -0700"

static struct case_pair watch;
/* Has INBOX selected, and does what is to be seen. */
static struct imap_client *client;

static uint32_t uid_of(uint32_t seq)
{
	const struct imap_response *resp;
	struct imap_fetch fetch;

	imap_clear(client);
	if (imap_run(client, "FETCH %u UID", seq) != IMAP_OK)
		return 0;
	resp = imap_find(imap_untagged(client), "FETCH");
	return resp != NULL && imap_parse_fetch(resp, &fetch) ? fetch.uid : 0;
}

/* One of the mailbox's last: tests use them up from the end. */
static uint32_t last_uid(void)
{
	return uid_of(imap_exists(client));
}

static bool done(enum imap_status status, const char *what)
{
	return UNIT_CHECK(status == IMAP_OK, "%s: %s", what,
			  imap_error(client));
}

static unsigned int count_untagged(const char *name)
{
	const struct imap_response *resp = imap_untagged(client);
	unsigned int count = 0;

	while ((resp = imap_find(resp, name)) != NULL) {
		resp = resp->next;
		count++;
	}
	return count;
}

/* The session's view, and both servers'. */
static void
check_mail(const char *mailbox, uint32_t uid, const char *flags,
	   const char *what)
{
	struct case_mail mail, old;

	case_mail_look(watch.old, mailbox, uid, &old);
	if (strcmp(mailbox, "INBOX") == 0) {
		case_mail_see(client, uid, &mail);
		case_mail_same(&old, &mail, what);
	}
	case_pair_same(&watch, mailbox, uid, flags, what);
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

	UNIT_CHECK(!imap_has(client, "CONDSTORE") &&
		   !imap_has(client, "QRESYNC"), "CONDSTORE is offered");
	if (!done(imap_select(client, "INBOX", &box), "SELECT"))
		return;
	UNIT_CHECK(imap_run(client, "STORE 1 (UNCHANGEDSINCE 1) +FLAGS "
			    "(\\Answered)") != IMAP_OK,
		   "UNCHANGEDSINCE is accepted");
}

/* STORE */

static const struct {
	const char *args, *flags;
} stores[] = {
	{ "FLAGS (\\Seen)", "\\Seen" },
	{ "FLAGS ()", "" },
	{ "+FLAGS (\\Flagged)", "\\Flagged" },
	{ "+FLAGS ($Work)", "$Work \\Flagged" },
	{ "+FLAGS (\\Seen Other $Done)", "$Done $Work Other \\Flagged \\Seen" },
	{ "-FLAGS (\\Flagged)", "$Done $Work Other \\Seen" },
	{ "-FLAGS ($Work Other)", "$Done \\Seen" },
	{ "+FLAGS (\\Seen)", "$Done \\Seen" },
	{ "FLAGS (\\Answered $New)", "$New \\Answered" },
	{ "+FLAGS.SILENT (\\Seen $Quiet)", "$New $Quiet \\Answered \\Seen" },
	{ "-FLAGS.SILENT ($New \\Answered)", "$Quiet \\Seen" },
	{ "FLAGS.SILENT (\\Draft \\Deleted $Work)",
	  "$Work \\Deleted \\Draft" },
	{ "FLAGS.SILENT ()", "" },
};

static void store(uint32_t uid, const char *args, const char *flags)
{
	struct case_mail before;
	char what[120];
	bool told;

	case_mail_see(client, uid, &before);
	told = strstr(args, "SILENT") == NULL &&
		strcmp(before.flags, flags) != 0;

	snprintf(what, sizeof(what), "STORE %s", args);
	imap_clear(client);
	if (!done(imap_run(client, "UID STORE %u %s", uid, args), what))
		return;
	UNIT_CHECK((count_untagged("FETCH") > 0) == told,
		   "%s: %u FETCH answers", what, count_untagged("FETCH"));
	check_mail("INBOX", uid, flags, what);
}

static void stores_flags(void)
{
	uint32_t uid = last_uid();

	for (unsigned int i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		store(uid, stores[i].args, stores[i].flags);
	/* of several, by sequence numbers */
	imap_clear(client);
	if (!done(imap_run(client, "STORE 2:4 +FLAGS (\\Flagged $Some)"),
		  "STORE 2:4"))
		return;
	UNIT_CHECK(count_untagged("FETCH") == 3, "STORE 2:4: %u answers",
		   count_untagged("FETCH"));
	for (uint32_t seq = 2; seq <= 4; seq++)
		check_mail("INBOX", uid_of(seq), NULL, "STORE 2:4");
}

static void reading_marks_seen(void)
{
	uint32_t uid = last_uid();

	store(uid, "FLAGS ()", "");
	if (done(imap_run(client, "UID FETCH %u BODY[]", uid), "FETCH BODY[]"))
		check_mail("INBOX", uid, "\\Seen", "FETCH BODY[]");
}

/* EXPUNGE */

static void expunges(void)
{
	uint32_t exists = imap_exists(client);
	uint32_t a = uid_of(exists), b = uid_of(exists - 1),
		 c = uid_of(exists - 2);

	if (!done(imap_run(client, "UID STORE 1:* -FLAGS.SILENT (\\Deleted)"),
		  "STORE") ||
	    !done(imap_run(client, "UID STORE %u,%u +FLAGS (\\Deleted)", a, b),
		  "STORE"))
		return;
	imap_clear(client);
	if (!done(imap_run(client, "UID EXPUNGE %u", b), "UID EXPUNGE"))
		return;
	UNIT_CHECK(imap_exists(client) == exists - 1,
		   "UID EXPUNGE: %u messages", imap_exists(client));
	case_pair_gone(&watch, "INBOX", b, "UID EXPUNGE");
	check_mail("INBOX", a, NULL, "UID EXPUNGE of another one");
	imap_clear(client);
	if (!done(imap_run(client, "EXPUNGE"), "EXPUNGE"))
		return;
	UNIT_CHECK(count_untagged("EXPUNGE") == 1 &&
		   imap_exists(client) == exists - 2, "EXPUNGE: %u messages",
		   imap_exists(client));
	case_pair_gone(&watch, "INBOX", a, "EXPUNGE");
	check_mail("INBOX", c, NULL, "EXPUNGE of another one");
}

/* APPEND */

/* Of APPENDUID or COPYUID, the new ones; the caller frees them. */
static size_t new_uids(uint32_t **uids_r, const char *what)
{
	const char *code = imap_reply(client)->code;
	char *from = NULL, *to = NULL;
	uint32_t uidvalidity;
	size_t count = 0;

	*uids_r = NULL;
	if (UNIT_CHECK(code != NULL &&
		       (imap_parse_copyuid(code, &uidvalidity, &from, &to) ||
			imap_parse_appenduid(code, &uidvalidity, &to)) &&
		       imap_parse_uidset(to, uids_r, &count) == 0,
		       "%s: no UIDs: [%s]", what, code == NULL ? "" : code))
		UNIT_CHECK(count > 0, "%s: no UIDs", what);
	free(from);
	free(to);
	return count;
}

static uint32_t append(const char *mailbox, const char *id, const char *flags,
		       const char *date)
{
	uint32_t uid = 0;
	size_t size;
	char *data = case_message(id, 3000, &size);

	done(imap_append(client, mailbox, flags, date, data, size, &uid),
	     "APPEND");
	UNIT_CHECK(uid != 0, "APPEND: no UID");
	free(data);
	return uid;
}

static void appends(void)
{
	uint32_t exists = imap_exists(client), uid;
	struct case_mail mail;
	time_t instant = 0;

	uid = append("INBOX", "append@case.example", "\\Seen $Work $New",
		     TIME);
	UNIT_CHECK(imap_exists(client) == exists + 1, "APPEND: no EXISTS");
	check_mail("INBOX", uid, "$New $Work \\Seen", "APPEND");
	case_mail_see(client, uid, &mail);
	UNIT_CHECK(imap_parse_date(TIME, &instant) == 0 &&
		   mail.instant == instant, "APPEND: date is %lld, not %lld",
		   (long long)mail.instant, (long long)instant);
	uid = append("INBOX", "append-plain@case.example", NULL, NULL);
	check_mail("INBOX", uid, "", "APPEND without flags");
	/* to one that isn't selected */
	uid = append(case_mirror_name("Other"), "append-other@case.example",
		     "\\Flagged", NULL);
	check_mail(case_mirror_name("Other"), uid, "\\Flagged",
		   "APPEND to another mailbox");
}

static void check_uids(const char *mailbox, unsigned int wanted,
		       const char *what)
{
	uint32_t *uids;
	size_t count = new_uids(&uids, what);

	UNIT_CHECK(count == wanted, "%s: %zu UIDs", what, count);
	for (size_t i = 0; i < count; i++)
		check_mail(mailbox, uids[i], NULL, what);
	free(uids);
}

static void appends_several(void)
{
	static const char *const flags[] = { "\\Seen", NULL, "$Multi" };
	uint32_t exists = imap_exists(client);
	unsigned int tag = imap_append_start(client, "INBOX");
	char id[64], *data;
	size_t size;

	for (unsigned int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "multi-%u@case.example", i);
		data = case_message(id, 500 + 40000 * i, &size);
		(void)imap_append_add(client, flags[i], TIME, data, size);
		free(data);
	}
	imap_end(client);
	if (!done(imap_wait(client, tag), "MULTIAPPEND"))
		return;
	check_uids("INBOX", 3, "MULTIAPPEND");
	UNIT_CHECK(imap_exists(client) == exists + 3,
		   "MULTIAPPEND: %u messages of %u", imap_exists(client),
		   exists + 3);
}

static void catenates(void)
{
	static const char tail[] = "And this is new.\r\n";
	uint32_t exists = imap_exists(client), uid = uid_of(1);
	unsigned int tag;

	tag = imap_append_start(client, "INBOX");
	imap_text(client, " (\\Flagged) CATENATE (URL \"/INBOX/;UID=%u\" TEXT ",
		  uid);
	(void)imap_literal(client, tail, sizeof(tail) - 1);
	imap_text(client, ")");
	imap_end(client);
	if (!done(imap_wait(client, tag), "CATENATE"))
		return;
	check_uids("INBOX", 1, "CATENATE");
	UNIT_CHECK(imap_exists(client) == exists + 1, "CATENATE: no EXISTS");
}

/* COPY, MOVE */

static void transfer(const char *command, unsigned int count, const char *to)
{
	uint32_t exists = imap_exists(client), first = uid_of(1);
	unsigned int tag;
	char what[100];

	snprintf(what, sizeof(what), "%s to %s", command, to);
	tag = imap_start(client);
	imap_text(client, "%s 1:%u ", command, count);
	imap_mailbox(client, to);
	imap_end(client);
	if (!done(imap_wait(client, tag), what))
		return;
	if (*command == 'M') {
		/* MOVE tells its UIDs by an untagged OK */
		UNIT_CHECK(imap_exists(client) == exists - count,
			   "%s: %u messages", what, imap_exists(client));
		case_pair_gone(&watch, "INBOX", first, what);
	} else {
		check_uids(to, count, what);
		check_mail("INBOX", first, NULL, what);
	}
}

static void copies_and_moves(void)
{
	struct imap_box before, after;
	const char *other = case_mirror_name("Other");

	if (!done(imap_run(client, "STORE 1:3 +FLAGS ($Copied \\Answered)"),
		  "STORE"))
		return;
	transfer("COPY", 3, other);
	transfer("COPY", 2, "INBOX");
	(void)imap_examine(watch.old, other, &before);
	transfer("MOVE", 2, other);
	(void)imap_examine(watch.old, other, &after);
	UNIT_CHECK(after.exists == before.exists + 2,
		   "MOVE: %u messages are %u there", before.exists,
		   after.exists);
}

/* deliveries */

static void deliver(const char *id, const char *mailbox)
{
	size_t size;
	char *data = case_message(id, 2000, &size);
	uint32_t uid;

	UNIT_CHECK(case_lmtp("NEW_LMTP", 0, data, size) == 0, "LMTP: %s", id);
	free(data);
	uid = case_mail_find(watch.old, mailbox, id);
	if (UNIT_CHECK(uid != 0, "LMTP: %s isn't in %s of the old server", id,
		       mailbox))
		case_pair_same(&watch, mailbox, uid, "", id);
}

static void takes_deliveries(void)
{
	uint32_t exists = imap_exists(client);

	deliver("lmtp@case.example", "INBOX");
	done(imap_run(client, "NOOP"), "NOOP");
	UNIT_CHECK(imap_exists(client) == exists + 1, "LMTP: no EXISTS");
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
	uint32_t uid = uid_of(1);

	if (!UNIT_CHECK(pop3_open(case_get("NEW_POP3"), case_user(0),
				  case_get("PASSWORD"), CASE_TIMEOUT_MS, &box,
				  &error) == 0, "POP3: %s", error))
		return;
	UNIT_CHECK(pop3_dele(box, 1) == POP3_OK, "DELE: %s", pop3_error(box));
	UNIT_CHECK(pop3_quit(&box) == POP3_OK, "QUIT");
	case_pair_gone(&watch, "INBOX", uid, "DELE");
}

/* what others do on the old server */

struct wish {
	struct imap_client *client;
	const char *response, *text;
	bool idling;
};

static bool is_told(void *context)
{
	struct wish *wish = context;
	const struct imap_response *resp;

	if (wish->idling)
		(void)imap_idle_poll(wish->client, 50);
	else
		(void)imap_run(wish->client, "NOOP");
	resp = imap_untagged(wish->client);
	while ((resp = imap_find(resp, wish->response)) != NULL) {
		if (strstr(resp->raw, wish->text) != NULL)
			return true;
		resp = resp->next;
	}
	return false;
}

/* How long it took is printed: a busy machine is no failure. */
static void hears(const char *response, const char *text, bool idling)
{
	struct wish wish = {
		.client = client, .response = response, .text = text,
		.idling = idling,
	};
	uint64_t begin = now_ms();

	if (UNIT_CHECK(wait_until(is_told, &wish, CASE_MIRROR_PATIENCE_MS),
		       "%s: not told of %s %s", idling ? "IDLE" : "NOOP",
		       response, text))
		printf("%s %s: %u ms; ", idling ? "IDLE" : "NOOP", response,
		       (unsigned int)(now_ms() - begin));
}

static void hears_all(bool idling)
{
	struct imap_client *direct = case_imap("OLD_IMAP_DIRECT", 0);
	char id[64], *data;
	struct imap_box box;
	size_t size;

	if (direct == NULL)
		return;
	snprintf(id, sizeof(id), "direct-%d@case.example", idling);
	data = case_message(id, 900, &size);
	done(imap_run(client, "NOOP"), "NOOP");
	imap_clear(client);
	if (idling)
		done(imap_idle_start(client), "IDLE");
	UNIT_CHECK(imap_append(direct, "INBOX", NULL, NULL, data, size,
			       NULL) == IMAP_OK, "%s", imap_error(direct));
	hears("EXISTS", "", idling);
	UNIT_CHECK(imap_select(direct, "INBOX", &box) == IMAP_OK &&
		   imap_run(direct, "STORE * +FLAGS ($Direct)") == IMAP_OK,
		   "%s", imap_error(direct));
	hears("FETCH", "$Direct", idling);
	UNIT_CHECK(imap_run(direct, "STORE * +FLAGS.SILENT (\\Deleted)") ==
		   IMAP_OK && imap_run(direct, "EXPUNGE") == IMAP_OK, "%s",
		   imap_error(direct));
	hears("EXPUNGE", "", idling);
	if (idling)
		done(imap_idle_stop(client), "DONE");
	imap_logout(&direct);
	free(data);
}

static bool status_is(void *context)
{
	const struct imap_response *resp;
	unsigned int tag = imap_start(client);
	char text[40];

	imap_clear(client);
	imap_text(client, "STATUS ");
	imap_mailbox(client, case_mirror_name("Other"));
	imap_text(client, " (MESSAGES)");
	imap_end(client);
	(void)imap_wait(client, tag);
	snprintf(text, sizeof(text), "(MESSAGES %u)", *(uint32_t *)context);
	resp = imap_find(imap_untagged(client), "STATUS");
	return resp != NULL && strstr(resp->raw, text) != NULL;
}

static void hears_of_others(void)
{
	const char *other = case_mirror_name("Other");
	struct imap_box box;
	size_t size;
	char *data = case_message("status@case.example", 900, &size);

	UNIT_CHECK(imap_append(watch.old, other, NULL, NULL, data, size,
			       NULL) == IMAP_OK &&
		   imap_examine(watch.old, other, &box) == IMAP_OK, "APPEND: "
		   "%s", imap_error(watch.old));
	free(data);
	UNIT_CHECK(wait_until(status_is, &box.exists, CASE_MIRROR_PATIENCE_MS),
		   "STATUS isn't (MESSAGES %u)", box.exists);
}

/* the frame */

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "opening", opens_locally },
	{ "MODSEQs", has_no_modseqs },
	{ "STORE", stores_flags },
	{ "FETCH BODY[]", reading_marks_seen },
	{ "EXPUNGE", expunges },
	{ "APPEND", appends },
	{ "MULTIAPPEND", appends_several },
	{ "CATENATE", catenates },
	{ "COPY and MOVE", copies_and_moves },
	{ "LMTP", takes_deliveries },
	{ "Sieve", takes_filtered },
	{ "POP3", deletes_by_pop3 },
	{ "NOOP", NULL },
	{ "IDLE", NULL },
	{ "STATUS", hears_of_others },
};

static void run_part(unsigned int i)
{
	unsigned int failures = CU_get_number_of_failures();
	struct imap_box box;

	client = case_imap("NEW_IMAP", 0);
	if (client == NULL ||
	    !done(imap_select(client, "INBOX", &box), "SELECT"))
		return;
	if (parts[i].run != NULL)
		parts[i].run();
	else
		hears_all(*parts[i].name == 'I');
	imap_logout(&client);
	if (CU_get_number_of_failures() != failures)
		printf("\n    (this was %s) ", parts[i].name);
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
		case_mirror_fill(0, mailboxes) && case_pair_open(&watch, 0);
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
		for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]);
		     i++)
			run_part(i);
		case_mirror_settles(0, true, "at the end");
	}
	case_pair_close(&watch);
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
