#include "lib.h"
#include "array.h"
#include "imap-seqset.h"
#include "old-client.h"
#include "mirror-private.h"

/* One of the writes, and how far it is. */
struct pending_write {
	struct mirror_write *write;
	unsigned int next;
	bool answered;
};

struct mirror_turn {
	struct mirror *mirror;
	struct mirror_box *box;
	ARRAY(struct pending_write) writes;
};

static void
write_answer(struct pending_write *pending, enum mirror_answer answer,
	     const struct mirror_error *error)
{
	struct mirror_write *write = pending->write;

	pending->answered = TRUE;
	write->answer = answer;
	if (answer != MIRROR_FAILED)
		return;
	write->error_code = error->code;
	write->error = t_strdup(error->text);
}

static void
answer_all(struct mirror_turn *turn, enum mirror_answer answer,
	   const struct mirror_error *error)
{
	struct pending_write *pending;

	array_foreach_modifiable(&turn->writes, pending) {
		if (!pending->answered)
			write_answer(pending, answer, error);
	}
}

static const struct mirror_op *next_op(const struct pending_write *pending)
{
	if (pending->answered ||
	    pending->next >= array_count(&pending->write->ops))
		return NULL;
	return array_idx(&pending->write->ops, pending->next);
}

/* The session then has the bytes appended instead, if nothing was done yet. */
static void source_gone(struct pending_write *pending)
{
	static const struct mirror_error error = {
		MAIL_ERROR_INUSE,
		"The source mailbox was just moved to this server, try again",
	};

	write_answer(pending, pending->next == 0 ? MIRROR_GONE : MIRROR_FAILED,
		     &error);
}

/* The op as far as the round can take it. */
static bool
is_of_round(const struct mirror_op *op, const char *source)
{
	if (source == NULL)
		return op->type != MIRROR_COPY;
	return op->type == MIRROR_COPY && strcmp(op->source, source) == 0;
}

static void
add_write(struct mirror_burst *burst, struct pending_write *pending,
	  const char *source)
{
	const struct mirror_op *op;
	unsigned int used;

	while ((op = next_op(pending)) != NULL && is_of_round(op, source)) {
		if (source != NULL && op->source_uid_validity !=
		    burst->box->kept.uid_validity) {
			source_gone(pending);
			return;
		}
		if (mirror_op_add(burst, pending->write, op,
				  array_count(&pending->write->ops) -
				  pending->next, &used) < 0) {
			pending->answered = TRUE;
			return;
		}
		if (used == 0)
			return;
		pending->next += used;
	}
}

static uint32_t highest_uid(const struct mirror_burst *burst)
{
	const struct seq_range *range;
	struct burst_op *op;
	uint32_t uid = 0;

	array_foreach_elem(&burst->ops, op) {
		array_foreach(&op->uids, range)
			uid = I_MAX(uid, range->seq2);
	}
	return uid;
}

static void
take_uids(struct mirror_write *write, const struct burst_op *op)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, &op->new_uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid))
		array_push_back(&write->saved_uids, &uid);
}

static struct pending_write *
pending_of(struct mirror_turn *turn, const struct mirror_write *write)
{
	struct pending_write *pending;

	array_foreach_modifiable(&turn->writes, pending) {
		if (pending->write == write)
			return pending;
	}
	i_unreached();
}

static void end_round(struct mirror_turn *turn, struct mirror_burst *burst)
{
	struct pending_write *pending;
	struct burst_op *op;

	array_foreach_elem(&burst->ops, op) {
		pending = pending_of(turn, op->write);
		if (pending->answered)
			continue;
		if (op->state == BURST_OK)
			take_uids(op->write, op);
		else
			write_answer(pending, MIRROR_FAILED, &op->error);
	}
}

static int run_burst(struct mirror_turn *turn, struct mirror_burst *burst)
{
	struct mirror_error error;

	if (array_count(&burst->ops) == 0)
		return 0;
	if (highest_uid(burst) >= burst->box->known_uid &&
	    mirror_box_noop(turn->mirror, burst->box, &error) < 0) {
		answer_all(turn, MIRROR_FAILED, &error);
		return -1;
	}
	mirror_burst_run(burst);
	if (burst->lost)
		mirror_settle(burst);
	else
		mirror_apply(burst);
	end_round(turn, burst);
	return 0;
}

/* All that can be done with one mailbox selected: source, or NULL for the turn's
   own. Returns -1 when everything is answered. */
static int
run_round(struct mirror_turn *turn, struct mirror_box *box, const char *source)
{
	struct pending_write *pending;
	struct mirror_burst burst;
	int ret;

	mirror_burst_init(&burst, turn->mirror, box, turn->box);
	array_foreach_modifiable(&turn->writes, pending)
		add_write(&burst, pending, source);
	ret = run_burst(turn, &burst);
	mirror_burst_deinit(&burst);
	return ret;
}

