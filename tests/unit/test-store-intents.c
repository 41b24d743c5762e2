/* What STORE commands become of a transaction's intents. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "store-intents.h"

#include "engine-unit.h"
#include "unit.h"

static const char *const none[] = { NULL };
static const char *const foo[] = { "$Foo", NULL };
static const char *const foo_bar[] = { "$Foo", "bar", NULL };
static const char *const bar[] = { "BAR", NULL };

/* "1:2 +FLAGS (\\Seen); 3 ..." in the order they are sent */
static const char *commands_str(struct store_intents *intents)
{
	ARRAY_TYPE(store_command) commands;
	ARRAY_TYPE(seq_range) uids;
	const struct store_command *command;
	string_t *str = t_str_new(128);

	t_array_init(&uids, 8);
	t_array_init(&commands, 8);
	store_intents_uids(intents, &uids);
	store_intents_commands(intents, &uids, &commands);
	array_foreach(&commands, command) {
		if (str_len(str) > 0)
			str_append(str, "; ");
		imap_write_seq_range(str, &command->uids);
		str_printfa(str, " %s", command->args);
	}
	return str_c(str);
}

static void test_merging(void)
{
	struct store_intents *intents = store_intents_init();

	CU_ASSERT_TRUE(store_intents_is_empty(intents));
	for (uint32_t uid = 1; uid <= 3; uid++)
		store_intents_flags(intents, uid, MODIFY_ADD, MAIL_SEEN);
	store_intents_keywords(intents, 3, MODIFY_ADD, foo, none);
	CU_ASSERT_FALSE(store_intents_is_empty(intents));
	CU_ASSERT_STRING_EQUAL(commands_str(intents),
		"1:2 +FLAGS (\\Seen); 3 +FLAGS (\\Seen $Foo)");
	store_intents_deinit(&intents);
}

static void test_later_wins(void)
{
	struct store_intents *intents = store_intents_init();

	store_intents_flags(intents, 1, MODIFY_ADD, MAIL_SEEN | MAIL_FLAGGED);
	store_intents_flags(intents, 1, MODIFY_REMOVE, MAIL_SEEN);
	store_intents_keywords(intents, 1, MODIFY_ADD, foo_bar, none);
	store_intents_keywords(intents, 1, MODIFY_REMOVE, bar, none);
	CU_ASSERT_STRING_EQUAL(commands_str(intents),
		"1 +FLAGS (\\Flagged $Foo); 1 -FLAGS (\\Seen BAR)");
	store_intents_deinit(&intents);
}

static void test_replace_all(void)
{
	struct store_intents *intents = store_intents_init();

	store_intents_flags(intents, 7, MODIFY_ADD, MAIL_SEEN);
	store_intents_flags(intents, 7, MODIFY_REPLACE,
			    MAIL_DRAFT | MAIL_RECENT);
	store_intents_keywords(intents, 7, MODIFY_REPLACE, bar, foo);
	CU_ASSERT_STRING_EQUAL(commands_str(intents), "7 FLAGS (\\Draft BAR)");
	store_intents_deinit(&intents);
}

/* the other half must stay as it is on the server */
static void test_replace_half(void)
{
	struct store_intents *intents = store_intents_init();

	store_intents_flags(intents, 7, MODIFY_REPLACE, MAIL_DRAFT);
	CU_ASSERT_STRING_EQUAL(commands_str(intents), "7 +FLAGS (\\Draft); "
		"7 -FLAGS (\\Answered \\Flagged \\Deleted \\Seen)");
	store_intents_deinit(&intents);

	intents = store_intents_init();
	store_intents_keywords(intents, 7, MODIFY_REPLACE, bar, foo);
	CU_ASSERT_STRING_EQUAL(commands_str(intents),
		"7 +FLAGS (BAR); 7 -FLAGS ($Foo)");
	store_intents_deinit(&intents);
}

static bool
match(struct store_intents *intents, enum mail_flags flags,
      const char *const *keywords)
{
	return store_intents_match(intents, 1, MAIL_FLAGS_NONRECENT, TRUE,
				   flags, keywords);
}

