/* test-mail-identity: what relays do to a mail leaves its identity; what makes it
   another mail doesn't. */
#include "engine-unit.h"
#include "istream.h"
#include "plugin/engine/mail-identity.h"

#define HEADERS "From: \"A. User\" <a@example.org>\r\n" \
	"Date: Mon, 05 Jan 2026 10:11:12 +0100\r\n" \
	"Subject: the report\r\n" \
	"Message-ID: <1@example.org>\r\n"

static void get(const char *text, struct mail_identity *identity_r)
{
	struct istream *input = i_stream_create_from_data(text, strlen(text));
	const char *error;

	CU_ASSERT(mail_identity_get(input, NULL, identity_r, &error) == 0);
	i_stream_unref(&input);
}

static void test_plain(void)
{
	struct mail_identity a, b;

	get(HEADERS "\r\nhello\r\n", &a);
	CU_ASSERT(a.has_message_id && a.has_date && !a.arrived);
	CU_ASSERT_STRING_EQUAL(a.message_id_text, "<1@example.org>");
	get("Received: from a by b\n" HEADERS "\nhello\n\n", &b);
	CU_ASSERT(b.arrived);
	CU_ASSERT(mail_identity_same(&a, &b));
	get(HEADERS "\r\nhullo\r\n", &b);
	CU_ASSERT(!mail_identity_same(&a, &b));
}

static const struct unit_test tests[] = {
	{ "plain", test_plain },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("mail-identity", tests);
}
