/* test-digest-file: digests outlive crashes, and not a new UIDVALIDITY. */
#include "engine-unit.h"
#include "buffer.h"
#include "plugin/engine/digest-file.h"
#include "plugin/engine/mailbox-state.h"

#include <signal.h>
#include <sys/resource.h>

#define NAME "a/b"
#define COUNT 600
#define HEADER_SIZE 16
#define RECORD_SIZE 80

static void make(uint32_t uid, struct message_digest *digest_r)
{
	i_zero(digest_r);
	memset(digest_r->wire, uid & 0xff, sizeof(digest_r->wire));
	memset(digest_r->shown, ~uid & 0xff, sizeof(digest_r->shown));
	digest_r->size = (uint64_t)uid << 20;
	digest_r->altered = uid % 8;
}

static struct digest_file *open_file(const char *dir, uint32_t uid_validity)
{
	struct digest_file *file = NULL;
	const char *error;

	CU_ASSERT_FATAL(digest_file_open(dir, NAME, uid_validity, &file,
					 &error) == 0);
	return file;
}

static void sync_file(struct digest_file **file)
{
	const char *error;

	CU_ASSERT(digest_file_sync(*file, &error) == 0);
	digest_file_close(file);
	CU_ASSERT(*file == NULL);
}

static void add(struct digest_file *file, uint32_t first, uint32_t last)
{
	struct message_digest digest;

	for (uint32_t uid = first; uid <= last; uid++) {
		make(uid, &digest);
		digest_file_add(file, uid, &digest);
	}
}

static bool found(const struct digest_file *file, uint32_t uid)
{
	struct message_digest digest, expected;

	make(uid, &expected);
	return digest_file_find(file, uid, &digest) &&
		digest.size == expected.size &&
		digest.altered == expected.altered &&
		memcmp(digest.wire, expected.wire,
		       sizeof(expected.wire)) == 0 &&
		memcmp(digest.shown, expected.shown,
		       sizeof(expected.shown)) == 0;
}

/* Exactly the first ones are there. */
static void check(const struct digest_file *file, uint32_t count,
		  const char *when)
{
	uint32_t uid = 1;

	while (uid <= count && found(file, uid))
		uid++;
	UNIT_CHECK(uid == count + 1 && !digest_file_has(file, uid),
		   "%s: %u of %u", when, uid - 1, count);
}

static const char *path_of(const char *dir)
{
	return t_strconcat(dir, "/digest/", mailbox_state_key(NAME), NULL);
}

static void test_append(void)
{
	const char *error, *dir = engine_unit_dir();
	struct digest_file *file = open_file(dir, 7);

	check(file, 0, "new");
	add(file, 1, 10);
	check(file, 10, "not written yet");
	sync_file(&file);
	file = open_file(dir, 7);
	check(file, 10, "read again");
	add(file, 11, COUNT);
	CU_ASSERT(digest_file_sync(file, &error) == 0);
	add(file, COUNT + 1, COUNT + 1);
	/* not synced: it never was */
	digest_file_close(&file);
	file = open_file(dir, 7);
	check(file, COUNT, "appended");
	digest_file_close(&file);
	CU_ASSERT(engine_unit_read(path_of(dir))->used ==
		  HEADER_SIZE + COUNT * RECORD_SIZE);
}

/* Those that come late are found among the others, written or not. */
static void test_any_order(void)
{
	const char *dir = engine_unit_dir();
	struct digest_file *file = open_file(dir, 7);
	struct message_digest digest;

	for (uint32_t uid = COUNT; uid > 0; uid -= 2)
		add(file, uid, uid);
	sync_file(&file);
	file = open_file(dir, 7);
	CU_ASSERT(found(file, COUNT) && found(file, 2) &&
		  !digest_file_has(file, 1));
	for (uint32_t uid = 1; uid < COUNT; uid += 2)
		add(file, uid, uid);
	check(file, COUNT, "some of them written");
	sync_file(&file);
	file = open_file(dir, 7);
	check(file, COUNT, "all of them written");
	CU_ASSERT(!digest_file_find(file, COUNT + 1, &digest));
	digest_file_close(&file);
}

static void test_last_counts(void)
{
	const char *dir = engine_unit_dir();
	struct digest_file *file = open_file(dir, 7);
	struct message_digest digest;

	make(99, &digest);
	digest_file_add(file, 1, &digest);
	CU_ASSERT(!found(file, 1));
	add(file, 1, 1);
	CU_ASSERT(found(file, 1));
	sync_file(&file);
	file = open_file(dir, 7);
	check(file, 1, "last");
	digest_file_close(&file);
}

/* Cut anywhere: the whole records stay, and more can be added. */
static void test_truncated(void)
{
	const char *dir = engine_unit_dir(), *path = path_of(dir);
	struct digest_file *file = open_file(dir, 7);
	buffer_t *data;
	uint32_t whole;

	add(file, 1, 3);
	sync_file(&file);
	data = engine_unit_read(path);
	for (size_t i = 0; i < data->used; i++) T_BEGIN {
		engine_unit_write(path, data->data, i);
		whole = i < HEADER_SIZE ? 0 : (i - HEADER_SIZE) / RECORD_SIZE;
		file = open_file(dir, 7);
		check(file, whole, t_strdup_printf("%zu bytes", i));
		add(file, whole + 1, 5);
		sync_file(&file);
		file = open_file(dir, 7);
		check(file, 5, t_strdup_printf("%zu bytes, added", i));
		digest_file_close(&file);
	} T_END;
}

/* The disk is full in the middle of a record, and has room again later. */
static void test_disk_full(void)
{
	const char *error, *dir = engine_unit_dir();
	struct digest_file *file = open_file(dir, 7);
	struct rlimit before, limit;

	CU_ASSERT(getrlimit(RLIMIT_FSIZE, &before) == 0);
	limit = before;
	limit.rlim_cur = HEADER_SIZE + 2 * RECORD_SIZE + RECORD_SIZE / 2;
	signal(SIGXFSZ, SIG_IGN);
	add(file, 1, 5);
	CU_ASSERT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CU_ASSERT(digest_file_sync(file, &error) < 0);
	CU_ASSERT(setrlimit(RLIMIT_FSIZE, &before) == 0);
	signal(SIGXFSZ, SIG_DFL);
	sync_file(&file);
	file = open_file(dir, 7);
	check(file, 5, "written in two pieces");
	digest_file_close(&file);
}

static void test_begun_anew(void)
{
	const char *error, *dir = engine_unit_dir();
	struct digest_file *file = open_file(dir, 7);

	add(file, 1, 5);
	sync_file(&file);
	file = open_file(dir, 8);
	check(file, 0, "other UIDVALIDITY");
	add(file, 1, 2);
	sync_file(&file);
	file = open_file(dir, 8);
	check(file, 2, "of the other");
	digest_file_close(&file);

	engine_unit_write(path_of(dir), "something else, quite long", 26);
	file = open_file(dir, 8);
	check(file, 0, "not one of ours");
	add(file, 1, 2);
	sync_file(&file);
	CU_ASSERT(digest_file_remove(dir, NAME, &error) == 0);
	CU_ASSERT(digest_file_remove(dir, NAME, &error) == 0);
	file = open_file(dir, 8);
	check(file, 0, "removed");
	digest_file_close(&file);
}

static const struct unit_test tests[] = {
	{ "append", test_append },
	{ "any order", test_any_order },
	{ "last counts", test_last_counts },
	{ "truncated", test_truncated },
	{ "disk full", test_disk_full },
	{ "begun anew", test_begun_anew },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("digest-file", tests);
}
