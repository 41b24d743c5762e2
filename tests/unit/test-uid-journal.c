/* test-uid-journal: what is noted by several processes is all there, and only
   forgotten when it was seen. */
#include "engine-unit.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "plugin/engine/mailbox-state.h"
#include "plugin/engine/own-expunges.h"
#include "plugin/engine/seen-queue.h"
#include "plugin/engine/uid-journal.h"

#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "noted"
#define NAME "Öffentlich/a.b"
#define VALIDITY 7

#define WRITERS 4
#define LINES 1000

static void add(const char *dir, uint32_t uid_validity, uint32_t uid1,
		uint32_t uid2, bool durable)
{
	ARRAY_TYPE(seq_range) uids;
	const char *error;

	t_array_init(&uids, 1);
	seq_range_array_add_range(&uids, uid1, uid2);
	CU_ASSERT(uid_journal_add(dir, FOLDER, NAME, uid_validity, &uids,
				  durable, &error) == 0);
}

/* Those of VALIDITY, as a set. */
static const char *get(const char *dir, const char *vname, size_t *size_r)
{
	ARRAY_TYPE(seq_range) uids;
	string_t *str = t_str_new(64);
	const char *error;

	t_array_init(&uids, 8);
	CU_ASSERT(uid_journal_get(dir, FOLDER, vname, VALIDITY, &uids, size_r,
				  &error) == 0);
	imap_write_seq_range(str, &uids);
	return str_c(str);
}

static int forget(const char *dir, size_t size)
{
	const char *error;

	return uid_journal_remove(dir, FOLDER, NAME, size, &error);
}

static const char *path_of(const char *dir)
{
	return t_strdup_printf("%s/"FOLDER"/%s", dir, mailbox_state_key(NAME));
}

static void test_added(void)
{
	const char *dir = engine_unit_dir();
	size_t size;

	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "");
	CU_ASSERT(size == 0);
	add(dir, VALIDITY, 3, 5, TRUE);
	add(dir, VALIDITY + 1, 100, 200, TRUE);
	add(dir, VALIDITY, 5, 6, FALSE);
	add(dir, VALIDITY, UINT32_MAX - 1, UINT32_MAX - 1, FALSE);
	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "3:6,4294967294");
	CU_ASSERT(size == engine_unit_read(path_of(dir))->used);
}

/* What came after the look stays. */
static void test_forgotten(void)
{
	const char *dir = engine_unit_dir();
	size_t size;

	CU_ASSERT(forget(dir, SIZE_MAX) == 0);
	add(dir, VALIDITY, 1, 1, TRUE);
	(void)get(dir, NAME, &size);
	add(dir, VALIDITY, 2, 2, TRUE);
	CU_ASSERT(forget(dir, size) == 0);
	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "1:2");
	CU_ASSERT(forget(dir, size) == 0);
	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "");
	add(dir, VALIDITY, 9, 9, FALSE);
	CU_ASSERT(forget(dir, SIZE_MAX) == 0);
	CU_ASSERT(access(path_of(dir), F_OK) < 0);
}

/* A line that a crash has cut short costs nothing but itself. */
static void test_torn(void)
{
	static const char torn[] = "7 1:3\n7 10,1";
	const char *dir = engine_unit_dir();
	size_t size;

	add(dir, VALIDITY, 1, 1, TRUE);
	/* just made */
	engine_unit_write(path_of(dir), "", 0);
	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "");
	engine_unit_write(path_of(dir), torn, strlen(torn));
	/* it was 10,15 */
	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "1:3");
	add(dir, VALIDITY, 20, 21, TRUE);
	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "1:3,20:21");
}

static void test_odd_lines(void)
{
	static const char odd[] = "\n7\n7 \n7 x\n7 *\n7 1:*\n7 0\n7  4\nx 4\n"
		"-7 4\n77 4\n7 4,x\n7 8\n7 9\n";
	const char *dir = engine_unit_dir();
	size_t size;

	add(dir, VALIDITY, 1, 1, FALSE);
	engine_unit_write(path_of(dir), odd, strlen(odd));
	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "8:9");
}

