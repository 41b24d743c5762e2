/*
 * test-mirror-writes: each kind of write that an IMAP client makes
 */
#include "test-mirror-session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RACES 15
#define TIME "17-Jul-2019 02:44:25 -0700"

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

	case_mail_see(session, uid, &before);
	told = strstr(args, "SILENT") == NULL &&
		strcmp(before.flags, flags) != 0;

	snprintf(what, sizeof(what), "STORE %s", args);
	imap_clear(session);
	if (!session_ok("UID STORE %u %s", uid, args))
		return;
	UNIT_CHECK((session_untagged("FETCH") > 0) == told,
		   "%s: %u FETCH answers", what, session_untagged("FETCH"));
	session_check("INBOX", uid, flags, what);
}

static void stores_flags(void)
{
	uint32_t uid = session_last_uid();

	for (unsigned int i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		store(uid, stores[i].args, stores[i].flags);
	/* of several, by sequence numbers */
	imap_clear(session);
	if (!session_ok("STORE 2:4 +FLAGS (\\Flagged $Some)"))
		return;
	UNIT_CHECK(session_untagged("FETCH") == 3, "STORE 2:4: %u answers",
		   session_untagged("FETCH"));
	for (uint32_t seq = 2; seq <= 4; seq++)
		session_check("INBOX", session_uid(seq), NULL, "STORE 2:4");
}

static void reading_marks_seen(void)
{
	uint32_t uid = session_last_uid();

	store(uid, "FLAGS ()", "");
	if (session_ok("UID FETCH %u BODY[]", uid))
		session_check("INBOX", uid, "\\Seen", "FETCH BODY[]");
}

/* EXPUNGE */

static void expunges(void)
{
	uint32_t exists = imap_exists(session);
	uint32_t a = session_uid(exists), b = session_uid(exists - 1),
		 c = session_uid(exists - 2);

	if (!session_ok("STORE 1:* -FLAGS.SILENT (\\Deleted)") ||
	    !session_ok("UID STORE %u,%u +FLAGS (\\Deleted)", a, b))
		return;
	imap_clear(session);
	if (!session_ok("UID EXPUNGE %u", b))
		return;
	UNIT_CHECK(imap_exists(session) == exists - 1,
		   "UID EXPUNGE: %u messages", imap_exists(session));
	case_pair_gone(&session_watch, "INBOX", b, "UID EXPUNGE");
	session_check("INBOX", a, NULL, "UID EXPUNGE of another one");
	imap_clear(session);
	if (!session_ok("EXPUNGE"))
		return;
	UNIT_CHECK(session_untagged("EXPUNGE") == 1 &&
		   imap_exists(session) == exists - 2, "EXPUNGE: %u messages",
		   imap_exists(session));
	case_pair_gone(&session_watch, "INBOX", a, "EXPUNGE");
	session_check("INBOX", c, NULL, "EXPUNGE of another one");
}

/* Before this server has heard of it: a client of the old one has changed its
   mind. What it has kept stays. */
static void expunges_but_undeleted(void)
{
	uint32_t exists = imap_exists(session);
	uint32_t kept = session_uid(exists), gone = session_uid(exists - 1);

	if (!session_ok("UID STORE %u,%u +FLAGS (\\Deleted)", kept, gone) ||
	    !UNIT_CHECK(imap_run(session_watch.old, "SELECT INBOX") ==
			IMAP_OK && imap_run(session_watch.old,
				 "UID STORE %u -FLAGS (\\Deleted)",
				 kept) == IMAP_OK,
			"undelete: %s", imap_error(session_watch.old)) ||
	    !session_ok("EXPUNGE"))
		return;
	case_pair_gone(&session_watch, "INBOX", gone, "EXPUNGE");
	session_check("INBOX", kept, NULL, "EXPUNGE after an undelete");
}

/* APPEND */

/* Of APPENDUID or COPYUID, the new ones; the caller frees them. */
static size_t new_uids(uint32_t **uids_r, const char *what)
{
	const char *code = imap_reply(session)->code;
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

	session_done(imap_append(session, mailbox, flags, date, data, size,
				 &uid), "APPEND");
	UNIT_CHECK(uid != 0, "APPEND: no UID");
	free(data);
	return uid;
}

static void appends(void)
{
	uint32_t exists = imap_exists(session), uid;
	struct case_mail mail;
	time_t instant = 0;

	uid = append("INBOX", "append@case.example", "\\Seen $Work $New",
		     TIME);
	UNIT_CHECK(imap_exists(session) == exists + 1, "APPEND: no EXISTS");
	session_check("INBOX", uid, "$New $Work \\Seen", "APPEND");
	case_mail_see(session, uid, &mail);
	UNIT_CHECK(imap_parse_date(TIME, &instant) == 0 &&
		   mail.instant == instant, "APPEND: date is %lld, not %lld",
		   (long long)mail.instant, (long long)instant);
	uid = append("INBOX", "append-plain@case.example", NULL, NULL);
	session_check("INBOX", uid, "", "APPEND without flags");
	/* to one that isn't selected */
	uid = append(case_mirror_name("Other"), "append-other@case.example",
		     "\\Flagged", NULL);
	session_check(case_mirror_name("Other"), uid, "\\Flagged",
		   "APPEND to another mailbox");
}

static void check_uids(const char *mailbox, unsigned int wanted,
		       const char *what)
{
	uint32_t *uids;
	size_t count = new_uids(&uids, what);

	UNIT_CHECK(count == wanted, "%s: %zu UIDs", what, count);
	for (size_t i = 0; i < count; i++)
		session_check(mailbox, uids[i], NULL, what);
	free(uids);
}

static void appends_several(void)
{
	static const char *const flags[] = { "\\Seen", NULL, "$Multi" };
	uint32_t exists = imap_exists(session);
	unsigned int tag = imap_append_start(session, "INBOX");
	char id[64], *data;
	size_t size;

	for (unsigned int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "multi-%u@case.example", i);
		data = case_message(id, 500 + 40000 * i, &size);
		(void)imap_append_add(session, flags[i], TIME, data, size);
		free(data);
	}
	imap_end(session);
	if (!session_done(imap_wait(session, tag), "MULTIAPPEND"))
		return;
	check_uids("INBOX", 3, "MULTIAPPEND");
	UNIT_CHECK(imap_exists(session) == exists + 3,
		   "MULTIAPPEND: %u messages of %u", imap_exists(session),
		   exists + 3);
}

