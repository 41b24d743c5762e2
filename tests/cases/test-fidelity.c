/*
 * test-fidelity: one scripted session with the old server, with the new one
 * while a user is remote, half filled, filled and mirrored, while he is cut over
 * in the middle of it, and when he is local: what differs from a local mailbox
 * is in the list (I2), and nothing else does.
 */
#include "test-fidelity-known.h"
#include "test-fidelity-script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum place {
	PLACE_OLD,
	PLACE_PROXIED,
	PLACE_HALF,
	PLACE_FILLED,
	PLACE_LOCAL,
	PLACE_MIRRORED,
	/* Mirrored at first, local before a certain step */
	PLACE_MOVED_READING,
	PLACE_MOVED_WRITING,
	PLACE_MOVED_SHARING,
	PLACES
};

static const struct {
	const char *name;
	/* where those are who don't use this place */
	const char *other;
	/* the step with which he is local, if he moves */
	const char *moves;
} places[PLACES] = {
	[PLACE_OLD] = { "old", "OLD_IMAP_DIRECT", NULL },
	[PLACE_PROXIED] = { "proxied", "OLD_IMAP_DIRECT", NULL },
	[PLACE_HALF] = { "half", "OLD_IMAP_DIRECT", NULL },
	[PLACE_FILLED] = { "filled", "OLD_IMAP_DIRECT", NULL },
	[PLACE_LOCAL] = { "local", "NEW_IMAP", NULL },
	[PLACE_MIRRORED] = { "mirrored", "OLD_IMAP_DIRECT", NULL },
	[PLACE_MOVED_READING] = { "moved-reading", "NEW_IMAP",
		"fetch whole" },
	[PLACE_MOVED_WRITING] = { "moved-writing", "NEW_IMAP",
		"store replace" },
	[PLACE_MOVED_SHARING] = { "moved-sharing", "NEW_IMAP",
		"idle append" },
};
static struct fidelity_transcript transcripts[PLACES];
static struct fidelity_known *known;

static void write_config(const char *path, const char *more)
{
	FILE *file = fopen(path, "w");

	if (!UNIT_CHECK(file != NULL, "%s", path))
		return;
	fprintf(file,
		"mail_plugins = $mail_plugins quota acl\n"
		"mail_attribute_dict = file:%%h/dovecot-attributes\n"
		"protocol imap {\n"
		"  mail_plugins = $mail_plugins imap_quota imap_acl\n"
		"  imap_metadata = yes\n"
		"}\n"
		"plugin {\n"
		"  acl = vfile\n"
		"  quota = count:User quota\n"
		"  quota_vsizes = yes\n"
		"  quota_rule = *:storage=100M\n"
		"%s}\n", more);
	fclose(file);
}

static void test_prepare(void)
{
	char path[600];
	bool ok = true;

	snprintf(path, sizeof(path), "%s/old/extra.conf", case_get("DIR"));
	write_config(path, "");
	write_config(case_get("NEW_EXTRA_CONF"),
		     "  migration_cutover = manual\n"
		     "  migration_mirror = no\n");
	ok = case_server("old", "restart", NULL) &&
		case_server("new", "restart", NULL);
	for (unsigned int user = 0; user < PLACES && ok; user++)
		ok = fidelity_seed(user);
}

/* Half of the bodies can't be had while it is filled. */
static void test_fill(void)
{
	const char *maildir = "/old/home/user3/Maildir/cur";

	case_migration("fill -u %s", case_user(PLACE_LOCAL));
	case_migration("cutover -u %s", case_user(PLACE_LOCAL));
	case_is_state(PLACE_LOCAL, "INBOX", "local");
	case_migration("fill -u %s", case_user(PLACE_FILLED));
	case_is_state(PLACE_FILLED, "INBOX", "filled");
	if (!case_shell("cd %s%s && chmod 0 $(ls | tail -n 6)",
			case_get("DIR"), maildir))
		return;
	(void)case_doveadm("migration fill -u %s", case_user(PLACE_HALF));
	printf("%s", case_output());
	case_is_state(PLACE_HALF, "INBOX", "filling");
	case_shell("test $(find '%s/%s/sdbox/mailboxes/INBOX' -name 'u.*' | "
		   "wc -l) -ge 3", case_get("NEW_HOME"),
		   case_user(PLACE_HALF));
	case_shell("cd %s%s && chmod 600 *", case_get("DIR"), maildir);
}

static void move(unsigned int user)
{
	case_migration("cutover -u %s", case_user(user));
	case_is_state(user, "INBOX", "local");
}

static void run_place(enum place place)
{
	const struct fidelity_server server = {
		.server = place == PLACE_OLD ? "OLD_IMAP_DIRECT" : "NEW_IMAP",
		.other = places[place].other,
		.user = place,
		.event_step = places[place].moves,
		.event = move,
	};

	(void)fidelity_run(&server, fidelity_script, &transcripts[place]);
	if (place != PLACE_LOCAL && known != NULL &&
	    transcripts[PLACE_LOCAL].steps != NULL)
		fidelity_compare(known, places[place].name, fidelity_script,
				 &transcripts[PLACE_LOCAL],
				 &transcripts[place]);
}

