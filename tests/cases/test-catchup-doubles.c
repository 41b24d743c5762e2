/*
 * test-catchup-doubles: a mail that came to both servers is here once, and two
 * mails that look alike are both here
 *
 * Each case has a user of its own.
 */
#include "case-late.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELIVER LATE_SETTINGS \
	"plugin {\n  migration_late_doubles = deliver\n}\n"

#define COPY_BACK LATE_SETTINGS "plugin {\n  migration_copy_back = yes\n}\n"

#define NEW_RELAY "X-Spam-Status: No, score=-1.2\r\nDKIM-Signature: v=1; " \
	"a=rsa-sha256; d=example.org; b=abc=\r\n"

/* Two mails, of which the one that comes to the old server comes second. */
static const struct {
	const char *name;
	struct late_text first, second;
	/* both are wanted */
	bool both;
} pairs[] = {
	{ "the sender tried the other server again",
	  { .id = "retried@case.example", .by = LATE_BY_NEW,
	    .above = NEW_RELAY },
	  { .id = "retried@case.example" }, false },
	{ "without a Message-ID",
	  { .id = "no-id@case.example", .by = LATE_BY_NEW, .no_id = true },
	  { .id = "no-id@case.example", .no_id = true }, false },
	{ "a relay gave it a Message-ID",
	  { .id = "given-id@case.example", .by = LATE_BY_NEW },
	  { .id = "given-id@case.example", .no_id = true }, false },
	{ "a relay encoded it",
	  { .id = "encoded@case.example", .by = LATE_BY_NEW,
	    .above = "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n", .body = "\xc3\xa4 = a" },
	  { .id = "encoded@case.example",
	    .above = "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n",
	    .body = "=C3=A4 =3D a" }, false },
	{ "one Message-ID, two texts",
	  { .id = "reused@case.example", .by = LATE_BY_NEW,
	    .body = "yesterday's report" },
	  { .id = "reused@case.example", .body = "today's report" }, true },
	{ "one Message-ID, two subjects",
	  { .id = "subjects@case.example", .by = LATE_BY_NEW,
	    .subject = "monday" },
	  { .id = "subjects@case.example", .subject = "tuesday" }, true },
	{ "one text, two Message-IDs",
	  { .id = "first@case.example", .by = LATE_BY_NEW,
	    .subject = "alarm", .body = "disk full" },
	  { .id = "second@case.example", .subject = "alarm",
	    .body = "disk full" }, true },
	{ "a device without Message-ID and Date",
	  { .id = "device@case.example", .by = LATE_BY_NEW, .no_id = true,
	    .no_date = true },
	  { .id = "device@case.example", .no_id = true, .no_date = true },
	  true },
};

static void test_pairs(void)
{
	unsigned int user, wanted;
	uint32_t before, now;

	user = late_user();
	for (unsigned int i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		before = folder_count("NEW_IMAP", user, "INBOX");
		late_delivered_here(user, &pairs[i].first);
		late_arrives(user, "INBOX", NULL, &pairs[i].second);
		late_look(user, "");
		now = folder_count("NEW_IMAP", user, "INBOX");
		wanted = pairs[i].both ? 2 : 1;
		UNIT_CHECK(now == before + wanted, "%s: %u mails, not %u",
			   pairs[i].name, now - before, wanted);
	}
	LATE_EVENTS(user, 4, "late_double", "of=digest");
	LATE_EVENTS(user, 4, "late", "");
}

static void test_both_by_mta(void)
{
	unsigned int user = late_user();
	uint32_t before = folder_count("NEW_IMAP", user, "INBOX");

	if (!case_shell("%s send new 4 --same --user %s", case_get("LAB"),
			case_user(user)))
		return;
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, "INBOX"), before + 4);
	late_look(user, "");
	late_look(user, "--full");
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, "INBOX"), before + 4);
	LATE_EVENTS(user, 4, "late_double", "mailbox=INBOX");
	LATE_EVENTS(user, 0, "late", "");
	/* they did arrive there all the same */
	LATE_EVENTS(user, 1, "poll", "ok=yes new=4");
}

/* It came before the cutover, and again after it. */
static void test_before_cutover(void)
{
	const struct late_text text = { .id = "twice@case.example" };
	unsigned int user = late_user_with("", 0);

	late_arrives(user, "INBOX", NULL, &text);
	late_look(user, "");
	late_is_once(user, "INBOX", text.id);
	/* a list delivered it to the old server again */
	late_arrives(user, "INBOX", NULL, &text);
	late_look(user, "");
	late_is_once(user, "INBOX", text.id);
	LATE_EVENTS(user, 1, "late_double", "of=digest");
}

