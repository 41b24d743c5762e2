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

/*
 * Ops
 */

static int
refuse_write(struct mirror_write *write, const char *error)
{
	write->answer = MIRROR_FAILED;
	write->error_code = MAIL_ERROR_PARAMS;
	write->error = error;
	return -1;
}

static unsigned int
count_appends(const struct mirror *mirror, const struct mirror_op *ops,
	      unsigned int count)
{
	unsigned int n = 1;

	if (!old_client_has(mirror->client, "MULTIAPPEND"))
		return 1;
	while (n < count && ops[n].type == MIRROR_APPEND)
		n++;
	return n;
}

/* A server may show once what several STOREs have made of a message: what this
   one did couldn't be seen then. */
static bool
stores_otherwise(const struct mirror_burst *burst, const struct burst_op *op)
{
	struct burst_op *other;

	array_foreach_elem(&burst->ops, other) {
		if (other->ops->type == MIRROR_STORE &&
		    other->write != op->write &&
		    strcmp(other->ops->args, op->ops->args) != 0 &&
		    seq_range_array_have_common(&other->uids, &op->uids))
			return TRUE;
	}
	return FALSE;
}

/* Who expunges what is \Deleted doesn't mean what isn't any more. */
static void get_deleted(struct burst_op *op)
{
	struct mirror_burst *burst = op->burst;
	const struct inventory_item *item;
	struct inventory local;

	inventory_init(&local, burst->mirror->keywords);
	local_copy_inventory_of_uids(burst->box->kept.copy, &op->uids, &local);
	array_foreach(&local.items, item) {
		if ((item->flags & MAIL_DELETED) != 0)
			seq_range_array_add(&op->deleted, item->uid);
	}
	inventory_deinit(&local);
}

int mirror_burst_add(struct mirror_burst *burst, struct mirror_write *write,
		     const struct mirror_op *ops, unsigned int count,
		     unsigned int *used_r)
{
	struct burst_op *op = p_new(burst->pool, struct burst_op, 1);

	op->burst = burst;
	op->write = write;
	op->ops = ops;
	op->count = 1;
	op->uids_told = TRUE;
	p_array_init(&op->uids, burst->pool, 4);
	p_array_init(&op->deleted, burst->pool, 4);
	p_array_init(&op->spared, burst->pool, 4);
	p_array_init(&op->source_uids, burst->pool, 4);
	p_array_init(&op->new_uids, burst->pool, 4);
	if (ops->type == MIRROR_APPEND)
		op->count = count_appends(burst->mirror, ops, count);
	else if (imap_seq_set_nostar_parse(ops->uids, &op->uids) < 0)
		return refuse_write(write, "Invalid set of UIDs");
	if (ops->type == MIRROR_STORE &&
	    mirror_store_parse(burst->mirror->keywords, ops->args,
			       &op->store) < 0)
		return refuse_write(write, "Invalid flags");
	if (ops->type == MIRROR_EXPUNGE)
		get_deleted(op);
	*used_r = 0;
	if (ops->type != MIRROR_STORE || !stores_otherwise(burst, op)) {
		array_push_back(&burst->ops, &op);
		*used_r = op->count;
	}
	return 0;
}

static void op_failed(struct burst_op *op, enum burst_state state,
		      const struct old_reply *reply)
{
	if (op->state == BURST_REFUSED || op->state == BURST_LOST)
		return;
	op->state = state;
	op->error.code = reply->error_code;
	op->error.text = p_strdup(op->burst->pool, reply->error);
}

static void op_answered(const struct old_reply *reply, struct burst_op *op)
{
	op->unanswered--;
	switch (reply->state) {
	case OLD_REPLY_OK:
		if (op->unanswered == 0 && op->state == BURST_PENDING)
			op->state = BURST_OK;
		break;
	case OLD_REPLY_NO:
	case OLD_REPLY_BAD:
		op_failed(op, BURST_REFUSED, reply);
		break;
	case OLD_REPLY_LOST:
		op_failed(op, BURST_LOST, reply);
		op->burst->lost = TRUE;
		break;
	}
}

/* Sets are told in the order of the messages: one that doesn't ascend can't be
   followed once it is an array of ranges. */
static bool parse_ascending(const char *set, ARRAY_TYPE(seq_range) *uids)
{
	const char *const *parts = t_strsplit(set, ",");
	uint32_t uid, previous = 0;

	for (; *parts != NULL; parts++) {
		if (imap_seq_set_nostar_parse(*parts, uids) < 0)
			return FALSE;
	}
	for (parts = t_strsplit(set, ",:"); *parts != NULL; parts++) {
		if (str_to_uint32(*parts, &uid) < 0 || uid < previous)
			return FALSE;
		previous = uid;
	}
	return previous > 0;
}

/* APPENDUID 38505 3955; COPYUID 38505 304,319:320 3956:3958 (RFC 4315). Returns
   FALSE when it isn't told, or not so that it can be followed. */
static bool told_uids(struct burst_op *op, const struct old_reply *reply)
{
	bool copy = op->ops->type == MIRROR_COPY;
	const char *const *words;

	if (strcmp(reply->code, copy ? "COPYUID" : "APPENDUID") != 0)
		return FALSE;
	words = t_strsplit_spaces(reply->code_value, " ");
	if (str_array_length(words) != (copy ? 3 : 2) ||
	    str_to_uint32(words[0], &op->uid_validity) < 0 ||
	    !parse_ascending(words[copy ? 2 : 1], &op->new_uids))
		return FALSE;
	if (!copy)
		return seq_range_count(&op->new_uids) == op->count;
	return parse_ascending(words[1], &op->source_uids) &&
		seq_range_count(&op->source_uids) ==
		seq_range_count(&op->new_uids);
}

