/*
 * test-lab-mail: what the lab promises about mail that comes by SMTP
 *
 * Through the Postfix of either server a mail gets into the mailbox that has the
 * authority, in no other one, with one tag that verifies, and the log has one
 * line of it. Without a milter it gets there too (I6), only without both; then
 * migration-report knows that nobody was watching.
 */
#include "case.h"
#include "common/arrival-tag.h"
#include "report-log.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE 3000

struct server {
	/* in the tag and in the report */
	const char *at;
	const char *smtp;
};

static const struct server old_server = { "old", "OLD_SMTP" };
static const struct server new_server = { "new", "NEW_SMTP" };

/* A mail under way. id is its Message-ID and its sender's address. */
struct mail {
	const struct server *server;
	unsigned int user;
	const char *id;
	/* Postfix's */
	char queue_id[64];
};

/* What a mailbox has of it. */
struct found {
	unsigned int messages;
	/* Its tag's header, if any, and the empty line. */
	char tag[2 * ARRIVAL_VALUE_MAX];
};

/*
 * Sending
 */

static bool send_mail(struct mail *mail)
{
	char address[64];
	const char *const to[] = { address };
	struct lmtp_client *client;
	struct lmtp_reply reply = { .code = 0 };
	const char *error, *id;
	size_t size;
	char *data;

	snprintf(address, sizeof(address), "%s@%s", case_user(mail->user),
		 case_get("DOMAIN"));
	if (smtp_open(case_get(mail->server->smtp), CASE_TIMEOUT_MS, &client,
		      &error) < 0)
		return UNIT_CHECK(false, "%s: %s", mail->server->smtp, error);
	data = case_message(mail->id, SIZE, &size);
	(void)lmtp_deliver(client, mail->id, to, 1, data, size, &reply);
	free(data);
	lmtp_quit(&client);
	id = strstr(reply.text, "queued as ");
	if (id != NULL)
		snprintf(mail->queue_id, sizeof(mail->queue_id), "%.63s",
			 id + strlen("queued as "));
	return UNIT_CHECK(reply.code == 250 && id != NULL, "%s: %d %s",
			  mail->id, reply.code, reply.text);
}

/*
 * Looking for it
 */

static void take_tag(void *context, const struct imap_response *resp)
{
	struct found *found = context;
	struct imap_fetch fetch;

	if (!imap_parse_fetch(resp, &fetch) || !fetch.has_body)
		return;
	found->messages++;
	snprintf(found->tag, sizeof(found->tag), "%.*s",
		 (int)fetch.body_size, fetch.body);
}

/* Of all that is in INBOX, the messages with its Message-ID. */
static struct found look(const char *imap, const struct mail *mail)
{
	struct imap_client *client = case_imap(imap, mail->user);
	const struct imap_response *resp;
	struct found found = { .messages = 0 };
	const struct imap_arg *uid;
	char uids[256] = "";
	struct imap_box box;
	size_t used = 0;

	if (client == NULL)
		return found;
	UNIT_CHECK(imap_select(client, "INBOX", &box) == IMAP_OK &&
		   imap_run(client, "UID SEARCH HEADER Message-ID <%s>",
			    mail->id) == IMAP_OK, "SEARCH: %s",
		   imap_error(client));
	resp = imap_find(imap_untagged(client), "SEARCH");
	for (uid = resp == NULL ? NULL : resp->args; uid != NULL;
	     uid = uid->next)
		used += (size_t)snprintf(uids + used, sizeof(uids) - used,
					 "%s%s", used == 0 ? "" : ",",
					 uid->data);
	imap_clear(client);
	imap_set_untagged(client, take_tag, &found);
	if (used > 0)
		UNIT_CHECK(imap_run(client, "UID FETCH %s (UID BODY.PEEK["
				    "HEADER.FIELDS (MAIL-MIGRATION)])",
				    uids) == IMAP_OK,
			   "FETCH: %s", imap_error(client));
	imap_logout(&client);
	return found;
}

static bool is_there(void *context)
{
	return look("NEW_IMAP", context).messages > 0;
}

/* Sends it; clients of the new server have it once, and the old server once or
   not at all. Returns what clients have. */
static struct found deliver(struct mail *mail, unsigned int at_old)
{
	struct found found = { .messages = 0 };

	if (!send_mail(mail))
		return found;
	UNIT_CHECK(wait_until(is_there, mail, CASE_TIMEOUT_MS),
		   "%s doesn't arrive", mail->id);
	found = look("OLD_IMAP_DIRECT", mail);
	UNIT_CHECK(found.messages == at_old, "the old server has %s %u times",
		   mail->id, found.messages);
	found = look("NEW_IMAP", mail);
	UNIT_CHECK(found.messages == 1, "clients have %s %u times", mail->id,
		   found.messages);
	return found;
}