static int run_own_round(struct mirror_turn *turn)
{
	struct mirror_error error;
	enum mirror_answer answer;

	answer = mirror_box_select(turn->mirror, turn->box, &error);
	if (answer == MIRROR_DONE)
		return run_round(turn, turn->box, NULL);
	answer_all(turn, answer, &error);
	return -1;
}

static void
answer_copies(struct mirror_turn *turn, const char *source,
	      enum mirror_answer answer, struct mirror_error *error)
{
	struct pending_write *pending;
	const struct mirror_op *op;

	array_foreach_modifiable(&turn->writes, pending) {
		op = next_op(pending);
		if (op == NULL || !is_of_round(op, source))
			continue;
		if (answer == MIRROR_FAILED)
			write_answer(pending, MIRROR_FAILED, error);
		else
			source_gone(pending);
	}
}

/* The destination's copy is open, to take what is copied. */
static enum mirror_answer
open_dest(struct mirror_turn *turn, struct mirror_error *error_r)
{
	if (turn->box->kept.copy != NULL && !turn->box->behind)
		return MIRROR_DONE;
	return mirror_box_select(turn->mirror, turn->box, error_r);
}

static int run_copy_round(struct mirror_turn *turn, const char *source)
{
	struct mirror_error error;
	struct mirror_box *box;
	enum mirror_answer answer;

	answer = open_dest(turn, &error);
	if (answer != MIRROR_DONE) {
		answer_all(turn, answer, &error);
		return -1;
	}
	/* however many sources there are, it stays open */
	mirror_box_used(turn->mirror, turn->box);
	answer = mirror_box_get(turn->mirror, source, &box, &error);
	if (answer == MIRROR_DONE)
		answer = mirror_box_select(turn->mirror, box, &error);
	if (answer != MIRROR_DONE) {
		answer_copies(turn, source, answer, &error);
		return 0;
	}
	return run_round(turn, box, source);
}

/* What comes first is done first; writes of others go along. */
static const struct mirror_op *first_op(struct mirror_turn *turn)
{
	const struct pending_write *pending;
	const struct mirror_op *op;

	array_foreach(&turn->writes, pending) {
		op = next_op(pending);
		if (op != NULL)
			return op;
	}
	return NULL;
}

static void run_rounds(struct mirror_turn *turn)
{
	const struct mirror_op *op;
	struct mirror_error error;
	struct fill_result result;

	while ((op = first_op(turn)) != NULL) {
		if ((op->type == MIRROR_COPY ?
		     run_copy_round(turn, op->source) :
		     run_own_round(turn)) < 0)
			return;
	}
	/* the client is to see it when it hears of it */
	if (turn->box->behind)
		(void)mirror_box_refresh(turn->mirror, turn->box, 0, &result,
					 &error);
}

static void add_pending(struct mirror_turn *turn, struct mirror_write *write)
{
	struct pending_write *pending = array_append_space(&turn->writes);

	pending->write = write;
	write->answer = MIRROR_DONE;
	i_zero(&write->log);
}

static bool
has_gone_source(struct mirror_turn *turn, const struct mirror_write *write)
{
	struct mirror_error error;
	const struct mirror_op *op;

	array_foreach(&write->ops, op) {
		if (op->type == MIRROR_COPY &&
		    mirror_box_state(turn->mirror, op->source, &error) !=
		    MIRROR_DONE)
			return TRUE;
	}
	return FALSE;
}

static void check_writes(struct mirror_turn *turn)
{
	struct pending_write *pending;

	array_foreach_modifiable(&turn->writes, pending) {
		if (pending->write->uid_validity !=
		    turn->box->kept.uid_validity ||
		    has_gone_source(turn, pending->write))
			write_answer(pending, MIRROR_GONE, NULL);
	}
}

static void
turn_init(struct mirror_turn *turn, struct mirror *mirror,
	  const ARRAY_TYPE(mirror_write) *writes)
{
	struct mirror_write *write;

	i_zero(turn);
	turn->mirror = mirror;
	t_array_init(&turn->writes, array_count(writes));
	array_foreach_elem(writes, write)
		add_pending(turn, write);
}

void mirror_write_all(struct mirror *mirror, struct mirror_box *box,
		      const ARRAY_TYPE(mirror_write) *writes)
{
	struct mirror_turn turn;

	turn_init(&turn, mirror, writes);
	turn.box = box;
	check_writes(&turn);
	run_rounds(&turn);
}

void mirror_write(struct mirror *mirror, const char *vname,
		  const ARRAY_TYPE(mirror_write) *writes)
{
	struct mirror_turn turn;
	struct mirror_error error;
	enum mirror_answer answer;

	turn_init(&turn, mirror, writes);
	answer = mirror_box_get(mirror, vname, &turn.box, &error);
	if (answer == MIRROR_DONE)
		answer = open_dest(&turn, &error);
	if (answer != MIRROR_DONE) {
		answer_all(&turn, answer, &error);
		return;
	}
	mirror_seen_replay(mirror, turn.box);
	check_writes(&turn);
	run_rounds(&turn);
}
