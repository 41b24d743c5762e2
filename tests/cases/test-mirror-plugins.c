/*
 * test-mirror-plugins: Dovecot's own plugins loaded together with ours, on
 * mirrored mailboxes
 *
 * Each does for a client what it does on a local mailbox; what the old server
 * has stays what it is. fts is tried with the engine xapian: squat, which comes
 * with dovecot-core, crashes Debian 12's doveadm without us, too.
 */
#include "case-mirror.h"
#include "case-folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 10
#define QUOTA_MESSAGES 13

/* users: one a plugin */
enum { QUOTA, ACL, VIRTUAL, MAIL_LOG, FTS, ZLIB };

static struct imap_client *client;
static struct case_pair watch;
static unsigned int user;

static bool done(enum imap_status status, const char *what)
{
	return UNIT_CHECK(status == IMAP_OK, "%s: %s", what,
			  imap_error(client));
}

/* The user has a mirrored mailbox, and a session has it selected. */
static bool begin(unsigned int _user, const char *settings)
{
	static const char *const mailboxes[] = { "Work", "Other", NULL };
	char all[1500];
	struct imap_box box;

	user = _user;
	snprintf(all, sizeof(all), "%slmtp_save_to_detail_mailbox = yes\n%s",
		 CASE_MIRROR_QUICK, settings);
	if (!case_settings(all, true) ||
	    !case_mirror_make(user, "Work", MESSAGES) ||
	    !case_mirror_make(user, "Other", 1) ||
	    !case_mirror_fill(user, mailboxes) || !case_pair_open(&watch, user))
		return false;
	client = case_imap("NEW_IMAP", user);
	return client != NULL && done(imap_select(client, "Work", &box),
				      "SELECT");
}

static void end(const char *what)
{
	imap_logout(&client);
	case_mirror_settles(user, false, what);
	case_pair_close(&watch);
	case_no_crash();
}

static enum imap_status
append_to(struct imap_client *to, const char *id, uint32_t *uid_r)
{
	enum imap_status status;
	size_t size;
	char *data = case_message(id, 2000, &size);

	status = imap_append(to, "Work", "\\Flagged $Work", NULL, data, size,
			     uid_r);
	free(data);
	return status;
}

static uint32_t append(const char *id)
{
	uint32_t uid = 0;

	if (done(append_to(client, id, &uid), "APPEND"))
		case_pair_same(&watch, "Work", uid, "$Work \\Flagged", id);
	return uid;
}

/* Does that answer of the last command have this text? */
static bool tells(const char *name, const char *text)
{
	const struct imap_response *resp = imap_untagged(client);

	while ((resp = imap_find(resp, name)) != NULL) {
		if (strstr(resp->raw, text) != NULL)
			return true;
		resp = resp->next;
	}
	return false;
}

struct wish {
	const char *command, *name, *text;
};

static bool comes_true(void *context)
{
	const struct wish *wish = context;

	imap_clear(client);
	return imap_run(client, "%s", wish->command) == IMAP_OK &&
		tells(wish->name, wish->text);
}

static void becomes(const char *command, const char *name, const char *text)
{
	struct wish wish = { .command = command, .name = name, .text = text };

	UNIT_CHECK(wait_until(comes_true, &wish, CASE_MIRROR_PATIENCE_MS),
		   "%s: no %s with %s", command, name, text);
}

static bool refuses(enum imap_status status, const char *code,
		    const char *what)
{
	const struct imap_reply *reply = imap_reply(client);

	return UNIT_CHECK(status == IMAP_NO && reply->code != NULL &&
			  strcmp(reply->code, code) == 0,
			  "%s: status %d [%s] %s, not [%s]", what, status,
			  reply->code == NULL ? "" : reply->code, reply->text,
			  code);
}

/* quota */

