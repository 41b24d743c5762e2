/* test-delta: inventories, what must be done to a copy, and the commands that
   fetch it. */
#include "engine-unit.h"
#include "array.h"
#include "seq-range-array.h"
#include "str.h"
#include "plugin/engine/body-plan.h"
#include "plugin/engine/delta.h"

#define MAX_UID 40

static struct inventory_keywords *keywords;

static const char *const *keyword_set(unsigned int n)
{
	static const char *const sets[][3] = {
		{ NULL }, { "$A" }, { "$B", "$a" }, { "x" }
	};

	return inventory_keywords_get(keywords, sets[n]);
}

static void add(struct inventory *inventory, uint32_t uid,
		enum mail_flags flags, unsigned int set, uint64_t size)
{
	bool added;
	struct inventory_item *item = inventory_get(inventory, uid, &added);

	CU_ASSERT(added);
	item->flags = flags;
	item->keywords = keyword_set(set);
	item->size = size;
}

static const char *ranges(const ARRAY_TYPE(seq_range) *array)
{
	const struct seq_range *range;
	string_t *str = t_str_new(32);

	array_foreach(array, range) {
		str_printfa(str, range->seq1 == range->seq2 ? "%s%u" :
			    "%s%u:%u", str_len(str) == 0 ? "" : ",",
			    range->seq1, range->seq2);
	}
	return str_c(str);
}

static void test_keywords(void)
{
	static const char *const ab[] = { "a", "b", NULL };
	static const char *const ba[] = { "B", "A", "b", NULL };
	static const char *const joined[] = { "ab", NULL };
	static const char *const none[] = { NULL };
	const char *const *set;

	keywords = inventory_keywords_init();
	set = inventory_keywords_get(keywords, ab);
	CU_ASSERT(str_array_length(set) == 2);
	CU_ASSERT(set != ab && set[0] != ab[0]);
	CU_ASSERT(inventory_keywords_get(keywords, ba) == set);
	CU_ASSERT(inventory_keywords_get(keywords, joined) != set);
	CU_ASSERT(inventory_keywords_get(keywords, none) == NULL);
	CU_ASSERT(inventory_keywords_get(keywords, NULL) == NULL);
	inventory_keywords_deinit(&keywords);
	CU_ASSERT(keywords == NULL);
}

static void test_inventory(void)
{
	struct inventory inventory;
	const struct inventory_item *item;
	bool seen[MAX_UID + 1] = { FALSE }, added;
	uint32_t uid, last = 0;

	keywords = inventory_keywords_init();
	inventory_init(&inventory, keywords);
	CU_ASSERT(inventory_find(&inventory, 1) == NULL);
	for (unsigned int i = 0; i < 200; i++) {
		uid = 1 + engine_unit_rand(MAX_UID);
		inventory_get(&inventory, uid, &added)->size = uid;
		UNIT_CHECK(added == !seen[uid], "%u: UID %u", i, uid);
		seen[uid] = TRUE;
	}
	for (uid = 1; uid <= MAX_UID; uid++) {
		item = inventory_find(&inventory, uid);
		UNIT_CHECK((item != NULL) == seen[uid] &&
			   (item == NULL || (item->uid == uid &&
					     item->size == uid)),
			   "UID %u", uid);
	}
	array_foreach(&inventory.items, item) {
		CU_ASSERT(item->uid > last);
		last = item->uid;
	}
	inventory_deinit(&inventory);
	inventory_keywords_deinit(&keywords);
}

