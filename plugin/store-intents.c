#include "lib.h"
#include "array.h"
#include "hash.h"
#include "sort.h"
#include "str.h"
#include "imap-util.h"
#include "store-intents.h"

#define SYSTEM_FLAGS MAIL_FLAGS_NONRECENT

struct store_intent {
	uint32_t uid;
	/* flags: these on, these off, the rest as it is */
	enum mail_flags add, remove;
	/* the same of keywords */
	ARRAY_TYPE(const_string) add_keywords, remove_keywords;
	/* all flags, all keywords were given */
	bool replace, replace_keywords;
};

struct store_intents {
	pool_t pool;
	HASH_TABLE(void *, struct store_intent *) hash;
	ARRAY(struct store_intent *) all;
};

struct store_intents *store_intents_init(void)
{
	pool_t pool = pool_alloconly_create("store intents", 1024);
	struct store_intents *intents = p_new(pool, struct store_intents, 1);

	intents->pool = pool;
	hash_table_create_direct(&intents->hash, pool, 0);
	p_array_init(&intents->all, pool, 16);
	return intents;
}

void store_intents_deinit(struct store_intents **_intents)
{
	struct store_intents *intents = *_intents;

	if (intents == NULL)
		return;
	*_intents = NULL;
	hash_table_destroy(&intents->hash);
	pool_unref(&intents->pool);
}

static struct store_intent *
store_intent_find(const struct store_intents *intents, uint32_t uid)
{
	return hash_table_lookup(intents->hash, POINTER_CAST(uid));
}

static struct store_intent *
store_intent_get(struct store_intents *intents, uint32_t uid)
{
	struct store_intent *intent = store_intent_find(intents, uid);

	if (intent != NULL)
		return intent;
	intent = p_new(intents->pool, struct store_intent, 1);
	intent->uid = uid;
	p_array_init(&intent->add_keywords, intents->pool, 2);
	p_array_init(&intent->remove_keywords, intents->pool, 2);
	hash_table_insert(intents->hash, POINTER_CAST(uid), intent);
	array_push_back(&intents->all, &intent);
	return intent;
}

void store_intents_flags(struct store_intents *intents, uint32_t uid,
			 enum modify_type modify_type, enum mail_flags flags)
{
	struct store_intent *intent = store_intent_get(intents, uid);

	flags &= SYSTEM_FLAGS;
	switch (modify_type) {
	case MODIFY_ADD:
		intent->add |= flags;
		intent->remove &= ~flags;
		break;
	case MODIFY_REMOVE:
		intent->add &= ~flags;
		intent->remove |= flags;
		break;
	case MODIFY_REPLACE:
		intent->add = flags;
		intent->remove = SYSTEM_FLAGS & ~flags;
		intent->replace = TRUE;
		break;
	}
}

static bool
keyword_find(const ARRAY_TYPE(const_string) *keywords, const char *keyword,
	     unsigned int *idx_r)
{
	for (unsigned int i = 0; i < array_count(keywords); i++) {
		if (strcasecmp(array_idx_elem(keywords, i), keyword) == 0) {
			*idx_r = i;
			return TRUE;
		}
	}
	return FALSE;
}

static void
keyword_move(struct store_intents *intents, const char *keyword,
	     ARRAY_TYPE(const_string) *to, ARRAY_TYPE(const_string) *from)
{
	unsigned int idx;

	if (keyword_find(from, keyword, &idx))
		array_delete(from, idx, 1);
	if (keyword_find(to, keyword, &idx))
		return;
	keyword = p_strdup(intents->pool, keyword);
	array_push_back(to, &keyword);
}

void store_intents_keywords(struct store_intents *intents, uint32_t uid,
			    enum modify_type modify_type,
			    const char *const *keywords,
			    const char *const *current)
{
	struct store_intent *intent = store_intent_get(intents, uid);
	ARRAY_TYPE(const_string) *add = &intent->add_keywords;
	ARRAY_TYPE(const_string) *remove = &intent->remove_keywords;

	if (modify_type == MODIFY_REMOVE) {
		for (; *keywords != NULL; keywords++)
			keyword_move(intents, *keywords, remove, add);
		return;
	}
	if (modify_type == MODIFY_REPLACE) {
		intent->replace_keywords = TRUE;
		while (array_count(add) > 0)
			keyword_move(intents, array_idx_elem(add, 0),
				     remove, add);
		for (; *current != NULL; current++)
			keyword_move(intents, *current, remove, add);
	}
	for (; *keywords != NULL; keywords++)
		keyword_move(intents, *keywords, add, remove);
}

bool store_intents_is_empty(const struct store_intents *intents)
{
	return array_count(&intents->all) == 0;
}

bool store_intents_only_add(const struct store_intents *intents,
			    enum mail_flags flags)
{
	struct store_intent *intent;

	array_foreach_elem(&intents->all, intent) {
		if (intent->add != flags || intent->remove != 0 ||
		    array_count(&intent->add_keywords) > 0 ||
		    array_count(&intent->remove_keywords) > 0)
			return FALSE;
	}
	return TRUE;
}

