#include "lib.h"
#include "array.h"
#include "hash.h"
#include "sort.h"
#include "imap-util.h"
#include "bsearch-insert-pos.h"
#include "inventory.h"

#define INVENTORY_EXPECT_MAX 1000000

struct inventory_keywords {
	pool_t pool;
	HASH_TABLE(const char *, const char *const *) sets;
};

struct inventory_keywords *inventory_keywords_init(void)
{
	pool_t pool = pool_alloconly_create("inventory keywords", 1024);
	struct inventory_keywords *keywords =
		p_new(pool, struct inventory_keywords, 1);

	keywords->pool = pool;
	hash_table_create(&keywords->sets, pool, 0, strcase_hash, strcasecmp);
	return keywords;
}

void inventory_keywords_deinit(struct inventory_keywords **_keywords)
{
	struct inventory_keywords *keywords = *_keywords;

	if (keywords == NULL)
		return;
	*_keywords = NULL;
	hash_table_destroy(&keywords->sets);
	pool_unref(&keywords->pool);
}

static int keyword_cmp(const char *const *k1, const char *const *k2)
{
	return strcasecmp(*k1, *k2);
}

const char *const *
inventory_keywords_get(struct inventory_keywords *keywords,
		       const char *const *names)
{
	const char *key, *const *set;
	const char **sorted;
	unsigned int count, used = 0;

	if (names == NULL || names[0] == NULL)
		return NULL;

	count = str_array_length(names);
	sorted = t_new(const char *, count + 1);
	memcpy(sorted, names, count * sizeof(*names));
	i_qsort(sorted, count, sizeof(*sorted), keyword_cmp);
	for (unsigned int i = 0; i < count; i++) {
		if (used == 0 || strcasecmp(sorted[used - 1], sorted[i]) != 0)
			sorted[used++] = sorted[i];
	}
	sorted[used] = NULL;
	key = t_strarray_join(sorted, " ");

	set = hash_table_lookup(keywords->sets, key);
	if (set == NULL) {
		set = p_strarray_dup(keywords->pool, sorted);
		key = p_strdup(keywords->pool, key);
		hash_table_insert(keywords->sets, key, set);
	}
	return set;
}

void inventory_flags_parse(struct inventory_keywords *keywords, const char *str,
			   enum mail_flags *flags_r,
			   const char *const **keywords_r)
{
	const char *const *words = t_strsplit_spaces(str, " ");
	ARRAY_TYPE(const_string) names;

	*flags_r = 0;
	t_array_init(&names, 8);
	for (; *words != NULL; words++) {
		if ((*words)[0] == '\\')
			*flags_r |= imap_parse_system_flag(*words);
		else
			array_push_back(&names, words);
	}
	array_append_zero(&names);
	*flags_r &= INVENTORY_FLAGS;
	*keywords_r = inventory_keywords_get(keywords, array_front(&names));
}

void inventory_flags_append(string_t *str, enum mail_flags flags,
			    const char *const *keywords)
{
	imap_write_flags(str, flags & INVENTORY_FLAGS, keywords);
}

void inventory_init(struct inventory *inventory,
		    struct inventory_keywords *keywords)
{
	inventory->keywords = keywords;
	i_array_init(&inventory->items, 128);
	i_array_init(&inventory->unknown, 8);
}

void inventory_deinit(struct inventory *inventory)
{
	array_free(&inventory->items);
	array_free(&inventory->unknown);
}

void inventory_expect(struct inventory *inventory, unsigned int count)
{
	i_assert(array_is_empty(&inventory->items));
	array_free(&inventory->items);
	/* growing by itself it takes up to twice as much; who tells the count isn't
	   to be believed anything */
	i_array_init(&inventory->items,
		     I_MIN(I_MAX(count, 1), INVENTORY_EXPECT_MAX));
}

void inventory_clear(struct inventory *inventory)
{
	array_clear(&inventory->items);
	array_clear(&inventory->unknown);
}

static int
item_cmp(const uint32_t *uid, const struct inventory_item *item)
{
	return *uid < item->uid ? -1 : (*uid > item->uid ? 1 : 0);
}

struct inventory_item *
inventory_get(struct inventory *inventory, uint32_t uid, bool *added_r)
{
	struct inventory_item *item;
	unsigned int idx = array_count(&inventory->items);

	*added_r = FALSE;
	/* they come in order, nearly always */
	item = idx == 0 ? NULL : array_back_modifiable(&inventory->items);
	if (item != NULL && item->uid >= uid &&
	    array_bsearch_insert_pos(&inventory->items, &uid, item_cmp, &idx))
		return array_idx_modifiable(&inventory->items, idx);

	*added_r = TRUE;
	item = array_insert_space(&inventory->items, idx);
	item->uid = uid;
	return item;
}

const struct inventory_item *
inventory_find(const struct inventory *inventory, uint32_t uid)
{
	unsigned int idx;

	return array_bsearch_insert_pos(&inventory->items, &uid, item_cmp,
					&idx) ?
		array_idx(&inventory->items, idx) : NULL;
}

void inventory_remove(struct inventory *inventory,
		      const ARRAY_TYPE(seq_range) *uids)
{
	struct inventory_item *items;
	unsigned int count, left = 0;

	if (array_is_empty(uids))
		return;
	items = array_get_modifiable(&inventory->items, &count);
	for (unsigned int i = 0; i < count; i++) {
		if (!seq_range_exists(uids, items[i].uid))
			items[left++] = items[i];
	}
	array_delete(&inventory->items, left, count - left);
}