static void usage_is(unsigned int messages)
{
	char text[60];

	imap_clear(client);
	snprintf(text, sizeof(text), "MESSAGE %u %u", messages, QUOTA_MESSAGES);
	if (done(imap_run(client, "GETQUOTAROOT Work"), "GETQUOTAROOT"))
		UNIT_CHECK(tells("QUOTA", text), "GETQUOTAROOT: not %s", text);
}

static void limits_clients(void)
{
	uint32_t old = folder_count("OLD_IMAP_DIRECT", user, "Work");
	size_t size;
	char *data = case_message("full-lmtp@case.example", 500, &size);

	refuses(append_to(client, "full@case.example", NULL), "OVERQUOTA",
		"APPEND");
	refuses(imap_run(client, "COPY 1 Other"), "OVERQUOTA", "COPY");
	UNIT_CHECK(case_lmtp("NEW_LMTP", user, data, size) > 0,
		   "LMTP: taken over quota");
	UNIT_CHECK(folder_count("OLD_IMAP_DIRECT", user, "Work") == old,
		   "refused for quota, but done on the old server");
	free(data);
}

/* What is on the old server is mirrored whatever the quota is. */
static void test_quota(void)
{
	char text[20];

	if (!begin(QUOTA,
		   "mail_plugins = $mail_plugins quota\n"
		   "protocol imap {\n  mail_plugins = $mail_plugins "
		   "imap_quota\n}\n"
		   "plugin {\n  quota = count:User quota\n"
		   "  quota_vsizes = yes\n  quota_rule = *:messages=13\n}\n"))
		return;
	usage_is(MESSAGES + 1);
	append("quota@case.example");
	usage_is(MESSAGES + 2);
	for (unsigned int i = 0; i < 4; i++)
		append_to(watch.old, "others@case.example", NULL);
	snprintf(text, sizeof(text), " %u EXISTS", MESSAGES + 5);
	becomes("NOOP", "EXISTS", text);
	usage_is(MESSAGES + 6);
	limits_clients();
	done(imap_run(client, "STORE 1:5 +FLAGS (\\Deleted)"), "STORE");
	done(imap_run(client, "EXPUNGE"), "EXPUNGE");
	usage_is(MESSAGES + 1);
	append("room@case.example");
	end("quota");
}

/* ACL */

static bool set_rights(const char *rights)
{
	return UNIT_CHECK(case_doveadm("acl set -u %s Work owner %s",
				       case_user(user), rights) == 0,
			  "acl set: %s", case_output());
}

static void test_acl(void)
{
	struct case_mail mail;
	struct imap_box box;

	if (!begin(ACL,
		   "mail_plugins = $mail_plugins acl\n"
		   "protocol imap {\n  mail_plugins = $mail_plugins "
		   "imap_acl\n}\n"
		   "plugin {\n  acl = vfile\n}\n"))
		return;
	append("before@case.example");
	imap_logout(&client);
	set_rights("lookup read");
	client = case_imap("NEW_IMAP", user);
	if (client == NULL)
		return;
	done(imap_run(client, "MYRIGHTS Work"), "MYRIGHTS");
	UNIT_CHECK(tells("MYRIGHTS", "Work lr"), "MYRIGHTS isn't lr");
	done(imap_select(client, "Work", &box), "SELECT");
	refuses(append_to(client, "denied@case.example", NULL), "NOPERM",
		"APPEND");
	(void)imap_run(client, "UID STORE 2 +FLAGS (\\Answered \\Deleted)");
	(void)imap_run(client, "UID EXPUNGE 2");
	case_mail_look(watch.old, "Work", 2, &mail);
	UNIT_CHECK(mail.uid == 2 && *mail.flags == '\0',
		   "changed on the old server without the right to: UID %u "
		   "(%s)", mail.uid, mail.flags);
	imap_logout(&client);
	set_rights("lookup read write write-seen write-deleted insert post "
		   "expunge create delete admin");
	client = case_imap("NEW_IMAP", user);
	if (client != NULL && done(imap_select(client, "Work", &box), "SELECT"))
		append("after@case.example");
	end("ACL");
}

