/* copy-back-append: new messages, in batches: their intents durable before they are
   sent, their pairs before the next batch. */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "istream-crlf.h"
#include "imap-date.h"
#include "str.h"
#include "mail-storage-private.h"
#include "migration-user.h"
#include "baseline.h"
#include "copy-back-private.h"
#include "local-copy.h"

/* together; a larger message goes alone */
#define BATCH_MESSAGES 64
#define BATCH_BYTES (8 * 1024 * 1024)

enum append_state {
	APPEND_PENDING,
	/* was it before */
	APPEND_THERE,
	/* old_uid 0: the server hasn't told it */
	APPEND_DONE,
	APPEND_REFUSED,
	APPEND_LOST,
};

struct append {
	struct append_batch *batch;
	struct mail *mail;
	uint32_t local_uid;
	struct message_digest digest;
	enum append_state state;
	uint32_t old_uid;
};
ARRAY_DEFINE_TYPE(append, struct append *);

struct append_batch {
	struct copy_back *cb;
	pool_t pool;
	struct mailbox_transaction_context *trans;
	ARRAY_TYPE(append) appends;
	uint64_t bytes;
};

/*
 * Which ones
 */

int copy_back_digest(struct copy_back *cb, struct mail *mail,
		     struct message_digest *digest_r)
{
	struct message_digest_context *ctx;
	struct istream *input, *crlf;
	int ret;

	if (mail_get_stream(mail, NULL, NULL, &input) < 0) {
		if (mail->expunged ||
		    mailbox_get_last_mail_error(mail->box) ==
		    MAIL_ERROR_EXPUNGED)
			return 0;
		return copy_back_fail(cb, MAIL_ERROR_TEMP,
			mailbox_get_last_internal_error(mail->box, NULL));
	}
	ctx = message_digest_init(FALSE);
	crlf = i_stream_create_crlf(input);
	ret = message_digest_stream(ctx, crlf, digest_r);
	if (ret < 0)
		(void)copy_back_fail(cb, MAIL_ERROR_TEMP,
				     i_stream_get_error(crlf));
	i_stream_unref(&crlf);
	message_digest_deinit(&ctx);
	return ret < 0 ? -1 : 1;
}

/* Does a message that is there in another mailbox count as being there? In a
   rollback only if clients see it, by then. */
static bool place_counts(struct copy_back *cb, const struct late_place *place)
{
	const char *dir = cb->set->muser->set.dir, *vname;

	if (!cb->set->rollback)
		return TRUE;
	if (mailbox_state_is(dir, place->vname, MAILBOX_STATE_DELETED))
		return FALSE;
	if (!mailbox_state_is(dir, place->vname, MAILBOX_STATE_LOCAL))
		return TRUE;
	array_foreach_elem(cb->set->others, vname) {
		if (strcmp(vname, place->vname) == 0)
			return TRUE;
	}
	return FALSE;
}

static bool place_is_here(struct copy_back *cb, const struct late_place *place)
{
	return strcmp(place->vname, cb->set->vname) == 0 &&
		place->uid_validity == cb->mailbox.uid_validity;
}

/* Did it come from the old server? Then it is known from now on. */
static bool
is_late(struct copy_back *cb, struct mail *mail, bool *changed_r)
{
	const struct late_place *place;
	const char *value;
	guid_128_t guid;

	if (mail_get_special(mail, MAIL_FETCH_GUID, &value) < 0)
		return FALSE;
	mail_generate_guid_128_hash(value, guid);
	place = late_places_find(cb->places, guid);
	if (place == NULL)
		return FALSE;
	if (place_is_here(cb, place)) {
		if (copy_pairs_find_local(&cb->pairs, place->uid) != 0)
			return FALSE;
		copy_pairs_add(&cb->pairs, mail->uid, place->uid, TRUE);
		*changed_r = TRUE;
		return !cb->set->rollback ||
			seq_range_exists(&cb->old_uids, place->uid);
	}
	return place_counts(cb, place);
}

static bool is_missing(struct copy_back *cb, uint32_t uid)
{
	uint32_t old_uid = copy_back_old_uid(cb, uid);

	if (seq_range_exists(&cb->pairs.elsewhere, uid))
		return FALSE;
	if (cb->set->rollback) {
		return old_uid == 0 ||
			!seq_range_exists(&cb->old_uids, old_uid);
	}
	return old_uid == 0 && uid >= cb->state.uid_floor;
}