/* One UID: is it old, is it here, do they differ, is it below the UIDNEXT? */
static void test_combinations(void)
{
	static const struct {
		bool old, local, complete;
		enum mail_flags old_flags, local_flags;
		unsigned int old_set, local_set;
		uint32_t next_uid;
		const char *fetch, *missed, *expunged, *changed;
	} tests[] = {
		{ 0, 0, 1, 0, 0, 0, 0, 1, "", "", "", "" },
		{ 1, 0, 1, 0, 0, 0, 0, 5, "5", "", "", "" },
		{ 1, 0, 0, 0, 0, 0, 0, 5, "5", "", "", "" },
		{ 1, 0, 1, 0, 0, 0, 0, 6, "", "5", "", "" },
		{ 1, 0, 0, 0, 0, 0, 0, 6, "", "5", "", "" },
		{ 0, 1, 1, 0, 0, 0, 0, 6, "", "", "5", "" },
		{ 0, 1, 0, 0, 0, 0, 0, 6, "", "", "", "" },
		{ 1, 1, 1, 0, 0, 0, 0, 6, "", "", "", "" },
		{ 1, 1, 0, 0, 0, 1, 1, 6, "", "", "", "" },
		{ 1, 1, 1, MAIL_SEEN, 0, 0, 0, 6, "", "", "", "5" },
		{ 1, 1, 0, 0, MAIL_SEEN, 0, 0, 6, "", "", "", "5" },
		{ 1, 1, 1, MAIL_SEEN, MAIL_SEEN, 0, 0, 6, "", "", "", "" },
		{ 1, 1, 1, MAIL_RECENT, 0, 0, 0, 6, "", "", "", "" },
		{ 1, 1, 1, 0, 0, 0, 1, 6, "", "", "", "5" },
		{ 1, 1, 0, 0, 0, 1, 2, 6, "", "", "", "5" },
		{ 1, 1, 1, 0, 0, 3, 0, 6, "", "", "", "5" },
	};
	struct inventory old, local;
	struct delta delta;

	keywords = inventory_keywords_init();
	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		inventory_init(&old, keywords);
		inventory_init(&local, keywords);
		if (tests[i].old)
			add(&old, 5, tests[i].old_flags, tests[i].old_set, 7);
		if (tests[i].local)
			add(&local, 5, tests[i].local_flags,
			    tests[i].local_set, 7);
		delta_init(&delta);
		delta_compute(&old, &local, tests[i].next_uid,
			      tests[i].complete, &delta);
		UNIT_CHECK(strcmp(ranges(&delta.fetch), tests[i].fetch) == 0 &&
			   strcmp(ranges(&delta.missed), tests[i].missed) == 0 &&
			   strcmp(ranges(&delta.expunged),
				  tests[i].expunged) == 0 &&
			   strcmp(ranges(&delta.changed),
				  tests[i].changed) == 0 &&
			   delta.fetch_count == (*tests[i].fetch == '\0' ? 0 : 1) &&
			   delta.fetch_bytes == delta.fetch_count * 7,
			   "%u: fetch %s missed %s expunged %s changed %s", i,
			   ranges(&delta.fetch), ranges(&delta.missed),
			   ranges(&delta.expunged), ranges(&delta.changed));
		UNIT_CHECK(delta_is_empty(&delta) ==
			   (*tests[i].fetch == '\0' && *tests[i].missed == '\0' &&
			    *tests[i].expunged == '\0' &&
			    *tests[i].changed == '\0'), "%u: empty", i);
		delta_deinit(&delta);
		inventory_deinit(&old);
		inventory_deinit(&local);
	}
	inventory_keywords_deinit(&keywords);
}

static void random_inventory(struct inventory *inventory, uint32_t max_uid)
{
	inventory_init(inventory, keywords);
	for (uint32_t uid = 1; uid <= max_uid; uid++) {
		if (engine_unit_rand(3) > 0)
			add(inventory, uid, engine_unit_rand(64),
			    engine_unit_rand(4), engine_unit_rand(100));
	}
}

/* What a copy has after the delta. */
static void apply(const struct delta *delta, const struct inventory *old,
		  const struct inventory *local, struct inventory *result_r)
{
	const struct inventory_item *item, *from;

	inventory_init(result_r, keywords);
	array_foreach(&local->items, item) {
		if (seq_range_exists(&delta->expunged, item->uid))
			continue;
		from = seq_range_exists(&delta->changed, item->uid) ?
			inventory_find(old, item->uid) : item;
		array_push_back(&result_r->items, from);
	}
	array_foreach(&old->items, item) {
		if (seq_range_exists(&delta->fetch, item->uid))
			array_push_back(&result_r->items, item);
	}
}