/*
 * Tags and reports
 */

/* The headers that case_message() gives it. */
static struct arrival_mail *signed_headers(const struct mail *mail)
{
	struct arrival_mail *headers = arrival_mail_init();
	char id[128];

	if (headers == NULL)
		abort();
	snprintf(id, sizeof(id), "<%s>", mail->id);
	arrival_mail_begin(headers);
	arrival_mail_add(headers, "From", CASE_MESSAGE_FROM,
			 strlen(CASE_MESSAGE_FROM));
	arrival_mail_add(headers, "Date", CASE_MESSAGE_DATE,
			 strlen(CASE_MESSAGE_DATE));
	arrival_mail_add(headers, "Message-ID", id, strlen(id));
	arrival_mail_end(headers);
	return headers;
}

static void check_tag(const struct mail *mail, const struct found *found)
{
	const char *value = strchr(found->tag, ':'), *error = "";
	struct arrival_mail *headers = signed_headers(mail);
	enum arrival_result result;
	struct arrival_key *key;
	struct arrival_tag tag;
	char path[300];

	snprintf(path, sizeof(path), "%s/milter/key", case_get("DIR"));
	if (!UNIT_CHECK(value != NULL, "%s has no tag", mail->id) ||
	    arrival_key_load(path, &key, &error) < 0) {
		UNIT_CHECK(value == NULL, "%s: %s", path, error);
		arrival_mail_deinit(&headers);
		return;
	}
	result = arrival_tag_check(key, value + 1, strlen(value + 1), headers,
				   &tag, &error);
	UNIT_CHECK(result == ARRIVAL_VALID, "%s: %s: %s", mail->id, error,
		   found->tag);
	CU_ASSERT_STRING_EQUAL(arrival_at_name(tag.at), mail->server->at);
	CU_ASSERT_STRING_EQUAL(tag.id, mail->queue_id);
	arrival_key_free(&key);
	arrival_mail_deinit(&headers);
}

static unsigned int count_reports(const struct mail *mail)
{
	return report_log_count(case_get("REPORT_LOG"), "arrival", "id",
				mail->queue_id);
}

static bool is_reported(void *context)
{
	return count_reports(context) > 0;
}

static void check_watched(struct mail *mail, unsigned int at_old)
{
	struct found found = deliver(mail, at_old);

	check_tag(mail, &found);
	UNIT_CHECK(wait_until(is_reported, mail, CASE_TIMEOUT_MS) &&
		   count_reports(mail) == 1, "%s is reported %u times",
		   mail->id, count_reports(mail));
}

static unsigned int count_events(const char *event, const char *at)
{
	return report_log_count(case_get("REPORT_LOG"), event, "at", at);
}

static void check_unwatched(struct mail *mail)
{
	struct found found = deliver(mail, 1);

	UNIT_CHECK(found.tag[0] == '\0' || strchr(found.tag, ':') == NULL,
		   "%s has a tag: %s", mail->id, found.tag);
	CU_ASSERT_EQUAL(count_reports(mail), 0);
}

/*
 * The tests
 */

static void test_old(void)
{
	struct mail mail = { .server = &old_server, .id = "old@case.example" };

	check_watched(&mail, 1);
	mail.user = 1;
	CU_ASSERT_EQUAL(look("OLD_IMAP_DIRECT", &mail).messages, 0);
}

static void test_new(void)
{
	struct mail mail = { .server = &new_server, .id = "new@case.example" };

	check_watched(&mail, 1);
	mail.user = 1;
	CU_ASSERT_EQUAL(look("OLD_IMAP_DIRECT", &mail).messages, 0);
}

static void test_local(void)
{
	struct mail mail = {
		.server = &new_server, .user = 1, .id = "local@case.example"
	};

	case_migration("fill -u %s", case_user(1));
	case_migration("cutover -u %s", case_user(1));
	check_watched(&mail, 0);
}

static bool milter(const struct server *server, const char *action)
{
	const char *const words[] = { "milter", server->at, action, NULL };
	const char *error = "";
	int ret;

	ret = lab_command(case_lab, words, CASE_TIMEOUT_MS, &error);
	return UNIT_CHECK(ret == 0, "lab milter %s %s: %s", server->at, action,
			  error);
}

struct event_goal {
	const char *event;
	const struct server *server;
	unsigned int count;
};

static bool is_logged(void *context)
{
	const struct event_goal *goal = context;

	return count_events(goal->event, goal->server->at) >= goal->count;
}

static void wait_event(const struct server *server, const char *event,
		       unsigned int count)
{
	struct event_goal goal = {
		.event = event, .server = server, .count = count
	};

	UNIT_CHECK(wait_until(is_logged, &goal, CASE_TIMEOUT_MS),
		   "no %s of the %s server", event, server->at);
}