static void catenates(void)
{
	static const char tail[] = "And this is new.\r\n";
	uint32_t exists = imap_exists(session), uid = session_uid(1);
	unsigned int tag;

	tag = imap_append_start(session, "INBOX");
	imap_text(session, " (\\Flagged) CATENATE "
		  "(URL \"/INBOX/;UID=%u\" TEXT ", uid);
	(void)imap_literal(session, tail, sizeof(tail) - 1);
	imap_text(session, ")");
	imap_end(session);
	if (!session_done(imap_wait(session, tag), "CATENATE"))
		return;
	check_uids("INBOX", 1, "CATENATE");
	UNIT_CHECK(imap_exists(session) == exists + 1, "CATENATE: no EXISTS");
}

/* EXPUNGE while others do the same */

/* Without waiting between the two. */
static void expunge_at_once(uint32_t uid)
{
	unsigned int store, expunge;

	store = imap_send(session, "UID STORE %u +FLAGS.SILENT (\\Deleted)",
			  uid);
	expunge = imap_send(session, "UID EXPUNGE %u", uid);
	session_done(imap_wait(session, store), "STORE");
	session_done(imap_wait(session, expunge), "UID EXPUNGE");
	case_pair_gone(&session_watch, "INBOX", uid,
		       "UID EXPUNGE while others expunge");
}

static void expunges_with_others(void)
{
	struct imap_client *direct = case_imap("OLD_IMAP_DIRECT", 0);
	uint32_t theirs, ours;
	struct imap_box box;

	for (unsigned int i = 0; i < RACES && direct != NULL; i++) {
		theirs = append("INBOX", "theirs@case.example", NULL, NULL);
		ours = append("INBOX", "ours@case.example", NULL, NULL);
		UNIT_CHECK(imap_select(direct, "INBOX", &box) == IMAP_OK &&
			   imap_run(direct, "UID STORE %u +FLAGS (\\Deleted)",
				    theirs) == IMAP_OK &&
			   imap_run(direct, "UID EXPUNGE %u", theirs) ==
			   IMAP_OK, "the other: %s", imap_error(direct));
		expunge_at_once(ours);
	}
	imap_logout(&direct);
	case_mirror_settles(0, false, "EXPUNGE while others expunge");
}

/* COPY, MOVE */

static void transfer(const char *command, unsigned int count, const char *to)
{
	uint32_t exists = imap_exists(session), first = session_uid(1);
	unsigned int tag;
	char what[100];

	snprintf(what, sizeof(what), "%s to %s", command, to);
	tag = imap_start(session);
	imap_text(session, "%s 1:%u ", command, count);
	imap_mailbox(session, to);
	imap_end(session);
	if (!session_done(imap_wait(session, tag), what))
		return;
	if (*command == 'M') {
		/* MOVE tells its UIDs by an untagged OK */
		UNIT_CHECK(imap_exists(session) == exists - count,
			   "%s: %u messages", what, imap_exists(session));
		case_pair_gone(&session_watch, "INBOX", first, what);
	} else {
		check_uids(to, count, what);
		session_check("INBOX", first, NULL, what);
	}
}

static void copies_and_moves(void)
{
	struct imap_box before, after;
	const char *other = case_mirror_name("Other");

	if (!session_ok("STORE 1:3 +FLAGS ($Copied \\Answered)"))
		return;
	transfer("COPY", 3, other);
	transfer("COPY", 2, "INBOX");
	(void)imap_examine(session_watch.old, other, &before);
	transfer("MOVE", 2, other);
	(void)imap_examine(session_watch.old, other, &after);
	UNIT_CHECK(after.exists == before.exists + 2,
		   "MOVE: %u messages are %u there", before.exists,
		   after.exists);
}

const struct mirror_part mirror_writes[] = {
	{ "STORE", stores_flags },
	{ "FETCH BODY[]", reading_marks_seen },
	{ "EXPUNGE", expunges },
	{ "EXPUNGE but what was undeleted", expunges_but_undeleted },
	{ "APPEND", appends },
	{ "EXPUNGE with others", expunges_with_others },
	{ "MULTIAPPEND", appends_several },
	{ "CATENATE", catenates },
	{ "COPY and MOVE", copies_and_moves },
	{ NULL, NULL }
};
