/* test-catchup-files: what catch-up remembers between its looks. */
#include "engine-unit.h"
#include "array.h"
#include "buffer.h"
#include "seq-range-array.h"
#include "plugin/engine/catchup-account.h"
#include "plugin/engine/catchup-look.h"
#include "plugin/engine/late-marker.h"
#include "plugin/engine/late-twins.h"

static const char *path_of(const char *dir, const char *name)
{
	return t_strdup_printf("%s/%s", dir, name);
}

/* Each part of the file, from its beginning, but the whole and the whole without
   its last newline. read_it tells whether one is taken. */
static void
check_parts(const char *path, bool (*read_it)(const char *dir),
	    const char *dir)
{
	buffer_t *data = engine_unit_read(path);

	CU_ASSERT(read_it(dir));
	for (size_t size = 0; size + 1 < data->used; size++) T_BEGIN {
		engine_unit_write(path, data->data, size);
		CU_ASSERT(!read_it(dir));
	} T_END;
}

static bool read_account(const char *dir)
{
	struct catchup_account account;
	const char *error;

	return catchup_account_read(dir, pool_datastack_create(), &account,
				    &error) > 0;
}

static void test_account(void)
{
	const char *dir = engine_unit_dir(), *error;
	struct catchup_account account, read;
	pool_t pool = pool_datastack_create();

	i_zero(&account);
	CU_ASSERT(catchup_account_read(dir, pool, &read, &error) == 0);
	CU_ASSERT(read.looked == 0 && *read.reason == '\0');
	account.looked = 1795000000;
	account.failed = 5;
	account.late = 6;
	account.old_client = 7;
	account.waiting = 8;
	account.reason = "no\troute\nto host";
	CU_ASSERT(catchup_account_write(dir, &account, &error) == 0);
	CU_ASSERT_FATAL(catchup_account_read(dir, pool, &read, &error) == 1);
	CU_ASSERT(read.looked == account.looked && read.failed == 5 &&
		  read.late == 6 && read.old_client == 7 && read.waiting == 8);
	CU_ASSERT_STRING_EQUAL(read.reason, account.reason);
	check_parts(path_of(dir, "catchup/.account"), read_account, dir);
}

static bool read_marker(const char *dir)
{
	struct late_marker marker;
	const char *error;

	t_array_init(&marker.uids, 8);
	return late_marker_read(dir, "A/B", &marker, &error) > 0;
}

static void test_marker(void)
{
	const char *dir = engine_unit_dir(), *error;
	struct late_marker marker = { .uid_validity = 9, .begun = 1795000000 };
	struct late_marker read;

	t_array_init(&marker.uids, 8);
	t_array_init(&read.uids, 8);
	CU_ASSERT(late_marker_read(dir, "A/B", &read, &error) == 0);
	seq_range_array_add_range(&marker.uids, 3, 5);
	seq_range_array_add(&marker.uids, 4000000000U);
	CU_ASSERT(late_marker_write(dir, "A/B", &marker, &error) == 0);
	CU_ASSERT_FATAL(late_marker_read(dir, "A/B", &read, &error) == 1);
	CU_ASSERT(read.uid_validity == 9 && read.begun == marker.begun);
	CU_ASSERT(array_cmp(&read.uids, &marker.uids));
	check_parts(path_of(dir, "late/A%2fB"), read_marker, dir);
	CU_ASSERT(late_marker_remove(dir, "A/B", &error) == 0);
	CU_ASSERT(!read_marker(dir));
}

static bool read_look(const char *dir)
{
	pool_t pool = pool_alloconly_create("look", 1024);
	struct catchup_last last;
	const char *error;
	int ret = catchup_look_read(dir, pool, &last, &error);

	pool_unref(&pool);
	return ret > 0;
}

static void test_look(void)
{
	const char *dir = engine_unit_dir(), *error;
	struct catchup_last last = { .others = 77, .flags = 1795000000 }, read;
	const struct catchup_seen seen = {
		.vname = "A\tB", .old_name = "INBOX.A&AAk-B",
		.status = { 1, 2, 3, UINT64_C(1) << 50 },
	};
	const struct catchup_seen *box;
	pool_t pool = pool_alloconly_create("look", 1024);

	t_array_init(&last.boxes, 2);
	array_push_back(&last.boxes, &seen);
	array_push_back(&last.boxes, &seen);
	CU_ASSERT(catchup_look_read(dir, pool, &read, &error) == 0);
	CU_ASSERT(array_is_empty(&read.boxes));
	CU_ASSERT(catchup_look_write(dir, &last, &error) == 0);
	CU_ASSERT_FATAL(catchup_look_read(dir, pool, &read, &error) == 1);
	CU_ASSERT(read.others == 77 && read.flags == last.flags);
	CU_ASSERT_FATAL(array_count(&read.boxes) == 2);
	box = array_idx(&read.boxes, 1);
	CU_ASSERT_STRING_EQUAL(box->vname, seen.vname);
	CU_ASSERT_STRING_EQUAL(box->old_name, seen.old_name);
	CU_ASSERT(box->status.uid_validity == 1 && box->status.uid_next == 2 &&
		  box->status.messages == 3 &&
		  box->status.modseq == UINT64_C(1) << 50);
	check_parts(path_of(dir, "catchup/.look"), read_look, dir);
	pool_unref(&pool);
}

static void make_guid(guid_128_t guid, unsigned int n)
{
	memset(guid, 0, GUID_128_SIZE);
	guid[0] = n;
}

static const struct late_place twin_place = { "a\tb\nc", 7, 4000000000U };

static void check_twins(const char *dir, unsigned int count)
{
	const struct late_place *place;
	struct late_twins *twins;
	const char *error;
	guid_128_t guid;

	CU_ASSERT_FATAL(late_twins_open(dir, &twins, &error) == 0);
	for (unsigned int i = 0; i < 10; i++) {
		make_guid(guid, i);
		CU_ASSERT(late_twins_has(twins, guid) == (i < count));
		place = late_twins_find(twins, guid);
		if (place != NULL) {
			CU_ASSERT_STRING_EQUAL(place->vname, twin_place.vname);
			CU_ASSERT(place->uid == twin_place.uid);
		}
	}
	late_twins_close(&twins);
}

/* Those before and behind one that was cut off are there. */
static void test_twins(void)
{
	const char *dir = engine_unit_dir(), *error, *path;
	struct late_twins *twins;
	buffer_t *data;
	guid_128_t guid;

	check_twins(dir, 0);
	CU_ASSERT_FATAL(late_twins_open(dir, &twins, &error) == 0);
	for (unsigned int i = 0; i < 6; i++) {
		make_guid(guid, i / 2);
		CU_ASSERT(late_twins_add(twins, guid, &twin_place, &error) == 0);
	}
	late_twins_close(&twins);
	check_twins(dir, 3);
	path = path_of(dir, "catchup/.twins");
	data = engine_unit_read(path);
	engine_unit_write(path, data->data, data->used - 5);
	check_twins(dir, 2);
	CU_ASSERT_FATAL(late_twins_open(dir, &twins, &error) == 0);
	make_guid(guid, 2);
	CU_ASSERT(late_twins_add(twins, guid, &twin_place, &error) == 0);
	late_twins_close(&twins);
	check_twins(dir, 3);
}

static const struct unit_test tests[] = {
	{ "the account", test_account },
	{ "what is being delivered", test_marker },
	{ "the last look", test_look },
	{ "twins of mails that weren't delivered", test_twins },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("catchup-files", tests);
}
