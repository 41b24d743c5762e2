/* test-store-commands: the commands, carried out, do to each mail what the
   changes one after another would have done. */
#include "engine-unit.h"
#include "array.h"
#include "str.h"
#include "plugin/store-intents.h"

#define MAILS 3
#define KEYWORDS 3

static const char *const keyword_names[KEYWORDS] = { "$A", "$B", "c" };

/* bits: flags, and above them the keywords */
#define KEYWORD_SHIFT 8
#define ALL_FLAGS MAIL_FLAGS_NONRECENT

static const char *const *keywords_of(unsigned int bits)
{
	const char **names = t_new(const char *, KEYWORDS + 1);
	unsigned int count = 0;

	for (unsigned int i = 0; i < KEYWORDS; i++) {
		if ((bits & (1 << (i + KEYWORD_SHIFT))) != 0)
			names[count++] = keyword_names[i];
	}
	return names;
}

static unsigned int word_bit(const char *word)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} words[] = {
		{ "\\Answered", MAIL_ANSWERED }, { "\\Flagged", MAIL_FLAGGED },
		{ "\\Deleted", MAIL_DELETED }, { "\\Seen", MAIL_SEEN },
		{ "\\Draft", MAIL_DRAFT },
		{ "$A", 1 << KEYWORD_SHIFT }, { "$B", 2 << KEYWORD_SHIFT },
		{ "c", 4 << KEYWORD_SHIFT },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(words); i++) {
		if (strcasecmp(words[i].name, word) == 0)
			return words[i].bit;
	}
	UNIT_CHECK(FALSE, "unexpected %s", word);
	return 0;
}

static void change(unsigned int *bits, char sign, unsigned int value,
		   unsigned int mask)
{
	if (sign == '+')
		*bits |= value;
	else if (sign == '-')
		*bits &= ~value;
	else
		*bits = (*bits & ~mask) | value;
}

/* A server's STORE. */
static void carry_out(const struct store_command *command, unsigned int *mails)
{
	const char *args = command->args;
	char sign = *args == '+' || *args == '-' ? *args++ : '=';
	const char *const *word;
	unsigned int value = 0;

	CU_ASSERT_FATAL(str_begins(args, "FLAGS (") &&
			args[strlen(args) - 1] == ')');
	args = t_strdup_until(args + 7, args + strlen(args) - 1);
	for (word = t_strsplit_spaces(args, " "); *word != NULL; word++)
		value |= word_bit(*word);
	for (unsigned int uid = 1; uid <= MAILS; uid++) {
		if (seq_range_exists(&command->uids, uid))
			change(&mails[uid], sign, value, UINT_MAX);
	}
}

/* One change, recorded and done to the model. */
static void random_change(struct store_intents *intents, unsigned int *mails)
{
	static const char signs[] = {
		[MODIFY_REPLACE] = '=', [MODIFY_ADD] = '+',
		[MODIFY_REMOVE] = '-',
	};
	enum modify_type type = engine_unit_rand(3);
	unsigned int uid = 1 + engine_unit_rand(MAILS), value;

	if (engine_unit_rand(2) == 0) {
		value = engine_unit_rand(MAIL_RECENT << 1) & ALL_FLAGS;
		store_intents_flags(intents, uid, type, value);
		change(&mails[uid], signs[type], value, ALL_FLAGS);
	} else {
		value = engine_unit_rand(1 << KEYWORDS) << KEYWORD_SHIFT;
		store_intents_keywords(intents, uid, type, keywords_of(value),
				       keywords_of(mails[uid]));
		change(&mails[uid], signs[type], value, ~ALL_FLAGS);
	}
}

static void check_results(struct store_intents *intents,
			  const unsigned int *before, const unsigned int *after,
			  const ARRAY_TYPE(seq_range) *uids, unsigned int n)
{
	for (unsigned int uid = 1; uid <= MAILS; uid++) {
		const char *const *had = keywords_of(before[uid]);
		const char *const *has = keywords_of(after[uid]);
		unsigned int bit = 1 << engine_unit_rand(5);
		bool touched = seq_range_exists(uids, uid);

		UNIT_CHECK(store_intents_result_is(intents, uid,
				before[uid] & ALL_FLAGS, had,
				after[uid] & ALL_FLAGS, has) == touched,
			   "%u: result of %u", n, uid);
		UNIT_CHECK(!store_intents_result_is(intents, uid,
				before[uid] & ALL_FLAGS, had,
				(after[uid] ^ bit) & ALL_FLAGS, has),
			   "%u: other flags of %u", n, uid);
		UNIT_CHECK(store_intents_match(intents, uid, ALL_FLAGS, TRUE,
				after[uid] & ALL_FLAGS, has) == touched,
			   "%u: match of %u", n, uid);
	}
}

static void test_model(void)
{
	struct store_intents *intents;
	const struct store_command *command;
	ARRAY_TYPE(store_command) commands;
	ARRAY_TYPE(seq_range) uids;
	unsigned int before[MAILS + 1], server[MAILS + 1], model[MAILS + 1];

	for (unsigned int n = 0; n < 20000; n++) T_BEGIN {
		intents = store_intents_init();
		CU_ASSERT(store_intents_is_empty(intents));
		for (unsigned int uid = 0; uid <= MAILS; uid++)
			before[uid] = engine_unit_rand(8 << KEYWORD_SHIFT) &
				(ALL_FLAGS | 7 << KEYWORD_SHIFT);
		memcpy(server, before, sizeof(before));
		memcpy(model, before, sizeof(before));
		for (unsigned int i = engine_unit_rand(5); i > 0; i--)
			random_change(intents, model);

		t_array_init(&uids, 4);
		i_array_init(&commands, 4);
		store_intents_uids(intents, &uids);
		store_intents_commands(intents, &uids, &commands);
		array_foreach(&commands, command)
			carry_out(command, server);
		UNIT_CHECK(memcmp(server, model, sizeof(model)) == 0,
			   "%u: %x %x %x instead of %x %x %x", n, server[1],
			   server[2], server[3], model[1], model[2], model[3]);
		check_results(intents, before, model, &uids, n);
		array_free(&commands);
		store_intents_deinit(&intents);
	} T_END;
}

/* The same for many mails is one command. */
static void test_merged(void)
{
	struct store_intents *intents = store_intents_init();
	const struct store_command *command;
	ARRAY_TYPE(store_command) commands;
	ARRAY_TYPE(seq_range) uids;

	for (unsigned int uid = 1; uid <= 1000; uid++)
		store_intents_flags(intents, uid, MODIFY_ADD, MAIL_SEEN);
	t_array_init(&uids, 4);
	seq_range_array_add_range(&uids, 1, 900);
	i_array_init(&commands, 4);
	store_intents_commands(intents, &uids, &commands);
	CU_ASSERT_FATAL(array_count(&commands) == 1);
	command = array_front(&commands);
	CU_ASSERT(strcmp(command->args, "+FLAGS (\\Seen)") == 0);
	CU_ASSERT(seq_range_count(&command->uids) == 900);
	array_free(&commands);
	store_intents_deinit(&intents);
	CU_ASSERT(intents == NULL);
}

static const struct unit_test tests[] = {
	{ "model", test_model },
	{ "merged", test_merged },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("store-commands", tests);
}
