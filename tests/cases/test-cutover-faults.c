/*
 * test-cutover-faults: one bad message holds up its own mailbox only (I5), and
 * an emptied old server doesn't empty the new one (I4)
 *
 * A relay between the servers spoils the body of one message; a file of the
 * local copy is damaged on purpose; folders and messages of the old server are
 * deleted after the cutover.
 */
#include "case.h"
#include "fault-proxy.h"

#include <stdlib.h>
#include <string.h>

#define BAD_MAILBOX "Bad"
#define GOOD_MAILBOX "Good"
#define GOOD_MESSAGES 6
/* The bad one is the last: no other mailbox has such a UID. */
#define BAD_MESSAGES 60

/* Returns the last UID. */
static uint32_t
make_mailbox(struct imap_client *client, const char *name, unsigned int count)
{
	uint32_t uid = 0;
	unsigned int i;
	size_t size;
	char id[40], *data;

	UNIT_CHECK(imap_run(client, "CREATE %s", name) == IMAP_OK,
		   "CREATE: %s", imap_error(client));
	for (i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "%s-%u@case.example", name, i);
		data = case_message(id, 3000, &size);
		UNIT_CHECK(imap_append(client, name, NULL, NULL, data, size,
				       &uid) == IMAP_OK, "APPEND: %s",
			   imap_error(client));
		free(data);
	}
	return uid;
}

/* The new server reaches the old one by this port. */
static void use_port(unsigned int port)
{
	case_shell("sed -i 's/imapc_port=[0-9]*/imapc_port=%u/' '%s/new/users'",
		   port, case_get("DIR"));
}

static unsigned int port_of(const char *key)
{
	const char *colon = strrchr(case_get(key), ':');

	return colon == NULL ? 0 : (unsigned int)strtoul(colon + 1, NULL, 10);
}

static void named_in_status(uint32_t uid, const char *what)
{
	char text[40];
	const char *problem = case_status(0, BAD_MAILBOX, "problem");

	snprintf(text, sizeof(text), "%u", uid);
	UNIT_CHECK(strstr(problem, text) != NULL && strlen(problem) > 10,
		   "%s: status says '%s'", what, problem);
}

static void is_equal(const char *what)
{
	struct snapshot *old = case_snapshot("OLD", 0, false);
	struct snapshot *new = case_snapshot("NEW", 0, false);

	case_same(&old, &new, SNAPSHOT_IGNORE_UIDNEXT, what);
}

/* With the fault: only the bad mailbox is held up. Without: it goes on. */
static void
fault_is_survived(struct fault_proxy *proxy, enum fault fault, uint32_t uid,
		  const char *what)
{
	unsigned int before = fault_proxy_count(proxy);

	case_forget_user(0);
	fault_proxy_set(proxy, fault, uid);
	UNIT_CHECK(case_doveadm("migration fill -u %s", case_user(0)) != 0,
		   "%s: fill succeeded", what);
	UNIT_CHECK(fault_proxy_count(proxy) > before, "%s: no fault was made",
		   what);
	case_is_state(0, BAD_MAILBOX, "filling");
	case_is_state(0, GOOD_MAILBOX, "filled");
	if (fault != FAULT_CUT)
		named_in_status(uid, what);
	UNIT_CHECK(case_doveadm("migration cutover -u %s", case_user(0)) != 0,
		   "%s: cutover succeeded", what);
	case_is_state(0, BAD_MAILBOX, "filling");
	case_is_state(0, GOOD_MAILBOX, "local");

	fault_proxy_set(proxy, FAULT_NONE, 0);
	case_migration("fill -u %s", case_user(0));
	case_is_state(0, BAD_MAILBOX, "filled");
	case_migration("cutover -u %s", case_user(0));
	case_is_state(0, "*", "local");
	is_equal(what);
}

/* The administrator gives it up; all else is there. */
static void given_up(struct fault_proxy *proxy, uint32_t uid)
{
	struct imap_client *client;
	struct imap_box box = { .exists = 0 };

	case_forget_user(0);
	fault_proxy_set(proxy, FAULT_NO, uid);
	UNIT_CHECK(case_doveadm("migration fill -u %s", case_user(0)) != 0,
		   "fill succeeded");
	case_migration("cutover -u %s --without %u " BAD_MAILBOX, case_user(0),
		       uid);
	case_is_state(0, BAD_MAILBOX, "local");
	UNIT_CHECK(case_log_count("event=without") > 0, "not logged");
	client = case_imap("NEW_IMAP", 0);
	if (client != NULL && imap_select(client, BAD_MAILBOX, &box) != IMAP_OK)
		UNIT_CHECK(false, "SELECT: %s", imap_error(client));
	CU_ASSERT_EQUAL(box.exists, BAD_MESSAGES - 1);
	imap_logout(&client);
}

static void bad_messages_block_their_mailbox(void)
{
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", 0);
	struct fault_proxy *proxy;
	unsigned int port;
	uint32_t uid;

	if (client == NULL)
		return;
	/* its processes are to have the settings, too */
	case_settings(CASE_MANUAL CASE_NO_LOOKS, true);
	uid = make_mailbox(client, BAD_MAILBOX, BAD_MESSAGES);
	(void)make_mailbox(client, GOOD_MAILBOX, GOOD_MESSAGES);
	imap_logout(&client);
	proxy = fault_proxy_start(port_of("OLD_IMAP"), &port);
	use_port(port);
	fault_is_survived(proxy, FAULT_NO, uid, "NO");
	fault_is_survived(proxy, FAULT_DROP, uid, "left out");
	fault_is_survived(proxy, FAULT_NIL, uid, "NIL");
	fault_is_survived(proxy, FAULT_CUT, uid, "cut off");
	fault_is_survived(proxy, FAULT_DATE, uid, "without a date");
	given_up(proxy, uid);
	/* it stays in between */
	fault_proxy_set(proxy, FAULT_NONE, 0);
	case_no_crash();
}