/* Are they the same, but for those that can't be added any more? */
static bool same(const struct inventory *old, const struct inventory *copy,
		 const ARRAY_TYPE(seq_range) *missed)
{
	const struct inventory_item *item, *other;
	unsigned int count = 0;

	array_foreach(&old->items, item) {
		if (seq_range_exists(missed, item->uid))
			continue;
		count++;
		other = inventory_find(copy, item->uid);
		if (other == NULL || other->keywords != item->keywords ||
		    ((other->flags ^ item->flags) & INVENTORY_FLAGS) != 0)
			return FALSE;
	}
	return count == array_count(&copy->items);
}

/* The same news without what didn't change, and the UIDs. */
static void incomplete(const struct inventory *old,
		       const struct delta *delta, struct inventory *news_r,
		       ARRAY_TYPE(seq_range) *uids)
{
	const struct inventory_item *item;

	inventory_init(news_r, keywords);
	array_foreach(&old->items, item) {
		seq_range_array_add(uids, item->uid);
		/* what is missed may have been there for long */
		if (seq_range_exists(&delta->changed, item->uid) ||
		    (seq_range_exists(&delta->missed, item->uid) &&
		     engine_unit_rand(2) == 0) ||
		    seq_range_exists(&delta->fetch, item->uid))
			array_push_back(&news_r->items, item);
	}
}

static void test_model(void)
{
	struct inventory old, local, result, news;
	struct delta delta, second;
	ARRAY_TYPE(seq_range) uids;

	keywords = inventory_keywords_init();
	for (unsigned int i = 0; i < 2000; i++) T_BEGIN {
		uint32_t next = 1 + engine_unit_rand(MAX_UID);

		random_inventory(&old, MAX_UID);
		random_inventory(&local, next - 1);
		delta_init(&delta);
		delta_init(&second);
		delta_compute(&old, &local, next, TRUE, &delta);
		apply(&delta, &old, &local, &result);
		UNIT_CHECK(same(&old, &result, &delta.missed),
			   "%u: not the same", i);
		/* nothing is left, but the missed ones */
		delta_compute(&old, &result, MAX_UID + 1, TRUE, &second);
		delta_leave_out(&second, &delta.missed);
		UNIT_CHECK(delta_is_empty(&second), "%u: not empty", i);

		/* a partial look and the UIDs give the same */
		t_array_init(&uids, 8);
		incomplete(&old, &delta, &news, &uids);
		delta_clear(&second);
		delta_compute(&news, &local, next, FALSE, &second);
		delta_add_expunged(&second, &local, &uids);
		delta_add_missed(&second, &local, next, &uids);
		UNIT_CHECK(strcmp(ranges(&delta.fetch),
				  ranges(&second.fetch)) == 0 &&
			   strcmp(ranges(&delta.changed),
				  ranges(&second.changed)) == 0 &&
			   strcmp(ranges(&delta.missed),
				  ranges(&second.missed)) == 0 &&
			   strcmp(ranges(&delta.expunged),
				  ranges(&second.expunged)) == 0 &&
			   delta.fetch_bytes == second.fetch_bytes,
			   "%u: the partial look differs", i);
		delta_deinit(&delta);
		delta_deinit(&second);
		inventory_deinit(&old);
		inventory_deinit(&local);
		inventory_deinit(&result);
		inventory_deinit(&news);
	} T_END;
	inventory_keywords_deinit(&keywords);
}

static const char *requests(const ARRAY_TYPE(body_request) *array)
{
	const struct body_request *request;
	string_t *str = t_str_new(128);

	array_foreach(array, request) {
		str_printfa(str, "%s[%u-%u]", request->uid_set, request->first,
			    request->end);
		if (request->length > 0)
			str_printfa(str, "<%"PRIu64".%s>", request->offset,
				    request->last_piece ? "" : t_strdup_printf(
					"%"PRIu64, request->length));
		str_append_c(str, ' ');
	}
	return str_c(str);
}

