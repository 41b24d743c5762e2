/*
 * test-milter-sendmail: the milter at Sendmail, whose macros, header changes and
 * habits differ from Postfix's. Mail comes in over SMTP and is looked at where it
 * was delivered; a mail and its report lines are known by Sendmail's queue ID.
 */
#include "case.h"
#include "common/arrival-tag.h"
#include "common/report-line.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define DATE "Date: Sun, 22 Nov 2026 03:00:00 +0000\r\n"
#define FROM "From: Alice <alice@example.net>\r\n"
#define SENDER "alice@example.net"
/* Well-formed, signed by nobody. */
#define FORGED "Mail-Migration: v=1; at=new; host=mx.example; id=4XyZ; " \
	"t=1795327200; s=AAAAAAAAAAAAAAAAAAAAAA\r\n"

/*
 * In
 */

/* "250 2.0.0 6AM6TdtK000027 Message accepted for delivery" */
static void read_id(const char *text, char id[32])
{
	id[0] = '\0';
	UNIT_CHECK(sscanf(text, "2.0.0 %31s Message accepted", id) == 1,
		   "no queue ID: %s", text);
}

static bool
log_in(struct lmtp_client *client, const char *user)
{
	unsigned char response[400];
	char plain[200];
	int size = snprintf(plain, sizeof(plain), "%c%s%c%s", 0, user, 0,
			    case_get("PASSWORD"));

	EVP_EncodeBlock(response, (const unsigned char *)plain, size);
	return UNIT_CHECK(smtp_auth_plain(client, (const char *)response) == 0,
			  "AUTH: %s", lmtp_error(client));
}

/* Sends a mail with these headers and one that names it. Returns its queue ID,
   static; "" when it wasn't taken. */
static const char *
send_mail(const char *name, const char *user, const char *from,
	  const char *const *to, unsigned int count, const char *headers)
{
	static char id[32];
	struct lmtp_client *client = NULL;
	struct lmtp_reply replies[4];
	const char *error = "";
	char *data;
	int size;

	id[0] = '\0';
	if (!UNIT_CHECK(smtp_open(case_get("SENDMAIL_SMTP"), CASE_TIMEOUT_MS,
				  &client, &error) == 0, "SMTP: %s", error))
		return id;
	size = asprintf(&data, "X-Case: %s\r\n%s\r\nbody\r\n", name, headers);
	if (size < 0)
		abort();
	if ((user == NULL || log_in(client, user)) &&
	    UNIT_CHECK(lmtp_deliver(client, from, to, count, data, (size_t)size,
				    replies) == (int)count,
		       "%s: %d %s", name, replies[0].code, replies[0].text))
		read_id(replies[0].text, id);
	free(data);
	lmtp_quit(&client);
	return id;
}

static const char *
send_to(const char *name, const char *to, const char *headers)
{
	return send_mail(name, NULL, SENDER, &to, 1, headers);
}

/*
 * Report lines
 */

/* What is looked for: that event with key=id. */
struct wanted {
	const char *event, *key, *id;
	unsigned int count;
};

/* The last line that was found. */
static char found[REPORT_LINE_MAX + 1];

static bool is_field(const char *message, size_t size, const char *key,
		     const char *value)
{
	struct report_field field;

	return report_line_get(message, size, key, &field) &&
		strcmp(field.value, value) == 0;
}

static bool is_wanted(const struct wanted *wanted, const char *line, size_t size)
{
	struct report_head head;
	const char *message;
	size_t message_size;

	if (report_line_find(line, size, &head, &message,
			     &message_size) != REPORT_FOUND ||
	    !is_field(message, message_size, "event", wanted->event) ||
	    !is_field(message, message_size, wanted->key, wanted->id))
		return false;
	snprintf(found, sizeof(found), "%.*s", (int)message_size, message);
	return true;
}

static unsigned int count_wanted(const struct wanted *wanted)
{
	FILE *file = fopen(case_get("REPORT_LOG"), "r");
	unsigned int count = 0;
	size_t room = 0;
	ssize_t size;
	char *line = NULL;

	if (file == NULL)
		return 0;
	while ((size = getline(&line, &room, file)) > 0) {
		if (is_wanted(wanted, line, (size_t)size - 1))
			count++;
	}
	free(line);
	fclose(file);
	return count;
}

static bool has_come(void *context)
{
	const struct wanted *wanted = context;

	return count_wanted(wanted) >= wanted->count;
}

/* Lines of events come before Sendmail takes the mail, but through syslogd. */
static bool
wait_lines(const char *event, const char *key, const char *id, unsigned int count)
{
	struct wanted wanted = { event, key, id, count };

	found[0] = '\0';
	return UNIT_CHECK(id[0] != '\0' &&
			  wait_until(has_come, &wanted, CASE_TIMEOUT_MS) &&
			  count_wanted(&wanted) == count,
			  "%s of %s: %u lines, not %u", event, id,
			  count_wanted(&wanted), count);
}

static void check_line(const char *key, const char *value)
{
	UNIT_CHECK(is_field(found, strlen(found), key, value),
		   "not %s=%s: %s", key, value, found);
}

