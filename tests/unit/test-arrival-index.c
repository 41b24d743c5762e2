/* test-arrival-index: what local mailboxes have and had is known again. */
#include "mail-unit.h"
#include "buffer.h"
#include "ioloop.h"
#include "istream.h"
#include "plugin/engine/arrival-index-private.h"
#include "plugin/engine/mailbox-state.h"
#include "plugin/migration-user.h"

#include <signal.h>
#include <unistd.h>

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

/* In the file. */
static uint32_t records(struct arrival_index *index)
{
	return arrival_records_in_file(index->records);
}

static const char *const formats[] = { "sdbox", "mdbox", "maildir" };

static void check_format(const char *format)
{
	struct migration_user *muser = mail_unit_user(format);
	struct arrival_index *index = open_index(muser);

	mail_unit_save(muser, "INBOX", mail_text(1, TRUE), 0);
	mail_unit_save(muser, "Sent", mail_text(2, FALSE), 0);
	note_all(index, 0);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(!knows(index, "INBOX", 3, TRUE));
	sync_close(&index);

	mail_unit_user_again(&muser);
	index = open_index(muser);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(!knows(index, "INBOX", 3, TRUE));
	mail_unit_save(muser, "INBOX", mail_text(3, TRUE), 0);
	note_all(index, 0);
	CU_ASSERT(knows(index, "INBOX", 3, TRUE));
	CU_ASSERT(records(index) == 3);
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

static void test_known(void)
{
	for (unsigned int i = 0; i < N_ELEMENTS(formats); i++)
		check_format(formats[i]);
}

/* Where is a mail the same? */
static void test_places(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);

	mail_unit_save(muser, "INBOX", mail_text(1, TRUE), 0);
	mail_unit_save(muser, "Sent", mail_text(2, FALSE), 0);
	note_all(index, 0);
	CU_ASSERT(knows(index, "Junk", 1, TRUE));
	CU_ASSERT(!knows(index, "Junk", 1, FALSE));
	CU_ASSERT(knows(index, "INBOX", 1, FALSE));
	CU_ASSERT(knows(index, "Sent", 2, FALSE));
	CU_ASSERT(knows(index, "Sent", 2, TRUE));
	CU_ASSERT(!knows(index, "INBOX", 2, FALSE));
	CU_ASSERT(!knows(index, "INBOX", 2, TRUE));
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

static struct mail_identity tagged(unsigned int n, unsigned int tag)
{
	struct mail_identity identity = identity_of(mail_text(n, TRUE));

	identity.tagged = tag != 0;
	memset(identity.tag, tag, sizeof(identity.tag));
	return identity;
}

static enum arrival_match
match(struct arrival_index *index, const struct mail_identity *identity,
      const guid_128_t guid)
{
	guid_128_t found;
	enum arrival_match match =
		arrival_index_find(index, "INBOX", identity, found);

	CU_ASSERT((match != ARRIVAL_UNKNOWN) ==
		  guid_128_equals(found, guid));
	return match;
}

static void test_tags(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);
	struct mail_identity one = tagged(1, 1), two = tagged(2, 0), identity;
	guid_128_t guids[2];

	guid_128_generate(guids[0]);
	guid_128_generate(guids[1]);
	arrival_index_add(index, "INBOX", guids[0], &one);
	arrival_index_add(index, "INBOX", guids[1], &two);
	CU_ASSERT(match(index, &one, guids[0]) == ARRIVAL_BY_TAG);
	identity = tagged(3, 1);
	CU_ASSERT(match(index, &identity, guids[0]) == ARRIVAL_BY_TAG);
	identity = tagged(1, 2);
	CU_ASSERT(match(index, &identity, guids[0]) == ARRIVAL_BY_DIGEST);
	identity = tagged(3, 2);
	CU_ASSERT(match(index, &identity, guids[0]) == ARRIVAL_UNKNOWN);
	/* no tag is no tag of that kind */
	identity = tagged(3, 0);
	CU_ASSERT(match(index, &identity, guids[1]) == ARRIVAL_UNKNOWN);
	/* the same one again */
	arrival_index_add(index, "INBOX", guids[0], &two);
	CU_ASSERT(match(index, &one, guids[0]) == ARRIVAL_UNKNOWN);
	CU_ASSERT(arrival_records_count(index->records) == 2);
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

/* Only what is new is looked at, and nothing when there isn't. */
static void test_only_new(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);

	mail_unit_create(muser, "Empty");
	mail_unit_save(muser, "INBOX", mail_text(1, TRUE), 0);
	note_all(index, 0);
	sync_close(&index);
	mail_unit_user_again(&muser);
	index = open_index(muser);
	note_all(index, 0);
	CU_ASSERT(index->records == NULL);
	note_all(index, 1000);
	CU_ASSERT(index->records == NULL);
	sync_close(&index);

	mail_unit_save(muser, "INBOX", mail_text(2, TRUE), 0);
	index = open_index(muser);
	note_all(index, 0);
	CU_ASSERT(records(index) == 2);
	sync_close(&index);
	mail_unit_user_free(&muser);
}

