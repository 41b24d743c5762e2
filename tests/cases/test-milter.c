/*
 * test-milter: mails through a real Postfix with migration-milter
 *
 * What the milter has done to each, and what the log says of it.
 */
#include "test-milter-lab.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT "NAME=mail.b.example ADDR=192.0.2.7 PORT=4242"
#define USUAL "Message-ID: <1@b.example>\r\n" \
	"Date: Mon, 05 Jan 2026 10:11:12 +0100\r\nFrom: a@b.example\r\n"
#define SETTINGS "Server old\nDomain moved.example\n" \
	"Domain m\xc3\xbcnchen.example\nSpamHeader X-Spam-Flag: YES\n"

static bool waits_for(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

static bool waits_for(const char *fmt, ...)
{
	char text[2000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return milter_log_wait(text);
}

static unsigned int count(const char *text, const char *part)
{
	unsigned int n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

static void begin(void)
{
	milter_queue_empty();
	milter_log_mark();
}

static void test_arrival(void)
{
	const char *headers;
	char id[64];

	begin();
	snprintf(id, sizeof(id), "%s", milter_send(CLIENT,
			"<a@b.example> SIZE=5120", "<c@moved.example>",
			USUAL "X-Spam-Flag: YES\r\nSubject: x\r\n"));
	waits_for("migration: event=arrival at=old host=mx.lab.example id=%s "
		  "client=192.0.2.7 name=mail.b.example helo=client.example "
		  "from=<a@b.example> to=<c@moved.example> size=5120 "
		  "via=direct spam=yes\n", id);
	headers = milter_queued(id);
	UNIT_CHECK(strncmp(headers, "Mail-Migration: v=1; at=old; "
			   "host=mx.lab.example; id=", 52) == 0,
		   "the tag isn't at the top: %s", headers);
	CU_ASSERT_EQUAL(count(headers, "Mail-Migration:"), 1);
}

/* Above, between and below, folded, doubled, 8-bit, huge, empty. */
static void test_forged(void)
{
	static const char good[] = "Mail-Migration: v=1; at=new; "
		"host=mx.new.example; id=4XyZ; t=1795327200; "
		"s=AAAAAAAAAAAAAAAAAAAAAA\r\n";
	char id[64], *headers, huge[30001];
	const char *left;

	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	if (asprintf(&headers, "%sX-0: 0\r\nMAIL-MIGRATION:\r\n"
		     "Mail-Migration: folded\r\n\tover\r\n lines\r\n"
		     "X-1: 1\r\n%s%sX-2: %s\r\nX-2b: \xff\xfe\r\n"
		     "mail-migration: \xe4 8-bit\r\nX-3: 3\r\n"
		     "Mail-Migration: %s\r\n" USUAL
		     "X-4: 4\r\nMail-Migration : obsolete\r\nX-5: 5\r\n"
		     "Mail-Migration: x event=arrival at=new\r\n", good, good,
		     good, huge, huge) < 0)
		abort();
	begin();
	snprintf(id, sizeof(id), "%s", milter_send(CLIENT, "<a@b.example>",
						   "<c@moved.example>",
						   headers));
	free(headers);
	waits_for("event=arrival at=old host=mx.lab.example id=%s", id);
	waits_for("event=forged at=old host=mx.lab.example id=%s "
		  "client=192.0.2.7 from=<a@b.example> reason=\"not signed by "
		  "us for this mail\" value=\"v\\x3d1; at\\x3dnew", id);
	waits_for("reason=\"1 more in this mail\"");
	CU_ASSERT_EQUAL(milter_log_count("event=forged"), 9);
	CU_ASSERT_EQUAL(milter_log_count("event=arrival"), 1);
	left = milter_queued(id);
	UNIT_CHECK(count(left, "ail-Migration") == 1 &&
		   count(left, "MIGRATION") == 0 &&
		   count(left, "mail-migration") == 0 &&
		   count(left, "over") == 0, "%.3000s", left);
	CU_ASSERT_EQUAL(count(left, "\nX-"), 7);
	CU_ASSERT_PTR_NOT_NULL(strstr(left, "\nX-1: 1\nX-2: xxx"));
	CU_ASSERT_PTR_NOT_NULL(strstr(left, "\xff\xfe\nX-3: 3\nMessage-ID:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(left, "\nX-4: 4\nX-5: 5\n"));
}

/* The tag that a mail has, from the queue; to be freed. */
static char *take_tag(const char *id)
{
	const char *headers = milter_queued(id);
	char *tag;

	if (asprintf(&tag, "%.*s\r\n", (int)strcspn(headers, "\n"),
		     headers) < 0)
		abort();
	UNIT_CHECK(strncmp(tag, "Mail-Migration: ", 16) == 0, "%s", tag);
	return tag;
}

/* To the new server, and from there to the old one. */
static void test_ways(void)
{
	char id[64], *tag, *headers;

	milter_end(SIGTERM);
	milter_start("Server new\nDomain moved.example\n");
	begin();
	snprintf(id, sizeof(id), "%s", milter_send(CLIENT, "<a@b.example>",
			"<c@moved.example>", USUAL));
	tag = take_tag(id);
	milter_end(SIGTERM);
	milter_start(SETTINGS "LoopLimit 2\n");
	begin();
	if (asprintf(&headers, "Received: x\r\n%s" USUAL, tag) < 0)
		abort();
	snprintf(id, sizeof(id), "%s", milter_send(CLIENT, "<a@b.example>",
			"<c@moved.example>", headers));
	waits_for("id=%s client=192.0.2.7 name=mail.b.example "
		  "helo=client.example from=<a@b.example> "
		  "to=<c@moved.example> via=relayed spam=no first_at=new "
		  "first_id=", id);
	CU_ASSERT_EQUAL(count(milter_queued(id), "Mail-Migration: "), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(milter_queued(id), "\nReceived: x\n"
				      "Mail-Migration: v=1; at=new; "));
	free(headers);
	free(tag);
}

static void test_loop(void)
{
	char first[64], second[64], *one, *two, *headers;
	struct smtp_dialog *dialog;

	begin();
	snprintf(first, sizeof(first), "%s", milter_send(CLIENT,
			"<a@b.example>", "<c@moved.example>", USUAL));
	one = take_tag(first);
	if (asprintf(&headers, "%s" USUAL, one) < 0)
		abort();
	snprintf(second, sizeof(second), "%s", milter_send(CLIENT,
			"<a@b.example>", "<c@moved.example>", headers));
	waits_for("event=loop at=old host=mx.lab.example id=%s "
		  "from=<a@b.example> rounds=1 refused=no\n", second);
	free(headers);
	CU_ASSERT_EQUAL(count(milter_queued(second), "Mail-Migration"), 2);
	two = take_tag(second);
	if (asprintf(&headers, "%s%s" USUAL "\r\n.", two, one) < 0)
		abort();
	dialog = smtp_begin(CLIENT);
	CU_ASSERT_EQUAL(smtp_say(dialog, "MAIL FROM:<a@b.example>"), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RCPT TO:<c@moved.example>"), 250);
	CU_ASSERT_EQUAL(smtp_data(dialog, headers, strlen(headers) - 1), 554);
	UNIT_CHECK(strstr(smtp_answer(dialog), "554 5.4.6 Mail loop: this mail "
			  "was here 2 times before") != NULL, "%s",
		   smtp_answer(dialog));
	smtp_end(&dialog);
	waits_for("rounds=2 refused=yes\n");
	CU_ASSERT_EQUAL(milter_log_count("event=arrival"), 1);
	free(headers);
	free(one);
	free(two);
}

/* Several recipients of several domains in one session, two mails. */
static void test_recipients(void)
{
	static const char text[] = USUAL "\r\nbody";
	struct smtp_dialog *dialog;

	begin();
	dialog = smtp_begin(NULL);
	CU_ASSERT_EQUAL(smtp_say(dialog, "MAIL FROM:<>"), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RCPT TO:<one@moved.example>"), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RCPT TO:<two@other.example>"), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RCPT TO:<@"), 501);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RCPT TO:<three@MOVED.example>"),
			250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RCPT TO:"
			"<four@xn--mnchen-3ya.example>"), 250);
	CU_ASSERT_EQUAL(smtp_data(dialog, text, sizeof(text) - 1), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "MAIL FROM:<a@b.example>"), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RCPT TO:<lost@moved.example>"), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RSET"), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "MAIL FROM:<a@b.example>"), 250);
	CU_ASSERT_EQUAL(smtp_say(dialog, "RCPT TO:<five@moved.example>"), 250);
	CU_ASSERT_EQUAL(smtp_data(dialog, text, sizeof(text) - 1), 250);
	smtp_end(&dialog);
	waits_for("from=<> to=<one@moved.example> via=direct");
	waits_for("from=<> to=<three@MOVED.example> via=direct");
	waits_for("from=<> to=<four@xn--mnchen-3ya.example> via=direct");
	waits_for("from=<a@b.example> to=<five@moved.example> via=direct");
	CU_ASSERT_EQUAL(milter_log_count("event=arrival"), 4);
}

