#include "lib.h"
#include "array.h"
#include "istream.h"
#include "imap-arg.h"
#include "imap-date.h"
#include "imap-seqset.h"
#include "ioloop.h"
#include "time-util.h"
#include "migration-user.h"
#include "old-client.h"
#include "old-fetch.h"
#include "own-expunges.h"
#include "uid-sets.h"
#include "mirror-private.h"

void mirror_burst_init(struct mirror_burst *burst, struct mirror *mirror,
		       struct mirror_box *box, struct mirror_box *dest)
{
	i_zero(burst);
	burst->mirror = mirror;
	burst->box = box;
	burst->dest = dest;
	burst->pool = pool_alloconly_create("mirror burst", 4096);
	p_array_init(&burst->ops, burst->pool, 16);
	inventory_init(&burst->shown, mirror->keywords);
}

void mirror_burst_deinit(struct mirror_burst *burst)
{
	inventory_deinit(&burst->shown);
	pool_unref(&burst->pool);
}

static void
ignore_reply(const struct old_reply *reply, struct mirror_burst *burst)
{
	if (reply->state == OLD_REPLY_LOST)
		burst->lost = TRUE;
}

/*
 * What the server shows
 */

static void
op_shown(struct burst_op *op, const struct inventory_item *item)
{
	const struct old_mailbox *mailbox = &op->burst->box->kept.mailbox;

	if (op->ops->type == MIRROR_STORE) {
		if (mirror_store_is_done(&op->store, mailbox, item))
			seq_range_array_remove(&op->uids, item->uid);
	} else if (op->ops->type == MIRROR_EXPUNGE) {
		if ((item->flags & MAIL_DELETED) == 0 &&
		    seq_range_exists(&op->deleted, item->uid) &&
		    seq_range_array_remove(&op->uids, item->uid))
			seq_range_array_add(&op->spared, item->uid);
	}
}

static void
item_shown(const struct old_fetch_item *fetched, struct mirror_burst *burst)
{
	struct inventory_item *item;
	struct burst_op *op;
	bool added;

	if ((fetched->fields & OLD_FETCH_UID) == 0 ||
	    (fetched->fields & OLD_FETCH_FLAGS) == 0)
		return;
	item = inventory_get(&burst->shown, fetched->uid, &added);
	item->flags = fetched->flags & INVENTORY_FLAGS;
	item->keywords = inventory_keywords_get(burst->mirror->keywords,
						fetched->keywords);
	array_foreach_elem(&burst->ops, op)
		op_shown(op, item);
}

/* VANISHED 405,407,410:425 (RFC 7162) */
static bool
untagged_shown(const struct old_untagged *untagged, struct mirror_burst *burst)
{
	ARRAY_TYPE(seq_range) uids;
	struct burst_op *op;
	const char *set;

	if (strcmp(untagged->name, "VANISHED") != 0 ||
	    !imap_arg_get_atom(untagged->args, &set))
		return FALSE;
	t_array_init(&uids, 8);
	if (imap_seq_set_nostar_parse(set, &uids) < 0)
		return FALSE;
	array_foreach_elem(&burst->ops, op) {
		if (op->ops->type == MIRROR_EXPUNGE ||
		    op->ops->type == MIRROR_STORE)
			seq_range_array_remove_seq_range(&op->uids, &uids);
	}
	return TRUE;
}

static int burst_item(void *context, const struct old_fetch_item *item)
{
	item_shown(item, context);
	return 0;
}

static bool burst_untagged(const struct old_untagged *untagged, void *context)
{
	return untagged_shown(untagged, context);
}

static const struct old_fetch_handler ask_handler = {
	.item = burst_item,
	.untagged = burst_untagged,
};

static void
send_ask(struct mirror_burst *burst, const ARRAY_TYPE(seq_range) *uids)
{
	struct old_fetch_request request = { .fields = OLD_FETCH_FLAGS };
	ARRAY_TYPE(const_string) sets;
	const char *set;

	uid_sets(uids, &sets);
	array_foreach_elem(&sets, set) {
		request.uids = set;
		old_fetch_send(burst->mirror->client, &request, &ask_handler,
			       ignore_reply, burst);
	}
}

/* A server needn't answer a STORE that changes nothing: these are asked for in
   the same burst. */
static void
get_needless(struct mirror_burst *burst, const struct burst_op *op,
	     ARRAY_TYPE(seq_range) *needless)
{
	const struct inventory_item *item;
	struct inventory local;

	inventory_init(&local, burst->mirror->keywords);
	local_copy_inventory_of_uids(burst->box->kept.copy, &op->uids, &local);
	array_foreach(&local.items, item) {
		if (mirror_store_is_done(&op->store, &burst->box->kept.mailbox,
					 item))
			seq_range_array_add(needless, item->uid);
	}
	inventory_deinit(&local);
}

/*
 * A burst
 */

static void
item_ignored(const struct old_fetch_item *item ATTR_UNUSED,
	     struct mirror_burst *burst ATTR_UNUSED)
{
}

static bool
untagged_ignored(const struct old_untagged *untagged ATTR_UNUSED,
		 struct mirror_burst *burst ATTR_UNUSED)
{
	return FALSE;
}

