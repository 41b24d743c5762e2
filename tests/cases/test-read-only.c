/*
 * test-read-only: what the plugin leaves behind is an ordinary mail store (I7)
 *
 * Clients see the same on the old server, through the plugin, after the cutover
 * (I2), and when the new server runs without the plugin. The UIDs go on where
 * the old server can't collide (I9). What a fill left half-way doesn't trouble
 * a stock server either.
 */
#include "case.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define UID_GAP 1000000

static struct imap_box select_inbox(const char *server)
{
	struct imap_client *client = case_imap(server, 0);
	struct imap_box box = { .exists = 0 };

	if (client != NULL)
		UNIT_CHECK(imap_select(client, "INBOX", &box) == IMAP_OK,
			   "SELECT: %s", imap_error(client));
	imap_logout(&client);
	return box;
}

static uint32_t append(const char *server, const char *id)
{
	struct imap_client *client = case_imap(server, 0);
	uint32_t uid = 0;
	size_t size;
	char *data = case_message(id, 500, &size);

	if (client != NULL)
		UNIT_CHECK(imap_append(client, "INBOX", NULL, NULL, data, size,
				       &uid) == IMAP_OK, "APPEND: %s",
			   imap_error(client));
	free(data);
	imap_logout(&client);
	return uid;
}

static void check_gap(const struct imap_box *old)
{
	struct imap_box new = select_inbox("NEW_IMAP");
	uint32_t here, there;

	UNIT_CHECK(new.uidnext >= old->uidnext + UID_GAP, "UIDNEXT %u, was %u",
		   new.uidnext, old->uidnext);
	UNIT_CHECK(new.highestmodseq >= old->highestmodseq,
		   "HIGHESTMODSEQ %llu, was %llu",
		   (unsigned long long)new.highestmodseq,
		   (unsigned long long)old->highestmodseq);
	CU_ASSERT_EQUAL(new.uidvalidity, old->uidvalidity);
	here = append("NEW_IMAP", "here@case.example");
	there = append("OLD_IMAP_DIRECT", "there@case.example");
	UNIT_CHECK(here >= old->uidnext + UID_GAP, "UID %u after %u", here,
		   old->uidnext);
	UNIT_CHECK(there >= old->uidnext && there < here,
		   "UIDs %u and %u may meet", there, here);
}

static void see_the_same(const char *what, const char *side,
			 unsigned int ignore)
{
	struct snapshot *old = case_snapshot("OLD", 0, true);
	struct snapshot *new = case_snapshot(side, 0, true);

	case_same(&old, &new, ignore, what);
}

static void move_and_compare(void)
{
	struct snapshot *with, *without;
	struct imap_box old = select_inbox("OLD_IMAP_DIRECT");

	see_the_same("through the plugin", "NEW", 0);
	case_migration("fill -u %s", case_user(0));
	see_the_same("filled", "NEW", 0);
	case_migration("cutover -u %s", case_user(0));
	case_is_state(0, "*", "local");
	see_the_same("cut over", "NEW", SNAPSHOT_IGNORE_UIDNEXT);
	check_gap(&old);

	with = case_snapshot("NEW", 0, true);
	case_server("old", "stop", NULL);
	case_server("new", "restart", "--no-plugin");
	without = case_snapshot("NEW", 0, true);
	case_same(&with, &without, 0, "without the plugin");
}

static void store_is_ordinary(const char *store)
{
	const char *const args[] = {
		"--store", store, "--users", "1", "--messages", "120",
		"--corpus", "mixed", NULL
	};
	struct lab *lab;

	if (case_lab_up(args, CASE_MANUAL) == 0) {
		lab = case_lab;
		/* its processes are to have the settings, too */
		case_settings(CASE_MANUAL CASE_NO_LOOKS, true);
		move_and_compare();
		case_no_crash();
		case_lab_down(&lab);
	}
}

