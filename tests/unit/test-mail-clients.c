/* test-mail-clients: the test clients against servers that misbehave */
#include "canned-server.h"
#include "lmtp-client.h"
#include "process.h"
#include "snapshot.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define TIMEOUT_MS 10000
#define GREETING "* OK [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS IDLE] hello\r\n"
#define LOGIN_OK "A1 OK [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS IDLE] in\r\n"

static struct canned_server server;

static struct imap_client *
connect_to(const void *data, size_t size, bool silent, unsigned int timeout_ms)
{
	struct imap_client *client;
	const char *error;

	canned_server_start(&server, data, size, silent);
	if (imap_open(server.hostport, "u", "p", timeout_ms, &client,
		      &error) < 0)
		return NULL;
	return client;
}

static struct imap_client *logged_in(const char *after)
{
	struct imap_client *client;
	char *data;

	if (asprintf(&data, "%s%s%s", GREETING, LOGIN_OK, after) < 0)
		abort();
	client = connect_to(data, strlen(data), false, TIMEOUT_MS);
	free(data);
	return client;
}

static void test_bad_greetings(void)
{
	static const char *const greetings[] = {
		"", "\r\n", "* BYE too many\r\n", "hello\r\n", "* OK",
		"* NO no\r\n", "A1 OK x\r\n", "+ go\r\n", "* OK hi\r\n",
		GREETING, GREETING "A1 NO wrong\r\n", GREETING "A2 OK x\r\n",
		GREETING "A1 LIST\r\n", GREETING "* BYE\r\n"
	};
	struct imap_client *client;
	size_t i;

	for (i = 0; i < N_ELEMENTS(greetings); i++) {
		client = connect_to(greetings[i], strlen(greetings[i]), false,
				    TIMEOUT_MS);
		UNIT_CHECK(client == NULL, "case %zu", i);
		imap_free(&client);
		canned_server_stop(&server);
	}
}

