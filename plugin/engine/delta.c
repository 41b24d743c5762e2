#include "lib.h"
#include "array.h"
#include "seq-range-array.h"
#include "delta.h"

static void
add_new(struct delta *delta, const struct inventory_item *item,
	uint32_t local_next_uid)
{
	if (item->uid < local_next_uid) {
		seq_range_array_add(&delta->missed, item->uid);
		return;
	}
	seq_range_array_add(&delta->fetch, item->uid);
	delta->fetch_count++;
	delta->fetch_bytes += item->size;
}

static bool
is_changed(const struct inventory_item *old, const struct inventory_item *local)
{
	return (old->flags & INVENTORY_FLAGS) !=
		(local->flags & INVENTORY_FLAGS) ||
		old->keywords != local->keywords;
}

void delta_init(struct delta *delta)
{
	i_zero(delta);
	i_array_init(&delta->fetch, 8);
	i_array_init(&delta->missed, 8);
	i_array_init(&delta->expunged, 8);
	i_array_init(&delta->changed, 8);
}

void delta_clear(struct delta *delta)
{
	delta_deinit(delta);
	delta_init(delta);
}

void delta_compute(const struct inventory *old, const struct inventory *local,
		   uint32_t local_next_uid, bool complete, struct delta *delta)
{
	const struct inventory_item *o, *l;
	unsigned int oi = 0, li = 0, old_count, local_count;

	i_assert(old->keywords == local->keywords);

	o = array_get(&old->items, &old_count);
	l = array_get(&local->items, &local_count);
	while (oi < old_count || li < local_count) {
		if (li == local_count ||
		    (oi < old_count && o[oi].uid < l[li].uid)) {
			add_new(delta, &o[oi++], local_next_uid);
		} else if (oi == old_count || l[li].uid < o[oi].uid) {
			if (complete)
				seq_range_array_add(&delta->expunged,
						    l[li].uid);
			li++;
		} else {
			if (is_changed(&o[oi], &l[li]))
				seq_range_array_add(&delta->changed,
						    o[oi].uid);
			oi++; li++;
		}
	}
}

void delta_add_expunged(struct delta *delta, const struct inventory *local,
			const ARRAY_TYPE(seq_range) *old_uids)
{
	const struct inventory_item *item;

	array_foreach(&local->items, item) {
		if (!seq_range_exists(old_uids, item->uid))
			seq_range_array_add(&delta->expunged, item->uid);
	}
}

void delta_add_missed(struct delta *delta, const struct inventory *local,
		      uint32_t local_next_uid,
		      const ARRAY_TYPE(seq_range) *old_uids)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, old_uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid) &&
	       uid < local_next_uid) {
		if (inventory_find(local, uid) == NULL)
			seq_range_array_add(&delta->missed, uid);
	}
}

void delta_leave_out(struct delta *delta, const ARRAY_TYPE(seq_range) *uids)
{
	delta->fetch_count -=
		seq_range_array_remove_seq_range(&delta->fetch, uids);
	seq_range_array_remove_seq_range(&delta->missed, uids);
}

void delta_leave_alone(struct delta *delta, const ARRAY_TYPE(seq_range) *uids)
{
	delta_leave_out(delta, uids);
	seq_range_array_remove_seq_range(&delta->changed, uids);
}

bool delta_is_empty(const struct delta *delta)
{
	return array_is_empty(&delta->fetch) &&
		array_is_empty(&delta->missed) &&
		array_is_empty(&delta->expunged) &&
		array_is_empty(&delta->changed);
}

void delta_deinit(struct delta *delta)
{
	array_free(&delta->fetch);
	array_free(&delta->missed);
	array_free(&delta->expunged);
	array_free(&delta->changed);
}
