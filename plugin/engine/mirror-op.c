#include "lib.h"
#include "array.h"
#include "istream.h"
#include "imap-date.h"
#include "imap-seqset.h"
#include "local-copy.h"
#include "migration-user.h"
#include "old-client.h"
#include "own-expunges.h"
#include "uid-sets.h"
#include "mirror-private.h"

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

int mirror_op_add(struct mirror_burst *burst, struct mirror_write *write,
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

void mirror_op_send(struct burst_op *op)
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