static void test_plan(void)
{
	static const struct {
		/* sizes of UIDs 10, 20, 30...; 0 ends */
		uint64_t sizes[8];
		uint32_t wanted[8];
		uint64_t piece_size;
		const char *requests;
	} tests[] = {
		{ { 1 }, { 0 }, 10, "" },
		{ { 1 }, { 10 }, 10, "10[0-1] " },
		/* nothing lies between 10 and 30 */
		{ { 1, 2, 3 }, { 10, 20, 30 }, 10, "10:30[0-3] " },
		{ { 1, 2, 3 }, { 10, 30 }, 10, "10,30[0-3] " },
		{ { 1, 2, 3, 4, 5 }, { 10, 20, 40, 50 }, 10,
		  "10:20,40:50[0-5] " },
		/* wanted, but not there */
		{ { 1, 2 }, { 10, 15, 20, 90 }, 10, "10:20[0-2] " },
		{ { 10 }, { 10 }, 10, "10[0-1] " },
		{ { 11 }, { 10 }, 10,
		  "10[0-1]<0.10> 10[0-1]<10.10> 10[0-1]<20.> " },
		{ { 1, 25, 2 }, { 10, 20, 30 }, 10,
		  "10[0-1] 20[1-2]<0.10> 20[1-2]<10.10> 20[1-2]<20.10> "
		  "20[1-2]<30.> 30[2-3] " },
		{ { 1, 25, 2 }, { 10, 30 }, 10, "10,30[0-3] " },
		/* 32 MB are enough for one command */
		{ { 17 << 20, 17 << 20, 17 << 20, 1 }, { 10, 20, 30, 40 },
		  32 << 20, "10:20[0-2] 30:40[2-4] " },
	};
	ARRAY_TYPE(body_request) array;
	ARRAY_TYPE(seq_range) wanted;
	struct inventory old;
	pool_t pool;

	keywords = inventory_keywords_init();
	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		pool = pool_alloconly_create("plan", 1024);
		inventory_init(&old, keywords);
		t_array_init(&wanted, 8);
		for (unsigned int j = 0; j < 8; j++) {
			if (tests[i].sizes[j] > 0)
				add(&old, 10 * (j + 1), 0, 0,
				    tests[i].sizes[j]);
			if (tests[i].wanted[j] > 0)
				seq_range_array_add(&wanted,
						    tests[i].wanted[j]);
		}
		body_plan(&old, &wanted, tests[i].piece_size, pool, &array);
		UNIT_CHECK(strcmp(requests(&array), tests[i].requests) == 0,
			   "%u: got %s", i, requests(&array));
		inventory_deinit(&old);
		pool_unref(&pool);
	} T_END;
	inventory_keywords_deinit(&keywords);
}

/* 12,500 messages: each in one command, at most 5,000 in one. */
static void test_plan_many(void)
{
	const struct body_request *request;
	ARRAY_TYPE(body_request) array;
	ARRAY_TYPE(seq_range) wanted;
	struct inventory old;
	pool_t pool = pool_alloconly_create("plan", 1024);
	unsigned int end = 0;

	keywords = inventory_keywords_init();
	inventory_init(&old, keywords);
	for (uint32_t uid = 1; uid <= 12500; uid++)
		add(&old, uid * 3, 0, 0, 100);
	t_array_init(&wanted, 8);
	seq_range_array_add_range(&wanted, 1, 37500);
	body_plan(&old, &wanted, 1000, pool, &array);
	array_foreach(&array, request) {
		UNIT_CHECK(request->first == end &&
			   request->end - request->first <= 5000,
			   "%u-%u after %u", request->first, request->end, end);
		end = request->end;
	}
	CU_ASSERT(end == 12500 && array_count(&array) == 3);
	inventory_deinit(&old);
	inventory_keywords_deinit(&keywords);
	pool_unref(&pool);
}

static const struct unit_test tests[] = {
	{ "keywords", test_keywords },
	{ "inventory", test_inventory },
	{ "combinations", test_combinations },
	{ "model", test_model },
	{ "body plan", test_plan },
	{ "body plan, many", test_plan_many },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("delta", tests);
}
