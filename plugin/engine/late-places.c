#include "lib.h"
#include "array.h"
#include "hash.h"
#include "migration-user.h"
#include "baseline.h"
#include "late-deliver.h"
#include "late-places.h"
#include "mailbox-state.h"

struct late_places {
	pool_t pool;
	const char *username;
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
add_baseline(struct late_places *places, const char *vname,
	     const struct baseline *baseline)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	guid_128_t guid;
	uint32_t uid;

	seq_range_array_iter_init(&iter, &baseline->late);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		late_mail_guid(places->username, vname, baseline->uid_validity,
			       uid, guid);
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

const struct late_place *
late_places_find(struct late_places *places, const guid_128_t guid)
{
	const struct late_place *place =
		hash_table_lookup(places->places, guid);

	return place != NULL ? place : late_twins_find(places->twins, guid);
}
