#include "lib.h"
#include "array.h"
#include "istream.h"
#include "imap-seqset.h"
#include "digest-file.h"
#include "local-copy.h"
#include "message-digest.h"
#include "mirror-private.h"

/* What the copies were before. */
struct settle {
	struct mirror_burst *burst;
	uint32_t dest_uid_next;
	/* new messages that were taken for an op already */
	ARRAY_TYPE(seq_range) taken;
};

int mirror_append_digest(const struct mirror_write *write,
			 const struct mirror_op *op,
			 struct message_digest *digest_r)
{
	struct message_digest_context *ctx = message_digest_init(FALSE);
	struct istream *input = mirror_append_stream(write, op);
	int ret = message_digest_stream(ctx, input, digest_r);

	message_digest_deinit(&ctx);
	i_stream_unref(&input);
	return ret;
}

/* A message that is new since with these bytes; 0: there's none. */
static uint32_t
find_new(struct settle *settle, const struct message_digest *wanted)
{
	struct mirror_box *box = settle->burst->dest;
	struct message_digest digest;
	ARRAY_TYPE(seq_range) uids;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid, found = 0;

	i_array_init(&uids, 64);
	local_copy_uids(box->kept.copy, &uids);
	seq_range_array_iter_init(&iter, &uids);
	while (found == 0 && seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (uid < settle->dest_uid_next ||
		    seq_range_exists(&settle->taken, uid))
			continue;
		if (digest_file_find(box->kept.digests, uid, &digest) &&
		    digest.size == wanted->size &&
		    memcmp(digest.wire, wanted->wire,
			   sizeof(wanted->wire)) == 0)
			found = uid;
	}
	array_free(&uids);
	return found;
}

static bool
settle_saved(struct settle *settle, struct burst_op *op,
	     const struct message_digest *wanted)
{
	uint32_t uid = find_new(settle, wanted);

	if (uid == 0)
		return FALSE;
	seq_range_array_add(&settle->taken, uid);
	seq_range_array_add(&op->new_uids, uid);
	return TRUE;
}

static bool settle_append(struct settle *settle, struct burst_op *op)
{
	struct message_digest digest;

	for (unsigned int i = 0; i < op->count; i++) {
		if (mirror_append_digest(op->write, &op->ops[i], &digest) < 0 ||
		    !settle_saved(settle, op, &digest))
			return FALSE;
	}
	return TRUE;
}

static bool settle_copy(struct settle *settle, struct burst_op *op)
{
	struct message_digest digest;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, &op->uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (!digest_file_find(settle->burst->box->kept.digests, uid,
				      &digest) ||
		    !settle_saved(settle, op, &digest))
			return FALSE;
	}
	return TRUE;
}

/* The copy is as the old server has it by now. */
static bool settle_store(struct settle *settle, struct burst_op *op)
{
	struct mirror_burst *burst = settle->burst;
	const struct inventory_item *item;
	struct inventory local;
	bool done = TRUE;

	inventory_init(&local, burst->mirror->keywords);
	local_copy_inventory_of_uids(burst->box->kept.copy, &op->uids, &local);
	array_foreach(&local.items, item) {
		if (!mirror_store_is_done(&op->store,
					  &burst->box->kept.mailbox, item))
			done = FALSE;
	}
	inventory_deinit(&local);
	return done;
}

static bool settle_expunge(struct settle *settle, struct burst_op *op)
{
	ARRAY_TYPE(seq_range) uids;
	bool gone;

	i_array_init(&uids, 64);
	local_copy_uids(settle->burst->box->kept.copy, &uids);
	(void)seq_range_array_intersect(&uids, &op->uids);
	gone = array_is_empty(&uids);
	array_free(&uids);
	return gone;
}

static bool settle_op(struct settle *settle, struct burst_op *op)
{
	switch (op->ops->type) {
	case MIRROR_STORE:
		return settle_store(settle, op);
	case MIRROR_EXPUNGE:
		return settle_expunge(settle, op);
	case MIRROR_APPEND:
		return settle_append(settle, op);
	case MIRROR_COPY:
		return settle_copy(settle, op);
	}
	i_unreached();
}

static bool refresh_both(struct mirror_burst *burst)
{
	struct mirror_error error;
	struct fill_result result;

	burst->dest->behind = TRUE;
	burst->box->behind = TRUE;
	if (burst->dest != burst->box &&
	    mirror_box_refresh(burst->mirror, burst->dest, 0, &result,
			       &error) != MIRROR_DONE)
		return FALSE;
	return mirror_box_refresh(burst->mirror, burst->box, 0, &result,
				  &error) == MIRROR_DONE &&
		burst->dest->kept.copy != NULL;
}

static bool can_be_repeated(const struct burst_op *op)
{
	return op->ops->type == MIRROR_STORE || op->ops->type == MIRROR_EXPUNGE;
}

static void op_not_done(struct burst_op *op, bool known)
{
	op->state = BURST_REFUSED;
	op->error.code = MAIL_ERROR_UNAVAILABLE;
	op->error.text = known ? "The connection to the old mail server was "
		"lost, and it wasn't done" :
		"The connection to the old mail server was lost";
}

/* Returns TRUE when it is to be done again. */
static bool settle_lost(struct settle *settle, struct burst_op *op, bool known)
{
	if (known && settle_op(settle, op)) {
		op->state = BURST_OK;
		array_clear(&op->uids);
		op->uids_told = TRUE;
		op->uid_validity = settle->burst->dest->kept.uid_validity;
		return FALSE;
	}
	if (known && can_be_repeated(op)) {
		op->state = BURST_OK;
		return TRUE;
	}
	op_not_done(op, known);
	return FALSE;
}

void mirror_settle(struct mirror_burst *burst)
{
	struct settle settle = {
		.burst = burst,
		.dest_uid_next = mirror_box_uid_next(burst->dest),
	};
	struct burst_op *op;
	bool known, again = FALSE;

	i_array_init(&settle.taken, 8);
	array_foreach_elem(&burst->ops, op)
		seq_range_array_merge(&settle.taken, &op->new_uids);
	known = refresh_both(burst);
	array_foreach_elem(&burst->ops, op) {
		if (op->state == BURST_LOST)
			again = settle_lost(&settle, op, known) || again;
	}
	array_free(&settle.taken);
	if (!again)
		return;
	mirror_burst_resume(burst);
	if (!burst->lost) {
		mirror_apply(burst);
		return;
	}
	array_foreach_elem(&burst->ops, op) {
		if (op->state == BURST_LOST)
			op_not_done(op, FALSE);
	}
}