static int burst_wait(struct mirror_burst *burst)
{
	struct old_client *client = burst->mirror->client;
	enum mail_error error_code;
	const char *error;
	int ret;

	old_client_set_fetch(client, item_shown, burst);
	old_client_set_untagged(client, untagged_shown, burst);
	ret = old_client_wait(client, &error_code, &error);
	old_client_set_fetch(client, item_ignored, burst);
	old_client_set_untagged(client, untagged_ignored, burst);
	if (ret < 0)
		burst->lost = TRUE;
	return burst->lost ? -1 : 0;
}

static int send_all(struct mirror_burst *burst)
{
	ARRAY_TYPE(seq_range) needless;
	struct burst_op *op;
	bool saves = FALSE;

	t_array_init(&needless, 8);
	array_foreach_elem(&burst->ops, op) {
		if (op->ops->type == MIRROR_STORE)
			get_needless(burst, op, &needless);
		saves = saves || op->ops->type == MIRROR_APPEND;
		mirror_op_send(op);
	}
	send_ask(burst, &needless);
	/* then the connection knows the new UIDs, and the next turn needn't ask */
	if (saves)
		old_client_send(burst->mirror->client, ignore_reply, burst,
				"NOOP");
	burst->noop = saves;
	return burst_wait(burst);
}

/* It was answered by OK, and the server hasn't shown all of it to be so. */
static bool is_unconfirmed(const struct burst_op *op)
{
	return op->state == BURST_OK && !array_is_empty(&op->uids) &&
		(op->ops->type == MIRROR_STORE ||
		 op->ops->type == MIRROR_EXPUNGE);
}


static void
get_unconfirmed(struct mirror_burst *burst, ARRAY_TYPE(seq_range) *uids)
{
	struct burst_op *op;

	array_foreach_elem(&burst->ops, op) {
		if (is_unconfirmed(op))
			seq_range_array_merge(uids, &op->uids);
	}
}

/* Asked for and not shown: gone. */
static void forget_gone(struct mirror_burst *burst,
			const ARRAY_TYPE(seq_range) *asked)
{
	const struct inventory_item *item;
	ARRAY_TYPE(seq_range) gone;
	struct burst_op *op;

	t_array_init(&gone, 8);
	seq_range_array_merge(&gone, asked);
	array_foreach(&burst->shown.items, item)
		seq_range_array_remove(&gone, item->uid);
	array_foreach_elem(&burst->ops, op) {
		if (op->ops->type == MIRROR_STORE ||
		    op->ops->type == MIRROR_EXPUNGE)
			seq_range_array_remove_seq_range(&op->uids, &gone);
	}
}

static int ask_unconfirmed(struct mirror_burst *burst)
{
	ARRAY_TYPE(seq_range) uids;
	struct mirror_error error;

	i_array_init(&uids, 8);
	get_unconfirmed(burst, &uids);
	if (!array_is_empty(&uids)) {
		inventory_remove(&burst->shown, &uids);
		if (mirror_box_noop(burst->mirror, burst->box, &error) < 0) {
			burst->lost = TRUE;
		} else {
			send_ask(burst, &uids);
			if (burst_wait(burst) == 0)
				forget_gone(burst, &uids);
		}
	}
	array_free(&uids);
	return burst->lost ? -1 : 0;
}

/* Those that aren't done yet, once more. */
static int send_again(struct mirror_burst *burst)
{
	struct burst_op *op;

	array_foreach_elem(&burst->ops, op) {
		if (!is_unconfirmed(op))
			continue;
		op->state = BURST_PENDING;
		mirror_op_send(op);
	}
	return burst_wait(burst);
}

static void refuse_unconfirmed(struct mirror_burst *burst)
{
	struct burst_op *op;

	array_foreach_elem(&burst->ops, op) {
		if (!is_unconfirmed(op))
			continue;
		op->state = BURST_REFUSED;
		op->error.code = MAIL_ERROR_TEMP;
		op->error.text = op->ops->type == MIRROR_STORE ?
			"The old mail server didn't store the flags" :
			"The old mail server didn't expunge the messages";
	}
}

static void mark_lost(struct mirror_burst *burst)
{
	struct burst_op *op;

	array_foreach_elem(&burst->ops, op) {
		if (op->state == BURST_PENDING || is_unconfirmed(op))
			op->state = BURST_LOST;
	}
}

static void confirm(struct mirror_burst *burst)
{
	if (!burst->lost && ask_unconfirmed(burst) == 0 &&
	    send_again(burst) == 0 && ask_unconfirmed(burst) == 0)
		refuse_unconfirmed(burst);
	if (burst->lost)
		mark_lost(burst);
	else
		burst->mirror->answered = ioloop_time;
}

void mirror_burst_run(struct mirror_burst *burst)
{
	struct timeval start;

	i_gettimeofday(&start);
	if (send_all(burst) == 0)
		mirror_measure(burst->mirror, &start);
	confirm(burst);
}

void mirror_burst_resume(struct mirror_burst *burst)
{
	burst->lost = FALSE;
	inventory_clear(&burst->shown);
	(void)send_again(burst);
	confirm(burst);
}
