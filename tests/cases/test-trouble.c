/*
 * test-trouble: the old server is away, refuses or is full (I5): a clear NO, a
 * 4xx or -ERR, never an empty mailbox, and all works again by itself.
 */
#include "test-trouble-lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 12
#define QUOTA_MESSAGES 15

/* users */
enum {
	FIRST,		/* used from the start */
	STRANGER,	/* meets the trouble first */
	POSTBOX,	/* POP3 */
	FULL		/* over quota */
};

static void test_start(void)
{
	FILE *file;
	char path[600];

	snprintf(path, sizeof(path), "%s/old/extra.conf", case_get("DIR"));
	file = fopen(path, "w");
	if (!UNIT_CHECK(file != NULL, "%s", path))
		return;
	fprintf(file, "auth_failure_delay = 0\n"
		"mail_plugins = $mail_plugins quota\n"
		"plugin {\n  quota = count:User quota\n  quota_vsizes = yes\n"
		"  quota_rule = *:storage=50M:messages=%u\n}\n",
		QUOTA_MESSAGES + MESSAGES);
	fclose(file);
	if (!case_server("old", "restart", NULL) || !trouble_start(CASE_MANUAL))
		return;
	for (unsigned int user = FIRST; user <= FULL; user++) {
		trouble_seed(user, "INBOX", MESSAGES, 3000);
		trouble_seed(user, "Archive", 2, 1000);
	}
}

static unsigned int count_listed(struct imap_client *client)
{
	const struct imap_response *resp = imap_untagged(client);
	unsigned int count = 0;

	while ((resp = imap_find(resp, "LIST")) != NULL) {
		count++;
		resp = resp->next;
	}
	return count;
}

static unsigned int list_folders(struct imap_client *client)
{
	imap_clear(client);
	return imap_run(client, "LIST \"\" *") == IMAP_OK ?
		count_listed(client) : 0;
}

static void deliver_in_vain(unsigned int user, const char *id)
{
	uint32_t before = trouble_old_count(user, "INBOX");
	size_t size;
	char *data = case_message(id, 500, &size);
	int code = case_lmtp("NEW_LMTP", user, data, size);

	UNIT_CHECK(code >= 400 && code <= 499, "LMTP answered %d", code);
	UNIT_CHECK(trouble_old_count(user, "INBOX") == before,
		   "LMTP: refused, but stored");
	free(data);
}

static void deliver(unsigned int user, const char *id)
{
	uint32_t before = trouble_old_count(user, "INBOX");
	size_t size;
	char *data = case_message(id, 500, &size);
	int code = case_lmtp("NEW_LMTP", user, data, size);

	UNIT_CHECK(code == 0, "LMTP answered %d", code);
	UNIT_CHECK(trouble_old_count(user, "INBOX") == before + 1,
		   "LMTP: not on the old server");
	free(data);
}

/* Everything that a session can ask is answered NO with that code. */
static void all_refused(struct imap_client *client, const char *code)
{
	static const char *const commands[] = {
		"SELECT INBOX", "EXAMINE Archive",
		"STATUS INBOX (MESSAGES UNSEEN)", "CREATE Made",
		"RENAME Archive Other", "SUBSCRIBE Archive", "DELETE Archive",
		"APPEND INBOX {11+}\r\nA: b\r\n\r\nc\r\n",
	};

	for (unsigned int i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		(void)imap_run(client, "%s", commands[i]);
		trouble_is_no(client, code, commands[i]);
	}
}

static void test_down_at_login(void)
{
	struct imap_client *known, *stranger = NULL;
	unsigned int folders;
	struct imap_box box;
	const char *error = "";

	known = trouble_select(FIRST, "INBOX", &box);
	if (known == NULL)
		return;
	folders = list_folders(known);
	imap_logout(&known);
	trouble_down();
	known = case_imap("NEW_IMAP", FIRST);
	if (known != NULL) {
		UNIT_CHECK(list_folders(known) == folders,
			   "LIST: other folders than before");
		all_refused(known, "UNAVAILABLE");
		UNIT_CHECK(list_folders(known) == folders,
			   "LIST: changed by what was refused");
	}
	if (imap_open(case_get("NEW_IMAP"), case_user(STRANGER),
		      case_get("PASSWORD"), CASE_TIMEOUT_MS, &stranger,
		      &error) == 0) {
		UNIT_CHECK(list_folders(stranger) == 0, "LIST of no tree");
		trouble_is_no(stranger, "UNAVAILABLE", "LIST");
		all_refused(stranger, "UNAVAILABLE");
	}
	deliver_in_vain(FIRST, "down1@example.org");
	deliver_in_vain(STRANGER, "down2@example.org");
	trouble_up();
	trouble_recovers(&known, FIRST, "INBOX", MESSAGES);
	trouble_recovers(&stranger, STRANGER, "INBOX", MESSAGES);
	if (stranger != NULL)
		UNIT_CHECK(list_folders(stranger) == folders,
			   "LIST: %u folders instead of %u",
			   list_folders(stranger), folders);
	imap_logout(&known);
	imap_logout(&stranger);
}