static void test_local(void)
{
	run_place(PLACE_LOCAL);
}

static void test_old(void)
{
	run_place(PLACE_OLD);
}

static void test_proxied(void)
{
	run_place(PLACE_PROXIED);
}

static void test_half(void)
{
	run_place(PLACE_HALF);
}

static void test_filled(void)
{
	run_place(PLACE_FILLED);
}

static void test_fill_mirrors(void)
{
	write_config(case_get("NEW_EXTRA_CONF"),
		     "  migration_cutover = manual\n");
	if (!case_server("new", "restart", NULL))
		return;
	for (unsigned int user = PLACE_MIRRORED; user < PLACES; user++) {
		case_migration("fill -u %s", case_user(user));
		case_is_state(user, "INBOX", "mirrored");
		case_is_state(user, "Archive", "mirrored");
		case_is_state(user, "Work", "mirrored");
	}
}

static void test_mirrored(void)
{
	run_place(PLACE_MIRRORED);
}

static void test_moved_reading(void)
{
	run_place(PLACE_MOVED_READING);
}

static void test_moved_writing(void)
{
	run_place(PLACE_MOVED_WRITING);
}

static void test_moved_sharing(void)
{
	run_place(PLACE_MOVED_SHARING);
}

static void
run_condstore(unsigned int user, struct fidelity_transcript *transcript_r)
{
	const struct fidelity_server server = {
		.server = "NEW_IMAP", .other = "NEW_IMAP", .user = user,
	};

	(void)fidelity_run(&server, fidelity_condstore_script, transcript_r);
}

static bool
has_said(const struct fidelity_transcript *transcript, const char *step,
	 const char *text)
{
	for (unsigned int i = 0; i < transcript->count; i++) {
		if (strcmp(fidelity_condstore_script[i].name, step) == 0)
			return transcript->steps[i] != NULL &&
				strstr(transcript->steps[i], text) != NULL;
	}
	return false;
}

/* What a local user must be told, and others mustn't. */
static void test_condstore(void)
{
	static const struct {
		const char *step, *text;
		/* nobody who doesn't know of MODSEQs gets these */
		bool withheld;
	} said[] = {
		{ "select condstore", "[HIGHESTMODSEQ", true },
		{ "fetch modseq", "MODSEQ *", true },
		{ "fetch changedsince", "MODSEQ *", true },
		{ "store unchangedsince", "MODSEQ *", true },
		{ "store unchangedsince 0", "[MODIFIED 1]", true },
		{ "search modseq", "(MODSEQ", false },
		{ "status highestmodseq", "HIGHESTMODSEQ *", false },
		{ "enable qresync", "ENABLED QRESYNC", true },
		{ "select qresync", "[HIGHESTMODSEQ", true },
		{ "expunge vanished", "VANISHED", true },
	};
	struct fidelity_transcript local, filled;

	run_condstore(PLACE_LOCAL, &local);
	run_condstore(PLACE_FILLED, &filled);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		UNIT_CHECK(has_said(&local, said[i].step, said[i].text),
			   "local: %s: no %s", said[i].step, said[i].text);
		if (said[i].withheld)
			UNIT_CHECK(!has_said(&filled, said[i].step,
					     said[i].text),
				   "filled: %s: %s", said[i].step,
				   said[i].text);
	}
	fidelity_free(&local);
	fidelity_free(&filled);
}

/* After the sessions, the same account again everywhere; then all go local. */
static void test_end(void)
{
	for (unsigned int user = 0; user < PLACES; user++) {
		case_migration("fill -u %s", case_user(user));
		if (user == PLACE_LOCAL)
			continue;
		case_migration("cutover -u %s", case_user(user));
		case_is_state(user, "INBOX", "local");
	}
	if (!case_no_crash() &&
	    case_shell("grep -E 'Panic|Fatal|backtrace' '%s' || :",
		       case_get("NEW_LOG")))
		printf("%s", case_output());
}

static void test_list(void)
{
	if (known != NULL)
		fidelity_known_print(known);
	fidelity_known_free(&known);
	for (unsigned int i = 0; i < PLACES; i++)
		fidelity_free(&transcripts[i]);
}

static void test_known(void)
{
	const char *srcdir = getenv("srcdir");
	char path[600];

	snprintf(path, sizeof(path), "%s/fidelity-differences",
		 srcdir == NULL ? "." : srcdir);
	known = fidelity_known_read(path);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "the list of known differences", test_known },
		{ "accounts", test_prepare },
		{ "fill and cut over", test_fill },
		{ "local", test_local },
		{ "the old server directly", test_old },
		{ "proxied", test_proxied },
		{ "half filled", test_half },
		{ "filled", test_filled },
		{ "CONDSTORE and QRESYNC", test_condstore },
		{ "fill mirrors", test_fill_mirrors },
		{ "mirrored", test_mirrored },
		{ "moved while it reads", test_moved_reading },
		{ "moved while it writes", test_moved_writing },
		{ "moved while it shares", test_moved_sharing },
		{ "all become local", test_end },
		{ "what differs", test_list },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "9", "--messages", "0", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-fidelity",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