/* How often the report says that nobody watched there, for that reason. */
static unsigned int count_gaps(const struct server *server, const char *reason)
{
	json_object *root, *watchers, *watcher, *gaps, *value;
	unsigned int count = 0;
	size_t i, j;

	if (!case_shell("'%s' --json '%s'", case_get("REPORT"),
			case_get("REPORT_LOG")))
		return 0;
	root = json_tokener_parse(case_output());
	if (!UNIT_CHECK(json_object_object_get_ex(root, "watchers", &watchers),
			"no report: %s", case_output()))
		return 0;
	for (i = 0; i < json_object_array_length(watchers); i++) {
		watcher = json_object_array_get_idx(watchers, i);
		gaps = json_object_object_get(watcher, "gaps");
		value = json_object_object_get(watcher, "at");
		if (strcmp(json_object_get_string(value), server->at) != 0)
			continue;
		for (j = 0; j < json_object_array_length(gaps); j++) {
			value = json_object_object_get(
				json_object_array_get_idx(gaps, j), "reason");
			if (strcmp(json_object_get_string(value), reason) == 0)
				count++;
		}
	}
	json_object_put(root);
	return count;
}

static bool is_later(void *context)
{
	const time_t *then = context;

	return time(NULL) > *then;
}

/* The report counts whole seconds. */
static void wait_second(void)
{
	time_t then = time(NULL);

	(void)wait_until(is_later, &then, CASE_TIMEOUT_MS);
}

static void stop_and_start(const struct server *server, struct mail *without,
			   struct mail *with)
{
	unsigned int stops = count_events("milter_stop", server->at);
	unsigned int starts = count_events("milter_start", server->at);
	unsigned int gaps = count_gaps(server, "stopped");

	without->server = with->server = server;
	if (!milter(server, "stop"))
		return;
	wait_event(server, "milter_stop", stops + 1);
	check_unwatched(without);
	wait_second();
	if (!milter(server, "start"))
		return;
	wait_event(server, "milter_start", starts + 1);
	check_watched(with, 1);
	/* what came in between is told by nobody, but that it may have */
	CU_ASSERT_EQUAL(count_reports(without), 0);
	CU_ASSERT_EQUAL(count_gaps(server, "stopped"), gaps + 1);
}

static void test_old_stopped(void)
{
	struct mail without = { .id = "old-without@case.example" };
	struct mail with = { .id = "old-with@case.example" };

	stop_and_start(&old_server, &without, &with);
}

static void test_new_stopped(void)
{
	struct mail without = { .id = "new-without@case.example" };
	struct mail with = { .id = "new-with@case.example" };

	stop_and_start(&new_server, &without, &with);
}

/* All its processes; it says no word of farewell. */
static void kill_milter(const struct server *server)
{
	case_shell("read session rest <'%s/sessions/%s-milter' && "
		   "pkill -KILL -s $session", case_get("DIR"), server->at);
}

static void test_killed(void)
{
	struct mail without = {
		.server = &new_server, .id = "killed@case.example"
	};
	struct mail with = {
		.server = &new_server, .id = "after@case.example"
	};
	unsigned int stops = count_events("milter_stop", new_server.at);
	unsigned int starts = count_events("milter_start", new_server.at);

	CU_ASSERT_EQUAL(count_gaps(&new_server, "killed"), 0);
	kill_milter(&new_server);
	check_unwatched(&without);
	wait_second();
	if (!milter(&new_server, "start"))
		return;
	wait_event(&new_server, "milter_start", starts + 1);
	check_watched(&with, 1);
	CU_ASSERT_EQUAL(count_events("milter_stop", new_server.at), stops);
	CU_ASSERT_EQUAL(count_gaps(&new_server, "killed"), 1);
}

static void test_plugin_reports(void)
{
	CU_ASSERT(report_log_count(case_get("REPORT_LOG"), "cutover", "user",
				   case_user(1)) > 0);
}

int main(void)
{
	static const char *const lab[] = {
		"--users", "2", "--messages", "10", "--folders", "0", NULL
	};
	static const struct unit_test tests[] = {
		{ "through the old server", test_old },
		{ "through the new server", test_new },
		{ "into a mailbox that is local", test_local },
		{ "the plugin's lines are in the log", test_plugin_reports },
		{ "no milter at the old server", test_old_stopped },
		{ "no milter at the new server", test_new_stopped },
		{ "a milter that was killed", test_killed },
		{ NULL, NULL }
	};
	const struct case_program program = {
		.name = "lab-mail", .tests = tests,
		.lab_args = lab, .settings = CASE_MANUAL
	};

	return case_main(&program);
}
