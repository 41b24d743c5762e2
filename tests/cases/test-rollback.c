/*
 * test-rollback: mailboxes go back to the old server, and none of their mail is
 * lost, doubled or changed by cutover, rollback, cutover; no UID ever becomes
 * another message (I9), clients notice nothing but BYE
 */
#include "case-folder.h"
#include "case-mail.h"
#include "rollback-content.h"

#include <stdlib.h>
#include <string.h>

#define BOX "INBOX"

static bool cut_over(unsigned int user)
{
	return case_migration("fill -u %s", case_user(user)) &&
		case_migration("cutover -u %s", case_user(user)) &&
		case_is_state(user, "*", "local");
}

static struct imap_client *select_new(unsigned int user, const char *mailbox)
{
	struct imap_client *client = case_imap("NEW_IMAP", user);
	struct imap_box box;

	if (client != NULL)
		UNIT_CHECK(imap_select(client, mailbox, &box) == IMAP_OK,
			   "SELECT: %s", imap_error(client));
	return client;
}

static void is_told_bye(struct imap_client **client)
{
	while (!imap_is_lost(*client) &&
	       imap_idle_poll(*client, CASE_TIMEOUT_MS) > 0) ;
	UNIT_CHECK(imap_find(imap_untagged(*client), "BYE") != NULL,
		   "no BYE: %s", imap_error(*client));
	imap_free(client);
}

/* Nothing has happened since the cutover. */
static void seamless(void)
{
	struct snapshot *before, *after, *old;
	struct imap_client *idler;

	if (!cut_over(0))
		return;
	before = case_snapshot("NEW", 0, true);
	idler = select_new(0, BOX);
	if (idler == NULL ||
	    !UNIT_CHECK(imap_idle_start(idler) == IMAP_OK, "IDLE"))
		return;
	case_migration("rollback -u %s", case_user(0));
	case_is_state(0, BOX, "filling");
	is_told_bye(&idler);
	after = case_snapshot("NEW", 0, true);
	case_same(&before, &after, SNAPSHOT_IGNORE_UIDNEXT, "rolled back");
	after = case_snapshot("NEW", 0, true);
	old = case_snapshot("OLD", 0, true);
	case_same(&old, &after, SNAPSHOT_IGNORE_SPECIAL_USE, "old and new");
	/* it is proxied: what is written goes there */
	folder_append("NEW_IMAP", 0, BOX, "proxied@case.example");
	old = case_snapshot("OLD", 0, false);
	after = case_snapshot("NEW", 0, false);
	case_same(&old, &after, SNAPSHOT_IGNORE_SPECIAL_USE, "written");
	case_no_crash();
}

/* What users and others do between a cutover and a rollback. */
static void use(unsigned int user, unsigned int round)
{
	struct imap_client *client = select_new(user, BOX);
	char id[64], *data;
	size_t size;

	for (unsigned int i = 0; client != NULL && i < 5; i++) {
		snprintf(id, sizeof(id), "since-%u-%u@case.example", round, i);
		data = case_message(id, 700 + 900 * i, &size);
		if (i % 2 == 0) {
			CU_ASSERT_EQUAL(case_lmtp("NEW_LMTP", user, data,
						  size), 0);
		} else {
			UNIT_CHECK(imap_append(client, BOX, "\\Seen $Done",
				"02-Jan-2026 03:04:05 +0600", data, size,
				NULL) == IMAP_OK, "APPEND: %s",
				imap_error(client));
		}
		free(data);
	}
	UNIT_CHECK(client != NULL &&
		   imap_run(client, "STORE 1:4 -FLAGS (\\Seen)") == IMAP_OK &&
		   imap_run(client, "STORE 2:3,* +FLAGS (\\Flagged $Work)") ==
		   IMAP_OK, "STORE");
	imap_logout(&client);
}

/* Returns FALSE when the state isn't what it was. */
static void is_refused(unsigned int user)
{
	UNIT_CHECK(case_doveadm("migration rollback -u %s", case_user(user)) !=
		   0 && strstr(case_output(), "--yes") != NULL,
		   "rollback: %s", case_output());
	case_is_state(user, "*", "local");
}

