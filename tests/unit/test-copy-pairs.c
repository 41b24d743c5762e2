/* test-copy-pairs: what is remembered of copies is all there or nothing is, and no
   damage to it makes a message look copied that isn't. */
#include "engine-unit.h"
#include "array.h"
#include "buffer.h"
#include "str.h"
#include "plugin/engine/copy-pairs.h"
#include "plugin/engine/mailbox-state.h"

#define NASTY_NAME "a=b\tc\nd/\xc3\xa4"

static const char *path_of(const char *dir, const char *name)
{
	return t_strconcat(dir, "/copyback/", mailbox_state_key(name), NULL);
}

static void fill(struct copy_pairs *pairs)
{
	struct copy_intent *intent;

	pairs->uid_validity = 1234567890;
	pairs->local_uid_next = 4294967295U;
	pairs->local_modseq = 1ULL << 60;
	pairs->failures = 3;
	pairs->retry = 1700000000;
	pairs->intents_uid = 17;
	pairs->lost = 1700000001;
	/* a run, one out of order, a late one that would continue the run */
	for (uint32_t i = 0; i < 1000; i++)
		copy_pairs_add(pairs, 1000000 + i, 20 + i, FALSE);
	copy_pairs_add(pairs, 1001000, 1020, TRUE);
	copy_pairs_add(pairs, 5, 4000000000U, FALSE);
	copy_pairs_add(pairs, 2000000, 7, FALSE);
	seq_range_array_add_range(&pairs->elsewhere, 3000000, 3000010);
	intent = array_append_space(&pairs->intents);
	intent->local_uid = 2000001;
	intent->size = 1ULL << 40;
	memset(intent->wire, 0xa5, sizeof(intent->wire));
}

static bool put(const char *dir, const char *name,
		const struct copy_pairs *pairs)
{
	const char *error;

	return UNIT_CHECK(copy_pairs_write(dir, name, pairs, &error) == 0,
			  "%s: %s", name, error);
}

static int get(const char *dir, const char *name, struct copy_pairs *pairs)
{
	const char *error = NULL;
	int ret;

	copy_pairs_init(pairs);
	ret = copy_pairs_read(dir, name, pairs, &error);
	CU_ASSERT((ret < 0) == (error != NULL));
	return ret;
}

static void check_filled(const struct copy_pairs *pairs)
{
	const struct copy_intent *intent;

	CU_ASSERT(pairs->uid_validity == 1234567890);
	CU_ASSERT(pairs->local_uid_next == 4294967295U);
	CU_ASSERT(pairs->local_modseq == 1ULL << 60);
	CU_ASSERT(pairs->failures == 3 && pairs->retry == 1700000000);
	CU_ASSERT(pairs->intents_uid == 17 && pairs->lost == 1700000001);
	CU_ASSERT(array_count(&pairs->pairs) == 1003);
	CU_ASSERT(copy_pairs_find(pairs, 5) == 4000000000U);
	CU_ASSERT(copy_pairs_find(pairs, 1000000) == 20);
	CU_ASSERT(copy_pairs_find(pairs, 1000999) == 1019);
	CU_ASSERT(copy_pairs_find(pairs, 1001000) == 1020);
	CU_ASSERT(copy_pairs_find(pairs, 1001001) == 0);
	CU_ASSERT(copy_pairs_find(pairs, 2000001) == 0);
	CU_ASSERT(copy_pairs_find_local(pairs, 7) == 2000000);
	CU_ASSERT(copy_pairs_find_local(pairs, 8) == 0);
	CU_ASSERT(seq_range_count(&pairs->elsewhere) == 11);
	CU_ASSERT_FATAL(array_count(&pairs->intents) == 1);
	intent = array_front(&pairs->intents);
	CU_ASSERT(intent->local_uid == 2000001);
	CU_ASSERT(intent->size == 1ULL << 40 && intent->wire[31] == 0xa5);
}

static unsigned int count_late(const struct copy_pairs *pairs)
{
	const struct copy_pair *pair;
	unsigned int count = 0;

	array_foreach(&pairs->pairs, pair)
		count += pair->late ? 1 : 0;
	return count;
}

