#include "lib.h"
#include "array.h"
#include "imap-util.h"
#include "str.h"
#include "migration-user.h"
#include "seen-queue.h"
#include "mirror-private.h"

static bool
get_queue(struct mirror *mirror, const char *vname, uint32_t uid_validity,
	  ARRAY_TYPE(seq_range) *uids, size_t *size_r)
{
	const char *error;

	if (seen_queue_get(mirror->muser->set.dir, vname, uid_validity, uids,
			   size_r, &error) == 0)
		return *size_r > 0;
	e_error(mirror->muser->user->event, "migration: %s", error);
	return FALSE;
}

bool mirror_seen_waits(struct mirror *mirror, const char *vname,
		       uint32_t uid_validity)
{
	ARRAY_TYPE(seq_range) uids;
	size_t size;

	t_array_init(&uids, 8);
	return get_queue(mirror, vname, uid_validity, &uids, &size);
}

static enum mirror_answer
store_seen(struct mirror *mirror, struct mirror_box *box,
	   const ARRAY_TYPE(seq_range) *uids)
{
	struct mirror_write write = {
		.uid_validity = box->kept.uid_validity, .fd = -1,
	}, *writep = &write;
	ARRAY_TYPE(mirror_write) writes;
	string_t *set = t_str_new(64);
	struct mirror_op *op;

	if (array_is_empty(uids))
		return MIRROR_DONE;
	imap_write_seq_range(set, uids);
	t_array_init(&write.ops, 1);
	t_array_init(&write.saved_uids, 1);
	op = array_append_space(&write.ops);
	op->type = MIRROR_STORE;
	op->uids = str_c(set);
	op->args = "+FLAGS (\\Seen)";
	t_array_init(&writes, 1);
	array_push_back(&writes, &writep);
	mirror_write_all(mirror, box, &writes);
	return write.answer;
}

void mirror_seen_replay(struct mirror *mirror, struct mirror_box *box)
{
	ARRAY_TYPE(seq_range) uids;
	const char *error;
	size_t size;

	t_array_init(&uids, 8);
	if (get_queue(mirror, box->vname, box->kept.uid_validity, &uids,
		      &size) &&
	    store_seen(mirror, box, &uids) == MIRROR_DONE &&
	    seen_queue_remove(mirror->muser->set.dir, box->vname, size,
			      &error) < 0)
		e_error(mirror->muser->user->event, "migration: %s", error);
}