/* virtual */

static bool make_virtual(void)
{
	const char *home = case_get("NEW_HOME"), *id = case_get("MAIL_ID");

	return case_shell("d='%s/%s'; mkdir -p \"$d/virtual/All\" && "
			  "printf 'Work\\nOther\\n  all\\n' "
			  ">\"$d/virtual/All/dovecot-virtual\" && "
			  "chown -R %s:%s \"$d\"", home, case_user(user), id,
			  id);
}

static void test_virtual(void)
{
	struct imap_box box;
	char text[30];

	user = VIRTUAL;
	if (!make_virtual() ||
	    !begin(VIRTUAL,
		   "mail_plugins = $mail_plugins virtual\n"
		   "namespace virtual {\n  prefix = virtual.\n"
		   "  separator = .\n  location = virtual:~/virtual\n}\n") ||
	    !done(imap_select(client, "virtual.All", &box), "SELECT"))
		return;
	UNIT_CHECK(box.exists == MESSAGES + 1, "%u messages", box.exists);
	done(imap_run(client, "FETCH 1:* (FLAGS BODY.PEEK[])"), "FETCH");
	done(imap_run(client, "STORE 1:* +FLAGS (\\Answered $Virtual)"),
	     "STORE");
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		case_pair_same(&watch, "Work", uid, "$Virtual \\Answered",
			       "STORE in a virtual mailbox");
	case_pair_same(&watch, "Other", 1, "$Virtual \\Answered",
		       "STORE in a virtual mailbox");
	append_to(watch.old, "virtual@case.example", NULL);
	snprintf(text, sizeof(text), " %u EXISTS", MESSAGES + 2);
	becomes("NOOP", "EXISTS", text);
	done(imap_run(client, "STORE 1 +FLAGS (\\Deleted)"), "STORE");
	done(imap_run(client, "EXPUNGE"), "EXPUNGE");
	UNIT_CHECK(folder_count("OLD_IMAP_DIRECT", user, "Work") +
		   folder_count("OLD_IMAP_DIRECT", user, "Other") ==
		   MESSAGES + 1, "EXPUNGE in a virtual mailbox isn't on the "
		   "old server");
	imap_logout(&client);
	/* a picture would have the virtual mailboxes as well */
	case_pair_close(&watch);
	case_no_crash();
}

/* mail_log and notify */

static bool is_logged(void *context)
{
	return case_log_count(context) > 0;
}

/* Lines reach the log through a process of its own. */
static void logged_once(char *text)
{
	(void)wait_until(is_logged, text, CASE_MIRROR_PATIENCE_MS);
	UNIT_CHECK(case_log_count(text) == 1, "'%s' is %u times in the log",
		   text, case_log_count(text));
}

static void logged(const char *event, const char *mailbox, uint32_t uid)
{
	char text[100];

	snprintf(text, sizeof(text), ": %s: box=%s, uid=%u,", event, mailbox,
		 uid);
	logged_once(text);
}

static void test_mail_log(void)
{
	size_t size;
	char *data = case_message("logged-lmtp@case.example", 500, &size);
	uint32_t uid;

	if (!begin(MAIL_LOG,
		   "mail_plugins = $mail_plugins notify mail_log\n"
		   "plugin {\n  mail_log_events = delete undelete expunge save "
		   "copy flag_change\n"
		   "  mail_log_fields = box uid msgid size\n}\n")) {
		free(data);
		return;
	}
	uid = append("logged@case.example");
	logged("save", "Work", uid);
	done(imap_run(client, "UID STORE %u -FLAGS (\\Flagged)", uid), "STORE");
	logged("flag_change", "Work", uid);
	done(imap_run(client, "UID STORE %u +FLAGS (\\Deleted)", uid), "STORE");
	logged("delete", "Work", uid);
	done(imap_run(client, "UID EXPUNGE %u", uid), "EXPUNGE");
	logged("expunge", "Work", uid);
	done(imap_run(client, "UID COPY 1 Other"), "COPY");
	logged_once(": copy from Work: box=Other, uid=2,");
	UNIT_CHECK(case_lmtp("NEW_LMTP", user, data, size) == 0, "LMTP");
	logged_once(": save: box=INBOX, uid=1, "
		    "msgid=<logged-lmtp@case.example>");
	free(data);
	end("mail_log");
}