static void mail_since_the_cutover(void)
{
	static struct rollback_uids uids;
	struct rollback_content before, after;

	for (unsigned int round = 0; round < 3; round++) {
		if (!cut_over(1))
			return;
		rollback_content_get("NEW", 1, BOX, &uids, &before);
		rollback_content_free(&before);
		use(1, round);
		is_refused(1);
		rollback_content_get("NEW", 1, BOX, &uids, &before);
		case_migration("rollback --yes -u %s", case_user(1));
		rollback_content_get("OLD", 1, BOX, &uids, &after);
		rollback_content_same(&before, &after, "on the old server");
		rollback_content_get("NEW", 1, BOX, &uids, &before);
		if (!cut_over(1))
			return;
		rollback_content_get("NEW", 1, BOX, &uids, &after);
		rollback_content_same(&before, &after, "cut over again");
		case_migration("rollback --yes -u %s", case_user(1));
	}
	case_no_crash();
}

/* A client that was here before a rollback isn't told old news (I2). */
static void modseqs_never_go_back(void)
{
	struct imap_client *client;
	struct imap_box first, second;

	if (!cut_over(1))
		return;
	folder_run("NEW_IMAP", 1, "NOOP");
	client = case_imap("NEW_IMAP", 1);
	CU_ASSERT(client != NULL &&
		  imap_select(client, BOX, &first) == IMAP_OK);
	for (unsigned int i = 0; i < 30; i++)
		(void)imap_run(client, "STORE 1 %cFLAGS (\\Flagged)",
			       i % 2 == 0 ? '+' : '-');
	CU_ASSERT(imap_select(client, BOX, &first) == IMAP_OK);
	imap_logout(&client);
	case_migration("rollback --yes -u %s", case_user(1));
	if (!cut_over(1))
		return;
	client = case_imap("NEW_IMAP", 1);
	CU_ASSERT(client != NULL &&
		  imap_select(client, BOX, &second) == IMAP_OK);
	UNIT_CHECK(second.highestmodseq >= first.highestmodseq &&
		   second.uidvalidity == first.uidvalidity &&
		   second.uidnext >= first.uidnext,
		   "HIGHESTMODSEQ %llu, then %llu; UIDNEXT %u, then %u",
		   (unsigned long long)first.highestmodseq,
		   (unsigned long long)second.highestmodseq, first.uidnext,
		   second.uidnext);
	imap_logout(&client);
	case_migration("rollback --yes -u %s", case_user(1));
}

/* Told how many; there again, unless that's asked for. */
static void expunges(void)
{
	struct rollback_content before, after;
	uint32_t count;

	if (!cut_over(1))
		return;
	count = folder_count("NEW_IMAP", 1, BOX);
	folder_append("NEW_IMAP", 1, BOX, "expunged@case.example");
	folder_expunge("NEW_IMAP", 1, BOX, "1:3");
	is_refused(1);
	case_migration("rollback --yes -u %s", case_user(1));
	CU_ASSERT_EQUAL(folder_count("OLD_IMAP_DIRECT", 1, BOX), count + 1);

	if (!cut_over(1))
		return;
	folder_expunge("NEW_IMAP", 1, BOX, "1:3");
	rollback_content_get("NEW", 1, BOX, NULL, &before);
	case_migration("rollback --yes --expunge -u %s", case_user(1));
	rollback_content_get("OLD", 1, BOX, NULL, &after);
	rollback_content_same(&before, &after, "expunged as well");
}

/* What a client of the old server has expunged, and what is here, is there again;
   and a mailbox that it has deleted. */
static void lost_on_the_old_server(void)
{
	struct rollback_content before, after;

	folder_make("OLD_IMAP_DIRECT", 1, "Gone", 5);
	if (!cut_over(1))
		return;
	rollback_content_get("NEW", 1, BOX, NULL, &before);
	folder_expunge("OLD_IMAP_DIRECT", 1, BOX, "2:4");
	folder_run("OLD_IMAP_DIRECT", 1, "DELETE Gone");
	is_refused(1);
	case_migration("rollback --yes -u %s", case_user(1));
	rollback_content_get("OLD", 1, BOX, NULL, &after);
	rollback_content_same(&before, &after, "expunged there");
	CU_ASSERT_EQUAL(folder_count("OLD_IMAP_DIRECT", 1, "Gone"), 5);
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", 1, "Gone"), 5);
}