static void test_match_relative(void)
{
	struct store_intents *intents = store_intents_init();

	store_intents_flags(intents, 1, MODIFY_ADD, MAIL_SEEN);
	store_intents_flags(intents, 1, MODIFY_REMOVE, MAIL_FLAGGED);
	store_intents_keywords(intents, 1, MODIFY_ADD, bar, none);
	CU_ASSERT_TRUE(match(intents, MAIL_SEEN | MAIL_DRAFT, foo_bar));
	CU_ASSERT_FALSE(match(intents, 0, foo_bar));
	CU_ASSERT_FALSE(match(intents, MAIL_SEEN | MAIL_FLAGGED, foo_bar));
	CU_ASSERT_FALSE(match(intents, MAIL_SEEN, foo));
	/* a flag that the server can't keep, keywords that it can't make */
	CU_ASSERT_TRUE(store_intents_match(intents, 1, MAIL_FLAGGED, FALSE,
					   0, none));
	CU_ASSERT_FALSE(store_intents_match(intents, 2, MAIL_FLAGS_NONRECENT,
					    TRUE, MAIL_SEEN, foo_bar));
	store_intents_deinit(&intents);
}

static void test_match_replace(void)
{
	struct store_intents *intents = store_intents_init();

	store_intents_flags(intents, 1, MODIFY_REPLACE, MAIL_SEEN);
	store_intents_keywords(intents, 1, MODIFY_REPLACE, foo, none);
	CU_ASSERT_TRUE(match(intents, MAIL_SEEN, foo));
	CU_ASSERT_FALSE(match(intents, MAIL_SEEN | MAIL_DRAFT, foo));
	CU_ASSERT_FALSE(match(intents, MAIL_SEEN, foo_bar));
	CU_ASSERT_FALSE(match(intents, MAIL_SEEN, none));
	store_intents_deinit(&intents);
}

static void test_result(void)
{
	struct store_intents *intents = store_intents_init();

	store_intents_flags(intents, 1, MODIFY_ADD, MAIL_SEEN);
	store_intents_keywords(intents, 1, MODIFY_ADD, foo, none);
	CU_ASSERT_TRUE(store_intents_result_is(intents, 1, MAIL_DRAFT, bar,
		MAIL_DRAFT | MAIL_SEEN, foo_bar));
	/* somebody else's change at the same time */
	CU_ASSERT_FALSE(store_intents_result_is(intents, 1, MAIL_DRAFT, bar,
		MAIL_SEEN, foo_bar));
	CU_ASSERT_FALSE(store_intents_result_is(intents, 1, MAIL_DRAFT, none,
		MAIL_DRAFT | MAIL_SEEN, foo_bar));
	CU_ASSERT_FALSE(store_intents_result_is(intents, 1, MAIL_DRAFT, bar,
		MAIL_DRAFT | MAIL_SEEN, foo));
	store_intents_deinit(&intents);
}

static void test_only_add(void)
{
	struct store_intents *intents = store_intents_init();

	store_intents_flags(intents, 1, MODIFY_ADD, MAIL_SEEN);
	store_intents_flags(intents, 2, MODIFY_ADD, MAIL_SEEN);
	CU_ASSERT_TRUE(store_intents_only_add(intents, MAIL_SEEN));
	CU_ASSERT_FALSE(store_intents_only_add(intents,
					       MAIL_SEEN | MAIL_DRAFT));
	store_intents_keywords(intents, 2, MODIFY_REMOVE, foo, none);
	CU_ASSERT_FALSE(store_intents_only_add(intents, MAIL_SEEN));
	store_intents_deinit(&intents);

	intents = store_intents_init();
	store_intents_flags(intents, 1, MODIFY_REPLACE, MAIL_SEEN);
	CU_ASSERT_FALSE(store_intents_only_add(intents, MAIL_SEEN));
	store_intents_deinit(&intents);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "equal intents share a command", test_merging },
		{ "the later of two intents wins", test_later_wins },
		{ "REPLACE of flags and keywords is FLAGS", test_replace_all },
		{ "REPLACE of one half leaves the other", test_replace_half },
		{ "a relative intent is seen to be done", test_match_relative },
		{ "a replacing intent is seen to be done", test_match_replace },
		{ "others' changes are told from ours", test_result },
		{ "nothing but one flag is added", test_only_add },
		{ NULL, NULL }
	};

	return engine_unit_run("store-intents", tests);
}
