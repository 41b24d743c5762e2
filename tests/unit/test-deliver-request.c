/* test-deliver-request: a late mail as a line, and back; what isn't taken. */
#include "engine-unit.h"
#include "strescape.h"
#include "plugin/deliver/deliver-request.h"

#define GUID "0123456789abcdef0123456789abcdef"
#define HEAD "DELIVER|"GUID"|10|1700000000|60|"

static const char *mail_str(const struct late_mail *mail)
{
	return t_strdup_printf("%s %s %"PRIuUOFF_T" %s%+d (%s) %s <%s> <%s> %s",
		mail->save_into == NULL ? "-" : mail->save_into,
		guid_128_to_string(mail->guid), mail->size,
		t_strdup_printf("%lld", (long long)mail->date),
		mail->tz_offset, mail->flags,
		mail->pop3_uidl == NULL ? "-" : mail->pop3_uidl,
		mail->from, mail->to, dec2str(mail->begun));
}

/* What becomes of a line whose words are separated by '|'. */
static const char *parsed(const char *line)
{
	struct late_mail mail;
	const char *error;

	if (deliver_request_parse(t_strsplit(line, "|"),
				  pool_datastack_create(), &mail, &error) < 0)
		return t_strdup_printf("! %s", error);
	CU_ASSERT(mail.fd == -1);
	return mail_str(&mail);
}

static void test_taken(void)
{
	static const struct {
		const char *line, *mail;
	} tests[] = {
		{ HEAD"||||0", "- "GUID" 10 1700000000+60 () - <> <> 0" },
		{ HEAD"\\Seen $X|uidl-1|a@b|c@d|1700000001",
		  "- "GUID" 10 1700000000+60 (\\Seen $X) uidl-1 <a@b> <c@d> "
		  "1700000001" },
		{ "SAVE|Été|"GUID"|0|-5|-720|||||0",
		  "Été "GUID" 0 -5-720 () - <> <> 0" },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		UNIT_CHECK(strcmp(parsed(tests[i].line), tests[i].mail) == 0,
			   "%u: %s", i, parsed(tests[i].line));
	}
}

static void test_refused(void)
{
	static const struct {
		const char *line, *error;
	} tests[] = {
		{ "", "DELIVER or SAVE" },
		{ "deliver|"GUID, "DELIVER or SAVE" },
		{ "DELIVER", "a GUID" },
		{ "DELIVER|0123|10|1|0|||||0", "a GUID" },
		{ "DELIVER|00000000000000000000000000000000|10|1|0|||||0",
		  "a GUID" },
		{ "SAVE||"GUID"|10|1|0|||||0", "a mailbox name" },
		{ "SAVE|\xff|"GUID"|10|1|0|||||0", "a mailbox name" },
		{ "DELIVER|"GUID"|-1|1|0|||||0", "the mail's size" },
		{ "DELIVER|"GUID"|9223372036854775808|1|0|||||0",
		  "the mail's size" },
		{ "DELIVER|"GUID"|10|x|0|||||0", "a date" },
		{ "DELIVER|"GUID"|10|1|1441|||||0", "a date" },
		{ HEAD"\\Seen\n|||||0", "flags" },
		{ HEAD"|a b|||0", "a UIDL" },
		{ HEAD"|a\nP|||0", "a UIDL" },
		{ HEAD"||a\r\nb||0", "a sender" },
		{ HEAD"|||\x7f|0", "a recipient" },
		{ HEAD"||||", "when it was begun" },
		{ HEAD"||||-1", "when it was begun" },
		{ HEAD"|||", "when it was begun" },
		{ HEAD"||||0|", "no more words" },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		const char *result = parsed(tests[i].line);

		UNIT_CHECK(str_begins(result, t_strconcat("! Expected ",
						tests[i].error, NULL)),
			   "%u: %s", i, result);
	}
}

/* What one end says is what the other understands. */
static void test_there_and_back(void)
{
	struct late_mail mail = {
		.size = 1 << 20, .date = -1, .tz_offset = -90,
		.flags = "\\Deleted caf\xc3\xa9", .pop3_uidl = "\\001t",
		.from = "\"a b\"@c", .to = "", .begun = 7,
	}, back;
	const char *line, *error;

	late_mail_guid("user", "INBOX", 1, 0, 2, mail.guid);
	for (unsigned int i = 0; i < 2; i++) {
		line = deliver_request_line(&mail);
		CU_ASSERT(strchr(line, '\n') == NULL);
		CU_ASSERT_FATAL(deliver_request_parse(
			t_strsplit_tabescaped(line), pool_datastack_create(),
			&back, &error) == 0);
		CU_ASSERT_STRING_EQUAL(mail_str(&back), mail_str(&mail));
		mail.save_into = "a\tb\001";
	}
}

/* Headers may say anything: the mail must be delivered. */
static void test_left_out(void)
{
	char longest[2000];
	struct late_mail mail = {
		.flags = "", .pop3_uidl = "a b", .from = "a\nb", .to = longest,
	}, back;
	const char *error;

	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	late_mail_guid("user", "INBOX", 1, 0, 2, mail.guid);
	CU_ASSERT_FATAL(deliver_request_parse(
		t_strsplit_tabescaped(deliver_request_line(&mail)),
		pool_datastack_create(), &back, &error) == 0);
	CU_ASSERT(back.pop3_uidl == NULL);
	CU_ASSERT_STRING_EQUAL(back.from, "");
	CU_ASSERT_STRING_EQUAL(back.to, "");
}

static void test_guids(void)
{
	static const struct {
		const char *user, *vname;
		uint32_t uid_validity, resets, uid;
	} places[] = {
		{ "user", "INBOX", 1, 0, 11 }, { "user", "INBOX", 11, 0, 1 },
		{ "user", "INBOX1", 1, 0, 1 }, { "userI", "NBOX", 1, 0, 11 },
		{ "user2", "INBOX", 1, 0, 11 }, { "user", "", 1, 0, 11 },
		{ "user", "INBOX", 1, 1, 11 }, { "user", "INBOX", 1, 2, 11 },
		{ "user", "INBOX", 1, 1, 1 },
	};
	guid_128_t guids[N_ELEMENTS(places)];

	for (unsigned int i = 0; i < N_ELEMENTS(places); i++) {
		late_mail_guid(places[i].user, places[i].vname,
			       places[i].uid_validity, places[i].resets,
			       places[i].uid, guids[i]);
		for (unsigned int j = 0; j < i; j++)
			UNIT_CHECK(!guid_128_equals(guids[i], guids[j]),
				   "%u and %u", i, j);
	}
	/* it's on disks: it must stay */
	CU_ASSERT_STRING_EQUAL(guid_128_to_string(guids[0]), 
		"b21141e901b2f4935e5cf22f3d9518a7");
}

static const struct unit_test tests[] = {
	{ "taken", test_taken },
	{ "refused", test_refused },
	{ "there and back", test_there_and_back },
	{ "left out", test_left_out },
	{ "GUIDs", test_guids },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("deliver-request", tests);
}