static void test_round_trip(void)
{
	const char *error, *dir = engine_unit_dir();
	struct copy_pairs pairs;

	CU_ASSERT(get(dir, NASTY_NAME, &pairs) == 0);
	fill(&pairs);
	put(dir, NASTY_NAME, &pairs);
	copy_pairs_deinit(&pairs);
	CU_ASSERT(get(dir, NASTY_NAME, &pairs) == 1);
	check_filled(&pairs);
	CU_ASSERT(count_late(&pairs) == 1);
	/* a run is one line: large mailboxes have small files */
	CU_ASSERT(engine_unit_read(path_of(dir, NASTY_NAME))->used < 600);
	copy_pairs_clear(&pairs, 9);
	CU_ASSERT(pairs.uid_validity == 9 && array_is_empty(&pairs.pairs) &&
		  array_is_empty(&pairs.intents));
	copy_pairs_deinit(&pairs);
	CU_ASSERT(copy_pairs_remove(dir, NASTY_NAME, &error) == 0);
	CU_ASSERT(copy_pairs_remove(dir, NASTY_NAME, &error) == 0);
	CU_ASSERT(get(dir, NASTY_NAME, &pairs) == 0);
	copy_pairs_deinit(&pairs);
}

static void test_replaced(void)
{
	struct copy_pairs pairs;

	copy_pairs_init(&pairs);
	copy_pairs_add(&pairs, 7, 3, FALSE);
	copy_pairs_add(&pairs, 7, 9, FALSE);
	CU_ASSERT(array_count(&pairs.pairs) == 1);
	CU_ASSERT(copy_pairs_find(&pairs, 7) == 9);
	CU_ASSERT(copy_pairs_find_local(&pairs, 3) == 0);
	copy_pairs_deinit(&pairs);
}

static void test_truncated(void)
{
	const char *dir = engine_unit_dir(), *path = path_of(dir, "a");
	struct copy_pairs pairs;
	buffer_t *data;

	copy_pairs_init(&pairs);
	fill(&pairs);
	put(dir, "a", &pairs);
	copy_pairs_deinit(&pairs);
	data = engine_unit_read(path);
	for (size_t i = 0; i < data->used - 1; i++) T_BEGIN {
		engine_unit_write(path, data->data, i);
		UNIT_CHECK(get(dir, "a", &pairs) == -1, "%zu bytes", i);
		copy_pairs_deinit(&pairs);
	} T_END;
}

static void test_damaged(void)
{
	static const struct {
		const char *find, *replace;
	} tests[] = {
		{ "migration-copyback 1", "migration-copyback 2" },
		{ "name=a", "name=b" },
		{ "uid_validity=1234567890", "uid_validity=0" },
		{ "uid_validity=1234567890", "uid_validity=x" },
		{ "copied=5 4000000000 1", "copied=5 4000000000" },
		{ "copied=5 4000000000 1", "copied=5 4000000000 2000000000" },
		{ "copied=5 4000000000 1", "copied=0 4000000000 1" },
		{ "copied=5 4000000000 1", "copied=5 0 1" },
		{ "copied=5 4000000000 1", "copied 5 4000000000 1" },
		{ "late=", "later=" },
		{ "a5a5\n", "a5\n" },
		{ "a5a5\n", "a5a5a5\n" },
		{ "a5a5\n", "a5xx\n" },
		{ "elsewhere=", "elsewhere=x" },
	};
	const char *dir = engine_unit_dir(), *text, *p;
	struct copy_pairs pairs;
	string_t *str;

	copy_pairs_init(&pairs);
	fill(&pairs);
	put(dir, "a", &pairs);
	copy_pairs_deinit(&pairs);
	text = str_c(engine_unit_read(path_of(dir, "a")));
	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		p = strstr(text, tests[i].find);
		CU_ASSERT_FATAL(p != NULL);
		str = t_str_new(512);
		str_append_data(str, text, p - text);
		str_append(str, tests[i].replace);
		str_append(str, p + strlen(tests[i].find));
		engine_unit_write(path_of(dir, "a"), str_data(str),
				  str_len(str));
		UNIT_CHECK(get(dir, "a", &pairs) == -1, "%u: %s", i,
			   tests[i].replace);
		copy_pairs_deinit(&pairs);
	} T_END;
}

static const struct unit_test tests[] = {
	{ "round trip", test_round_trip },
	{ "replaced", test_replaced },
	{ "truncated", test_truncated },
	{ "damaged", test_damaged },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("copy-pairs", tests);
}
