/* copy-back-flags: what flags changed here since the baseline, to the old server:
   each flag by itself, so that one which was set there meanwhile stays. */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "str.h"
#include "baseline.h"
#include "copy-back-private.h"
#include "old-fetch.h"
#include "uid-sets.h"

struct flag_stores {
	struct copy_back *cb;
	pool_t pool;
	/* "+FLAGS (\\Seen)" and the old server's UIDs that get it */
	HASH_TABLE(char *, struct flag_store *) stores;
	/* what they are to become, by the old server's UIDs */
	struct inventory wanted;
	bool lost;
};

struct flag_store {
	const char *args;
	ARRAY_TYPE(seq_range) uids;
};

static bool has_keyword(const char *const *keywords, const char *keyword)
{
	return keywords != NULL && str_array_icase_find(keywords, keyword);
}

/* those of names that others hasn't got */
static const char *const *
keywords_without(struct copy_back *cb, const char *const *names,
		 const char *const *others)
{
	ARRAY_TYPE(const_string) result;

	t_array_init(&result, 8);
	for (; names != NULL && *names != NULL; names++) {
		if (!has_keyword(others, *names))
			array_push_back(&result, names);
	}
	array_append_zero(&result);
	return inventory_keywords_get(cb->baseline->messages.keywords,
				      array_front(&result));
}

static void
add_store(struct flag_stores *stores, char sign, uint32_t old_uid,
	  enum mail_flags flags, const char *const *keywords)
{
	struct flag_store *store;
	string_t *args = t_str_new(64);

	if (flags == 0 && keywords == NULL)
		return;
	str_printfa(args, "%cFLAGS (", sign);
	inventory_flags_append(args, flags, keywords);
	str_append_c(args, ')');
	store = hash_table_lookup(stores->stores, str_c(args));
	if (store == NULL) {
		store = p_new(stores->pool, struct flag_store, 1);
		store->args = p_strdup(stores->pool, str_c(args));
		p_array_init(&store->uids, stores->pool, 16);
		hash_table_insert(stores->stores,
				  p_strdup(stores->pool, str_c(args)), store);
	}
	seq_range_array_add(&store->uids, old_uid);
}

static void
compare_flags(struct flag_stores *stores, const struct inventory_item *local,
	      const struct inventory_item *base)
{
	struct copy_back *cb = stores->cb;
	enum mail_flags mask = copy_back_flags_mask(cb);
	enum mail_flags add = local->flags & ~base->flags & mask;
	enum mail_flags remove = base->flags & ~local->flags & mask;
	const char *const *add_keywords = NULL, *const *remove_keywords;
	struct inventory_item *wanted;
	bool added;

	if (cb->mailbox.new_keywords)
		add_keywords = keywords_without(cb, local->keywords,
						base->keywords);
	remove_keywords = keywords_without(cb, base->keywords, local->keywords);
	if (add == 0 && remove == 0 && add_keywords == NULL &&
	    remove_keywords == NULL)
		return;
	add_store(stores, '+', base->uid, add, add_keywords);
	add_store(stores, '-', base->uid, remove, remove_keywords);
	wanted = inventory_get(&stores->wanted, base->uid, &added);
	wanted->flags = local->flags & mask;
	wanted->keywords = local->keywords;
}

static void compare_all(struct flag_stores *stores)
{
	struct copy_back *cb = stores->cb;
	const struct inventory_item *local, *base;
	uint32_t old_uid;

	array_foreach(&cb->local.items, local) {
		old_uid = copy_back_old_uid(cb, local->uid);
		if (old_uid == 0 || !seq_range_exists(&cb->old_uids, old_uid))
			continue;
		base = inventory_find(&cb->baseline->messages, old_uid);
		if (base != NULL) T_BEGIN {
			compare_flags(stores, local, base);
		} T_END;
	}
}

