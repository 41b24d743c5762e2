/* mirror-watch-boxes: the wanted mailboxes and what is known of them. */

#include "mirror-watch-private.h"
#include "array.h"

/* So often in a row: then NOTIFY can't be relied on for this mailbox. Once is
   what an event that is just on its way looks like. */
#define WATCH_UNTOLD_MAX 2

void watch_boxes_init(struct mirror_watch *watch)
{
	i_array_init(&watch->boxes, 32);
	hash_table_create(&watch->by_vname, default_pool, 0, str_hash, strcmp);
	hash_table_create(&watch->by_old_name, default_pool, 0, str_hash,
			  strcmp);
}

/* INBOX is the only name without case. */
static const char *watch_name(const char *name)
{
	return strcasecmp(name, "INBOX") == 0 ? "INBOX" : name;
}

struct watch_box *
watch_box_find(const struct mirror_watch *watch, const char *vname)
{
	return hash_table_lookup(watch->by_vname, watch_name(vname));
}

struct watch_box *
watch_box_find_old(const struct mirror_watch *watch, const char *old_name)
{
	return hash_table_lookup(watch->by_old_name, watch_name(old_name));
}

static bool watch_get_map(struct mirror_watch *watch)
{
	if (watch->prefix == NULL &&
	    watch->set.name_map(watch->set.context, &watch->map)) {
		watch->old_prefix = i_strdup(watch->map.old_prefix);
		watch->prefix = i_strdup(watch->map.prefix);
		watch->map.old_prefix = watch->old_prefix;
		watch->map.prefix = watch->prefix;
	}
	return watch->prefix != NULL;
}

static struct watch_box *
watch_box_add(struct mirror_watch *watch, const char *vname,
	      const char *old_name)
{
	struct watch_box *box = i_new(struct watch_box, 1);

	box->watch = watch;
	box->vname = i_strdup(watch_name(vname));
	box->old_name = i_strdup(old_name);
	box->born = watch_now();
	array_push_back(&watch->boxes, &box);
	hash_table_insert(watch->by_vname, box->vname, box);
	hash_table_insert(watch->by_old_name, box->old_name, box);
	return box;
}

struct watch_box *watch_box_get(struct mirror_watch *watch, const char *vname)
{
	struct watch_box *box = watch_box_find(watch, vname);

	if (box != NULL || !watch_get_map(watch))
		return box;
	T_BEGIN {
		const char *old_name = name_map_to_old(&watch->map, vname);

		if (old_name != NULL)
			box = watch_box_add(watch, vname, old_name);
	} T_END;
	return box;
}

void watch_boxes_want(struct mirror_watch *watch,
		      const ARRAY_TYPE(const_string) *vnames, bool selected)
{
	struct watch_box *box;
	const char *vname;

	array_foreach_elem(vnames, vname) {
		box = watch_box_get(watch, vname);
		if (box == NULL || box->wanted == watch->want_count)
			continue;
		if (selected && !box->selected && box->asked == 0)
			box->ask = TRUE;
		else if (box->wanted == 0)
			watch_poll_soon(watch);
		box->wanted = watch->want_count;
		box->selected = selected;
	}
}

void watch_box_free(struct watch_box **_box)
{
	struct watch_box *box = *_box;

	*_box = NULL;
	i_assert(box->asked == 0);
	i_free(box->vname);
	i_free(box->old_name);
	i_free(box);
}

static void watch_box_remove(struct watch_box *box)
{
	hash_table_remove(box->watch->by_vname, box->vname);
	hash_table_remove(box->watch->by_old_name, box->old_name);
	if (box->asked != 0)
		box->removed = TRUE;
	else
		watch_box_free(&box);
}

void watch_boxes_sweep(struct mirror_watch *watch)
{
	struct watch_box *box;
	unsigned int i = array_count(&watch->boxes);

	while (i-- > 0) {
		box = array_idx_elem(&watch->boxes, i);
		if (box->wanted == watch->want_count)
			continue;
		array_delete(&watch->boxes, i, 1);
		watch_box_remove(box);
	}
}

void watch_boxes_deinit(struct mirror_watch *watch)
{
	watch->want_count++;
	watch_boxes_sweep(watch);
	hash_table_destroy(&watch->by_vname);
	hash_table_destroy(&watch->by_old_name);
	array_free(&watch->boxes);
	i_free(watch->old_prefix);
	i_free(watch->prefix);
}

bool watch_box_update(struct watch_box *box, const struct mirror_status *told,
		      enum watch_items items)
{
	struct mirror_status status = box->status;
	bool changed;

	if ((items & WATCH_UIDVALIDITY) != 0 &&
	    status.uid_validity != told->uid_validity) {
		/* another mailbox of that name */
		i_zero(&status);
		status.uid_validity = told->uid_validity;
	}
	if ((items & WATCH_MESSAGES) != 0)
		status.messages = told->messages;
	if ((items & WATCH_UIDNEXT) != 0)
		status.uid_next = told->uid_next;
	if ((items & WATCH_MODSEQ) != 0)
		status.modseq = told->modseq;
	changed = status.uid_validity != box->status.uid_validity ||
		status.messages != box->status.messages ||
		status.uid_next != box->status.uid_next ||
		status.modseq != box->status.modseq;
	box->status = status;
	return changed;
}

void watch_box_set_known(struct watch_box *box, uint64_t asked)
{
	struct mirror_watch *watch = box->watch;

	box->known = I_MAX(box->known, asked);
	if (watch->notify == WATCH_NOTIFY_HELD && asked > watch->notify_since)
		box->notify = watch->notify_count;
}

void watch_box_set_gone(struct watch_box *box)
{
	i_zero(&box->status);
	box->known = 0;
	box->notify = 0;
}

bool watch_box_is_notified(const struct watch_box *box)
{
	/* Dovecot now and then forgets to tell of INBOX: what is selected must
	   be known by STATUS */
	return !box->selected && box->watch->notify == WATCH_NOTIFY_HELD &&
		box->notify == box->watch->notify_count &&
		box->untold < WATCH_UNTOLD_MAX;
}