static void damage_is_found(void)
{
	case_forget_user(0);
	case_migration("fill -u %s", case_user(0));
	/* one byte of the third message's text */
	case_shell("f='%s/%s/sdbox/mailboxes/" GOOD_MAILBOX "/dbox-Mails/u.3' "
		   "&& printf X | dd of=\"$f\" bs=1 seek=1500 conv=notrunc "
		   "2>/dev/null", case_get("NEW_HOME"), case_user(0));
	(void)case_doveadm("migration verify -u %s " GOOD_MAILBOX,
			   case_user(0));
	UNIT_CHECK(case_log_count("event=mismatch user=user1 mailbox="
				  GOOD_MAILBOX " uid=3 ") == 1 &&
		   case_log_count("event=mismatch user=user1 mailbox="
				  GOOD_MAILBOX) == 1,
		   "the damage wasn't named, or more than that");
	case_migration("fill -u %s", case_user(0));
	case_migration("cutover -u %s", case_user(0));
	case_is_state(0, "*", "local");
	is_equal("repaired");
}

static void expunge_all(struct imap_client *client, const char *name)
{
	struct imap_box box;

	UNIT_CHECK(imap_select(client, name, &box) == IMAP_OK &&
		   (box.exists == 0 ||
		    (imap_run(client, "STORE 1:* +FLAGS.SILENT (\\Deleted)") ==
		     IMAP_OK && imap_run(client, "EXPUNGE") == IMAP_OK)),
		   "EXPUNGE: %s", imap_error(client));
}

static void still_all(struct snapshot **before, const char *what)
{
	struct snapshot *after;

	(void)case_doveadm("migration fill -u %s", case_user(0));
	(void)case_doveadm("migration verify -u %s", case_user(0));
	(void)case_doveadm("migration cutover -u %s", case_user(0));
	after = case_snapshot("NEW", 0, false);
	case_same(before, &after, 0, what);
}

/* Comes last: the old server is of no use afterwards. */
static void emptied_old_server_empties_nothing(void)
{
	struct snapshot *before;
	struct imap_client *client;

	case_forget_user(0);
	case_migration("fill -u %s", case_user(0));
	case_migration("cutover -u %s", case_user(0));
	case_is_state(0, "*", "local");
	before = case_snapshot("NEW", 0, false);
	UNIT_CHECK(before != NULL && snapshot_messages(before) > BAD_MESSAGES,
		   "nothing there at all");
	client = case_imap("OLD_IMAP_DIRECT", 0);
	expunge_all(client, "INBOX");
	expunge_all(client, GOOD_MAILBOX);
	still_all(&before, "messages expunged");

	before = case_snapshot("NEW", 0, false);
	UNIT_CHECK(imap_run(client, "UNSELECT") == IMAP_OK &&
		   imap_run(client, "DELETE " GOOD_MAILBOX) == IMAP_OK &&
		   imap_run(client, "DELETE " BAD_MAILBOX) == IMAP_OK,
		   "DELETE: %s", imap_error(client));
	imap_logout(&client);
	still_all(&before, "folders deleted");

	before = case_snapshot("NEW", 0, false);
	case_shell("rm -rf '%s/old/home/%s'", case_get("DIR"), case_user(0));
	still_all(&before, "all deleted");
	case_no_crash();
}

/* Most folders gone at once looks like a fault, also before the cutover, and of
   a user who has but two besides INBOX. */
static void folders_that_shrink_are_kept(void)
{
	unsigned int folders;
	struct imap_client *client;

	case_shell("rm -rf '%s/old/home/%s'", case_get("DIR"), case_user(1));
	client = case_imap("OLD_IMAP_DIRECT", 1);
	for (folders = 0; client != NULL && folders < 2; folders++)
		(void)imap_run(client, "CREATE Many%u", folders);
	imap_logout(&client);
	case_migration("fill -u %s", case_user(1));
	case_shell("mv '%s/old/home/%s' '%s/old/home/away'", case_get("DIR"),
		   case_user(1), case_get("DIR"));
	(void)case_doveadm("migration fill -u %s", case_user(1));
	UNIT_CHECK(case_log_count("event=folders_shrunk") > 0, "not reported");
	case_shell("rm -rf '%s/old/home/%s' && mv '%s/old/home/away' "
		   "'%s/old/home/%s'", case_get("DIR"), case_user(1),
		   case_get("DIR"), case_get("DIR"), case_user(1));
	for (folders = 0; folders < 2; folders++) {
		char name[16];

		snprintf(name, sizeof(name), "Many%u", folders);
		UNIT_CHECK(*case_status(1, name, "state") != '\0',
			   "%s was taken away", name);
	}
}

static const struct unit_test tests[] = {
	{ "bad messages block their mailbox",
	  bad_messages_block_their_mailbox },
	{ "damage is found and repaired", damage_is_found },
	{ "folders that shrink are kept", folders_that_shrink_are_kept },
	{ "an emptied old server empties nothing",
	  emptied_old_server_empties_nothing },
	{ NULL, NULL }
};

int main(void)
{
	static const char *const args[] = {
		"--users", "2", "--messages", "40", "--folders", "1", NULL
	};
	const struct case_program program = {
		.name = "test-cutover-faults",
		.tests = tests,
		.lab_args = args,
		.settings = CASE_MANUAL CASE_NO_LOOKS,
	};

	return case_main(&program);
}
