/* test-old-client: the client to the old server against a scripted one:
   faults, odd orders and hostile replies. Each case is a script, commands and
   the log of everything that the client told. */
#include "engine-unit.h"
#include "buffer.h"
#include "istream.h"
#include "str.h"
#include "imap-util.h"
#include "plugin/engine/old-client.h"
#include "plugin/engine/old-fetch.h"
#include "fake-imap.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#define TIMEOUT_MSECS 300
#ifdef __SANITIZE_ADDRESS__
#  define MEMORY_MAX_KB (512 * 1024)
#else
#  define MEMORY_MAX_KB (64 * 1024)
#endif

#define GREETING(caps) \
	{ FAKE_ACCEPT, NULL, 0 }, \
	{ FAKE_SEND, "* OK [CAPABILITY IMAP4rev1] hello\r\n", 0 }, \
	{ FAKE_EXPECT, "LOGIN \"u\" \"p\"", 0 }, \
	{ FAKE_SEND, "$0 OK [CAPABILITY IMAP4rev1" caps "] in\r\n", 0 }
#define EXPECT(text) { FAKE_EXPECT, text, 0 }
#define EXPECT_RAW(text) { FAKE_EXPECT_RAW, text, 0 }
#define SEND(text) { FAKE_SEND, text, 0 }
#define TRICKLE(text) { FAKE_TRICKLE, text, 0 }
#define REPEAT(text, count) { FAKE_REPEAT, text, count }
#define CLOSE { FAKE_CLOSE, NULL, 0 }
#define WAIT_CLOSE { FAKE_WAIT_CLOSE, NULL, 0 }

#define FETCH_ALL "UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])"
#define DATE "\"01-Jan-2020 00:00:00 +0100\""

/* Commands: "fetch" is FETCH_ALL, "fetch!" gives up at each body, "stop" fails
   at the first item, "string X" is SELECT with X as a string, "wait" waits;
   others go as they are. */
struct session {
	const char *name;
	struct fake_step steps[16];
	const char *commands[8];
	const char *log;
	/* in the error of the last wait; NULL: it works */
	const char *error;
};