/* Both at once. */
static void test_twice_there(void)
{
	const struct late_text text = { .id = "list@case.example" };
	unsigned int user = late_user();

	late_arrives(user, "INBOX", NULL, &text);
	late_arrives(user, "INBOX", NULL, &text);
	late_look(user, "");
	late_is_once(user, "INBOX", text.id);
	LATE_EVENTS(user, 1, "late", "");
	LATE_EVENTS(user, 1, "late_double", "of=digest");
}

/* What came with the copy before the cutover is known as well. */
static void test_filled(void)
{
	const struct late_text text = { .id = "filled@case.example" };
	unsigned int user;

	user = late_user_with("", 0);
	late_arrives(user, "INBOX", NULL, &text);
	late_look(user, "");
	late_is_once(user, "INBOX", text.id);
	late_client("NEW_IMAP", user, "INBOX", (const char *const []){
		"STORE * +FLAGS.SILENT (\\Deleted)", "EXPUNGE", NULL });
	/* read, thrown away, and then the sender tries again */
	late_arrives(user, "INBOX", NULL, &text);
	late_look(user, "");
	CU_ASSERT_EQUAL(late_here(user, NULL, text.id), 0);
	LATE_EVENTS(user, 1, "late_double", "of=digest");
}

static void test_filed_by_user(void)
{
	const struct late_text here = {
		.id = "filed@case.example", .by = LATE_BY_NEW
	};
	const struct late_text there = { .id = "filed@case.example" };
	unsigned int user = late_user_with("Work", 1);

	late_delivered_here(user, &here);
	late_client("NEW_IMAP", user, "INBOX", (const char *const []){
		"MOVE * Work", NULL });
	late_arrives(user, "INBOX", NULL, &there);
	late_look(user, "");
	late_is_once(user, "Work", here.id);
	LATE_EVENTS(user, 1, "late_double", "of=digest");
}

/* The last message there; from malloc(). */
static char *last_message(unsigned int user, size_t *size_r)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", user);
	const struct imap_response *resp;
	struct imap_fetch fetch;
	struct imap_box box;
	char *data = NULL;

	if (client == NULL)
		return NULL;
	UNIT_CHECK(imap_examine(client, "INBOX", &box) == IMAP_OK,
		   "EXAMINE: %s", imap_error(client));
	imap_clear(client);
	UNIT_CHECK(imap_run(client, "FETCH * (UID BODY.PEEK[])") == IMAP_OK,
		   "FETCH: %s", imap_error(client));
	resp = imap_find(imap_untagged(client), "FETCH");
	if (UNIT_CHECK(resp != NULL && imap_parse_fetch(resp, &fetch) &&
		       fetch.has_body, "no body")) {
		*size_r = fetch.body_size;
		data = malloc(*size_r + 1);
		if (data == NULL)
			abort();
		memcpy(data, fetch.body, *size_r + 1);
	}
	imap_logout(&client);
	return data;
}

/* The old server forwards it to the new one, which tells its readers so. */
static void test_forwarded(void)
{
	static const char received[] = "Received: from " LATE_BY_OLD " ("
		LATE_BY_OLD " [192.0.2.1])\r\n\tby " LATE_BY_NEW " (Postfix) "
		"with ESMTPS id 9;\r\n\tTue, 06 Jan 2026 12:00:05 +0100\r\n";
	static const char footer[] = "\r\n-- \r\nforwarded for you\r\n";
	unsigned int user = late_user();
	uint32_t before = folder_count("NEW_IMAP", user, "INBOX");
	size_t size, all_size = 0;
	char *data, *all = NULL;
	FILE *out;

	if (!case_shell("%s send old 1 --user %s", case_get("LAB"),
			case_user(user)) ||
	    (data = last_message(user, &size)) == NULL)
		return;
	out = open_memstream(&all, &all_size);
	if (out == NULL)
		abort();
	fputs(received, out);
	fwrite(data, 1, size, out);
	fputs(footer, out);
	if (fclose(out) != 0)
		abort();
	CU_ASSERT_EQUAL(case_lmtp("NEW_LMTP", user, all, all_size), 0);
	free(data);
	free(all);
	late_look(user, "");
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", user, "INBOX"), before + 1);
	LATE_EVENTS(user, 1, "late_double", "of=tag");
}

