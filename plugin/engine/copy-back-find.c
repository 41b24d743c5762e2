/* copy-back-find: messages on the old server, by their bytes. */

#include "lib.h"
#include "array.h"
#include "migration-user.h"
#include "baseline.h"
#include "copy-back-private.h"
#include "old-digests.h"
#include "old-inventory.h"

#include <time.h>

/* So long an APPEND that was sent whole may take a server that has lost the
   connection meanwhile: nothing tells when it has given it up. */
#define LOST_APPEND_SECS 5

struct find {
	struct copy_back *cb;
	const ARRAY_TYPE(copy_intent) *wanted;
	ARRAY_TYPE(uint32_t) *uids;
	/* what of the old server's messages may be one of them */
	ARRAY_TYPE(seq_range) candidates;
};

/* They are somebody's: a message here has them for its own. */
static void remove_known(struct find *find)
{
	struct copy_back *cb = find->cb;
	const struct inventory_item *item;
	const struct copy_pair *pair;

	array_foreach(&cb->pairs.pairs, pair)
		seq_range_array_remove(&find->candidates, pair->old_uid);
	seq_range_array_remove_seq_range(&find->candidates,
					 &cb->baseline->late);
	if (!cb->same_uids)
		return;
	array_foreach(&cb->local.items, item) {
		if (item->uid < cb->state.uid_floor)
			seq_range_array_remove(&find->candidates, item->uid);
	}
}

static bool has_size(const struct find *find, uint64_t size)
{
	const struct copy_intent *intent;

	array_foreach(find->wanted, intent) {
		if (intent->size == size)
			return TRUE;
	}
	return FALSE;
}

/* RFC822.SIZE spares most bodies. What the server doesn't tell is looked at. */
static void
remove_other_sizes(struct find *find, const struct inventory *inventory)
{
	const struct inventory_item *item;

	array_foreach(&inventory->items, item) {
		if (!has_size(find, item->size) &&
		    !seq_range_exists(&inventory->unknown, item->uid))
			seq_range_array_remove(&find->candidates, item->uid);
	}
}

static void
take_digest(struct find *find, const struct old_digest *found)
{
	unsigned int i, count;
	const struct copy_intent *wanted = array_get(find->wanted, &count);
	uint32_t *uids = array_front_modifiable(find->uids);

	for (i = 0; i < count; i++) {
		if (uids[i] == 0 && wanted[i].size == found->digest.size &&
		    memcmp(wanted[i].wire, found->digest.wire,
			   sizeof(wanted[i].wire)) == 0) {
			uids[i] = found->uid;
			return;
		}
	}
}

static int look_at_candidates(struct find *find)
{
	struct copy_back *cb = find->cb;
	ARRAY_TYPE(old_digest) digests;
	const struct old_digest *digest;
	enum mail_error error_code;
	const char *error;
	int ret;

	if (array_is_empty(&find->candidates))
		return 0;
	i_array_init(&digests, 16);
	ret = old_digests_get(cb->set->client, &find->candidates, &digests,
			      &error_code, &error);
	array_foreach(&digests, digest)
		take_digest(find, digest);
	array_free(&digests);
	return ret < 0 ? copy_back_fail(cb, error_code, error) : 0;
}

static int find_sizes(struct find *find, uint32_t first_uid)
{
	struct copy_back *cb = find->cb;
	struct inventory inventory;
	enum mail_error error_code;
	const char *error;
	int ret;

	inventory_init(&inventory, cb->baseline->messages.keywords);
	ret = old_inventory_get(cb->set->client, first_uid, UINT32_MAX,
				&inventory, &error_code, &error);
	remove_other_sizes(find, &inventory);
	inventory_deinit(&inventory);
	return ret < 0 ? copy_back_fail(cb, error_code, error) : 0;
}

int copy_back_find(struct copy_back *cb, const ARRAY_TYPE(copy_intent) *wanted,
		   uint32_t first_uid, ARRAY_TYPE(uint32_t) *uids_r)
{
	struct find find = { .cb = cb, .wanted = wanted, .uids = uids_r };
	int ret = 0;

	array_clear(uids_r);
	for (unsigned int i = 0; i < array_count(wanted); i++)
		array_append_zero(uids_r);
	i_array_init(&find.candidates, 64);
	seq_range_array_merge(&find.candidates, &cb->old_uids);
	if (first_uid > 1)
		seq_range_array_remove_range(&find.candidates, 1,
					     first_uid - 1);
	remove_known(&find);
	if (array_not_empty(&find.candidates)) {
		ret = find_sizes(&find, first_uid);
		if (ret == 0)
			ret = look_at_candidates(&find);
	}
	array_free(&find.candidates);
	return ret;
}

/* Could what isn't there still come? */
static bool may_still_come(struct copy_back *cb)
{
	time_t now = time(NULL);

	if (cb->pairs.lost == 0 || cb->pairs.lost > now)
		cb->pairs.lost = now;
	return now - cb->pairs.lost < LOST_APPEND_SECS;
}

static void take_found(struct copy_back *cb, const ARRAY_TYPE(uint32_t) *uids)
{
	ARRAY_TYPE(copy_intent) left;
	const struct copy_intent *intent;
	const uint32_t *uid = array_front(uids);

	t_array_init(&left, array_count(uids));
	array_foreach(&cb->pairs.intents, intent) {
		if (*uid != 0)
			copy_back_add(cb, intent->local_uid, *uid);
		else
			array_push_back(&left, intent);
		uid++;
	}
	array_clear(&cb->pairs.intents);
	array_append_array(&cb->pairs.intents, &left);
}

int copy_back_find_intents(struct copy_back *cb)
{
	ARRAY_TYPE(uint32_t) uids;
	bool wait = FALSE;

	t_array_init(&uids, 16);
	if (copy_back_find(cb, &cb->pairs.intents, cb->pairs.intents_uid,
			   &uids) < 0)
		return -1;
	take_found(cb, &uids);
	if (array_not_empty(&cb->pairs.intents))
		wait = may_still_come(cb);
	if (!wait) {
		array_clear(&cb->pairs.intents);
		cb->pairs.lost = 0;
	}
	if (copy_back_remember(cb) < 0)
		return -1;
	return wait ? 0 : 1;
}