/*
 * Out
 */

struct mailbox_mail {
	unsigned int user;
	const char *name;
	/* Its header; from malloc(). */
	char *header;
};

static void take_header(void *context, const struct imap_response *response)
{
	struct mailbox_mail *mail = context;
	struct imap_fetch fetch;
	char field[100];

	snprintf(field, sizeof(field), "X-Case: %s\r\n", mail->name);
	if (mail->header == NULL && imap_parse_fetch(response, &fetch) &&
	    fetch.body != NULL && strstr(fetch.body, field) != NULL)
		mail->header = strdup(fetch.body);
}

static bool look_for_mail(void *context)
{
	struct mailbox_mail *mail = context;
	struct imap_client *client = case_imap("OLD_IMAP_DIRECT", mail->user);
	struct imap_box box;

	if (client == NULL)
		return false;
	imap_set_untagged(client, take_header, mail);
	if (imap_examine(client, "INBOX", &box) == IMAP_OK)
		(void)imap_run(client, "FETCH 1:* BODY.PEEK[HEADER]");
	imap_logout(&client);
	return mail->header != NULL;
}

/* The header of a delivered mail, to be freed; NULL when it doesn't come. */
static char *delivered(unsigned int user, const char *name)
{
	struct mailbox_mail mail = { user, name, NULL };

	UNIT_CHECK(wait_until(look_for_mail, &mail, CASE_TIMEOUT_MS),
		   "%s isn't delivered", name);
	return mail.header;
}

/* Calls for each field of a header, its value as it stands. */
static void
each_field(const char *header, void (*call)(void *context, const char *name,
					    const char *value, size_t size),
	   void *context)
{
	const char *p = header, *end, *colon;
	char name[100];

	for (; *p != '\0' && *p != '\r'; p = end + 2) {
		end = strstr(p, "\r\n");
		while (end != NULL && (end[2] == ' ' || end[2] == '\t'))
			end = strstr(end + 2, "\r\n");
		colon = strchr(p, ':');
		if (end == NULL || colon == NULL || colon > end)
			return;
		snprintf(name, sizeof(name), "%.*s", (int)(colon - p), p);
		call(context, name, colon + 1, (size_t)(end - colon) - 1);
	}
}

struct tag_check {
	struct arrival_key *key;
	struct arrival_mail *mail;
	/* The last valid one. */
	struct arrival_tag tag;
	unsigned int valid, others;
};

static void add_field(void *context, const char *name, const char *value,
		      size_t size)
{
	struct tag_check *check = context;

	arrival_mail_add(check->mail, name, value, size);
}

static void check_field(void *context, const char *name, const char *value,
			size_t size)
{
	struct tag_check *check = context;
	struct arrival_tag tag;
	const char *error;

	if (strcasecmp(name, ARRIVAL_TAG_HEADER) != 0)
		return;
	if (arrival_tag_check(check->key, value, size, check->mail, &tag,
			      &error) == ARRIVAL_VALID) {
		check->valid++;
		check->tag = tag;
	} else {
		check->others++;
	}
}

/* How many tags a delivered mail has, the milter's key deciding; the valid one is
   of the old server and names the mail. */
static void check_tags(unsigned int user, const char *name, const char *id,
		       unsigned int valid, unsigned int others)
{
	struct tag_check check = { .mail = arrival_mail_init() };
	char *header = delivered(user, name), path[300];
	const char *error = "";

	snprintf(path, sizeof(path), "%s/milter/key", case_get("DIR"));
	if (UNIT_CHECK(arrival_key_load(path, &check.key, &error) == 0, "%s: %s",
		       path, error) && header != NULL) {
		each_field(header, add_field, &check);
		arrival_mail_end(check.mail);
		each_field(header, check_field, &check);
		UNIT_CHECK(check.valid == valid && check.others == others,
			   "%s: %u valid tags, %u others:\n%s", name,
			   check.valid, check.others, header);
		UNIT_CHECK(valid == 0 || (check.tag.at == ARRIVAL_AT_OLD &&
					  strcmp(check.tag.id, id) == 0),
			   "%s: tag of %s", name, check.tag.id);
	}
	arrival_key_free(&check.key);
	arrival_mail_deinit(&check.mail);
	free(header);
}

/*
 * Tests
 */

/* No line of that mail, as one that comes now shows, which is tagged. */
static void check_silence(const char *id, const char *next)
{
	static const char *const events[] = {
		"arrival", "forged", "loop", "submission"
	};
	const char *next_id = send_to(next, "user1@lab.example", FROM);
	size_t i;

	wait_lines("arrival", "id", next_id, 1);
	check_tags(0, next, next_id, 1, 0);
	for (i = 0; i < N_ELEMENTS(events); i++) {
		struct wanted wanted = { events[i], "id", id, 0 };

		CU_ASSERT_EQUAL(count_wanted(&wanted), 0);
	}
}