static void sdbox_is_ordinary(void)
{
	store_is_ordinary("sdbox");
}

static void mdbox_is_ordinary(void)
{
	store_is_ordinary("mdbox");
}

static void maildir_is_ordinary(void)
{
	store_is_ordinary("maildir");
}

/* Ended in the middle of a fill by that signal, once some of it is on disk. */
static bool leave_half_way(int signal)
{
	char command[800];
	const char *argv[] = { "/bin/sh", "-c", command, NULL };
	unsigned int delay = 60;
	pid_t pid;

	snprintf(command, sizeof(command), "exec %s migration fill -u %s",
		 case_get("DOVEADM"), case_user(0));
	for (; delay < 5000; delay += delay / 4) {
		case_forget_user(0);
		pid = process_start(argv, "/dev/null");
		if (process_wait(pid, delay) >= 0)
			break;
		(void)process_stop(pid, signal, 10000);
		if (strtoul(case_status(0, "*", "done"), NULL, 10) > 0)
			return true;
	}
	/* it ended, or was never far enough: a full one will do */
	return case_migration("fill -u %s", case_user(0));
}

static void half_way_store_is_ordinary(const char *store, int signal)
{
	const char *const args[] = {
		"--store", store, "--users", "1", "--messages", "800",
		"--corpus", "small", "--folders", "2", NULL
	};
	struct snapshot *without;
	struct lab *lab;

	if (case_lab_up(args, CASE_MANUAL) != 0)
		return;
	lab = case_lab;
	if (leave_half_way(signal)) {
		case_server("old", "stop", NULL);
		case_server("new", "restart", "--no-plugin");
		without = case_snapshot("NEW", 0, false);
		UNIT_CHECK(without != NULL && without->count > 0,
			   "%s: no folders", store);
		snapshot_free(&without);
		case_no_crash();
		/* and nothing is spoilt for the plugin */
		case_server("old", "start", NULL);
		case_server("new", "restart", NULL);
		case_migration("fill -u %s", case_user(0));
		case_migration("cutover -u %s", case_user(0));
		see_the_same("after all", "NEW", SNAPSHOT_IGNORE_UIDNEXT);
		case_no_crash();
	}
	case_lab_down(&lab);
}

/* Whoever writes to an mdbox and is killed may leave it so that stock Dovecot
   rebuilds it and finds messages again, as new ones: a fill takes them for somebody
   else's then, and asks the administrator. */
static void half_way_is_ordinary(void)
{
	half_way_store_is_ordinary("sdbox", SIGKILL);
	half_way_store_is_ordinary("mdbox", SIGTERM);
	half_way_store_is_ordinary("maildir", SIGKILL);
}

/* INBOX has more than a fill commits at once: mdbox closes its files while the old
   server still sends. */
static void large_mdbox_is_filled(void)
{
	static const char *const args[] = {
		"--store", "mdbox", "--users", "1", "--messages", "6000",
		"--corpus", "small", "--folders", "0", NULL
	};
	struct lab *lab;

	if (case_lab_up(args, CASE_MANUAL) != 0)
		return;
	lab = case_lab;
	case_migration("fill -u %s", case_user(0));
	case_is_state(0, "INBOX", "filled");
	case_migration("cutover -u %s", case_user(0));
	case_is_state(0, "INBOX", "local");
	case_no_crash();
	case_lab_down(&lab);
}

static const struct unit_test tests[] = {
	{ "sdbox is ordinary afterwards", sdbox_is_ordinary },
	{ "mdbox is ordinary afterwards", mdbox_is_ordinary },
	{ "Maildir is ordinary afterwards", maildir_is_ordinary },
	{ "half-way stores are ordinary", half_way_is_ordinary },
	{ "a large mdbox is filled", large_mdbox_is_filled },
	{ NULL, NULL }
};

int main(void)
{
	const struct case_program program = {
		.name = "test-read-only",
		.tests = tests,
	};

	return case_main(&program);
}