static void test_utf8(void)
{
	begin();
	(void)milter_send(NULL, "<\xc3\xa4@b.example> SMTPUTF8",
			  "<\xc3\xb6@M\xc3\xbcnchen.example>",
			  "Message-ID: <\xc3\xbc@b.example>\r\n"
			  "From: \xc3\xa4@b.example\r\n");
	waits_for("from=<\xc3\xa4@b.example> "
		  "to=<\xc3\xb6@M\xc3\xbcnchen.example> via=direct");
}

/* What a stranger sends doesn't forge lines. */
static void test_hostile(void)
{
	begin();
	(void)milter_send(CLIENT " HELO=x", "<\"x event=arrival at=new\"@b>",
			  "<\"y migration: event=cutover\"@moved.example>",
			  USUAL);
	waits_for("from=\"<\\x22x event\\x3darrival at\\x3dnew\\x22@b>\" "
		  "to=\"<\\x22y migration: event\\x3dcutover\\x22@"
		  "moved.example>\" via=direct");
	CU_ASSERT_EQUAL(milter_log_count("event=arrival"), 1);
	CU_ASSERT_EQUAL(milter_log_count("event=cutover"), 0);
}

static void test_odd_messages(void)
{
	static const char *const mails[] = {
		"", "Subject: no more\r\n",
		"Message-ID: <1>\r\nMessage-ID: <2>\r\nMessage-ID:\r\n",
		"From: \xe4\xf6 <a@b>\r\nFrom: c@d\r\nDate: never\r\n",
		"not a header\r\n"
	};
	char id[64];
	size_t i;

	for (i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		begin();
		snprintf(id, sizeof(id), "%s", milter_send(CLIENT, "<>",
				"<c@moved.example>", mails[i]));
		waits_for("id=%s client=192.0.2.7", id);
		UNIT_CHECK(count(milter_queued(id), "Mail-Migration: ") == 1,
			   "case %zu: %s", i, milter_queued(id));
	}
	CU_ASSERT_EQUAL(milter_log_count("event=milter_failure"), 0);
}