static void test_bye(void)
{
	struct imap_client *client = logged_in("* BYE going down\r\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(client);
	CU_ASSERT_EQUAL(imap_run(client, "NOOP"), IMAP_LOST);
	CU_ASSERT_STRING_EQUAL(imap_error(client), "going down");
	/* and it stays lost */
	CU_ASSERT_EQUAL(imap_run(client, "NOOP"), IMAP_LOST);
	imap_logout(&client);
	canned_server_stop(&server);
}

static void test_timeout(void)
{
	uint64_t start = now_ms();
	struct imap_client *client;

	client = connect_to(GREETING LOGIN_OK, strlen(GREETING LOGIN_OK), true,
			    200);
	CU_ASSERT_PTR_NOT_NULL_FATAL(client);
	CU_ASSERT_EQUAL(imap_run(client, "NOOP"), IMAP_LOST);
	CU_ASSERT_STRING_EQUAL(imap_error(client), "no answer within 200 ms");
	CU_ASSERT(now_ms() - start >= 200 && now_ms() - start < 5000);
	imap_free(&client);
	canned_server_stop(&server);
}

static void test_answers_out_of_order(void)
{
	struct imap_client *client = logged_in(
		"* 1 EXISTS\r\nA3 OK three\r\n* 2 EXISTS\r\nA2 NO two\r\n"
		"A4 BAD four\r\n");
	unsigned int two, three, four;

	CU_ASSERT_PTR_NOT_NULL_FATAL(client);
	two = imap_send(client, "NOOP");
	three = imap_send(client, "NOOP");
	four = imap_send(client, "NOOP");
	CU_ASSERT_EQUAL(imap_wait(client, four), IMAP_BAD);
	CU_ASSERT_EQUAL(imap_wait(client, two), IMAP_NO);
	CU_ASSERT_STRING_EQUAL(imap_error(client), "two");
	CU_ASSERT_EQUAL(imap_wait(client, three), IMAP_OK);
	CU_ASSERT_EQUAL(imap_exists(client), 2);
	imap_free(&client);
	canned_server_stop(&server);
}

static void test_append_refused_early(void)
{
	static const char said[] = "* OK [CAPABILITY IMAP4rev1] hello\r\n"
		"A1 OK [CAPABILITY IMAP4rev1] in\r\nA2 NO [TRYCREATE] none\r\n"
		"A3 OK fine\r\n";
	struct imap_client *client;
	uint32_t uid;

	client = connect_to(said, sizeof(said) - 1, false, TIMEOUT_MS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(client);
	CU_ASSERT_EQUAL(imap_append(client, "x", NULL, NULL, "abc", 3, &uid),
			IMAP_NO);
	CU_ASSERT_STRING_EQUAL(imap_reply(client)->code, "TRYCREATE");
	CU_ASSERT_EQUAL(imap_run(client, "NOOP"), IMAP_OK);
	imap_free(&client);
	canned_server_stop(&server);
}

struct body {
	unsigned int begun;
	uint64_t announced, came;
};

static void count_body(void *context, bool begin, const void *data,
		       uint64_t size)
{
	struct body *body = context;

	(void)data;
	if (begin) {
		body->begun++;
		body->announced += size;
	} else {
		body->came += size;
	}
}

static void test_sink(void)
{
	struct imap_client *client = logged_in(
		"* 1 FETCH (BODY[] {5}\r\na\r\n)( UID 9)\r\n"
		"* 2 FETCH (BODY[] {0}\r\n UID 10 BODY[TEXT] \"quoted\")\r\n"
		"A2 OK done\r\n");
	const struct imap_response *resp;
	struct body body = { .begun = 0 };
	struct imap_fetch fetch;

	CU_ASSERT_PTR_NOT_NULL_FATAL(client);
	imap_set_sink(client, count_body, 0, &body);
	CU_ASSERT_EQUAL(imap_run(client, "FETCH 1:2 (BODY[] UID)"), IMAP_OK);
	CU_ASSERT(body.begun == 2 && body.announced == 5 && body.came == 5);
	resp = imap_find(imap_untagged(client), "FETCH");
	CU_ASSERT_PTR_NOT_NULL_FATAL(resp);
	CU_ASSERT(resp->sunk && imap_parse_fetch(resp, &fetch));
	CU_ASSERT(fetch.uid == 9 && fetch.has_body && fetch.body_size == 0);
	CU_ASSERT(imap_parse_fetch(resp->next, &fetch));
	CU_ASSERT_EQUAL(fetch.uid, 10);
	imap_free(&client);
	canned_server_stop(&server);
}

/* What a picture must not take for an empty or whole mailbox. */
static void test_pictures_of_trouble(void)
{
	static const struct {
		const char *answers;
		/* NULL: taking it fails. */
		const char *error;
	} tests[] = {
		{ "A4 NO closed\r\n", "EXAMINE: closed" },
		{ "* 1 EXISTS\r\nA4 OK x\r\nA5 OK x\r\nA6 NO later\r\n",
		  "FETCH: later" },
		{ "* 1 EXISTS\r\nA4 OK x\r\nA5 OK x\r\nA6 OK x\r\n",
		  "1 messages exist, 0 came" },
		{ "* 1 EXISTS\r\nA4 OK x\r\nA5 OK x\r\n* 1 FETCH (UID 1 FLAGS "
		  "())\r\nA6 OK x\r\n",
		  "UID 1: the server didn't give everything" },
		{ "* 1 EXISTS\r\nA4 OK x\r\nA5 OK x\r\n* 1 FETCH (UID 1 FLAGS "
		  "() INTERNALDATE \"never\" RFC822.SIZE 1 BODY[] NIL)\r\n"
		  "A6 OK x\r\n", "UID 1: INTERNALDATE never" },
		{ "* 1 EXISTS\r\nA4 OK x\r\nA5 OK x\r\n* 1 FETCH (UID one)\r\n"
		  "A6 OK x\r\n", "FETCH 1 makes no sense" },
		{ "* 1 EXISTS\r\nA4 OK x\r\nA5 OK x\r\n* 1 FETCH (UID 1 BODY[] "
		  "{100}\r\nshort", NULL },
		{ "* 1 EXISTS\r\nA4 OK x\r\n", NULL },
		{ "", NULL }
	};
	struct snapshot_source source = {
		.user = "u", .password = "p", .timeout_ms = TIMEOUT_MS
	};
	struct snapshot *snapshot;
	const char *error, *got;
	char *data;
	size_t i;
	int ret;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		if (asprintf(&data, "%s%s* LIST () \"/\" INBOX\r\nA2 OK x\r\n"
			     "A3 OK x\r\n%s", GREETING, LOGIN_OK,
			     tests[i].answers) < 0)
			abort();
		canned_server_start(&server, data, strlen(data), false);
		source.imap = server.hostport;
		error = "none";
		ret = snapshot_take(&source, &snapshot, &error);
		canned_server_stop(&server);
		free(data);
		if (!UNIT_CHECK(ret == (tests[i].error == NULL ? -1 : 0),
				"case %zu: %d, %s", i, ret, error) || ret < 0)
			continue;
		got = snapshot->folders[0].error;
		UNIT_CHECK(got != NULL && strcmp(got, tests[i].error) == 0,
			   "case %zu: %s", i, got);
		snapshot_free(&snapshot);
	}
}

/* A good session with bytes changed: it ends, whatever it ends in. */
static void test_damaged_sessions(void)
{
	static const char good[] = GREETING LOGIN_OK
		"* LIST (\\Sent) \"/\" \"S&APw-\"\r\nA2 OK x\r\n* LSUB () \"/\" "
		"{5}\r\nINBOX\r\nA3 OK x\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 5] "
		"x\r\n* OK [UIDNEXT 9] x\r\nA4 OK [READ-ONLY] x\r\n* 1 FETCH "
		"(UID 1 FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 "
		"-0700\" RFC822.SIZE 3 BODY[] {3}\r\nabc)\r\n* 2 FETCH (UID 2 "
		"FLAGS () BODY[] \"x\")\r\nA5 OK done\r\nA6 OK bye\r\n";
	struct snapshot_source source = {
		.user = "u", .password = "p", .timeout_ms = 500
	};
	struct snapshot *snapshot;
	char data[sizeof(good)];
	const char *error;
	unsigned int round, i, taken = 0;

	srandom(5);
	for (round = 0; round < 300; round++) {
		memcpy(data, good, sizeof(good));
		for (i = 0; i < round % 5; i++)
			data[(size_t)random() % (sizeof(good) - 1)] =
				"(){}\"\\[]\r\n 0~*+A9"[random() % 18];
		canned_server_start(&server, data, sizeof(good) - 1, false);
		source.imap = server.hostport;
		if (snapshot_take(&source, &snapshot, &error) == 0) {
			taken++;
			snapshot_free(&snapshot);
		}
		canned_server_stop(&server);
	}
	/* those of every fifth round were left alone */
	CU_ASSERT(taken >= 60 && taken < 300);
}

static void test_pop3(void)
{
	static const struct {
		const char *said;
		enum pop3_status uidl;
	} tests[] = {
		{ "+OK\r\n1 a\r\n2 b c\r\n..x\r\n.\r\n", POP3_LOST },
		{ "+OK\r\n1 a\r\n2 b\r\n.\r\n", POP3_OK },
		{ "+OK\r\n.\r\n", POP3_OK },
		{ "-ERR no\r\n", POP3_ERR },
		{ "+OK\r\n1 a\r\n", POP3_LOST },
		{ "+OK\r\nx\r\n.\r\n", POP3_LOST },
		{ "OK\r\n", POP3_LOST },
		{ "", POP3_LOST }
	};
	struct pop3_client *client;
	struct pop3_list list;
	const char *error;
	char *data;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		if (asprintf(&data, "+OK hi\r\n+OK\r\n+OK in\r\n%s",
			     tests[i].said) < 0)
			abort();
		canned_server_start(&server, data, strlen(data), false);
		free(data);
		CU_ASSERT_FATAL(pop3_open(server.hostport, "u", "p", TIMEOUT_MS,
					  &client, &error) == 0);
		UNIT_CHECK(pop3_uidl(client, &list) == tests[i].uidl,
			   "case %zu: %s", i, pop3_error(client));
		pop3_list_free(&list);
		pop3_free(&client);
		canned_server_stop(&server);
	}
}