static void test_moved(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);
	uint32_t uid = mail_unit_save(muser, "INBOX", mail_text(1, TRUE), 0);

	note_all(index, 0);
	mail_unit_move(muser, "INBOX", uid, "Archive");
	note_all(index, 0);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(arrival_records_count(index->records) == 1);
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

static void test_since(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);

	mail_unit_save(muser, "INBOX", mail_text(1, TRUE), 1000);
	mail_unit_save(muser, "INBOX", mail_text(2, TRUE), 2000);
	note_all(index, 1500);
	CU_ASSERT(!knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(knows(index, "INBOX", 2, TRUE));
	/* later than before: what was wanted before is wanted still */
	mail_unit_save(muser, "INBOX", mail_text(3, TRUE), 1600);
	note_all(index, 1700);
	CU_ASSERT(knows(index, "INBOX", 3, TRUE));
	note_all(index, 1000);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(records(index) == 3);
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

static void test_authority(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);
	struct mailbox_state_file state = { .state = MAILBOX_STATE_MIRRORED };
	const char *error = "";

	state.error = state.bad_uids = state.altered_uids =
		state.without_uids = "";
	mail_unit_save(muser, "Mirrored", mail_text(1, TRUE), 0);
	CU_ASSERT(mailbox_state_write(muser->set.dir, "Mirrored", &state,
				      &error) == 0);
	note_all(index, 0);
	CU_ASSERT(!knows(index, "INBOX", 1, TRUE));
	state.state = MAILBOX_STATE_LOCAL;
	CU_ASSERT(mailbox_state_write(muser->set.dir, "Mirrored", &state,
				      &error) == 0);
	note_all(index, 0);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(arrival_index_note(index, "None", 0, &error) == 0);
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

/* Another mailbox of that name. */
static void test_made_anew(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);

	mail_unit_save(muser, "A", mail_text(1, TRUE), 0);
	note_all(index, 0);
	mail_unit_delete(muser, "A");
	note_all(index, 0);
	mail_unit_save(muser, "A", mail_text(2, TRUE), 0);
	note_all(index, 0);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(knows(index, "INBOX", 2, TRUE));
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

static void pass_days(unsigned int days)
{
	ioloop_time += days * 24 * 3600;
}

static void forget(struct arrival_index *index)
{
	const char *error = "";

	UNIT_CHECK(arrival_index_forget_gone(index, &error) == 0, "%s", error);
}

static void test_forgotten(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);
	time_t before = ioloop_time;
	uint32_t uid;

	uid = mail_unit_save(muser, "INBOX", mail_text(1, TRUE), 0);
	mail_unit_save(muser, "INBOX", mail_text(2, TRUE), 0);
	note_all(index, 0);
	pass_days(100);
	forget(index);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	mail_unit_expunge(muser, "INBOX", uid);
	/* however late it is found out */
	pass_days(100);
	forget(index);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	sync_close(&index);
	index = open_index(muser);
	pass_days(29);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	forget(index);
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	pass_days(2);
	forget(index);
	CU_ASSERT(!knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(knows(index, "INBOX", 2, TRUE));
	CU_ASSERT(records(index) == 1);
	sync_close(&index);
	index = open_index(muser);
	note_all(index, 0);
	CU_ASSERT(!knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(knows(index, "INBOX", 2, TRUE));
	arrival_index_close(&index);
	ioloop_time = before;
	mail_unit_user_free(&muser);
}

static void add_many(struct arrival_index *index, unsigned int count)
{
	struct mail_identity identity = identity_of(mail_text(1, TRUE));
	guid_128_t guid;

	for (unsigned int i = 0; i < count; i++) {
		guid_128_generate(guid);
		memcpy(identity.digest, guid, sizeof(identity.digest));
		arrival_index_add(index, "INBOX", guid, &identity);
	}
}

/* By itself, when it's worth it. */
static void test_shrinks(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);
	time_t before = ioloop_time;

	mail_unit_save(muser, "INBOX", mail_text(2, TRUE), 0);
	note_all(index, 0);
	add_many(index, 5000);
	sync_close(&index);
	pass_days(20);
	index = open_index(muser);
	CU_ASSERT(knows(index, "INBOX", 2, TRUE));
	CU_ASSERT(records(index) == 5001);
	sync_close(&index);
	pass_days(20);
	index = open_index(muser);
	CU_ASSERT(knows(index, "INBOX", 2, TRUE));
	sync_close(&index);
	index = open_index(muser);
	CU_ASSERT(knows(index, "INBOX", 2, TRUE));
	CU_ASSERT(records(index) == 1);
	arrival_index_close(&index);
	ioloop_time = before;
	mail_unit_user_free(&muser);
}

/* Many that are the same. */
static void test_alike(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);
	struct mail_identity identity = identity_of(mail_text(1, TRUE));
	guid_128_t guid;

	for (unsigned int i = 0; i < 100000; i++) {
		guid_128_generate(guid);
		arrival_index_add(index, "INBOX", guid, &identity);
	}
	CU_ASSERT(knows(index, "INBOX", 1, TRUE));
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

/*
 * Damage
 */

#define MAILS "mails"
#define MAILBOXES "mailboxes"
#define COUNT 5

static const char *path_of(struct migration_user *muser, const char *name)
{
	return t_strconcat(muser->set.dir, "/arrivals/", name, NULL);
}

static void check_all_known(struct migration_user *muser, const char *when)
{
	struct arrival_index *index = open_index(muser);

	note_all(index, 0);
	for (unsigned int i = 1; i <= COUNT; i++)
		UNIT_CHECK(knows(index, "INBOX", i, TRUE), "%s: %u", when, i);
	UNIT_CHECK(arrival_records_count(index->records) == COUNT, "%s: %u",
		   when, arrival_records_count(index->records));
	sync_close(&index);
}

static struct migration_user *damaged_user(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");

	for (unsigned int i = 1; i <= COUNT; i++) {
		mail_unit_save(muser, i % 2 == 0 ? "INBOX" : "A",
			       mail_text(i, TRUE), 0);
	}
	check_all_known(muser, "at first");
	return muser;
}

static void test_cut(void)
{
	struct migration_user *muser = damaged_user();
	const char *path = path_of(muser, MAILS);
	buffer_t *data = engine_unit_read(path);
	const char *noted = path_of(muser, MAILBOXES);
	buffer_t *noted_data = engine_unit_read(noted);

	for (size_t i = 0; i < data->used; i += 7) T_BEGIN {
		engine_unit_write(path, data->data, i);
		engine_unit_write(noted, noted_data->data, noted_data->used);
		check_all_known(muser, t_strdup_printf("%zu bytes", i));
	} T_END;
	for (size_t i = 0; i < noted_data->used; i += 7) T_BEGIN {
		engine_unit_write(path, data->data, data->used);
		engine_unit_write(noted, noted_data->data, i);
		check_all_known(muser, t_strdup_printf("%zu noted", i));
	} T_END;
	i_unlink(path);
	check_all_known(muser, "no mails");
	i_unlink(noted);
	check_all_known(muser, "no mailboxes");
	mail_unit_user_free(&muser);
}

/* What a disk has left of a block: found when the records are read. */
static void test_zeros(void)
{
	struct migration_user *muser = damaged_user();
	const char *path = path_of(muser, MAILS);
	buffer_t *data = engine_unit_read(path);
	struct arrival_index *index;

	for (size_t i = 0; i < data->used; i += 50) T_BEGIN {
		buffer_t *copy = t_buffer_create(data->used);

		buffer_append_buf(copy, data, 0, SIZE_MAX);
		memset(buffer_get_space_unsafe(copy, i, 16), 0,
		       I_MIN(16, data->used - i));
		buffer_set_used_size(copy, data->used);
		engine_unit_write(path, copy->data, copy->used);
		index = open_index(muser);
		(void)knows(index, "INBOX", 1, TRUE);
		note_all(index, 0);
		sync_close(&index);
		check_all_known(muser, t_strdup_printf("zeros at %zu", i));
	} T_END;
	mail_unit_user_free(&muser);
}

/* Another process does it, and is killed. */
static void test_killed(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index;
	unsigned int unfinished = 0;
	pid_t pid;

	for (unsigned int i = 1; i <= COUNT; i++)
		mail_unit_save(muser, "INBOX", mail_text(i, TRUE), 0);
	for (unsigned int i = 0; i < 60; i++) {
		pid = fork();
		if (pid == 0) {
			for (;;) {
				index = open_index(muser);
				note_all(index, 0);
				add_many(index, 100);
				forget(index);
				sync_close(&index);
				pass_days(31);
			}
		}
		usleep(engine_unit_rand(20000));
		CU_ASSERT(kill(pid, SIGKILL) == 0);
		unfinished += engine_unit_wait(pid) == -1 ? 1 : 0;
		index = open_index(muser);
		note_all(index, 0);
		for (unsigned int n = 1; n <= COUNT; n++)
			CU_ASSERT(knows(index, "INBOX", n, TRUE));
		sync_close(&index);
	}
	CU_ASSERT(unfinished == 60);
	mail_unit_user_free(&muser);
}

/* One that can't be read is told, and doesn't hold up the others. */
static void test_unreadable(void)
{
	struct migration_user *muser = mail_unit_user("sdbox");
	struct arrival_index *index = open_index(muser);
	uint32_t uid = mail_unit_save(muser, "INBOX", mail_text(1, TRUE), 0);

	mail_unit_save(muser, "INBOX", mail_text(2, TRUE), 0);
	i_unlink(mail_unit_file(muser, "INBOX", uid));
	note_all(index, 0);
	CU_ASSERT(!knows(index, "INBOX", 1, TRUE));
	CU_ASSERT(knows(index, "INBOX", 2, TRUE));
	arrival_index_close(&index);
	mail_unit_user_free(&muser);
}

static const struct unit_test tests[] = {
	{ "known", test_known },
	{ "places", test_places },
	{ "tags", test_tags },
	{ "only new", test_only_new },
	{ "moved", test_moved },
	{ "since", test_since },
	{ "authority", test_authority },
	{ "made anew", test_made_anew },
	{ "forgotten", test_forgotten },
	{ "shrinks", test_shrinks },
	{ "alike", test_alike },
	{ "cut", test_cut },
	{ "zeros", test_zeros },
	{ "killed", test_killed },
	{ "unreadable", test_unreadable },
	{ NULL, NULL }
};

int main(void)
{
	return mail_unit_run("arrival-index", tests);
}