static void test_down_in_session(void)
{
	struct imap_client *client;
	struct imap_box box;

	client = trouble_select(FIRST, "INBOX", &box);
	if (client == NULL)
		return;
	trouble_down();
	(void)imap_run(client, "STORE 1 +FLAGS (\\Flagged)");
	if (!imap_is_lost(client))
		trouble_is_no(client, "UNAVAILABLE", "STORE");
	if (!imap_is_lost(client)) {
		(void)imap_run(client, "FETCH 1:* (FLAGS BODY.PEEK[])");
		UNIT_CHECK(imap_reply(client)->status != IMAP_OK,
			   "FETCH: OK without the old server");
	}
	if (!imap_is_lost(client)) {
		(void)imap_run(client, "SELECT Archive");
		trouble_is_no(client, "UNAVAILABLE", "SELECT");
	}
	trouble_up();
	UNIT_CHECK(strcmp(trouble_old_flags(FIRST, 1), "") == 0,
		   "STORE: refused, but done");
	trouble_recovers(&client, FIRST, "INBOX", MESSAGES);
	if (client != NULL) {
		UNIT_CHECK(imap_run(client, "STORE 1 +FLAGS (\\Flagged)") ==
			   IMAP_OK, "STORE: %s", imap_error(client));
		UNIT_CHECK(strcmp(trouble_old_flags(FIRST, 1),
				  "\\Flagged") == 0, "STORE: OK, not done");
	}
	imap_logout(&client);
}

static void test_stalled(void)
{
	struct imap_client *client;
	struct imap_box box;

	client = trouble_select(FIRST, "INBOX", &box);
	if (client == NULL)
		return;
	(void)trouble_tell("stall");
	(void)imap_run(client, "UID STORE 2 +FLAGS (\\Flagged)");
	UNIT_CHECK(imap_reply(client)->status != IMAP_OK,
		   "STORE: OK by a silent server");
	deliver_in_vain(FIRST, "stall@example.org");
	(void)trouble_tell("cut");
	trouble_up();
	trouble_recovers(&client, FIRST, "INBOX", MESSAGES);
	imap_logout(&client);
	deliver(FIRST, "after-stall@example.org");
}

static void test_wrong_password(void)
{
	struct imap_client *client;

	trouble_password(STRANGER, "wrong");
	client = case_imap("NEW_IMAP", STRANGER);
	if (client == NULL)
		return;
	all_refused(client, "AUTHENTICATIONFAILED");
	deliver_in_vain(STRANGER, "password@example.org");
	trouble_password(STRANGER, case_get("PASSWORD"));
	imap_logout(&client);
	trouble_recovers(&client, STRANGER, "INBOX", MESSAGES);
	imap_logout(&client);
	deliver(STRANGER, "password-again@example.org");
}

static void refused_login(const char *answer, const char *code)
{
	const struct between_rule rule = {
		.command = " LOGIN ", .action = BETWEEN_ANSWER,
		.text = answer,
	};
	struct imap_client *client;

	between_cut(trouble_between);
	between_set(trouble_between, &rule);
	client = case_imap("NEW_IMAP", FIRST);
	if (client != NULL) {
		all_refused(client, code);
		deliver_in_vain(FIRST, "refused@example.org");
	}
	between_set(trouble_between, NULL);
	trouble_recovers(&client, FIRST, "INBOX", MESSAGES + 1);
	imap_logout(&client);
}

static void test_refused_login(void)
{
	refused_login("NO [UNAVAILABLE] Temporary authentication failure.",
		      "UNAVAILABLE");
	refused_login("NO [AUTHENTICATIONFAILED] No, you don't.",
		      "AUTHENTICATIONFAILED");
	refused_login("NO [LIMIT] Too many simultaneous connections", "LIMIT");
}