/* One that the old server never had. */
static void own_folder_stays(void)
{
	if (!cut_over(1))
		return;
	folder_make("NEW_IMAP", 1, "Own", 2);
	case_migration("rollback --yes -u %s", case_user(1));
	UNIT_CHECK(strstr(case_output(), "stays here") != NULL, "%s",
		   case_output());
	CU_ASSERT_EQUAL(folder_count("NEW_IMAP", 1, "Own"), 2);
	UNIT_CHECK(!folder_listed("OLD_IMAP_DIRECT", 1, "Own"), "copied");
}

/* It is there already, under the UID that it came with. */
static void late_mail(void)
{
	struct rollback_content before, after;

	if (!cut_over(1))
		return;
	folder_append("OLD_IMAP_DIRECT", 1, BOX, "late@case.example");
	case_migration("catchup -u %s", case_user(1));
	rollback_content_get("NEW", 1, BOX, NULL, &before);
	CU_ASSERT_EQUAL(before.count,
			folder_count("OLD_IMAP_DIRECT", 1, BOX));
	case_migration("rollback --yes -u %s", case_user(1));
	rollback_content_get("OLD", 1, BOX, NULL, &after);
	rollback_content_same(&before, &after, "late mail");
}

/*
 * Writers
 */

static unsigned int deliver(unsigned int n)
{
	char id[64], *data;
	size_t size;
	int code;

	snprintf(id, sizeof(id), "meanwhile-%u@case.example", n);
	data = case_message(id, 1500, &size);
	code = case_lmtp("NEW_LMTP", 1, data, size);
	UNIT_CHECK(code == 0, "LMTP: %d", code);
	free(data);
	return code == 0 ? 1 : 0;
}

/* A session that is asked to leave comes again. Returns 1 when it was told that
   it is saved. */
static unsigned int
append(struct imap_client **client, unsigned int n)
{
	char id[64], *data;
	enum imap_status status;
	size_t size;

	if (*client == NULL || imap_is_lost(*client)) {
		imap_free(client);
		*client = select_new(1, BOX);
		if (*client == NULL)
			return 0;
	}
	snprintf(id, sizeof(id), "meanwhile-%u@case.example", n);
	data = case_message(id, 1500, &size);
	status = imap_append(*client, BOX, NULL, NULL, data, size, NULL);
	free(data);
	UNIT_CHECK(status == IMAP_OK || imap_is_lost(*client), "APPEND: %s",
		   imap_error(*client));
	return status == IMAP_OK ? 1 : 0;
}

static void each_is_there(const bool *saved, unsigned int count)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 1);
	char id[64];

	for (unsigned int n = 0; client != NULL && n < count; n++) {
		if (!saved[n])
			continue;
		snprintf(id, sizeof(id), "meanwhile-%u@case.example", n);
		/* more than one is a failure as well */
		UNIT_CHECK(case_mail_find(client, BOX, id) != 0,
			   "%s was lost", id);
	}
	imap_logout(&client);
}

/* Each sync of the rollback takes its time, so that there is a while. */
static void writers_meanwhile(void)
{
	static bool saved[ROLLBACK_CONTENT_MAX];
	struct imap_client *client = NULL;
	unsigned int n, after = 0;
	bool ended = false;
	pid_t pid;

	if (!cut_over(1))
		return;
	use(1, 10);
	pid = folder_start_slow("fsync", 30, "migration rollback --yes -u %s "
				BOX, case_user(1));
	for (n = 0; n < ROLLBACK_CONTENT_MAX && after < 4; n++) {
		saved[n] = (n % 2 == 0 ? deliver(n) :
			    append(&client, n)) > 0;
		if (ended)
			after++;
		else
			ended = process_wait(pid, 0) >= 0;
	}
	UNIT_CHECK(after >= 4, "the rollback didn't end");
	imap_logout(&client);
	case_is_state(1, BOX, "filling");
	each_is_there(saved, n);
	printf("\n    writes during the rollback and after it: %u\n    ", n);
	case_no_crash();
}

static const struct unit_test tests[] = {
	{ "seamless", seamless },
	{ "mail since the cutover", mail_since_the_cutover },
	{ "MODSEQs never go back", modseqs_never_go_back },
	{ "expunges", expunges },
	{ "lost on the old server", lost_on_the_old_server },
	{ "own folder stays", own_folder_stays },
	{ "late mail", late_mail },
	{ "writers meanwhile", writers_meanwhile },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "2", "--messages", "60", "--folders", "2", NULL
	};
	const struct case_program program = {
		.name = "test-rollback",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL "plugin {\n"
			"  migration_catchup_interval = 0\n}\n",
	};

	return case_main(&program);
}