static void test_lmtp(void)
{
	static const char *const recipients[] = { "a@x", "b@x", "c@x" };
	static const struct {
		bool smtp;
		const char *said;
		int delivered, codes[3];
	} tests[] = {
		{ false, "250 m\r\n250 a\r\n550-b\r\n550 b\r\n250 c\r\n"
		  "354 go\r\n250 a\r\n452 c\r\n", 1, { 250, 550, 452 } },
		{ false, "250 m\r\n550 a\r\n550 b\r\n550 c\r\n250 rset\r\n", 0,
		  { 550, 550, 550 } },
		/* one answer for all that were taken */
		{ true, "250 m\r\n250 a\r\n550 b\r\n250 c\r\n354 go\r\n"
		  "251 all\r\n", 2, { 251, 550, 251 } },
		{ true, "250 m\r\n250 a\r\n550 b\r\n250 c\r\n354 go\r\n"
		  "451 all\r\n", 0, { 451, 550, 451 } },
		{ true, "250 m\r\n250 a\r\n550 b\r\n250 c\r\n354 go\r\n", -1,
		  { 0, 550, 0 } },
		{ false, "451 m\r\n503 a\r\n503 b\r\n503 c\r\n250 rset\r\n", 0,
		  { 451, 451, 451 } },
		{ false, "250 m\r\n250 a\r\n250 b\r\n250 c\r\n451 no\r\n"
		  "250 r\r\n", 0,
		  { 451, 451, 451 } },
		/* lost before and between the results: those aren't known */
		{ false, "250 m\r\n250 a\r\n250 b\r\n", -1, { 0, 0, 0 } },
		{ false, "250 m\r\n250 a\r\n250 b\r\n250 c\r\n354 go\r\n"
		  "250 a\r\n", -1,
		  { 250, 0, 0 } },
		{ false, "nonsense\r\n", -1, { 0, 0, 0 } }
	};
	struct lmtp_reply replies[3];
	struct lmtp_client *client;
	const char *error;
	char *data;
	size_t i;
	int ret;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		if (asprintf(&data, "220 hi\r\n250-x\r\n250 y\r\n%s",
			     tests[i].said) < 0)
			abort();
		canned_server_start(&server, data, strlen(data), false);
		free(data);
		ret = tests[i].smtp ?
			smtp_open(server.hostport, TIMEOUT_MS, &client,
				  &error) :
			lmtp_open(server.hostport, TIMEOUT_MS, &client,
				  &error);
		CU_ASSERT_FATAL(ret == 0);
		ret = lmtp_deliver(client, "f@x", recipients, 3,
				   "\r\n.x\r\n", 6, replies);
		UNIT_CHECK(ret == tests[i].delivered &&
			   replies[0].code == tests[i].codes[0] &&
			   replies[1].code == tests[i].codes[1] &&
			   replies[2].code == tests[i].codes[2],
			   "case %zu: %d: %d %d %d", i, ret, replies[0].code,
			   replies[1].code, replies[2].code);
		lmtp_free(&client);
		canned_server_stop(&server);
	}
}