static int
leave_late(struct copy_back *cb, ARRAY_TYPE(seq_range) *uids)
{
	struct mailbox_transaction_context *trans;
	ARRAY_TYPE(seq_range) late;
	struct seq_range_iter iter;
	unsigned int n = 0;
	struct mail *mail;
	const char *error;
	bool changed = FALSE;
	uint32_t uid;

	if (cb->places == NULL &&
	    late_places_init(cb->set->muser, &cb->places, &error) < 0)
		return copy_back_fail(cb, MAIL_ERROR_TEMP, error);
	t_array_init(&late, 16);
	trans = mailbox_transaction_begin(local_copy_box(cb->copy), 0,
					  __func__);
	mail = mail_alloc(trans, 0, NULL);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) T_BEGIN {
		if (mail_set_uid(mail, uid) && is_late(cb, mail, &changed))
			seq_range_array_add(&late, uid);
	} T_END;
	mail_free(&mail);
	mailbox_transaction_rollback(&trans);
	seq_range_array_remove_seq_range(uids, &late);
	return changed && !cb->set->plan ? copy_back_remember(cb) : 0;
}

int copy_back_missing(struct copy_back *cb, ARRAY_TYPE(seq_range) *uids_r)
{
	const struct inventory_item *item;

	array_foreach(&cb->local.items, item) {
		if (is_missing(cb, item->uid))
			seq_range_array_add(uids_r, item->uid);
	}
	return array_is_empty(uids_r) ? 0 : leave_late(cb, uids_r);
}

/*
 * A batch
 */

static void batch_init(struct append_batch *batch, struct copy_back *cb)
{
	i_zero(batch);
	batch->cb = cb;
	batch->pool = pool_alloconly_create("append batch", 4096);
	batch->trans = mailbox_transaction_begin(local_copy_box(cb->copy), 0,
						 __func__);
	p_array_init(&batch->appends, batch->pool, BATCH_MESSAGES);
}

static void batch_deinit(struct append_batch *batch)
{
	struct append *append;

	array_foreach_elem(&batch->appends, append)
		mail_free(&append->mail);
	mailbox_transaction_rollback(&batch->trans);
	pool_unref(&batch->pool);
}

/* Returns FALSE when there is no room. */
static bool batch_add(struct append_batch *batch, uint32_t uid)
{
	struct append *append;
	struct message_digest digest;
	struct mail *mail;
	int ret = 0;

	if (array_count(&batch->appends) == BATCH_MESSAGES)
		return FALSE;
	mail = mail_alloc(batch->trans, 0, NULL);
	if (mail_set_uid(mail, uid))
		ret = copy_back_digest(batch->cb, mail, &digest);
	if (ret <= 0) {
		/* gone: expunged meanwhile; else the others go on */
		if (ret < 0)
			batch->cb->refused++;
		mail_free(&mail);
		return TRUE;
	}
	if (array_not_empty(&batch->appends) &&
	    batch->bytes + digest.size > BATCH_BYTES) {
		mail_free(&mail);
		return FALSE;
	}
	append = p_new(batch->pool, struct append, 1);
	append->batch = batch;
	append->mail = mail;
	append->local_uid = uid;
	append->digest = digest;
	array_push_back(&batch->appends, &append);
	batch->bytes += digest.size;
	return TRUE;
}

/* As many as there is room for, which are taken from uids. */
static void batch_fill(struct append_batch *batch, ARRAY_TYPE(seq_range) *uids)
{
	ARRAY_TYPE(seq_range) taken;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	t_array_init(&taken, 8);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid) &&
	       batch_add(batch, uid))
		seq_range_array_add(&taken, uid);
	seq_range_array_remove_seq_range(uids, &taken);
}

static void add_intent(struct copy_back *cb, const struct append *append)
{
	struct copy_intent *intent = array_append_space(&cb->pairs.intents);

	intent->local_uid = append->local_uid;
	intent->size = append->digest.size;
	memcpy(intent->wire, append->digest.wire, sizeof(intent->wire));
}

/* Some may be there already, of a run of which nothing is known any more. */
static int take_those_there(struct append_batch *batch, uint32_t first_uid)
{
	struct copy_back *cb = batch->cb;
	ARRAY_TYPE(uint32_t) uids;
	struct append *append;
	const uint32_t *uid;

	t_array_init(&uids, BATCH_MESSAGES);
	if (copy_back_find(cb, &cb->pairs.intents, first_uid, &uids) < 0)
		return -1;
	uid = array_front(&uids);
	array_foreach_elem(&batch->appends, append) {
		append->old_uid = *uid++;
		if (append->old_uid != 0) {
			append->state = APPEND_THERE;
			copy_back_add(cb, append->local_uid, append->old_uid);
		}
	}
	return 0;
}

