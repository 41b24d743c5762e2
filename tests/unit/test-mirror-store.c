/* test-mirror-store: what a STORE means for a message, and whether what the old
   server shows is that. */
#include "engine-unit.h"
#include "array.h"
#include "plugin/engine/mirror-private.h"

static struct inventory_keywords *keywords;
static const struct old_mailbox any_flags = {
	.permanent_flags = MAIL_FLAGS_NONRECENT, .new_keywords = TRUE,
};

static struct inventory_item item_of(const char *flags)
{
	struct inventory_item item = { .uid = 1 };
	enum mail_flags parsed;

	inventory_flags_parse(keywords, flags, &parsed, &item.keywords);
	item.flags = parsed;
	return item;
}

static bool is_same(const struct inventory_item *a, const char *flags)
{
	struct inventory_item b = item_of(flags);

	return a->flags == b.flags && a->keywords == b.keywords;
}

static void test_begin(void)
{
	keywords = inventory_keywords_init();
	CU_ASSERT_PTR_NOT_NULL_FATAL(keywords);
}

static void test_end(void)
{
	inventory_keywords_deinit(&keywords);
	CU_ASSERT_PTR_NULL(keywords);
}

static void test_do(void)
{
	static const struct {
		const char *before, *args, *after;
	} cases[] = {
		{ "", "+FLAGS (\\Seen $A)", "\\Seen $A" },
		{ "\\Seen $A", "+FLAGS (\\Seen $a)", "\\Seen $A" },
		{ "\\Seen $A b", "-FLAGS (\\Seen $A)", "b" },
		{ "\\Seen", "-FLAGS (\\Flagged c)", "\\Seen" },
		{ "\\Seen $A", "FLAGS (\\Draft d)", "\\Draft d" },
		{ "\\Seen $A", "FLAGS ()", "" },
		{ "", "+FLAGS (\\Recent)", "" },
	};
	struct mirror_store store;
	struct inventory_item item;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(cases); i++) {
		item = item_of(cases[i].before);
		if (!UNIT_CHECK(mirror_store_parse(keywords, cases[i].args,
						   &store) == 0, "%u", i))
			continue;
		mirror_store_do(keywords, &store, &item);
		UNIT_CHECK(is_same(&item, cases[i].after), "case %u", i);
		UNIT_CHECK(mirror_store_is_done(&store, &any_flags, &item),
			   "case %u isn't done", i);
	}
}

static void test_not_done(void)
{
	static const struct {
		const char *args, *shown;
	} cases[] = {
		{ "+FLAGS (\\Seen $A)", "\\Seen" },
		{ "+FLAGS (\\Seen $A)", "$A" },
		{ "-FLAGS ($A)", "$A" },
		{ "-FLAGS (\\Seen)", "\\Seen \\Draft" },
		{ "FLAGS (\\Draft)", "\\Draft \\Seen" },
		{ "FLAGS (\\Draft)", "\\Draft x" },
		{ "FLAGS ()", "x" },
	};
	struct mirror_store store;
	struct inventory_item item;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(cases); i++) {
		item = item_of(cases[i].shown);
		UNIT_CHECK(mirror_store_parse(keywords, cases[i].args,
					      &store) == 0 &&
			   !mirror_store_is_done(&store, &any_flags, &item),
			   "case %u is done", i);
	}
}

/* PERMANENTFLAGS says what can be kept at all. */
static void test_cannot_keep(void)
{
	static const struct old_mailbox few_flags = {
		.permanent_flags = MAIL_SEEN, .new_keywords = FALSE,
	};
	struct inventory_item item = item_of("\\Seen");
	struct mirror_store store;

	CU_ASSERT_EQUAL(mirror_store_parse(keywords,
		"+FLAGS (\\Seen \\Draft $A)", &store), 0);
	CU_ASSERT(mirror_store_is_done(&store, &few_flags, &item));
	CU_ASSERT(!mirror_store_is_done(&store, &any_flags, &item));
	item = item_of("\\Flagged");
	CU_ASSERT(!mirror_store_is_done(&store, &few_flags, &item));
}

static void test_refused(void)
{
	static const char *const cases[] = {
		"", "+", "FLAGS", "+FLAGS.SILENT (\\Seen)", "+FLAGS \\Seen",
		"+FLAGS (\\Seen) x", "+FLAGS (\\Seen", "++FLAGS (\\Seen)",
	};
	struct mirror_store store;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(cases); i++)
		UNIT_CHECK(mirror_store_parse(keywords, cases[i], &store) < 0,
			   "'%s' is taken", cases[i]);
}

static const struct unit_test tests[] = {
	{ "begin", test_begin },
	{ "done", test_do },
	{ "not done", test_not_done },
	{ "can't be kept", test_cannot_keep },
	{ "refused", test_refused },
	{ "end", test_end },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("mirror-store", tests);
}