void store_intents_uids(const struct store_intents *intents,
			ARRAY_TYPE(seq_range) *uids)
{
	struct store_intent *intent;

	array_foreach_elem(&intents->all, intent)
		seq_range_array_add(uids, intent->uid);
}

static const char *
store_args(const char *item, enum mail_flags flags,
	   const ARRAY_TYPE(const_string) *keywords)
{
	string_t *str = t_str_new(64);
	ARRAY_TYPE(const_string) sorted;

	t_array_init(&sorted, array_count(keywords) + 1);
	array_append_array(&sorted, keywords);
	array_sort(&sorted, i_strcasecmp_p);
	array_append_zero(&sorted);
	str_printfa(str, "%s (", item);
	imap_write_flags(str, flags, array_front(&sorted));
	str_append_c(str, ')');
	return str_c(str);
}

static void
add_command(const struct store_intents *intents, uint32_t uid, const char *args,
	    ARRAY_TYPE(store_command) *commands)
{
	struct store_command *command;

	array_foreach_modifiable(commands, command) {
		if (strcmp(command->args, args) == 0) {
			seq_range_array_add(&command->uids, uid);
			return;
		}
	}
	command = array_append_space(commands);
	command->args = p_strdup(intents->pool, args);
	p_array_init(&command->uids, intents->pool, 16);
	seq_range_array_add(&command->uids, uid);
}

static void
intent_commands(const struct store_intents *intents,
		const struct store_intent *intent,
		ARRAY_TYPE(store_command) *commands)
{
	if (intent->replace && intent->replace_keywords) {
		add_command(intents, intent->uid,
			    store_args("FLAGS", intent->add,
				       &intent->add_keywords), commands);
		return;
	}
	if (intent->add != 0 || array_count(&intent->add_keywords) > 0)
		add_command(intents, intent->uid,
			    store_args("+FLAGS", intent->add,
				       &intent->add_keywords), commands);
	if (intent->remove != 0 || array_count(&intent->remove_keywords) > 0)
		add_command(intents, intent->uid,
			    store_args("-FLAGS", intent->remove,
				       &intent->remove_keywords), commands);
}

void store_intents_commands(const struct store_intents *intents,
			    const ARRAY_TYPE(seq_range) *uids,
			    ARRAY_TYPE(store_command) *commands)
{
	struct store_intent *intent;

	array_foreach_elem(&intents->all, intent) {
		if (!seq_range_exists(uids, intent->uid))
			continue;
		/* no data stack frame: it may grow the caller's array */
		intent_commands(intents, intent, commands);
	}
}

static bool
has_keyword(const char *const *keywords, const char *keyword)
{
	return keywords != NULL && str_array_icase_find(keywords, keyword);
}

static bool
keywords_match(const struct store_intent *intent, const char *const *keywords)
{
	const char *keyword;
	unsigned int count = 0;

	array_foreach_elem(&intent->add_keywords, keyword) {
		if (!has_keyword(keywords, keyword))
			return FALSE;
	}
	array_foreach_elem(&intent->remove_keywords, keyword) {
		if (has_keyword(keywords, keyword))
			return FALSE;
	}
	if (!intent->replace_keywords || !intent->replace)
		return TRUE;
	if (keywords != NULL)
		count = str_array_length(keywords);
	return count == array_count(&intent->add_keywords);
}

bool store_intents_match(const struct store_intents *intents, uint32_t uid,
			 enum mail_flags flags_mask, bool check_keywords,
			 enum mail_flags flags, const char *const *keywords)
{
	const struct store_intent *intent = store_intent_find(intents, uid);

	if (intent == NULL)
		return FALSE;
	if ((intent->add & flags_mask & ~flags) != 0 ||
	    (intent->remove & flags_mask & flags) != 0)
		return FALSE;
	return !check_keywords || keywords_match(intent, keywords);
}

static bool
keywords_result_is(const struct store_intent *intent,
		   const char *const *old_keywords,
		   const char *const *keywords)
{
	unsigned int idx, expected = array_count(&intent->add_keywords);

	if (!keywords_match(intent, keywords))
		return FALSE;
	for (; *old_keywords != NULL; old_keywords++) {
		if ((intent->replace && intent->replace_keywords) ||
		    keyword_find(&intent->add_keywords, *old_keywords, &idx) ||
		    keyword_find(&intent->remove_keywords, *old_keywords, &idx))
			continue;
		if (!has_keyword(keywords, *old_keywords))
			return FALSE;
		expected++;
	}
	return str_array_length(keywords) == expected;
}

bool store_intents_result_is(const struct store_intents *intents, uint32_t uid,
			     enum mail_flags old_flags,
			     const char *const *old_keywords,
			     enum mail_flags flags,
			     const char *const *keywords)
{
	const struct store_intent *intent = store_intent_find(intents, uid);

	if (intent == NULL)
		return FALSE;
	old_flags = (old_flags | intent->add) & ~intent->remove;
	return old_flags == flags &&
		keywords_result_is(intent, old_keywords, keywords);
}
