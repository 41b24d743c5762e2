#include "lib.h"
#include "array.h"
#include "hash.h"
#include "seq-range-array.h"
#include "migration-user.h"
#include "baseline.h"
#include "late-deliver.h"
#include "late-places.h"
#include "mailbox-state.h"
#include "name-map.h"
#include "old-mailbox.h"

/* A mailbox of the old server, by its last look. */
struct places_box {
	const char *vname;
	uint32_t uid_validity;
	ARRAY_TYPE(seq_range) uids;
};

struct late_places {
	pool_t pool;
	const char *username;
	ARRAY(struct places_box) boxes;
	struct late_twins *twins;
	HASH_TABLE(uint8_t *, struct late_place *) places;
};

static void
add_place(struct late_places *places, const guid_128_t guid, const char *vname,
	  uint32_t uid_validity, uint32_t uid)
{
	struct late_place *place = p_new(places->pool, struct late_place, 1);
	uint8_t *key = p_malloc(places->pool, GUID_128_SIZE);

	memcpy(key, guid, GUID_128_SIZE);
	place->vname = vname;
	place->uid_validity = uid_validity;
	place->uid = uid;
	hash_table_update(places->places, key, place);
}

static void
add_box(struct late_places *places, const char *vname,
	const struct baseline *baseline)
{
	struct places_box *box = array_append_space(&places->boxes);
	const struct inventory_item *item;

	box->vname = vname;
	box->uid_validity = baseline->uid_validity;
	p_array_init(&box->uids, places->pool, 8);
	array_foreach(&baseline->messages.items, item)
		seq_range_array_add(&box->uids, item->uid);
}

static void
add_baseline(struct late_places *places, const char *vname,
	     const struct baseline *baseline)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	guid_128_t guid;
	uint32_t uid;

	add_box(places, vname, baseline);
	seq_range_array_iter_init(&iter, &baseline->late);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		late_mail_guid(places->username, vname, baseline->uid_validity,
			       baseline->resets, uid, guid);
		add_place(places, guid, vname, baseline->uid_validity, uid);
	}
}

static int
read_baseline(struct late_places *places, const char *dir, const char *vname,
	      const char **error_r)
{
	struct inventory_keywords *keywords = inventory_keywords_init();
	struct baseline baseline;
	int ret;

	baseline_init(&baseline, keywords);
	ret = baseline_read(dir, vname, &baseline, error_r);
	if (ret > 0)
		add_baseline(places, vname, &baseline);
	baseline_deinit(&baseline);
	inventory_keywords_deinit(&keywords);
	return ret < 0 ? -1 : 0;
}

static int
read_baselines(struct late_places *places, const char *dir,
	       const char **error_r)
{
	ARRAY_TYPE(const_string) none, vnames;
	const char *vname;
	int ret = 0;

	t_array_init(&none, 1);
	t_array_init(&vnames, 64);
	if (mailbox_state_find_others(dir, &none, places->pool, &vnames,
				      error_r) < 0)
		return -1;
	array_foreach_elem(&vnames, vname) {
		if (baseline_exists(dir, vname) && ret == 0)
			ret = read_baseline(places, dir, vname, error_r);
	}
	return ret;
}

int late_places_init(struct migration_user *muser,
		     struct late_places **places_r, const char **error_r)
{
	pool_t pool = pool_alloconly_create("late places", 4096);
	struct late_places *places = p_new(pool, struct late_places, 1);

	places->pool = pool;
	places->username = muser->user->username;
	p_array_init(&places->boxes, pool, 16);
	hash_table_create(&places->places, pool, 0, guid_128_hash,
			  guid_128_cmp);
	if (read_baselines(places, muser->set.dir, error_r) < 0 ||
	    late_twins_open(muser->set.dir, &places->twins, error_r) < 0) {
		late_places_deinit(&places);
		return -1;
	}
	*places_r = places;
	return 0;
}

void late_places_deinit(struct late_places **_places)
{
	struct late_places *places = *_places;

	if (places == NULL)
		return;
	*_places = NULL;
	late_twins_close(&places->twins);
	hash_table_destroy(&places->places);
	pool_unref(&places->pool);
}

/* Returns 0 with what is there, nothing when it is another mailbox or none. */
static int
get_uids(const struct places_box *box, struct old_client *client,
	 const char *old_name, ARRAY_TYPE(seq_range) *uids,
	 enum mail_error *error_code_r, const char **error_r)
{
	struct old_mailbox mailbox;

	if (old_name == NULL)
		return 0;
	if (old_mailbox_open(client, old_name, FALSE, &mailbox, error_code_r,
			     error_r) < 0)
		return *error_code_r == MAIL_ERROR_NOTFOUND ? 0 : -1;
	return mailbox.uid_validity != box->uid_validity ? 0 :
		old_mailbox_uids(client, uids, error_code_r, error_r);
}

int late_places_look(struct late_places *places, struct old_client *client,
		     const struct name_map *map,
		     enum mail_error *error_code_r, const char **error_r)
{
	ARRAY_TYPE(seq_range) uids;
	struct places_box *box;
	int ret = 0;

	i_array_init(&uids, 64);
	array_foreach_modifiable(&places->boxes, box) {
		array_clear(&uids);
		if (ret == 0 && array_not_empty(&box->uids))
			ret = get_uids(box, client,
				       name_map_to_old(map, box->vname), &uids,
				       error_code_r, error_r);
		(void)seq_range_array_intersect(&box->uids, &uids);
	}
	array_free(&uids);
	return ret;
}

static bool
is_there(const struct late_places *places, const struct late_place *place)
{
	const struct places_box *box;

	array_foreach(&places->boxes, box) {
		if (box->uid_validity == place->uid_validity &&
		    strcmp(box->vname, place->vname) == 0)
			return seq_range_exists(&box->uids, place->uid);
	}
	return FALSE;
}

const struct late_place *
late_places_find(struct late_places *places, const guid_128_t guid)
{
	const struct late_place *place =
		hash_table_lookup(places->places, guid);

	if (place == NULL)
		place = late_twins_find(places->twins, guid);
	return place != NULL && is_there(places, place) ? place : NULL;
}