/* One line for each recipient in the domain, with what Sendmail tells. */
static void test_arrival(void)
{
	static const char *const to[] = {
		"user1@lab.example", "user1@other.example", "user2@LAB.example"
	};
	const char *id = send_mail("arrival", NULL, SENDER, to, 3,
				   "Message-ID: <1@x>\r\n" FROM DATE);

	if (!wait_lines("arrival", "id", id, 2))
		return;
	check_line("at", "old");
	check_line("client", "127.0.0.1");
	check_line("name", "localhost");
	check_line("helo", "client.example");
	check_line("from", "<" SENDER ">");
	check_line("to", "<user2@LAB.example>");
	check_line("via", "direct");
	CU_ASSERT_PTR_NULL(strstr(found, " auth="));
	check_tags(0, "arrival", id, 1, 0);
	check_tags(1, "arrival", id, 1, 0);
}

static void test_null_sender(void)
{
	const char *to = "user1@lab.example";
	const char *id = send_mail("bounce", NULL, "", &to, 1, FROM DATE);

	if (wait_lines("arrival", "id", id, 1))
		check_line("from", "<>");
	check_tags(0, "bounce", id, 1, 0);
}

static void test_submission(void)
{
	const char *to = "user1@lab.example";
	const char *id = send_mail("submission", "user1@old.lab.example",
				   "user1@lab.example", &to, 1, FROM DATE);

	if (wait_lines("arrival", "id", id, 1)) {
		check_line("auth", "user1@old.lab.example");
		check_line("via", "submission");
	}
}

static void test_other_domain(void)
{
	char id[32];

	snprintf(id, sizeof(id), "%s",
		 send_to("other", "user1@other.example",
			 FORGED "Message-ID: <1@x>\r\n" FROM DATE));
	check_silence(id, "after-other");
	check_tags(0, "other", "", 0, 1);
}

/* At the top, in the middle, folded, below: all go, ours comes. */
static void test_forged(void)
{
	const char *id = send_to("forged", "user1@lab.example",
		FORGED "Message-ID: <1@x>\r\n" FORGED FROM
		"mail-migration: v=1;\r\n\tat=old; nonsense\r\n" DATE FORGED);

	wait_lines("arrival", "id", id, 1);
	wait_lines("forged", "id", id, 4);
	check_tags(0, "forged", id, 1, 0);
}

/* Sendmail hands mail on to the new server, whose milter must know the tag after
   all that Sendmail has changed. */
static void test_relayed(void)
{
	static const struct {
		const char *name, *headers, *via;
	} tests[] = {
		{ "relay-plain", "Message-ID: <1@x>\r\n" FROM DATE, "relayed" },
		{ "relay-no-id", FROM DATE, "relayed" },
		{ "relay-empty-id", "Message-ID: \r\n" FROM DATE, "relayed" },
		{ "relay-no-date", "Message-ID: <1@x>\r\n" FROM, "relayed" },
		{ "relay-no-from", "Message-ID: <1@x>\r\n" DATE, "relayed" },
		{ "relay-two-ids", "Message-ID: <1@x>\r\n"
		  "Message-ID: <2@x>\r\n" FROM DATE, "relayed" },
		{ "relay-phrase", "Message-ID: <1@x>\r\n"
		  "From: Alice B. Smith <alice@example.net>\r\n" DATE,
		  "relayed" },
		{ "relay-folded", "message-id:\r\n <1@x>\r\n"
		  "From: Alice (the \"A\")\r\n\t<alice@example.net>,\r\n"
		  " Bob <bob@EXAMPLE.net>\r\n" DATE, "relayed" },
		{ "relay-8-bit", "Message-ID: <1@x>\r\n"
		  "From: \xc3\x84lice <alice@example.net>\r\n" DATE,
		  "relayed" },
		/* it gets a domain: no longer what was signed */
		{ "relay-no-domain", "Message-ID: <1@x>\r\nFrom: alice\r\n" DATE,
		  "direct" }
	};
	char id[32];
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		snprintf(id, sizeof(id), "%s",
			 send_to(tests[i].name, "user1+relay@lab.example",
				 tests[i].headers));
		wait_lines("arrival", "id", id, 1);
		if (strcmp(tests[i].via, "relayed") == 0)
			wait_lines("arrival", "first_id", id, 1);
		else
			wait_lines("forged", "at", "new", 1);
		check_line("at", "new");
	}
}

/* A dead milter costs the tag and the line, and no mail. */
static void test_dead_milter(void)
{
	char id[32];

	case_shell("%s milter old stop", case_get("LAB"));
	snprintf(id, sizeof(id), "%s", send_to("dead", "user1@lab.example",
					       FORGED FROM DATE));
	CU_ASSERT_STRING_NOT_EQUAL(id, "");
	check_tags(0, "dead", "", 0, 1);
	case_shell("%s milter old start", case_get("LAB"));
	check_silence(id, "after-dead");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "arrival", test_arrival },
		{ "null sender", test_null_sender },
		{ "submission", test_submission },
		{ "another domain", test_other_domain },
		{ "forged tags", test_forged },
		{ "relayed to the new server", test_relayed },
		{ "dead milter", test_dead_milter },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--sendmail", "--users", "2", "--messages", "0", "--folders", "0",
		NULL
	};
	const struct case_program program = {
		.name = "milter-sendmail",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