static bool never(void *context)
{
	++*(unsigned int *)context;
	return false;
}

static void test_processes(void)
{
	static const char *const missing[] = { "/nonexistent/x", NULL };
	struct process_result result;
	unsigned int asked = 0;
	uint64_t start;

	CU_ASSERT_EQUAL(process_shell(TIMEOUT_MS, &result,
				      "echo out; echo err >&2; exit %d", 3),
			-1);
	CU_ASSERT_EQUAL(result.status, 3);
	CU_ASSERT_STRING_EQUAL(result.output, "out\nerr\n");
	process_result_free(&result);
	CU_ASSERT_EQUAL(process_run(missing, TIMEOUT_MS, &result), -1);
	CU_ASSERT_EQUAL(result.status, 127);
	process_result_free(&result);
	/* the whole group ends with its time */
	start = now_ms();
	CU_ASSERT_EQUAL(process_shell(200, &result, "sleep 30 & sleep 30"), -1);
	CU_ASSERT(result.timed_out && now_ms() - start < 5000);
	process_result_free(&result);
	/* what stays behind doesn't hold it up */
	start = now_ms();
	CU_ASSERT_EQUAL(process_shell(TIMEOUT_MS, &result,
				      "sleep 6 & echo done"), 0);
	CU_ASSERT_STRING_EQUAL(result.output, "done\n");
	CU_ASSERT(now_ms() - start < 5000);
	process_result_free(&result);
	CU_ASSERT(!wait_until(never, &asked, 50));
	CU_ASSERT(asked >= 2);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "bad greetings", test_bad_greetings },
		{ "BYE", test_bye },
		{ "timeout", test_timeout },
		{ "answers out of order", test_answers_out_of_order },
		{ "APPEND refused early", test_append_refused_early },
		{ "bodies to a sink", test_sink },
		{ "pictures of trouble", test_pictures_of_trouble },
		{ "damaged sessions", test_damaged_sessions },
		{ "POP3", test_pop3 },
		{ "LMTP", test_lmtp },
		{ "processes", test_processes },
		{ NULL, NULL }
	};

	return unit_run("mail-clients", tests);
}