static void test_over_quota(void)
{
	struct imap_client *client;
	struct imap_box box;
	enum imap_status status = IMAP_OK;
	unsigned int i;
	size_t size;
	char *data;

	client = trouble_select(FULL, "INBOX", &box);
	if (client == NULL)
		return;
	data = case_message("full@example.org", 400, &size);
	for (i = 0; i < 3 * QUOTA_MESSAGES && status == IMAP_OK; i++)
		status = imap_append(client, "INBOX", NULL, NULL, data, size,
				     NULL);
	trouble_is_no(client, "OVERQUOTA", "APPEND");
	UNIT_CHECK(trouble_old_count(FULL, "INBOX") == MESSAGES + i - 1,
		   "%u appended, %u there", i - 1,
		   trouble_old_count(FULL, "INBOX"));
	(void)imap_run(client, "COPY 1 Archive");
	trouble_is_no(client, "OVERQUOTA", "COPY");
	UNIT_CHECK(trouble_old_count(FULL, "Archive") == 2, "COPY: copied");
	deliver_in_vain(FULL, "full-lmtp@example.org");
	UNIT_CHECK(imap_run(client, "STORE 1:3 +FLAGS (\\Deleted)") == IMAP_OK,
		   "STORE: %s", imap_error(client));
	UNIT_CHECK(imap_run(client, "EXPUNGE") == IMAP_OK, "EXPUNGE: %s",
		   imap_error(client));
	UNIT_CHECK(imap_append(client, "INBOX", NULL, NULL, data, size,
			       NULL) == IMAP_OK, "APPEND: %s",
		   imap_error(client));
	deliver(FULL, "full-again@example.org");
	free(data);
	imap_logout(&client);
}

static bool pop3_works(void *context)
{
	struct pop3_client *client;
	unsigned int count = 0;
	uint64_t bytes;
	const char *error;

	(void)context;
	if (pop3_open(case_get("NEW_POP3"), case_user(POSTBOX),
		      case_get("PASSWORD"), CASE_TIMEOUT_MS, &client,
		      &error) < 0)
		return false;
	if (pop3_stat(client, &count, &bytes) != POP3_OK)
		count = 0;
	(void)pop3_quit(&client);
	return count == MESSAGES;
}

/* The login itself is our own server's. */
static void pop3_refused(const char *what)
{
	struct pop3_client *client = NULL;
	unsigned int count = 0;
	uint64_t bytes = 0;
	const char *error = "";

	if (pop3_open(case_get("NEW_POP3"), case_user(POSTBOX),
		      case_get("PASSWORD"), CASE_TIMEOUT_MS, &client,
		      &error) == 0) {
		UNIT_CHECK(pop3_stat(client, &count, &bytes) == POP3_ERR,
			   "%s: STAT: %u messages, %s", what, count,
			   pop3_error(client));
		error = pop3_error(client);
	}
	UNIT_CHECK(strstr(error, "[SYS/TEMP]") != NULL, "%s: POP3: %s", what,
		   error);
	pop3_free(&client);
}

static void test_pop3(void)
{
	struct pop3_client *client = NULL;
	const char *error = "";

	trouble_down();
	pop3_refused("down");
	trouble_up();
	UNIT_CHECK(wait_until(pop3_works, NULL, TROUBLE_RECOVERY_MS),
		   "POP3 doesn't work again");
	trouble_password(POSTBOX, "wrong");
	pop3_refused("wrong password");
	trouble_password(POSTBOX, case_get("PASSWORD"));
	UNIT_CHECK(wait_until(pop3_works, NULL, TROUBLE_RECOVERY_MS),
		   "POP3 doesn't work again");
	/* a deletion whose QUIT can't be done isn't confirmed */
	if (pop3_open(case_get("NEW_POP3"), case_user(POSTBOX),
		      case_get("PASSWORD"), CASE_TIMEOUT_MS, &client,
		      &error) < 0) {
		UNIT_CHECK(false, "POP3: %s", error);
		return;
	}
	UNIT_CHECK(pop3_dele(client, 1) == POP3_OK, "DELE: %s",
		   pop3_error(client));
	trouble_down();
	UNIT_CHECK(pop3_quit(&client) != POP3_OK, "QUIT: +OK, but not done");
	trouble_up();
	UNIT_CHECK(wait_until(pop3_works, NULL, TROUBLE_RECOVERY_MS),
		   "POP3: the message went");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "accounts", test_start },
		{ "down at login", test_down_at_login },
		{ "down in a session", test_down_in_session },
		{ "silent", test_stalled },
		{ "wrong password", test_wrong_password },
		{ "login refused", test_refused_login },
		{ "over quota", test_over_quota },
		{ "POP3", test_pop3 },
		{ "no crash", trouble_end },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "4", "--messages", "0", "--folders", "0", NULL
	};
	const struct case_program program = {
		.name = "test-trouble",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
