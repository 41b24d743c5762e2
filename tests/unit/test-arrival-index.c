/* test-arrival-index: what local mailboxes have and had is known again. */
#include "mail-unit.h"
#include "istream.h"
#include "plugin/engine/arrival-index.h"
#include "plugin/migration-user.h"

static const char *mail_text(unsigned int n, bool arrived)
{
	return t_strdup_printf("%sMessage-ID: <%u@example.org>\r\n"
		"From: a@example.org\r\n"
		"Date: Mon, 05 Jan 2026 10:11:12 +0100\r\n"
		"Subject: mail %u\r\n\r\nbody %u\r\n",
		arrived ? "Received: from a by b; "
		"Mon, 05 Jan 2026 10:11:13 +0100\r\n" : "", n, n, n);
}

static struct mail_identity identity_of(const char *text)
{
	struct istream *input = i_stream_create_from_data(text, strlen(text));
	struct mail_identity identity;
	const char *error;

	CU_ASSERT(mail_identity_get(input, NULL, &identity, &error) == 0);
	i_stream_unref(&input);
	return identity;
}

static struct arrival_index *open_index(struct migration_user *muser)
{
	struct arrival_index *index = NULL;
	const char *error;

	CU_ASSERT_FATAL(arrival_index_open(muser, &index, &error) == 0);
	return index;
}

static bool knows(struct arrival_index *index, const char *vname,
		  unsigned int n, bool arrived)
{
	struct mail_identity identity = identity_of(mail_text(n, arrived));
	guid_128_t guid;

	return arrival_index_find(index, vname, &identity, guid) ==
		ARRIVAL_BY_DIGEST;
}

static void note_all(struct arrival_index *index, time_t since)
{
	const char *error = "";

	UNIT_CHECK(arrival_index_note_all(index, since, &error) == 0, "%s",
		   error);
}

static void sync_close(struct arrival_index **index)
{
	const char *error;

	CU_ASSERT(arrival_index_sync(*index, &error) == 0);
	arrival_index_close(index);
}

static void test_known(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);

	mail_unit_save(muser, "INBOX", mail_text(1, TRUE), 0);
	mail_unit_save(muser, "Sent", mail_text(2, FALSE), 0);
	note_all(index, 0);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(knows(index, "Junk", 1, TRUE));
	CU_ASSERT(knows(index, "Sent", 2, FALSE));
	CU_ASSERT(!knows(index, "INBOX", 2, FALSE));
	CU_ASSERT(!knows(index, "INBOX", 3, TRUE));
	sync_close(&index);

	mail_unit_user_again(&muser);
	index = open_index(muser);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(!knows(index, "INBOX", 3, TRUE));
	mail_unit_save(muser, "INBOX", mail_text(3, TRUE), 0);
	note_all(index, 0);
	CU_ASSERT(knows(index, "INBOX", 3, TRUE));
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

static const struct unit_test tests[] = {
	{ "known", test_known },
	{ NULL, NULL }
};

int main(void)
{
	return mail_unit_run("arrival-index", tests);
}