static void
replied(const struct old_reply *reply, struct flag_stores *stores)
{
	struct copy_back *cb = stores->cb;

	if (reply->state == OLD_REPLY_OK)
		return;
	(void)copy_back_fail(cb, reply->error_code, reply->error);
	if (reply->state == OLD_REPLY_LOST)
		stores->lost = TRUE;
	else
		cb->refused++;
}

static void send_stores(struct flag_stores *stores)
{
	struct old_client *client = stores->cb->set->client;
	struct hash_iterate_context *iter;
	ARRAY_TYPE(const_string) sets;
	struct old_command *cmd;
	struct flag_store *store;
	const char *set;
	char *key;

	iter = hash_table_iterate_init(stores->stores);
	while (hash_table_iterate(iter, stores->stores, &key, &store)) {
		uid_sets(&store->uids, &sets);
		array_foreach_elem(&sets, set) {
			cmd = old_command_new(client, "UID STORE");
			old_command_add(cmd, set);
			old_command_add(cmd, store->args);
			old_command_send(&cmd, replied, stores);
		}
	}
	hash_table_iterate_deinit(&iter);
}

/* A flag counts when the server has shown it. */
static int item_shown(void *context, const struct old_fetch_item *shown)
{
	struct flag_stores *stores = context;
	struct copy_back *cb = stores->cb;
	const struct inventory_item *wanted;
	struct inventory_item *item;
	enum mail_flags mask = copy_back_flags_mask(cb);
	bool added;

	if ((shown->fields & OLD_FETCH_UID) == 0 ||
	    (shown->fields & OLD_FETCH_FLAGS) == 0)
		return 0;
	wanted = inventory_find(&stores->wanted, shown->uid);
	if (wanted == NULL)
		return 0;
	if ((shown->flags & mask) == wanted->flags)
		cb->result->flags++;
	item = inventory_get(&cb->baseline->messages, shown->uid, &added);
	item->flags = shown->flags & INVENTORY_FLAGS;
	item->keywords = inventory_keywords_get(stores->wanted.keywords,
						shown->keywords);
	return 0;
}

static const struct old_fetch_handler shown_handler = {
	.item = item_shown,
};

static int ask_shown(struct flag_stores *stores)
{
	struct old_client *client = stores->cb->set->client;
	struct old_fetch_request req = { .fields = OLD_FETCH_FLAGS };
	const struct inventory_item *item;
	ARRAY_TYPE(const_string) sets;
	ARRAY_TYPE(seq_range) uids;
	enum mail_error error_code;
	const char *set, *error;

	t_array_init(&uids, 64);
	array_foreach(&stores->wanted.items, item)
		seq_range_array_add(&uids, item->uid);
	uid_sets(&uids, &sets);
	array_foreach_elem(&sets, set) {
		req.uids = set;
		old_fetch_send(client, &req, &shown_handler, replied, stores);
	}
	if (old_client_wait(client, &error_code, &error) < 0)
		return copy_back_fail(stores->cb, error_code, error);
	return stores->lost ? -1 : 0;
}

static int store_all(struct flag_stores *stores)
{
	enum mail_error error_code;
	const char *error;

	if (array_is_empty(&stores->wanted.items))
		return 0;
	send_stores(stores);
	if (old_client_wait(stores->cb->set->client, &error_code, &error) < 0)
		return copy_back_fail(stores->cb, error_code, error);
	return stores->lost ? -1 : ask_shown(stores);
}

int copy_back_flags(struct copy_back *cb)
{
	struct flag_stores stores = { .cb = cb };
	int ret;

	stores.pool = pool_alloconly_create("flag stores", 1024);
	hash_table_create(&stores.stores, stores.pool, 0, str_hash, strcmp);
	inventory_init(&stores.wanted, cb->baseline->messages.keywords);
	compare_all(&stores);
	ret = store_all(&stores);
	inventory_deinit(&stores.wanted);
	hash_table_destroy(&stores.stores);
	pool_unref(&stores.pool);
	return ret;
}
