#include "lib.h"
#include "array.h"
#include "istream.h"
#include "imap-seqset.h"
#include "migration-user.h"
#include "body-stream.h"
#include "delta.h"
#include "digest-file.h"
#include "local-copy.h"
#include "message-digest.h"
#include "mirror-private.h"

/* A message that the old server has saved under that UID. */
struct saved_message {
	uint32_t uid;
	struct burst_op *op;
	/* APPEND */
	const struct mirror_op *append;
	/* COPY */
	uint32_t source_uid;
};

struct mirror_apply {
	struct mirror_burst *burst;
	/* what burst->shown says of messages that the copy has */
	struct inventory local;
	ARRAY(struct saved_message) saved;
};

/* The old server has it, and a refresh will bring it. */
static void
box_behind(struct mirror_burst *burst, struct mirror_box *box, const char *error)
{
	if (error != NULL)
		e_error(burst->mirror->muser->user->event, "migration: %s: %s",
			box->vname, error);
	box->behind = TRUE;
}

/*
 * Flags
 */

static bool
is_same(const struct inventory_item *a, const struct inventory_item *b)
{
	return a->flags == b->flags && a->keywords == b->keywords;
}

/* A STORE of a write, understood once for all its messages. */
struct own_store {
	ARRAY_TYPE(seq_range) uids;
	struct mirror_store store;
};
ARRAY_DEFINE_TYPE(own_store, struct own_store);

static void
get_stores(struct mirror_burst *burst, const struct mirror_write *write,
	   ARRAY_TYPE(own_store) *stores)
{
	const struct mirror_op *mop;
	struct own_store store;

	array_foreach(&write->ops, mop) {
		if (mop->type != MIRROR_STORE)
			continue;
		t_array_init(&store.uids, 8);
		if (imap_seq_set_nostar_parse(mop->uids, &store.uids) == 0 &&
		    mirror_store_parse(burst->mirror->keywords, mop->args,
				       &store.store) == 0)
			array_push_back(stores, &store);
	}
}

/* What the write's STOREs make of the message. */
static void
do_stores(struct mirror_burst *burst, const ARRAY_TYPE(own_store) *stores,
	  struct inventory_item *item)
{
	const struct own_store *store;

	array_foreach(stores, store) {
		if (seq_range_exists(&store->uids, item->uid))
			mirror_store_do(burst->mirror->keywords,
					&store->store, item);
	}
}

/* Messages that became exactly what this write makes of them: nobody else had a
   hand in it, so that its session needn't be told. */
static void
get_own_changes(struct mirror_apply *apply, const struct mirror_write *write,
		ARRAY_TYPE(seq_range) *uids)
{
	const struct inventory_item *item, *shown;
	struct inventory_item wanted;
	ARRAY_TYPE(own_store) stores;

	t_array_init(&stores, 4);
	get_stores(apply->burst, write, &stores);
	array_foreach(&apply->local.items, item) T_BEGIN {
		shown = inventory_find(&apply->burst->shown, item->uid);
		wanted = *item;
		do_stores(apply->burst, &stores, &wanted);
		if (shown != NULL && !is_same(item, shown) &&
		    is_same(&wanted, shown))
			seq_range_array_add(uids, item->uid);
	} T_END;
}

static bool has_store(const struct mirror_write *write)
{
	const struct mirror_op *op;

	array_foreach(&write->ops, op) {
		if (op->type == MIRROR_STORE)
			return TRUE;
	}
	return FALSE;
}

static int
set_own_flags(struct mirror_apply *apply, struct mirror_write *write,
	      ARRAY_TYPE(seq_range) *changed, const char **error_r)
{
	ARRAY_TYPE(seq_range) own;
	int ret;

	if (!has_store(write) || write->log.length > 0)
		return 0;
	i_array_init(&own, 8);
	get_own_changes(apply, write, &own);
	seq_range_array_intersect(&own, changed);
	seq_range_array_remove_seq_range(changed, &own);
	ret = local_copy_set_flags(apply->burst->box->kept.copy,
				   &apply->burst->shown, &own, &write->log,
				   error_r);
	array_free(&own);
	return ret;
}

/* Each write its own transaction, and one for what others have changed as well. */
static int
set_changed_flags(struct mirror_apply *apply, ARRAY_TYPE(seq_range) *changed,
		  const char **error_r)
{
	struct mirror_burst *burst = apply->burst;
	struct burst_op *op;

	array_foreach_elem(&burst->ops, op) {
		if (set_own_flags(apply, op->write, changed, error_r) < 0)
			return -1;
	}
	return local_copy_set_flags(burst->box->kept.copy, &burst->shown,
				    changed, NULL, error_r);
}