static void test_others(void)
{
	char id[64];

	begin();
	snprintf(id, sizeof(id), "%s", milter_send(CLIENT, "<a@moved.example>",
			"<c@other.example>", "Mail-Migration: x\r\n" USUAL));
	CU_ASSERT_PTR_NOT_NULL(strstr(milter_queued(id),
				      "Mail-Migration: x\n"));
	/* something that is reported comes behind it */
	(void)milter_send(CLIENT, "<a@b.example>", "<c@moved.example>", USUAL);
	waits_for("event=arrival");
	CU_ASSERT_EQUAL(milter_log_count("migration: event="), 1);
}

static void test_submission(void)
{
	static const char login[] = CLIENT " LOGIN=us+2Ber";

	begin();
	(void)milter_send(login, "<u@moved.example>", "<c@other.example>",
			  USUAL);
	(void)milter_send(login, "<u@moved.example>", "<c@moved.example>",
			  USUAL);
	waits_for("event=submission at=old host=mx.lab.example id=");
	waits_for("client=192.0.2.7 name=mail.b.example auth=us+er "
		  "from=<u@moved.example> recipients=1\n");
	waits_for("to=<c@moved.example> auth=us+er via=submission");
	CU_ASSERT_EQUAL(milter_log_count("migration: event="), 2);
}

static void test_local(void)
{
	begin();
	case_shell("printf 'Subject: x\n\nbody\n' | MAIL_CONFIG='%s' sendmail "
		   "-f a@b.example c@moved.example",
		   case_get("OLD_SMTP_CONF"));
	waits_for("from=<a@b.example> to=<c@moved.example> via=local");
	CU_ASSERT_EQUAL(milter_log_count("client="), 0);
}

static void test_unverified_name(void)
{
	begin();
	(void)milter_send("NAME=[UNAVAILABLE] ADDR=192.0.2.8 PORT=7",
			  "<a@b.example>", "<c@moved.example>", USUAL);
	waits_for("client=192.0.2.8 helo=client.example");
}

static void test_begin(void)
{
	CU_ASSERT_EQUAL_FATAL(milter_lab_init(), 0);
	CU_ASSERT_FATAL(milter_start(SETTINGS));
}

static void test_end(void)
{
	milter_log_mark();
	CU_ASSERT_EQUAL(milter_end(SIGTERM), 0);
	waits_for("failures=0 deferred=0");
	waits_for("event=milter_stop");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "begin", test_begin },
		{ "an arrival", test_arrival },
		{ "forged tags", test_forged },
		{ "several recipients", test_recipients },
		{ "UTF-8", test_utf8 },
		{ "hostile addresses", test_hostile },
		{ "odd messages", test_odd_messages },
		{ "mail for others", test_others },
		{ "submission", test_submission },
		{ "without SMTP", test_local },
		{ "a client without a name", test_unverified_name },
		{ "relayed", test_ways },
		{ "loop", test_loop },
		{ "end", test_end },
		{ NULL, NULL }
	};
	static const char *const args[] = {
		"--users", "1", "--messages", "5", "--folders", "1", NULL
	};
	const struct case_program program = {
		.name = "test-milter",
		.tests = tests,
		.lab_args = args,
	};

	return case_main(&program);
}