static int batch_prepare(struct append_batch *batch)
{
	struct copy_back *cb = batch->cb;
	struct append *append;

	array_clear(&cb->pairs.intents);
	array_foreach_elem(&batch->appends, append)
		add_intent(cb, append);
	if ((cb->set->rollback || cb->pairs_lost) &&
	    take_those_there(batch, 1) < 0)
		return -1;
	array_clear(&cb->pairs.intents);
	array_foreach_elem(&batch->appends, append) {
		if (append->state == APPEND_PENDING)
			add_intent(cb, append);
	}
	cb->pairs.intents_uid = cb->mailbox.uid_next;
	cb->pairs.lost = 0;
	return copy_back_remember(cb);
}

/*
 * APPEND
 */

/* APPENDUID 38505 3955 (RFC 4315) */
static uint32_t told_uid(struct copy_back *cb, const struct old_reply *reply)
{
	const char *const *words = t_strsplit_spaces(reply->code_value, " ");
	uint32_t uid_validity, uid;

	if (strcmp(reply->code, "APPENDUID") != 0 ||
	    str_array_length(words) != 2 ||
	    str_to_uint32(words[0], &uid_validity) < 0 ||
	    str_to_uint32(words[1], &uid) < 0 ||
	    uid_validity != cb->mailbox.uid_validity)
		return 0;
	return uid;
}

static void
append_callback(const struct old_reply *reply, struct append *append)
{
	struct copy_back *cb = append->batch->cb;

	switch (reply->state) {
	case OLD_REPLY_OK:
		append->state = APPEND_DONE;
		append->old_uid = told_uid(cb, reply);
		break;
	case OLD_REPLY_NO:
	case OLD_REPLY_BAD:
		append->state = APPEND_REFUSED;
		cb->refused++;
		if (cb->error == NULL)
			(void)copy_back_fail(cb, reply->error_code,
				t_strdup_printf("UID %u: %s",
						append->local_uid,
						reply->error));
		break;
	case OLD_REPLY_LOST:
		append->state = APPEND_LOST;
		(void)copy_back_fail(cb, reply->error_code, reply->error);
		break;
	}
}

static const char *
flags_of(struct copy_back *cb, uint32_t local_uid)
{
	const struct inventory_item *item =
		inventory_find(&cb->local, local_uid);
	string_t *str = t_str_new(64);

	if (item != NULL) {
		inventory_flags_append(str,
			item->flags & copy_back_flags_mask(cb),
			cb->mailbox.new_keywords ? item->keywords : NULL);
	}
	return str_c(str);
}

static int append_send(struct append *append)
{
	struct copy_back *cb = append->batch->cb;
	struct old_command *cmd;
	struct istream *input, *crlf;
	time_t date;

	if (append->state != APPEND_PENDING)
		return 0;
	if (mail_get_stream(append->mail, NULL, NULL, &input) < 0 ||
	    mail_get_received_date(append->mail, &date) < 0) {
		return copy_back_fail(cb, MAIL_ERROR_TEMP,
			mailbox_get_last_internal_error(append->mail->box,
							NULL));
	}
	cmd = old_command_new(cb->set->client, "APPEND");
	old_command_add_string(cmd, cb->set->old_name);
	old_command_addf(cmd, "(%s)", flags_of(cb, append->local_uid));
	old_command_addf(cmd, "\"%s\"", imap_to_datetime(date));
	crlf = i_stream_create_crlf(input);
	old_command_add_stream(cmd, crlf, append->digest.size);
	i_stream_unref(&crlf);
	old_command_send(&cmd, append_callback, append);
	return 0;
}

static void ignore_reply(const struct old_reply *reply ATTR_UNUSED,
			 struct append_batch *batch ATTR_UNUSED)
{
}

/* The UIDs of those that were saved and whose UIDs the server doesn't tell are
   looked for, as are those whose answer was lost. */
static int batch_send(struct append_batch *batch)
{
	struct old_client *client = batch->cb->set->client;
	enum mail_error error_code;
	struct append *append;
	const char *error;
	int ret = 0;

	array_foreach_elem(&batch->appends, append) {
		if (ret == 0)
			ret = append_send(append);
	}
	/* then the connection knows the new UIDs */
	old_client_send(client, ignore_reply, batch, "NOOP");
	if (old_client_wait(client, &error_code, &error) < 0 && ret == 0)
		ret = copy_back_fail(batch->cb, error_code, error);
	return ret;
}

/*
 * What became of it
 */

void copy_back_add(struct copy_back *cb, uint32_t local_uid, uint32_t old_uid)
{
	const struct inventory_item *local =
		inventory_find(&cb->local, local_uid);
	struct inventory_item *item;
	bool added;

	copy_pairs_add(&cb->pairs, local_uid, old_uid, FALSE);
	seq_range_array_add(&cb->baseline->copied, old_uid);
	seq_range_array_add(&cb->old_uids, old_uid);
	item = inventory_get(&cb->baseline->messages, old_uid, &added);
	if (added && local != NULL) {
		item->flags = local->flags & copy_back_flags_mask(cb);
		item->keywords = cb->mailbox.new_keywords ?
			local->keywords : NULL;
	}
}