/* fts */

static void finds(const char *word, uint32_t uid)
{
	char text[40];

	imap_clear(client);
	snprintf(text, sizeof(text), "SEARCH %u", uid);
	if (done(imap_run(client, "UID SEARCH BODY %s", word), "SEARCH"))
		UNIT_CHECK(tells("SEARCH", uid == 0 ? "SEARCH" : text),
			   "SEARCH BODY %s: not %u", word, uid);
	if (uid == 0)
		UNIT_CHECK(imap_find(imap_untagged(client), "SEARCH")->args ==
			   NULL, "SEARCH BODY %s: found", word);
}

static uint32_t append_word(struct imap_client *to, const char *word)
{
	char data[300];
	uint32_t uid = 0;

	snprintf(data, sizeof(data), "From: a@case.example\r\n"
		 "Subject: one\r\nContent-Type: text/plain\r\n\r\n"
		 "This has the word %s once.\r\n", word);
	UNIT_CHECK(imap_append(to, "Work", NULL, NULL, data, strlen(data),
			       &uid) == IMAP_OK, "APPEND: %s", imap_error(to));
	return uid;
}

static bool knows_uid(void *context)
{
	struct case_mail mail;

	(void)imap_run(client, "NOOP");
	case_mail_see(client, *(const uint32_t *)context, &mail);
	return mail.uid != 0;
}

static void test_fts(void)
{
	uint32_t uid;

	if (!case_has_module("lib21_fts_xapian_plugin.so")) {
		printf("skipped: no dovecot-fts-xapian ");
		return;
	}
	if (!begin(FTS, "mail_plugins = $mail_plugins fts fts_xapian\n"
		   "service indexer-worker {\n  vsz_limit = 2G\n}\n"
		   "plugin {\n  fts = xapian\n  fts_enforced = yes\n"
		   "  fts_xapian = partial=3 full=20\n}\n"))
		return;
	finds("zanzibar", 0);
	uid = append_word(client, "zanzibar");
	finds("zanzibar", uid);
	done(imap_run(client, "UID STORE %u +FLAGS (\\Deleted)", uid), "STORE");
	done(imap_run(client, "UID EXPUNGE %u", uid), "EXPUNGE");
	finds("zanzibar", 0);
	uid = append_word(watch.old, "wallaroo");
	UNIT_CHECK(wait_until(knows_uid, &uid, CASE_MIRROR_PATIENCE_MS),
		   "not told of UID %u", uid);
	finds("wallaroo", uid);
	case_shell("ls '%s/%s/sdbox/xapian-indexes/'db_*",
		   case_get("NEW_HOME"), case_user(user));
	end("fts");
}

/* zlib */

static void test_zlib(void)
{
	uint32_t uid;

	if (!begin(ZLIB, "mail_plugins = $mail_plugins zlib\n"
		   "plugin {\n  zlib_save = gz\n}\n"))
		return;
	uid = append("packed@case.example");
	done(imap_run(client, "UID COPY %u Other", uid), "COPY");
	case_shell("! grep -rl 'packed@case.example' '%s/%s/sdbox/mailboxes/"
		   "Work/dbox-Mails/'u.*", case_get("NEW_HOME"),
		   case_user(user));
	end("zlib");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "quota", test_quota },
		{ "ACL", test_acl },
		{ "virtual", test_virtual },
		{ "mail_log and notify", test_mail_log },
		{ "fts", test_fts },
		{ "zlib", test_zlib },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "6", "--messages", "0", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-mirror-plugins",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
