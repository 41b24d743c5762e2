/* test-delivered: what was delivered is remembered, whatever is torn, and the
   oldest goes first. */
#include "engine-unit.h"
#include "buffer.h"
#include "plugin/engine/delivered.h"

#include <sys/stat.h>

#define FILE_NAME "/deliver/delivered"

static void make_guid(unsigned int n, guid_128_t guid_r)
{
	guid_128_empty(guid_r);
	memcpy(guid_r, &n, sizeof(n));
	guid_r[GUID_128_SIZE - 1] = 1;
}

static bool found(const char *dir, unsigned int n)
{
	const char *error = NULL;
	guid_128_t guid;
	int ret;

	make_guid(n, guid);
	ret = delivered_find(dir, guid, &error);
	UNIT_CHECK(ret >= 0, "%u: %s", n, error);
	return ret > 0;
}

static void add(const char *dir, unsigned int n)
{
	const char *error = NULL;
	guid_128_t guid;

	make_guid(n, guid);
	UNIT_CHECK(delivered_add(dir, guid, &error) == 0, "%u: %s", n, error);
}

static void test_remembers(void)
{
	const char *dir = engine_unit_dir();

	CU_ASSERT(!found(dir, 1));
	add(dir, 1);
	add(dir, 2);
	CU_ASSERT(found(dir, 1));
	CU_ASSERT(found(dir, 2));
	CU_ASSERT(!found(dir, 3));
}

static void test_torn(void)
{
	const char *dir = engine_unit_dir();
	const char *path = t_strconcat(dir, FILE_NAME, NULL);
	buffer_t *data;

	add(dir, 1);
	add(dir, 2);
	data = engine_unit_read(path);
	engine_unit_write(path, data->data, data->used - 1);
	CU_ASSERT(found(dir, 1));
	CU_ASSERT(!found(dir, 2));
	add(dir, 3);
	CU_ASSERT(found(dir, 1));
	CU_ASSERT(!found(dir, 2));
	CU_ASSERT(found(dir, 3));
	CU_ASSERT(engine_unit_read(path)->used == 2 * GUID_128_SIZE);
}

/* As many as there may be are written at once. */
static void test_oldest_go(void)
{
	const char *dir = engine_unit_dir();
	const char *path = t_strconcat(dir, FILE_NAME, NULL);
	unsigned int count = 64 * 1024;
	guid_128_t *guids = t_new(guid_128_t, count);
	struct stat st;

	add(dir, 0);
	for (unsigned int i = 0; i < count; i++)
		make_guid(i, guids[i]);
	engine_unit_write(path, guids, count * GUID_128_SIZE);
	add(dir, count);
	CU_ASSERT(found(dir, count));
	CU_ASSERT(found(dir, count - 1));
	CU_ASSERT(!found(dir, 0));
	CU_ASSERT(stat(path, &st) == 0 &&
		  st.st_size == (count / 2 + 1) * GUID_128_SIZE);
}

static const struct unit_test tests[] = {
	{ "remembers", test_remembers },
	{ "a torn record", test_torn },
	{ "the oldest go", test_oldest_go },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("delivered", tests);
}