static const struct session sessions[] = {
	{ "replies",
	  { GREETING(""), EXPECT("A"), EXPECT("B"), EXPECT("C"), EXPECT("D"),
	    SEND("* 3 EXISTS\r\n* OK [UIDNEXT 9] next\r\n"
		 "$2 OK done\r\n$3 NO [NONEXISTENT] x\r\n"
		 "* LIST (\\A) \".\" {3}\r\nx y\r\n"
		 "$0 BAD [X \"]\" y] what\r\n$1 ok\r\n"), WAIT_CLOSE },
	  { "A", "B", "C", "D" },
	  "*EXISTS 3 ;*OK 0 [UIDNEXT 9];B=OK[];"
	  "A=NO[NONEXISTENT];*LIST 0 (\\A) \".\" \"x y\";"
	  "D=BAD[X \"]\" y];C=OK[];", NULL },
	{ "quoting",
	  { GREETING(""), EXPECT("SELECT \"a\\\"b\\\\c%*\""),
	    SEND("$0 OK\r\n"), WAIT_CLOSE },
	  { "string a\"b\\c%*" }, "string a\"b\\c%*=OK[];", NULL },
	{ "LITERAL+",
	  { GREETING(" LITERAL+"), EXPECT("SELECT {2+}"), EXPECT_RAW("\xc3\xa4"),
	    EXPECT("B"), SEND("$1 OK\r\n$0 OK\r\n"), WAIT_CLOSE },
	  { "string \xc3\xa4", "B" }, "string \xc3\xa4=OK[];B=OK[];", NULL },
	{ "synchronizing literal",
	  { GREETING(""), EXPECT("A"), EXPECT("SELECT {2}"),
	    SEND("$1 OK\r\n+ go\r\n"), EXPECT_RAW("\xc3\xa4"),
	    EXPECT("B"), SEND("$1 OK\r\n$0 OK\r\n"), WAIT_CLOSE },
	  { "A", "string \xc3\xa4", "B" },
	  "A=OK[];string \xc3\xa4=OK[];B=OK[];", NULL },
	{ "literal refused",
	  { GREETING(""), EXPECT("SELECT {2}"), SEND("$0 NO [CANNOT] no\r\n"),
	    EXPECT("B"), SEND("$0 OK\r\n"), WAIT_CLOSE },
	  { "string \xc3\xa4", "B" }, "string \xc3\xa4=NO[CANNOT];B=OK[];", NULL },
	{ "fetch in the order asked",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    TRICKLE("* 1 FETCH (UID 7 FLAGS (\\Seen $Kw) INTERNALDATE " DATE
		    " BODY[] {5}\r\nab\r\nc)\r\n"
		    "* 2 FETCH (UID 8 FLAGS () INTERNALDATE " DATE
		    " BODY[] {0}\r\n)\r\n$0 OK\r\n"), WAIT_CLOSE },
	  { "fetch" },
	  "[7:ab\r\nc]item 7 flags=8 $Kw date=1577833200/60 body=5;"
	  "[8:]item 8 flags=0 date=1577833200/60 body=0;fetch=OK[];", NULL },
	{ "body first",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    TRICKLE("* 1 FETCH (BODY[] {5}\r\nab\r\nc FLAGS (\\Seen) "
		    "INTERNALDATE " DATE " UID 7)\r\n$0 OK\r\n"), WAIT_CLOSE },
	  { "fetch" },
	  "[7:ab\r\nc]item 7 flags=8 date=1577833200/60 body=5;fetch=OK[];", NULL },
	{ "date never comes",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    SEND("* 1 FETCH (UID 7 FLAGS () BODY[] {1}\r\nx)\r\n$0 OK\r\n"),
	    WAIT_CLOSE },
	  { "fetch" }, "[7:x]item 7 flags=0 body=1;fetch=OK[];", NULL },
	{ "NIL, empty and quoted bodies",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    SEND("* 1 FETCH (UID 1 BODY[] NIL)\r\n"
		 "* 2 FETCH (UID 2 BODY[] \"\")\r\n"
		 "* 3 FETCH (UID 3 BODY[] \"a\\\"b\")\r\n"
		 "* 4 FETCH (UID 4 BODY[]<9> {1}\r\nx)\r\n$0 OK\r\n"),
	    WAIT_CLOSE },
	  { "fetch" },
	  "item 1 nil;[2:]item 2 body=0;[3:a\"b]item 3 body=3;"
	  "[4:x]item 4 body=1<9>;fetch=OK[];", NULL },
	{ "pushed flags",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    SEND("* 3 FETCH (FLAGS (\\Deleted))\r\n* 2 EXPUNGE\r\n"
		 "* VANISHED (EARLIER) 1:3\r\n"
		 "* 4 FETCH (BODY[] {3}\r\nx\r\n)\r\n$0 OK\r\n"), WAIT_CLOSE },
	  { "fetch" },
	  "push 3 flags=4;*EXPUNGE 2 ;*VANISHED 0 (EARLIER) 1:3;"
	  "push 4 body=3;fetch=OK[];", NULL },
	{ "fetch that nobody asked for",
	  { GREETING(""), EXPECT("NOOP"),
	    SEND("* 1 FETCH (UID 5 FLAGS () BODY[] {3}\r\n)\r\n)\r\n"
		 "$0 OK\r\n"), WAIT_CLOSE },
	  { "NOOP" }, "push 1 flags=0 body=3;NOOP=OK[];", NULL },
	{ "two bodies in one reply",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    SEND("* 1 FETCH (UID 5 FLAGS () INTERNALDATE " DATE
		 " BODY[] {1}\r\nx BODY[1] {2}\r\nyy)\r\n$0 OK\r\n"),
	    WAIT_CLOSE },
	  { "fetch" },
	  "[5:x]item 5 flags=0 date=1577833200/60 body=1;fetch=OK[];", NULL },
	{ "two bodies, spooled",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    SEND("* 1 FETCH (BODY[]<3> {3}\r\nx\r\n BODY[1] {2}\r\nyy UID 5)"
		 "\r\n$0 OK\r\n"), WAIT_CLOSE },
	  { "fetch" }, "[5:x\r\n]item 5 body=3<3>;fetch=OK[];", NULL },
	{ "given up bodies",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    TRICKLE("* 1 FETCH (UID 1 FLAGS () INTERNALDATE " DATE
		    " BODY[] {5}\r\nab\r\nc)\r\n* 2 FETCH (UID 2)\r\n"
		    "$0 OK\r\n"), WAIT_CLOSE },
	  { "fetch!" },
	  "[1:!given up]item 1 flags=0 date=1577833200/60 body=5;"
	  "item 2;fetch!=OK[];", NULL },
	{ "failed items",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    SEND("* 1 FETCH (UID 1)\r\n"
		 "* 2 FETCH (UID 2 FLAGS () INTERNALDATE " DATE
		 " BODY[] {2}\r\n\r\n)\r\n$0 OK\r\n"), WAIT_CLOSE },
	  { "stop" }, "item 1;stop=OK[];", NULL },
	{ "lost in a body",
	  { GREETING(""), EXPECT(FETCH_ALL), EXPECT("B"),
	    SEND("* 1 FETCH (UID 1 FLAGS () INTERNALDATE " DATE
		 " BODY[] {50}\r\nabc"), CLOSE,
	    GREETING(""), EXPECT("C"), SEND("$0 OK\r\n"), WAIT_CLOSE },
	  { "fetch", "B", "wait", "C" },
	  "[1:!Lost the old server: it closed the connection]"
	  "fetch=LOST[];B=LOST[];wait=2;C=OK[];", NULL },
	{ "lost in a spooled body",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    SEND("* 1 FETCH (BODY[] {50}\r\nabc"), CLOSE },
	  { "fetch" }, "fetch=LOST[];wait=2;",
	  "closed the connection" },
	{ "BYE",
	  { GREETING(""), EXPECT("A"), SEND("* BYE restarting\r\n"), CLOSE },
	  { "A" }, "*BYE 0 ;A=LOST[];wait=2;",
	  "ended the session: restarting" },
	{ "silence",
	  { GREETING(""), EXPECT("A"), WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "didn't answer in 0.300" },
	{ "silence before the greeting",
	  { { FAKE_ACCEPT, NULL, 0 }, WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "didn't finish the login" },
	{ "not IMAP",
	  { { FAKE_ACCEPT, NULL, 0 }, SEND("220 mx ESMTP\r\n"), WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "doesn't greet as an IMAP server" },
	{ "unknown tag",
	  { GREETING(""), EXPECT("A"), SEND("zz OK\r\n"), WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "isn't IMAP or answers nothing" },
	{ "unasked continuation",
	  { GREETING(""), EXPECT("A"), SEND("+ more\r\n"), WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "asks for more" },
	{ "NUL in a string",
	  { GREETING(""), EXPECT("A"), SEND("* LIST () \"a$z\" x\r\n$0 OK\r\n"),
	    WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "isn't IMAP: NULs" },
	{ "unbalanced list",
	  { GREETING(""), EXPECT("A"), SEND("* LIST (a \".\" x\r\n$0 OK\r\n"),
	    WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "isn't IMAP: Missing ')'" },
	{ "endless list",
	  { GREETING(""), EXPECT("A"), SEND("* LIST "), REPEAT("(", 4000000),
	    WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "too many words" },
	{ "endless lists",
	  { GREETING(""), EXPECT("A"), SEND("* LIST "), REPEAT("() ", 4000000),
	    WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "too many words" },
	{ "endless atom",
	  { GREETING(""), EXPECT("A"), SEND("* LIST "), REPEAT("a", 8000000),
	    WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "too long" },
	{ "endless atoms",
	  { GREETING(""), EXPECT("A"), SEND("* LIST "), REPEAT("a ", 8000000),
	    WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "too many words" },
	{ "endless text",
	  { GREETING(""), EXPECT("A"), SEND("$0 OK "), REPEAT("a", 8000000),
	    WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "too long" },
	{ "endless literals",
	  { GREETING(""), EXPECT("A"), SEND("* LIST "),
	    REPEAT("{9}\r\n123456789", 1000000), WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "isn't IMAP" },
	{ "large literal",
	  { GREETING(""), EXPECT("A"), SEND("* LIST {1048577}\r\n"),
	    WAIT_CLOSE },
	  { "A" }, "A=LOST[];wait=2;",
	  "literal that is too long" },
	{ "literal of 2^64 bytes",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    SEND("* 1 FETCH (UID 1 BODY[] {18446744073709551616}\r\n"),
	    WAIT_CLOSE },
	  { "fetch" }, "fetch=LOST[];wait=2;",
	  "isn't IMAP" },
	{ "literal of 2^64-1 bytes",
	  { GREETING(""), EXPECT(FETCH_ALL),
	    SEND("* 1 FETCH (UID 1 FLAGS () INTERNALDATE " DATE
		 " BODY[] {18446744073709551615}\r\n"), WAIT_CLOSE },
	  { "fetch" }, "fetch=LOST[];wait=2;",
	  "impossible literal" },
	{ "huge body, nobody reads it",
	  { GREETING(""), EXPECT("A"),
	    SEND("* 1 FETCH (BODY[] {100000000}\r\n"),
	    REPEAT("0123456789", 10000000), SEND(")\r\n$0 OK\r\n"),
	    WAIT_CLOSE },
	  { "A" }, "push 1 body=100000000;A=OK[];", NULL },
};

struct talk {
	struct old_client *client;
	string_t *log;
	struct istream *body;
	uint64_t body_size;
	string_t *text;
	const char *error;
	bool give_up, stop;
};

struct talk_command {
	struct talk *talk;
	const char *name;
	unsigned int answers;
};

static void on_reply(const struct old_reply *reply, struct talk_command *cmd)
{
	static const char *const names[] = { "OK", "NO", "BAD", "LOST" };

	cmd->answers++;
	str_printfa(cmd->talk->log, "%s=%s[%s%s%s];", cmd->name,
		    names[reply->state], reply->code,
		    *reply->code_value == '\0' ? "" : " ", reply->code_value);
	CU_ASSERT((reply->state == OLD_REPLY_OK) ==
		  (reply->error_code == MAIL_ERROR_NONE));
	CU_ASSERT((reply->state == OLD_REPLY_OK) == (*reply->error == '\0'));
}

static bool on_untagged(const struct old_untagged *untagged, struct talk *talk)
{
	str_printfa(talk->log, "*%s %u ", untagged->name, untagged->num);
	imap_write_args(talk->log, untagged->args);
	if (*untagged->code != '\0') {
		str_printfa(talk->log, "[%s %s]", untagged->code,
			    untagged->code_value);
	}
	str_append_c(talk->log, ';');
	return TRUE;
}

static void log_item(string_t *log, const struct old_fetch_item *item)
{
	const char *const *keyword;

	if ((item->fields & OLD_FETCH_FLAGS) != 0) {
		str_printfa(log, " flags=%x", item->flags);
		for (keyword = item->keywords; *keyword != NULL; keyword++)
			str_printfa(log, " %s", *keyword);
	}
	if ((item->fields & OLD_FETCH_DATE) != 0) {
		str_printfa(log, " date=%ld/%d", (long)item->date,
			    item->tz_offset);
	}
	if ((item->fields & OLD_FETCH_BODY) != 0)
		str_printfa(log, " body=%"PRIu64, item->body_size);
	if (item->body_offset > 0)
		str_printfa(log, "<%"PRIu64">", item->body_offset);
	if ((item->fields & OLD_FETCH_BODY_NIL) != 0)
		str_append(log, " nil");
	str_append_c(log, ';');
}

static void on_push(const struct old_fetch_item *item, struct talk *talk)
{
	str_printfa(talk->log, "push %u", item->seq);
	log_item(talk->log, item);
}

static int on_item(void *context, const struct old_fetch_item *item)
{
	struct talk_command *cmd = context;

	str_printfa(cmd->talk->log, "item %u", item->uid);
	log_item(cmd->talk->log, item);
	return cmd->talk->stop ? -1 : 0;
}

static int on_body_begin(void *context, const struct old_fetch_item *item,
			 struct istream *body)
{
	struct talk *talk = ((struct talk_command *)context)->talk;

	CU_ASSERT(talk->body == NULL);
	talk->body = body;
	talk->body_size = item->body_size;
	str_truncate(talk->text, 0);
	str_printfa(talk->log, "[%u:", item->uid);
	return 0;
}

static int on_body_more(void *context)
{
	struct talk *talk = ((struct talk_command *)context)->talk;
	const unsigned char *data;
	size_t size;

	if (talk->give_up)
		return -1;
	while (i_stream_read_more(talk->body, &data, &size) > 0) {
		str_append_data(talk->text, data, size);
		i_stream_skip(talk->body, size);
	}
	/* nobody may take a part for the whole */
	CU_ASSERT(!talk->body->eof || talk->body->stream_errno != 0 ||
		  talk->body->v_offset == talk->body_size);
	return 0;
}

static void on_body_end(void *context, const char *error)
{
	struct talk *talk = ((struct talk_command *)context)->talk;

	CU_ASSERT(talk->body != NULL);
	talk->body = NULL;
	if (error != NULL)
		str_printfa(talk->log, "!%s", error);
	else
		str_append_str(talk->log, talk->text);
	str_append_c(talk->log, ']');
}

static const struct old_fetch_handler handler = {
	.item = on_item,
	.body_begin = on_body_begin,
	.body_more = on_body_more,
	.body_end = on_body_end,
};

static void talk_send_fetch(struct talk *talk, struct talk_command *cmd)
{
	static const struct old_fetch_request req = {
		.uids = "1:*",
		.fields = OLD_FETCH_FLAGS | OLD_FETCH_DATE | OLD_FETCH_BODY,
	};

	old_fetch_send(talk->client, &req, &handler, on_reply, cmd);
}

static void talk_wait(struct talk *talk)
{
	enum mail_error code;
	const char *error;

	talk->error = NULL;
	if (old_client_wait(talk->client, &code, &error) < 0) {
		str_printfa(talk->log, "wait=%d;", code);
		talk->error = error;
	}
	CU_ASSERT(old_client_pending(talk->client) == 0);
}

static void talk_send(struct talk *talk, struct talk_command *cmd)
{
	struct old_command *command;

	if (strcmp(cmd->name, "wait") == 0) {
		talk_wait(talk);
		cmd->answers = 1;
		return;
	}
	talk->give_up = strcmp(cmd->name, "fetch!") == 0;
	talk->stop = strcmp(cmd->name, "stop") == 0;
	if (strcmp(cmd->name, "fetch") == 0 || talk->give_up || talk->stop) {
		talk_send_fetch(talk, cmd);
	} else if (str_begins(cmd->name, "string ")) {
		command = old_command_new(talk->client, "SELECT");
		old_command_add_string(command, cmd->name + strlen("string "));
		old_command_send(&command, on_reply, cmd);
	} else {
		old_client_send(talk->client, on_reply, cmd, "%s", cmd->name);
	}
}

/* The wire log of all clients, NULL for none. */
static const char *rawlog_dir;

static struct old_client *
client_new(unsigned short port, const struct old_client_settings *template)
{
	struct old_client_settings set = *template;
	struct old_client *client;
	struct event *event = event_create(NULL);

	set.host = "127.0.0.1";
	set.port = port;
	set.user = "u";
	if (set.password == NULL)
		set.password = "p";
	set.connect_timeout_msecs = TIMEOUT_MSECS;
	set.cmd_timeout_msecs = TIMEOUT_MSECS;
	set.rawlog_dir = rawlog_dir;
	client = old_client_init(&set, event);
	event_unref(&event);
	return client;
}

static void session_run(const struct session *session)
{
	static const struct old_client_settings plain = { .port = 0 };
	struct talk_command cmds[N_ELEMENTS(session->commands)];
	struct talk talk;
	struct fake_imap fake;
	unsigned int i;

	i_zero(&talk);
	i_zero(&cmds);
	if (fake_imap_start(&fake, session->steps) < 0) {
		CU_FAIL("no fake server");
		return;
	}
	talk.client = client_new(fake.port, &plain);
	talk.log = str_new(default_pool, 256);
	talk.text = str_new(default_pool, 256);
	old_client_set_untagged(talk.client, on_untagged, &talk);
	old_client_set_fetch(talk.client, on_push, &talk);
	for (i = 0; session->commands[i] != NULL; i++) {
		cmds[i].talk = &talk;
		cmds[i].name = session->commands[i];
		talk_send(&talk, &cmds[i]);
	}
	talk_wait(&talk);
	old_client_deinit(&talk.client);
	CU_ASSERT(talk.body == NULL);
	while (i-- > 0) {
		UNIT_CHECK(cmds[i].answers == 1, "%s: %s got %u answers",
			   session->name, cmds[i].name, cmds[i].answers);
	}
	UNIT_CHECK(strcmp(str_c(talk.log), session->log) == 0,
		   "%s: got %s", session->name, str_c(talk.log));
	UNIT_CHECK(session->error == NULL ? talk.error == NULL :
		   talk.error != NULL &&
		   strstr(talk.error, session->error) != NULL,
		   "%s: error %s", session->name, talk.error);
	UNIT_CHECK(fake_imap_finish(&fake) == 0, "%s: script not followed",
		   session->name);
	str_free(&talk.log);
	str_free(&talk.text);
}

static void test_sessions(void)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(sessions); i++) T_BEGIN {
		session_run(&sessions[i]);
	} T_END;
}

/*
 * Logins
 */

struct login {
	const char *name;
	struct fake_step steps[12];
	struct old_client_settings set;
	/* "" for a login that works */
	const char *error;
	enum mail_error code;
	bool refused;
};

#define HELLO(text) { FAKE_ACCEPT, NULL, 0 }, SEND(text)

static const struct login logins[] = {
	{ .name = "capabilities asked for",
	  .steps = { HELLO("* OK hello\r\n"), EXPECT("CAPABILITY"),
		     SEND("* CAPABILITY IMAP4rev1\r\n$0 OK\r\n"),
		     EXPECT("LOGIN \"u\" \"p\""), SEND("$0 OK in\r\n"),
		     EXPECT("CAPABILITY"),
		     SEND("* CAPABILITY IMAP4rev1\r\n$0 OK\r\n"),
		     WAIT_CLOSE },
	  .error = "" },
	{ .name = "PREAUTH",
	  .steps = { HELLO("* PREAUTH [CAPABILITY X] hi\r\n"), WAIT_CLOSE },
	  .error = "" },
	{ .name = "LOGINDISABLED, SASL-IR",
	  .steps = { HELLO("* OK [CAPABILITY LOGINDISABLED AUTH=PLAIN "
			   "SASL-IR] hi\r\n"),
		     EXPECT("AUTHENTICATE PLAIN AHUAcA=="),
		     SEND("$0 OK [CAPABILITY X]\r\n"), WAIT_CLOSE },
	  .set = { .sasl_mechanisms = "PLAIN" },
	  .error = "" },
	{ .name = "master user, no SASL-IR",
	  .steps = { HELLO("* OK [CAPABILITY AUTH=PLAIN] hi\r\n"),
		     EXPECT("AUTHENTICATE PLAIN"), SEND("+ \r\n"),
		     EXPECT_RAW("dQBtAHA="),
		     SEND("$0 OK [CAPABILITY X]\r\n"), WAIT_CLOSE },
	  .set = { .master_user = "m" },
	  .error = "" },
	{ .name = "SASL LOGIN",
	  .steps = { HELLO("* OK [CAPABILITY AUTH=LOGIN] hi\r\n"),
		     EXPECT("AUTHENTICATE LOGIN"), SEND("+ VXNlcm5hbWU6\r\n"),
		     EXPECT_RAW("dQ=="), SEND("+ UGFzc3dvcmQ6\r\n"),
		     EXPECT_RAW("cA=="),
		     SEND("$0 OK [CAPABILITY X]\r\n"), WAIT_CLOSE },
	  .set = { .sasl_mechanisms = "CRAM-MD5 LOGIN" },
	  .error = "" },
	{ .name = "no way to log in",
	  .steps = { HELLO("* OK [CAPABILITY LOGINDISABLED] hi\r\n"),
		     WAIT_CLOSE },
	  .error = "doesn't allow a login", .code = MAIL_ERROR_UNAVAILABLE },
	{ .name = "wrong password",
	  .steps = { HELLO("* OK [CAPABILITY X] hi\r\n"),
		     EXPECT("LOGIN \"u\" \"p\""),
		     SEND("$0 NO [AUTHENTICATIONFAILED] no\r\n"),
		     WAIT_CLOSE },
	  .error = "user name or password", .code = MAIL_ERROR_PERM,
	  .refused = TRUE },
	{ .name = "refused with the password in the text",
	  .steps = { HELLO("* OK [CAPABILITY X] hi\r\n"),
		     EXPECT("LOGIN \"u\" \"secret\""),
		     SEND("$0 NO LOGIN u secret failed\r\n"), WAIT_CLOSE },
	  .set = { .password = "secret" },
	  .error = "refuses the login", .code = MAIL_ERROR_PERM,
	  .refused = TRUE },
	{ .name = "unavailable",
	  .steps = { HELLO("* OK [CAPABILITY X] hi\r\n"),
		     EXPECT("LOGIN \"u\" \"p\""),
		     SEND("$0 NO [UNAVAILABLE] later\r\n"), WAIT_CLOSE },
	  .error = "later", .code = MAIL_ERROR_UNAVAILABLE },
	{ .name = "too many connections",
	  .steps = { HELLO("* BYE too many connections\r\n"), WAIT_CLOSE },
	  .error = "too many", .code = MAIL_ERROR_UNAVAILABLE },
	{ .name = "STARTTLS refused",
	  .steps = { HELLO("* OK [CAPABILITY X] hi\r\n"), EXPECT("STARTTLS"),
		     SEND("$0 BAD what\r\n"), WAIT_CLOSE },
	  .set = { .ssl_mode = OLD_SSL_STARTTLS },
	  .error = "refuses STARTTLS", .code = MAIL_ERROR_UNAVAILABLE },
	{ .name = "plain text behind STARTTLS",
	  .steps = { HELLO("* OK [CAPABILITY X] hi\r\n"), EXPECT("STARTTLS"),
		     SEND("$0 OK go\r\n* CAPABILITY EVIL\r\n"),
		     WAIT_CLOSE },
	  .set = { .ssl_mode = OLD_SSL_STARTTLS },
	  .error = "plain text", .code = MAIL_ERROR_UNAVAILABLE },
	{ .name = "PREAUTH where STARTTLS is wanted",
	  .steps = { HELLO("* PREAUTH [CAPABILITY X] hi\r\n"), WAIT_CLOSE },
	  .set = { .ssl_mode = OLD_SSL_STARTTLS },
	  .error = "before STARTTLS", .code = MAIL_ERROR_UNAVAILABLE },
};

static void login_run(const struct login *login)
{
	struct old_client *client;
	struct fake_imap fake;
	enum mail_error code = MAIL_ERROR_NONE;
	const char *error = "";

	if (fake_imap_start(&fake, login->steps) < 0) {
		CU_FAIL("no fake server");
		return;
	}
	client = client_new(fake.port, &login->set);
	(void)old_client_connect(client, &code, &error);
	UNIT_CHECK((*error == '\0') == (*login->error == '\0') &&
		   strstr(error, login->error) != NULL &&
		   strstr(error, "secret") == NULL,
		   "%s: %s", login->name, error);
	UNIT_CHECK(code == login->code, "%s: code %d", login->name, code);
	CU_ASSERT(old_client_login_refused(client) == login->refused);
	old_client_deinit(&client);
	UNIT_CHECK(fake_imap_finish(&fake) == 0, "%s: script not followed",
		   login->name);
}

static void test_logins(void)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(logins); i++) T_BEGIN {
		login_run(&logins[i]);
	} T_END;
}

static void test_no_server(void)
{
	static const struct old_client_settings plain = { .port = 0 };
	struct old_client *client = client_new(1, &plain);
	enum mail_error code;
	const char *error;

	CU_ASSERT(old_client_connect(client, &code, &error) == -1);
	CU_ASSERT(code == MAIL_ERROR_UNAVAILABLE);
	CU_ASSERT(strstr(error, "can't be reached") != NULL);
	/* and again */
	CU_ASSERT(old_client_connect(client, &code, &error) == -1);
	old_client_deinit(&client);
}

/* A server that went while the client was idle is noticed before the client
   is used. */
static void test_idle_close(void)
{
	static const struct old_client_settings plain = { .port = 0 };
	static const struct fake_step steps[] = {
		GREETING(""), WAIT_CLOSE, { FAKE_END, NULL, 0 }
	};
	struct old_client *client;
	struct fake_imap fake;
	enum mail_error code;
	const char *error;

	if (fake_imap_start(&fake, steps) < 0) {
		CU_FAIL("no fake server");
		return;
	}
	client = client_new(fake.port, &plain);
	CU_ASSERT(old_client_connect(client, &code, &error) == 0);
	CU_ASSERT(kill(fake.pid, SIGKILL) == 0);
	CU_ASSERT(fake_imap_finish(&fake) == -1);
	CU_ASSERT(old_client_connect(client, &code, &error) == -1);
	CU_ASSERT(code == MAIL_ERROR_UNAVAILABLE);
	old_client_deinit(&client);
}

static bool has(const buffer_t *data, const char *text)
{
	return memmem(data->data, data->used, text, strlen(text)) != NULL;
}

/* Each log of what the client wrote. Returns how many show a command. */
static unsigned int check_rawlogs(const char *dir)
{
	/* LOGIN, PLAIN with and without a master user, and SASL LOGIN */
	static const char *const secrets[] = {
		"\"p\"", "secret", "AHUAcA==", "dQBtAHA=", "cA=="
	};
	unsigned int i, shown = 0;
	struct dirent *entry;
	DIR *logs = opendir(dir);

	while (logs != NULL && (entry = readdir(logs)) != NULL) T_BEGIN {
		const char *name = entry->d_name;
		buffer_t *data;

		if (strstr(name, ".out") != NULL) {
			data = engine_unit_read(t_strdup_printf("%s/%s", dir,
								name));
			for (i = 0; i < N_ELEMENTS(secrets); i++) {
				UNIT_CHECK(!has(data, secrets[i]),
					   "%s shows %s", name, secrets[i]);
			}
			if (has(data, FETCH_ALL) || has(data, "NOOP"))
				shown++;
		}
	} T_END;
	if (logs != NULL)
		closedir(logs);
	return shown;
}

/* Logging changes nothing, and the log has no password. */
static void test_rawlog(void)
{
	rawlog_dir = engine_unit_dir();
	test_logins();
	test_sessions();
	CU_ASSERT(check_rawlogs(rawlog_dir) > 10);
	rawlog_dir = NULL;
}

/* The sessions before this one had every chance to fill the memory. */
static void test_memory(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	/* valgrind's own is in it */
	UNIT_CHECK(getenv("UNIT_VALGRIND") != NULL ||
		   usage.ru_maxrss < MEMORY_MAX_KB, "%ld KB", usage.ru_maxrss);
}

/* What clients are told of a login that was refused. */
static void test_login_refusal(void)
{
	static const struct {
		const char *text, *code, *reason;
	} tests[] = {
		{ "[UNAVAILABLE] Not now", "UNAVAILABLE", "Not now" },
		{ "[limit 10] Too many", "LIMIT", "Too many" },
		{ "[EXPIRED] Old", "EXPIRED", "Old" },
		{ "[SERVERBUG] Oops", "UNAVAILABLE", "Oops" },
		{ "[NOPERM] No", "AUTHENTICATIONFAILED", "No" },
		{ "Too many connections", "LIMIT", "Too many connections" },
		{ "Temporary failure", "UNAVAILABLE", "Temporary failure" },
		{ "Wrong", "AUTHENTICATIONFAILED", "Wrong" },
		{ "", "AUTHENTICATIONFAILED", "" },
	};
	const char *code, *reason;

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		code = old_login_refusal(tests[i].text, &reason);
		UNIT_CHECK(strcmp(code, tests[i].code) == 0 &&
			   strcmp(reason, tests[i].reason) == 0,
			   "%u: [%s] %s", i, code, reason);
	}
}

static const struct unit_test tests[] = {
	{ "login refusal", test_login_refusal },
	{ "logins", test_logins },
	{ "sessions", test_sessions },
	{ "no server", test_no_server },
	{ "idle close", test_idle_close },
	{ "wire log", test_rawlog },
	{ "memory", test_memory },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("old-client", tests);
}