static int set_flags(struct mirror_apply *apply, const char **error_r)
{
	struct mirror_burst *burst = apply->burst;
	const struct inventory_item *item;
	ARRAY_TYPE(seq_range) changed;
	int ret;

	local_copy_inventory_of(burst->box->kept.copy, &burst->shown,
				&apply->local);
	i_array_init(&changed, 8);
	array_foreach(&apply->local.items, item) {
		if (!is_same(item, inventory_find(&burst->shown, item->uid)))
			seq_range_array_add(&changed, item->uid);
	}
	ret = set_changed_flags(apply, &changed, error_r);
	array_free(&changed);
	return ret;
}

/*
 * Expunges
 */

static void
add_expunged(struct mirror_burst *burst, const struct burst_op *op,
	     ARRAY_TYPE(seq_range) *expunged)
{
	(void)imap_seq_set_nostar_parse(op->ops->uids, expunged);
	if (array_is_empty(&op->spared))
		return;
	seq_range_array_remove_seq_range(expunged, &op->spared);
	/* with other flags by now */
	box_behind(burst, burst->box, NULL);
}

static int expunge(struct mirror_burst *burst, const char **error_r)
{
	struct mirror_box *box = burst->box;
	struct delta delta;
	struct burst_op *op;
	int ret;

	delta_init(&delta);
	array_foreach_elem(&burst->ops, op) {
		if (op->ops->type == MIRROR_EXPUNGE && op->state == BURST_OK)
			add_expunged(burst, op, &delta.expunged);
	}
	ret = local_copy_apply(box->kept.copy, &burst->shown, &delta, error_r);
	delta_deinit(&delta);
	return ret;
}

/*
 * Messages
 */

struct istream *mirror_append_stream(const struct mirror_write *write,
				     const struct mirror_op *op)
{
	struct istream *file = i_stream_create_fd(write->fd, IO_BLOCK_SIZE);
	struct istream *input = i_stream_create_range(file, op->offset,
						      op->size);

	i_stream_unref(&file);
	return input;
}

/* Each message with the UID that it got, in ascending order. */
static int saved_cmp(const struct saved_message *a,
		     const struct saved_message *b)
{
	return a->uid < b->uid ? -1 : (a->uid > b->uid ? 1 : 0);
}

static void add_saved(struct mirror_apply *apply, struct burst_op *op)
{
	struct seq_range_iter uids, sources;
	struct saved_message *message;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&uids, &op->new_uids);
	seq_range_array_iter_init(&sources, &op->source_uids);
	while (seq_range_array_iter_nth(&uids, n, &uid)) {
		message = array_append_space(&apply->saved);
		message->uid = uid;
		message->op = op;
		if (op->ops->type == MIRROR_APPEND)
			message->append = &op->ops[n];
		else
			(void)seq_range_array_iter_nth(&sources, n,
						       &message->source_uid);
		n++;
	}
}

static int
save_append(struct mirror_box *box, const struct saved_message *message,
	    const struct inventory_item *item, struct istream *input,
	    struct message_digest_context *ctx, const char **error_r)
{
	struct local_copy *copy = box->kept.copy;
	struct istream *body = body_stream_create(ctx);
	struct message_digest digest;
	int ret;

	body_stream_set_source(body, input);
	ret = local_copy_save_begin(copy, item, body, error_r);
	while (ret == 0 && !i_stream_read_eof(input)) {
		ret = local_copy_save_continue(copy, error_r);
		if (input->stream_errno != 0) {
			*error_r = t_strdup(i_stream_get_error(input));
			ret = -1;
		}
	}
	body_stream_set_source(body, NULL);
	body_stream_set_eof(body);
	if (ret == 0)
		ret = local_copy_save_continue(copy, error_r);
	if (ret < 0)
		local_copy_save_cancel(copy);
	else
		ret = local_copy_save_finish(copy, error_r);
	i_stream_destroy(&body);
	message_digest_finish(ctx, &digest);
	if (ret == 0)
		digest_file_add(box->kept.digests, message->uid, &digest);
	return ret;
}