static void
saved_callback(const struct old_reply *reply, struct burst_op *op)
{
	if (reply->state == OLD_REPLY_OK && !told_uids(op, reply))
		op->uids_told = FALSE;
	op_answered(reply, op);
}

/*
 * Commands
 */

static struct old_command *
uid_command(struct mirror_burst *burst, const char *name, const char *set)
{
	struct old_command *cmd = old_command_new(burst->mirror->client, name);

	old_command_add(cmd, set);
	return cmd;
}

static void
send_for(struct burst_op *op, struct old_command *cmd)
{
	op->unanswered++;
	old_command_send(&cmd, op_answered, op);
}

static void
send_stores(struct burst_op *op, const ARRAY_TYPE(const_string) *sets,
	    const char *args)
{
	struct old_command *cmd;
	const char *set;

	array_foreach_elem(sets, set) {
		cmd = uid_command(op->burst, "UID STORE", set);
		old_command_add(cmd, args);
		send_for(op, cmd);
	}
}

static void send_store(struct burst_op *op)
{
	ARRAY_TYPE(const_string) sets;

	uid_sets(&op->uids, &sets);
	send_stores(op, &sets, op->ops->args);
}

/* For a refresh that finds them gone, should this process die before the copy
   knows. */
static void remember_expunge(struct burst_op *op)
{
	struct mirror_burst *burst = op->burst;
	struct migration_user *muser = burst->mirror->muser;
	const char *error;

	if (own_expunges_add(muser->set.dir, burst->box->vname,
			     burst->box->kept.uid_validity, &op->uids,
			     &error) < 0)
		e_error(muser->user->event, "migration: %s", error);
}

static void send_expunge(struct burst_op *op)
{
	ARRAY_TYPE(const_string) sets;
	ARRAY_TYPE(seq_range) others;
	const char *set;

	remember_expunge(op);
	t_array_init(&others, 8);
	seq_range_array_merge(&others, &op->uids);
	seq_range_array_remove_seq_range(&others, &op->deleted);
	uid_sets(&others, &sets);
	send_stores(op, &sets, "+FLAGS.SILENT (\\Deleted)");
	uid_sets(&op->uids, &sets);
	array_foreach_elem(&sets, set)
		send_for(op, uid_command(op->burst, "UID EXPUNGE", set));
}

static void send_append(struct burst_op *op)
{
	struct old_command *cmd =
		old_command_new(op->burst->mirror->client, "APPEND");
	const struct mirror_op *append;
	struct istream *input;

	old_command_add_string(cmd, op->burst->dest->old_name);
	for (unsigned int i = 0; i < op->count; i++) {
		append = &op->ops[i];
		if (*append->flags != '\0')
			old_command_addf(cmd, "(%s)", append->flags);
		old_command_addf(cmd, "\"%s\"",
			imap_to_datetime_tz(append->date, append->tz_offset));
		input = mirror_append_stream(op->write, append);
		old_command_add_stream(cmd, input, append->size);
		i_stream_unref(&input);
	}
	op->unanswered++;
	old_command_send(&cmd, saved_callback, op);
}

static void send_copy(struct burst_op *op)
{
	ARRAY_TYPE(const_string) sets;
	struct old_command *cmd;
	const char *set;

	uid_sets(&op->uids, &sets);
	array_foreach_elem(&sets, set) {
		cmd = uid_command(op->burst, "UID COPY", set);
		old_command_add_string(cmd, op->burst->dest->old_name);
		op->unanswered++;
		old_command_send(&cmd, saved_callback, op);
	}
}

static void send_op(struct burst_op *op)
{
	switch (op->ops->type) {
	case MIRROR_STORE:
		send_store(op);
		break;
	case MIRROR_EXPUNGE:
		send_expunge(op);
		break;
	case MIRROR_APPEND:
		send_append(op);
		break;
	case MIRROR_COPY:
		send_copy(op);
		break;
	}
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
		send_op(op);
	}
	send_ask(burst, &needless);
	/* then the connection knows the new UIDs, and the next turn needn't ask */
	if (saves)
		old_client_send(burst->mirror->client, ignore_reply, burst,
				"NOOP");
	burst->noop = saves;
	return burst_wait(burst);
}

/* Of ops that were answered by OK: what the server hasn't shown to be so. */
static void
get_unconfirmed(struct mirror_burst *burst, ARRAY_TYPE(seq_range) *uids)
{
	struct burst_op *op;

	array_foreach_elem(&burst->ops, op) {
		if (op->state == BURST_OK && (op->ops->type == MIRROR_STORE ||
					      op->ops->type == MIRROR_EXPUNGE))
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
		if (op->state != BURST_OK || array_is_empty(&op->uids) ||
		    (op->ops->type != MIRROR_STORE &&
		     op->ops->type != MIRROR_EXPUNGE))
			continue;
		op->state = BURST_PENDING;
		send_op(op);
	}
	return burst_wait(burst);
}

static void refuse_unconfirmed(struct mirror_burst *burst)
{
	struct burst_op *op;

	array_foreach_elem(&burst->ops, op) {
		if (op->state != BURST_OK || array_is_empty(&op->uids) ||
		    (op->ops->type != MIRROR_STORE &&
		     op->ops->type != MIRROR_EXPUNGE))
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
		if (op->state == BURST_PENDING ||
		    (op->state == BURST_OK && !array_is_empty(&op->uids) &&
		     op->ops->type != MIRROR_COPY))
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
