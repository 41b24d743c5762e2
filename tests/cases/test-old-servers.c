/*
 * test-old-servers: a user's whole way from each kind of old server into each
 * kind of store, and that a second fill fetches only what changed.
 */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	/* how it makes UIDLs, in Dovecot's words; NULL: not from IMAP's UIDs */
	const char *uidl;
} olds[] = {
	{ "dovecot", "%08Xu%08Xv" },
	{ "cyrus", "%v.%u" },
	{ "courier", NULL },
};
static bool pop3;
static const char *const stores[] = { "sdbox", "mdbox", "maildir" };

/* A column of the fill's line for INBOX. */
static unsigned long fill_number(const char *column)
{
	const char *p = strstr(case_output(), "\"mailbox\":\"INBOX\"");
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":\"", column);
	p = p == NULL ? NULL : strstr(p, key);
	if (!UNIT_CHECK(p != NULL, "fill has no %s for INBOX: %s", column,
			case_output()))
		return 0;
	return strtoul(p + strlen(key), NULL, 10);
}

static bool fill(void)
{
	int status = case_doveadm("-f json migration fill -u %s",
				  case_user(0));

	return UNIT_CHECK(status == 0, "fill: %s", case_output());
}

static void compare(const char *what)
{
	struct snapshot *old = case_snapshot("OLD", 0, pop3);
	struct snapshot *new = case_snapshot("NEW", 0, pop3);

	case_same(&old, &new, SNAPSHOT_IGNORE_UIDNEXT |
		  SNAPSHOT_IGNORE_SPECIAL_USE, what);
}

/* On the old server: one more, one fewer, one with another flag. */
static void change_old(unsigned int round)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);
	struct imap_box box;
	char id[64], *data;
	size_t size;

	if (client == NULL)
		return;
	snprintf(id, sizeof(id), "delta-%u@example.org", round);
	data = case_message(id, 900, &size);
	UNIT_CHECK(imap_append(client, "INBOX", "\\Seen", NULL, data, size,
			       NULL) == IMAP_OK, "APPEND: %s",
		   imap_error(client));
	UNIT_CHECK(imap_select(client, "INBOX", &box) == IMAP_OK &&
		   imap_run(client, "STORE 2 +FLAGS.SILENT (\\Deleted)") ==
		   IMAP_OK && imap_run(client, "EXPUNGE") == IMAP_OK &&
		   imap_run(client, "STORE 4 +FLAGS (\\Flagged)") == IMAP_OK,
		   "changes: %s", imap_error(client));
	imap_logout(&client);
	free(data);
}

static void deltas(const char *what)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);
	struct imap_box box;

	/* a known flag on the one that is going to change; and none deleted */
	if (client != NULL)
		UNIT_CHECK(imap_select(client, "INBOX", &box) == IMAP_OK &&
			   imap_run(client, "STORE 1:* -FLAGS.SILENT "
				    "(\\Deleted \\Flagged)") == IMAP_OK,
			   "STORE: %s", imap_error(client));
	imap_logout(&client);
	if (!fill())
		return;
	for (unsigned int round = 0; round < 2; round++) {
		change_old(round);
		if (!fill())
			return;
		UNIT_CHECK(fill_number("fetched") == 1, "%s: %lu fetched for "
			   "one new", what, fill_number("fetched"));
		UNIT_CHECK(fill_number("expunged") == 1, "%s: %lu expunged",
			   what, fill_number("expunged"));
		UNIT_CHECK(fill_number("changed") == 1, "%s: %lu changed",
			   what, fill_number("changed"));
		if (!fill())
			return;
		UNIT_CHECK(fill_number("fetched") + fill_number("changed") +
			   fill_number("expunged") == 0,
			   "%s: something of nothing new", what);
	}
}

/* A client at work, through the new server. */
static void work(const char *what)
{
	struct imap_client *client = case_imap("NEW_IMAP", 0);
	struct imap_box box;
	uint32_t uid = 0;
	size_t size;
	char *data = case_message("work@example.org", 1500, &size);

	if (client == NULL)
		return;
	UNIT_CHECK(imap_select(client, "INBOX", &box) == IMAP_OK &&
		   imap_run(client, "STORE 1:* -FLAGS.SILENT (\\Deleted)") ==
		   IMAP_OK &&
		   imap_append(client, "INBOX", NULL, NULL, data, size,
			       &uid) == IMAP_OK, "%s: APPEND: %s", what,
		   imap_error(client));
	UNIT_CHECK(imap_exists(client) == box.exists + 1, "%s: EXISTS is late",
		   what);
	UNIT_CHECK(imap_run(client, "STORE * +FLAGS (\\Flagged)") == IMAP_OK &&
		   imap_run(client, "FETCH * (UID FLAGS BODY.PEEK[])") ==
		   IMAP_OK && imap_run(client, "COPY * INBOX") == IMAP_OK &&
		   imap_run(client, "STORE * +FLAGS (\\Deleted)") == IMAP_OK &&
		   imap_run(client, "EXPUNGE") == IMAP_OK, "%s: %s", what,
		   imap_error(client));
	UNIT_CHECK(imap_exists(client) == box.exists + 1,
		   "%s: %u messages, not %u", what, imap_exists(client),
		   box.exists + 1);
	imap_logout(&client);
	free(data);
}

static void round_trip(unsigned int old, const char *store)
{
	const char *const args[] = {
		"--old", olds[old].name, "--store", store, "--users", "1",
		"--messages", "60", "--folders", "3", NULL
	};
	struct snapshot *before, *after;
	char what[64], settings[200];

	snprintf(what, sizeof(what), "%s to %s", olds[old].name, store);
	pop3 = olds[old].uidl != NULL;
	snprintf(settings, sizeof(settings), "%s%s\n"
		 CASE_MANUAL,
		 pop3 ? "pop3_uidl_format = " : "",
		 pop3 ? olds[old].uidl : "");
	if (case_lab_up(args, settings) != 0 ||
	    !case_server("new", "restart", NULL))
		return;
	printf("\n    %s ", what);
	compare(what);
	work(what);
	deltas(what);
	compare(what);
	case_migration("verify -u %s", case_user(0));
	before = case_snapshot("OLD", 0, pop3);
	case_migration("cutover -u %s", case_user(0));
	case_is_state(0, "INBOX", "local");
	after = case_snapshot("NEW", 0, pop3);
	case_same(&before, &after, SNAPSHOT_IGNORE_UIDNEXT |
		  SNAPSHOT_IGNORE_SPECIAL_USE, what);
	case_no_crash();
	case_lab_down(&case_lab);
}

static void test_dovecot(void)
{
	round_trip(0, stores[0]);
}

static void test_cyrus(void)
{
	round_trip(1, stores[1]);
}

static void test_courier(void)
{
	round_trip(2, stores[2]);
}

/* Every pair that the others leave out. */
static void test_others(void)
{
	for (unsigned int old = 0; old < 3 && case_soak(); old++) {
		for (unsigned int store = 0; store < 3; store++) {
			if (store != old)
				round_trip(old, stores[store]);
		}
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "Dovecot to sdbox", test_dovecot },
		{ "Cyrus to mdbox", test_cyrus },
		{ "Courier to Maildir", test_courier },
		{ "the other pairs (MIGRATION_SOAK=1)", test_others },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "test-old-servers",
		.tests = tests,
	};

	return case_main(&program);
}