static int
apply_append(struct mirror_burst *burst, const struct saved_message *message,
	     const char **error_r)
{
	struct mirror_box *box = burst->dest;
	const struct mirror_op *append = message->append;
	struct message_digest_context *ctx;
	struct inventory_item item = {
		.uid = message->uid,
		.date = append->date,
		.tz_offset = append->tz_offset,
	};
	enum mail_flags flags;
	struct istream *input;
	int ret;

	inventory_flags_parse(burst->mirror->keywords, append->flags, &flags,
			      &item.keywords);
	item.flags = flags & box->kept.mailbox.permanent_flags;
	ctx = message_digest_init(local_copy_saves_crlf(box->kept.copy));
	input = mirror_append_stream(message->op->write, append);
	ret = save_append(box, message, &item, input, ctx, error_r);
	i_stream_unref(&input);
	message_digest_deinit(&ctx);
	return ret;
}

/* As the copy of the source has it: what is newer there, the refresh of the
   destination brings. */
static int
apply_copy(struct mirror_burst *burst, const struct saved_message *message,
	   const char **error_r)
{
	struct mirror_box *source = burst->box, *box = burst->dest;
	struct message_digest digest;
	const struct inventory_item *item;
	struct inventory local;
	struct inventory_item copied;
	ARRAY_TYPE(seq_range) uids;
	int ret = -1;

	t_array_init(&uids, 1);
	seq_range_array_add(&uids, message->source_uid);
	inventory_init(&local, burst->mirror->keywords);
	local_copy_inventory_of_uids(source->kept.copy, &uids, &local);
	item = inventory_find(&local, message->source_uid);
	if (item == NULL ||
	    !digest_file_find(source->kept.digests, message->source_uid,
			      &digest)) {
		*error_r = t_strdup_printf("UID %u isn't here yet",
					   message->source_uid);
	} else {
		copied = *item;
		copied.uid = message->uid;
		ret = local_copy_save_from(box->kept.copy, &copied,
					   source->kept.copy,
					   message->source_uid, error_r);
	}
	if (ret == 0)
		digest_file_add(box->kept.digests, message->uid, &digest);
	inventory_deinit(&local);
	return ret;
}

static int
save_messages(struct mirror_apply *apply, bool *gap_r, const char **error_r)
{
	struct mirror_box *box = apply->burst->dest;
	const struct saved_message *message;
	uint32_t uid_next = mirror_box_uid_next(box);

	*gap_r = FALSE;
	array_foreach(&apply->saved, message) {
		if (message->uid != uid_next) {
			/* of others, that come first */
			*gap_r = TRUE;
			break;
		}
		if ((message->append != NULL ?
		     apply_append(apply->burst, message, error_r) :
		     apply_copy(apply->burst, message, error_r)) < 0)
			return -1;
		uid_next++;
	}
	if (digest_file_sync(box->kept.digests, error_r) < 0)
		return -1;
	return local_copy_commit(box->kept.copy, error_r);
}

static void save_all(struct mirror_apply *apply)
{
	struct mirror_burst *burst = apply->burst;
	struct burst_op *op;
	const char *error;
	bool gap;

	array_foreach_elem(&burst->ops, op) {
		if (op->state != BURST_OK || (op->ops->type != MIRROR_APPEND &&
					      op->ops->type != MIRROR_COPY))
			continue;
		if (op->uids_told &&
		    op->uid_validity == burst->dest->kept.uid_validity)
			add_saved(apply, op);
		else
			box_behind(burst, burst->dest, NULL);
	}
	if (array_count(&apply->saved) == 0)
		return;
	array_sort(&apply->saved, saved_cmp);
	if (save_messages(apply, &gap, &error) < 0) {
		local_copy_rollback(burst->dest->kept.copy);
		box_behind(burst, burst->dest, error);
	} else if (gap) {
		box_behind(burst, burst->dest, NULL);
	}
	burst->dest->kept.dirty = TRUE;
	if (burst->box == burst->dest && burst->noop)
		burst->box->known_uid = mirror_box_uid_next(burst->box);
}

void mirror_apply(struct mirror_burst *burst)
{
	struct mirror_apply apply = { .burst = burst };
	const char *error;

	inventory_init(&apply.local, burst->mirror->keywords);
	i_array_init(&apply.saved, 8);
	if (set_flags(&apply, &error) < 0 || expunge(burst, &error) < 0)
		box_behind(burst, burst->box, error);
	burst->box->kept.dirty = TRUE;
	save_all(&apply);
	array_free(&apply.saved);
	inventory_deinit(&apply.local);
}