static void
count_new(struct copy_back *cb, uint32_t old_uid, struct append *append)
{
	cb->result->copied++;
	copy_back_add(cb, append->local_uid, old_uid);
}

/* Saved, and not found by its bytes: a server that changes what it is given. Where
   only they can be it, they are it, in their order. */
static void
place_by_order(struct copy_back *cb, const ARRAY_TYPE(append) *unplaced,
	       uint32_t first_uid)
{
	ARRAY_TYPE(seq_range) fresh;
	const struct copy_pair *pair;
	struct seq_range_iter iter;
	struct append *append;
	unsigned int n = 0;
	uint32_t uid;
	bool only;

	t_array_init(&fresh, 8);
	seq_range_array_merge(&fresh, &cb->old_uids);
	if (first_uid > 1)
		seq_range_array_remove_range(&fresh, 1, first_uid - 1);
	array_foreach(&cb->pairs.pairs, pair)
		seq_range_array_remove(&fresh, pair->old_uid);
	only = seq_range_count(&fresh) == array_count(unplaced);
	seq_range_array_iter_init(&iter, &fresh);
	array_foreach_elem(unplaced, append) {
		if (only && seq_range_array_iter_nth(&iter, n++, &uid)) {
			count_new(cb, uid, append);
		} else {
			cb->result->copied++;
			seq_range_array_add(&cb->pairs.elsewhere,
					    append->local_uid);
		}
	}
}

static int find_untold(struct append_batch *batch)
{
	struct copy_back *cb = batch->cb;
	ARRAY_TYPE(append) untold, unplaced;
	ARRAY_TYPE(uint32_t) uids;
	struct append *append;
	const uint32_t *uid;

	t_array_init(&untold, 16);
	t_array_init(&unplaced, 16);
	t_array_init(&uids, 16);
	array_clear(&cb->pairs.intents);
	array_foreach_elem(&batch->appends, append) {
		if (append->state == APPEND_DONE && append->old_uid == 0) {
			add_intent(cb, append);
			array_push_back(&untold, &append);
		}
	}
	if (array_is_empty(&untold))
		return 0;
	if (copy_back_select(cb) < 0 ||
	    copy_back_find(cb, &cb->pairs.intents, cb->pairs.intents_uid,
			   &uids) < 0)
		return -1;
	uid = array_front(&uids);
	array_foreach_elem(&untold, append) {
		if (*uid != 0)
			count_new(cb, *uid, append);
		else
			array_push_back(&unplaced, &append);
		uid++;
	}
	place_by_order(cb, &unplaced, cb->pairs.intents_uid);
	return 0;
}

static void take_told(struct append_batch *batch)
{
	struct append *append;

	array_foreach_elem(&batch->appends, append) {
		if (append->state == APPEND_DONE && append->old_uid != 0)
			count_new(batch->cb, append->old_uid, append);
	}
}

static bool batch_is_lost(const struct append_batch *batch)
{
	struct append *append;

	array_foreach_elem(&batch->appends, append) {
		if (append->state == APPEND_LOST)
			return TRUE;
	}
	return FALSE;
}

static int batch_run(struct append_batch *batch)
{
	struct copy_back *cb = batch->cb;
	int ret;

	if (batch_prepare(batch) < 0)
		return -1;
	ret = batch_send(batch);
	take_told(batch);
	if (ret < 0 || batch_is_lost(batch)) {
		/* the intents stay, for the next run */
		(void)copy_pairs_write(cb->set->muser->set.dir, cb->set->vname,
				       &cb->pairs, &(const char *){ NULL });
		return -1;
	}
	if (find_untold(batch) < 0)
		return -1;
	array_clear(&cb->pairs.intents);
	return copy_back_remember(cb);
}

int copy_back_append(struct copy_back *cb, const ARRAY_TYPE(seq_range) *uids)
{
	ARRAY_TYPE(seq_range) left;
	struct append_batch batch;
	int ret = 0;

	i_array_init(&left, 16);
	seq_range_array_merge(&left, uids);
	while (ret == 0 && array_not_empty(&left)) T_BEGIN {
		batch_init(&batch, cb);
		batch_fill(&batch, &left);
		if (array_not_empty(&batch.appends))
			ret = batch_run(&batch);
		batch_deinit(&batch);
	} T_END;
	array_free(&left);
	return ret;
}