static void test_renamed(void)
{
	const char *dir = engine_unit_dir(), *error;
	size_t size;

	CU_ASSERT(uid_journal_rename(dir, FOLDER, NAME, "other", &error) == 0);
	add(dir, VALIDITY, 1, 2, TRUE);
	CU_ASSERT(uid_journal_rename(dir, FOLDER, NAME, "other", &error) == 0);
	CU_ASSERT_STRING_EQUAL(get(dir, "other", &size), "1:2");
	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "");
	/* another one's stays */
	add(dir, VALIDITY, 3, 3, TRUE);
	CU_ASSERT(uid_journal_rename(dir, FOLDER, NAME, "other", &error) == 0);
	CU_ASSERT_STRING_EQUAL(get(dir, "other", &size), "1:2");
	CU_ASSERT_STRING_EQUAL(get(dir, NAME, &size), "");
}

static void write_lines(const char *dir, unsigned int writer)
{
	for (unsigned int i = 0; i < LINES; i++) T_BEGIN {
		uint32_t uid = 1 + i * WRITERS + writer;

		add(dir, VALIDITY, uid, uid, FALSE);
	} T_END;
}

static void take(const char *dir, ARRAY_TYPE(seq_range) *seen)
{
	const char *error;
	size_t size;

	CU_ASSERT(uid_journal_get(dir, FOLDER, NAME, VALIDITY, seen, &size,
				  &error) == 0);
	if (size > 0)
		CU_ASSERT(forget(dir, size) == 0);
}

/* One works off what the others note: each is seen before it's forgotten. */
static void test_together(void)
{
	const char *dir = engine_unit_dir();
	ARRAY_TYPE(seq_range) seen;
	unsigned int ended = 0;
	int status;

	i_array_init(&seen, 64);
	for (unsigned int i = 0; i < WRITERS; i++) {
		if (fork() == 0) {
			write_lines(dir, i);
			_exit(CU_get_number_of_failures() == 0 ? 0 : 1);
		}
	}
	while (ended < WRITERS) T_BEGIN {
		take(dir, &seen);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			CU_ASSERT(status == 0);
			ended++;
		}
	} T_END;
	take(dir, &seen);
	CU_ASSERT(seq_range_count(&seen) == WRITERS * LINES);
	array_free(&seen);
}

/* They don't see each other's. */
static void test_apart(void)
{
	const char *dir = engine_unit_dir(), *error;
	ARRAY_TYPE(seq_range) uids, seen, expunged;
	size_t size;

	t_array_init(&uids, 1);
	t_array_init(&seen, 1);
	t_array_init(&expunged, 1);
	seq_range_array_add(&uids, 1);
	CU_ASSERT(seen_queue_add(dir, NAME, VALIDITY, &uids, &error) == 0);
	seq_range_array_add(&uids, 2);
	CU_ASSERT(own_expunges_add(dir, NAME, VALIDITY, &uids, &error) == 0);
	CU_ASSERT(seen_queue_get(dir, NAME, VALIDITY, &seen, &size,
				 &error) == 0);
	CU_ASSERT(seq_range_count(&seen) == 1);
	CU_ASSERT(seen_queue_remove(dir, NAME, size, &error) == 0);
	CU_ASSERT(own_expunges_get(dir, NAME, VALIDITY, &expunged, &size,
				   &error) == 0);
	CU_ASSERT(seq_range_count(&expunged) == 2);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "what was added is there", test_added },
		{ "what is new isn't forgotten", test_forgotten },
		{ "a line that was cut short", test_torn },
		{ "lines that can't be read", test_odd_lines },
		{ "RENAME takes it along", test_renamed },
		{ "many write while one works it off", test_together },
		{ "each kind has its own", test_apart },
		{ NULL, NULL }
	};

	return engine_unit_run("uid-journal", tests);
}