static void test_deliver(void)
{
	const struct late_text here = {
		.id = "wanted@case.example", .by = LATE_BY_NEW
	};
	const struct late_text there = { .id = "wanted@case.example" };
	unsigned int user = late_user();

	case_settings(DELIVER, false);
	late_delivered_here(user, &here);
	late_arrives(user, "INBOX", NULL, &there);
	late_look(user, "");
	late_look(user, "--full");
	case_settings(LATE_SETTINGS, false);
	CU_ASSERT_EQUAL(late_here(user, "INBOX", here.id), 2);
	LATE_EVENTS(user, 1, "late", "");
	LATE_EVENTS(user, 0, "late_double", "");
}

/* A client's copy isn't the arrived mail: each stays where it was put. */
static void test_saved_copy(void)
{
	const struct late_text sent = { .id = "to-me@case.example", .by = "" };
	const struct late_text came = { .id = "to-me@case.example" };
	unsigned int user = late_user();

	late_arrives(user, "Sent", "\\Seen", &sent);
	late_arrives(user, "INBOX", NULL, &came);
	late_look(user, "");
	CU_ASSERT_EQUAL(late_here(user, "Sent", sent.id), 1);
	CU_ASSERT_EQUAL(late_here(user, "INBOX", sent.id), 1);
	LATE_EVENTS(user, 0, "late_double", "");
}

/* What its user has filed here is once after a rollback: where it arrived at the
   old server, or, if a client has expunged it there since, where he filed it. */
static void test_rolled_back(void)
{
	const struct late_text twin = { .id = "twin@case.example" };
	const struct late_text here = { .id = twin.id, .by = LATE_BY_NEW };
	unsigned int user = late_user_with("Work", 1);

	late_delivered_here(user, &here);
	late_arrives(user, "INBOX", NULL, &twin);
	late_look(user, "");
	late_mail(user, "INBOX", "expunged@case.example");
	late_mail(user, "INBOX", "kept@case.example");
	late_look(user, "");
	late_client("NEW_IMAP", user, "INBOX", (const char *const []){
		"MOVE 1:* Work", NULL });
	/* all but the last one */
	late_client("OLD_IMAP_DIRECT", user, "INBOX", (const char *const []){
		"STORE 1:* +FLAGS (\\Deleted)", "STORE * -FLAGS (\\Deleted)",
		"EXPUNGE", NULL });
	case_migration("rollback --yes -u %s", case_user(user));
	late_is_once(user, "Work", "twin@case.example");
	late_is_once(user, "Work", "expunged@case.example");
	late_is_once(user, "INBOX", "kept@case.example");
}

/* What copy-back knows as the old server's own isn't expunged there, only because
   it isn't here any more where it came. */
static void test_rolled_back_expunging(void)
{
	unsigned int user = late_user_with("Work", 1);

	case_settings(COPY_BACK, false);
	late_mail(user, "INBOX", "moved@case.example");
	late_look(user, "");
	late_look(user, "");
	late_client("NEW_IMAP", user, "INBOX", (const char *const []){
		"MOVE * Work", NULL });
	case_migration("rollback --yes --expunge -u %s", case_user(user));
	late_is_once(user, "INBOX", "moved@case.example");
	case_settings(LATE_SETTINGS, false);
}

int main(void)
{
	static const char *const lab[] = {
		"--users", "12", "--messages", "8", "--folders", "0",
		"--corpus", "small", NULL
	};
	static const struct unit_test tests[] = {
		{ "pairs that are one mail, and such that aren't", test_pairs },
		{ "sent to both MTAs", test_both_by_mta },
		{ "again after it was delivered", test_before_cutover },
		{ "twice at once", test_twice_there },
		{ "again after it was thrown away", test_filled },
		{ "filed by its user", test_filed_by_user },
		{ "forwarded from there to here, with its tag",
		  test_forwarded },
		{ "migration_late_doubles = deliver", test_deliver },
		{ "a mail to oneself", test_saved_copy },
		{ "filed by its user, and rolled back", test_rolled_back },
		{ "rolled back with its expunges", test_rolled_back_expunging },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "catchup-doubles", .tests = tests,
		.lab_args = lab, .settings = LATE_SETTINGS
	};

	return case_main(&program);
}
