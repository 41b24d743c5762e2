#include "lib.h"
#include "array.h"
#include "istream.h"
#include "mail-storage-private.h"
#include "seq-range-array.h"
#include "body-fetch.h"
#include "body-plan.h"
#include "body-stream.h"
#include "digest-file.h"
#include "local-copy.h"
#include "old-fetch.h"

/* Commands in flight. A server may work on several at once (RFC 9051 5.5), as
   Dovecot does when its output is full: their answers then come mixed. */
#define FETCH_WINDOW 1
#define COMMIT_MESSAGES 2000
#define COMMIT_BYTES (64 * 1024 * 1024)

struct body_fetch {
	const struct body_fetch_settings *set;
	const ARRAY_TYPE(seq_range) *wanted;
	pool_t pool;
	ARRAY_TYPE(body_request) requests;
	/* the next to send; the oldest that isn't answered */
	unsigned int next, answering;

	struct message_digest_context *digest;
	/* the message that is being saved, NULL between messages */
	const struct inventory_item *item;
	struct istream *body;
	/* of the message that comes in pieces */
	uint64_t received;

	/* highest UID that was saved */
	uint32_t last_uid;
	/* UIDs that were saved or failed */
	ARRAY_TYPE(seq_range) settled;
	/* saved since the last commit, which was up to committed_uid */
	ARRAY_TYPE(seq_range) batch;
	uint32_t committed_uid;
	/* saved, and lost with their batch */
	ARRAY_TYPE(seq_range) again;
	unsigned int uncommitted;
	uint64_t uncommitted_bytes;

	/* one of many that become durable together */
	bool together;
	/* why it can't go on */
	char *error;
};

static void fetch_fail(struct body_fetch *fetch, const char *error)
{
	if (fetch->error == NULL)
		fetch->error = i_strdup(error);
}

static void
message_failed(struct body_fetch *fetch, uint32_t uid, const char *reason)
{
	if (seq_range_exists(&fetch->settled, uid))
		return;
	seq_range_array_add(&fetch->settled, uid);
	fetch->set->failed(fetch->set->context, uid, reason);
}

static void begin_batch(struct body_fetch *fetch)
{
	array_clear(&fetch->batch);
	fetch->uncommitted = 0;
	fetch->uncommitted_bytes = 0;
}

/* A message broke off behind them. They come again without it. */
static void lose_batch(struct body_fetch *fetch)
{
	local_copy_rollback(fetch->set->copy);
	seq_range_array_merge(&fetch->again, &fetch->batch);
	seq_range_array_remove_seq_range(&fetch->settled, &fetch->batch);
	fetch->last_uid = fetch->committed_uid;
	begin_batch(fetch);
}

static void commit(struct body_fetch *fetch)
{
	const struct body_fetch_settings *set = fetch->set;
	const char *error;

	if (fetch->uncommitted == 0)
		return;
	if (local_copy_must_rollback(set->copy)) {
		lose_batch(fetch);
		return;
	}
	if (fetch->together) {
		if (digest_file_write(set->digests, &error) < 0 ||
		    local_copy_commit(set->copy, &error) < 0)
			fetch_fail(fetch, error);
	} else if (digest_file_sync(set->digests, &error) < 0 ||
		   local_copy_commit(set->copy, &error) < 0 ||
		   set->committed(set->context, fetch->last_uid, &error) < 0)
		fetch_fail(fetch, error);
	fetch->committed_uid = fetch->last_uid;
	begin_batch(fetch);
}

/* The save of the current message is given up. */
static void save_abort(struct body_fetch *fetch)
{
	local_copy_save_cancel(fetch->set->copy);
	i_stream_destroy(&fetch->body);
	fetch->item = NULL;
}

static int
save_begin(struct body_fetch *fetch, const struct inventory_item *item)
{
	const char *error;

	fetch->item = item;
	fetch->received = 0;
	message_digest_reset(fetch->digest);
	fetch->body = body_stream_create(fetch->digest);
	if (local_copy_save_begin(fetch->set->copy, item, fetch->body,
				  &error) < 0) {
		fetch_fail(fetch, error);
		save_abort(fetch);
		return -1;
	}
	return 0;
}

static int save_continue(struct body_fetch *fetch)
{
	const char *error;

	if (local_copy_save_continue(fetch->set->copy, &error) == 0)
		return 0;
	/* a stream that broke isn't our store's fault */
	if (fetch->body->stream_errno == 0)
		fetch_fail(fetch, error);
	return -1;
}

static void save_done(struct body_fetch *fetch)
{
	const struct body_fetch_settings *set = fetch->set;
	uint32_t uid = fetch->item->uid;
	struct message_digest digest;

	message_digest_finish(fetch->digest, &digest);
	digest_file_add(set->digests, uid, &digest);
	if (digest.altered != 0)
		set->altered(set->context, uid, &digest);
	seq_range_array_add(&fetch->settled, uid);
	seq_range_array_add(&fetch->batch, uid);
	fetch->last_uid = uid;
	fetch->uncommitted++;
	fetch->uncommitted_bytes += digest.size;
	set->progress(set->context, digest.size);

	if (fetch->uncommitted >= COMMIT_MESSAGES ||
	    fetch->uncommitted_bytes >= COMMIT_BYTES)
		commit(fetch);
}

static void save_finish(struct body_fetch *fetch)
{
	const char *error;

	body_stream_set_eof(fetch->body);
	if (save_continue(fetch) < 0) {
		save_abort(fetch);
		return;
	}
	if (local_copy_save_finish(fetch->set->copy, &error) < 0)
		fetch_fail(fetch, error);
	else
		save_done(fetch);
	i_stream_destroy(&fetch->body);
	fetch->item = NULL;
}

static const struct body_request *current_request(struct body_fetch *fetch)
{
	return array_idx(&fetch->requests, fetch->answering);
}

static bool is_piece(const struct body_request *request)
{
	return request->length > 0;
}

/* Is this a message that we wait for, and can take now? */
static const struct inventory_item *
expected_item(struct body_fetch *fetch, const struct old_fetch_item *fetched)
{
	if (!seq_range_exists(fetch->wanted, fetched->uid) ||
	    seq_range_exists(&fetch->settled, fetched->uid))
		return NULL;
	if (fetched->uid <= fetch->last_uid) {
		message_failed(fetch, fetched->uid,
			"the old server sent it behind a newer one");
		return NULL;
	}
	return inventory_find(fetch->set->old, fetched->uid);
}

static int
piece_begin(struct body_fetch *fetch, const struct body_request *request,
	    const struct old_fetch_item *fetched,
	    const struct inventory_item *item)
{
	if (fetched->body_offset != request->offset ||
	    (fetched->body_size > request->length && request->offset > 0)) {
		message_failed(fetch, item->uid,
			"the old server sent another piece than was asked for");
		return -1;
	}
	if (request->offset == 0)
		return save_begin(fetch, item);
	if (fetch->item != item) {
		/* an earlier piece has failed */
		return -1;
	}
	if (fetch->received != request->offset && fetched->body_size > 0) {
		message_failed(fetch, item->uid,
			       "the old server sent a short piece");
		return -1;
	}
	return 0;
}

static int
fetch_body_begin(void *context, const struct old_fetch_item *fetched,
		 struct istream *body)
{
	struct body_fetch *fetch = context;
	const struct body_request *request = current_request(fetch);
	const struct inventory_item *item = expected_item(fetch, fetched);
	int ret;

	if (fetch->error != NULL || item == NULL)
		return -1;
	if (is_piece(request))
		ret = piece_begin(fetch, request, fetched, item);
	else
		ret = save_begin(fetch, item);
	if (ret < 0)
		return -1;
	body_stream_set_source(fetch->body, body);
	fetch->received += fetched->body_size;
	return 0;
}

static int fetch_body_more(void *context)
{
	return save_continue(context);
}

static void fetch_body_end(void *context, const char *error)
{
	struct body_fetch *fetch = context;

	if (fetch->item == NULL)
		return;
	body_stream_set_source(fetch->body, NULL);
	if (error != NULL)
		save_abort(fetch);
	else if (!is_piece(current_request(fetch)))
		save_finish(fetch);
}

static int
fetch_item(void *context, const struct old_fetch_item *fetched)
{
	struct body_fetch *fetch = context;

	if ((fetched->fields & OLD_FETCH_BODY_NIL) != 0 &&
	    !is_piece(current_request(fetch)) &&
	    seq_range_exists(fetch->wanted, fetched->uid))
		message_failed(fetch, fetched->uid,
			       "the old server gives no body for it");
	return fetch->error != NULL ? -1 : 0;
}

static const struct old_fetch_handler fetch_handler = {
	.item = fetch_item,
	.body_begin = fetch_body_begin,
	.body_more = fetch_body_more,
	.body_end = fetch_body_end,
};

static const char *why_not_sent(const struct old_reply *reply)
{
	return reply->state == OLD_REPLY_OK ?
		"the old server didn't send it" : reply->error;
}

static void
fail_unsettled(struct body_fetch *fetch, const struct body_request *request,
	       const char *reason)
{
	const struct inventory_item *item;

	for (unsigned int i = request->first; i < request->end; i++) {
		item = array_idx(&fetch->set->old->items, i);
		if (seq_range_exists(fetch->wanted, item->uid))
			message_failed(fetch, item->uid, reason);
	}
}

/* The pieces don't add up to RFC822.SIZE: either of them is wrong, and the
   message comes again in one go. */
static void refetch_whole(struct body_fetch *fetch)
{
	struct body_request whole = *current_request(fetch);

	e_debug(local_copy_box(fetch->set->copy)->event, "migration: UID %s: the old server announced %"
		PRIu64" bytes and sent %"PRIu64" in pieces", whole.uid_set,
		fetch->item->size, fetch->received);
	save_abort(fetch);
	whole.offset = whole.length = 0;
	whole.last_piece = FALSE;
	array_insert(&fetch->requests, fetch->next, &whole, 1);
}

static void
piece_answered(struct body_fetch *fetch, const struct body_request *request,
	       const struct old_reply *reply)
{
	if (reply->state != OLD_REPLY_OK || fetch->item == NULL) {
		if (fetch->item != NULL)
			save_abort(fetch);
		fail_unsettled(fetch, request, why_not_sent(reply));
	} else if (request->last_piece) {
		if (fetch->received == fetch->item->size)
			save_finish(fetch);
		else
			refetch_whole(fetch);
	}
}

static void fetch_send_next(struct body_fetch *fetch);

static bool is_answered(const struct body_fetch *fetch)
{
	return fetch->answering == array_count(&fetch->requests);
}

static void fetch_answered(const struct old_reply *reply,
			   struct body_fetch *fetch)
{
	const struct body_request *request = current_request(fetch);

	if (reply->state == OLD_REPLY_LOST) {
		/* told by old_client_wait(), but not whose it was */
		if (fetch->item != NULL)
			save_abort(fetch);
		if (fetch->together)
			fetch_fail(fetch, reply->error);
	} else if (fetch->error != NULL) {
		/* nothing was taken from it */
	} else if (is_piece(request)) {
		piece_answered(fetch, request, reply);
	} else {
		fail_unsettled(fetch, request, why_not_sent(reply));
	}
	fetch->answering++;
	if (reply->state != OLD_REPLY_LOST && fetch->error == NULL)
		fetch_send_next(fetch);
	if (fetch->together && is_answered(fetch)) {
		commit(fetch);
		fetch->set->ended(fetch->set->context);
	}
}

static void fetch_send_next(struct body_fetch *fetch)
{
	const struct body_request *request;

	while (fetch->next < array_count(&fetch->requests) &&
	       fetch->next - fetch->answering < FETCH_WINDOW) {
		request = array_idx(&fetch->requests, fetch->next);
		const struct old_fetch_request req = {
			.uids = request->uid_set,
			.fields = OLD_FETCH_BODY,
			.offset = request->offset,
			.length = request->length,
		};
		fetch->next++;
		old_fetch_send(fetch->set->client, &req, &fetch_handler,
			       fetch_answered, fetch);
	}
}

static int fetch_run(struct body_fetch *fetch, enum mail_error *error_code_r,
		     const char **error_r)
{
	int ret;

	fetch_send_next(fetch);
	ret = old_client_wait(fetch->set->client, error_code_r, error_r);
	i_assert(fetch->item == NULL);
	/* what came before the connection was lost is kept */
	commit(fetch);
	if (fetch->error != NULL) {
		*error_code_r = MAIL_ERROR_TEMP;
		*error_r = t_strdup(fetch->error);
		ret = -1;
	}
	return ret;
}

static void fetch_plan(struct body_fetch *fetch)
{
	fetch->pool = pool_alloconly_create("body fetch", 16*1024);
	fetch->next = fetch->answering = 0;
	body_plan(fetch->set->old, fetch->wanted, BODY_PIECE_SIZE, fetch->pool,
		  &fetch->requests);
}

static int fetch_all(struct body_fetch *fetch, enum mail_error *error_code_r,
		     const char **error_r)
{
	int ret;

	fetch_plan(fetch);
	ret = fetch_run(fetch, error_code_r, error_r);
	pool_unref(&fetch->pool);
	return ret;
}

static int fetch_again(struct body_fetch *fetch, enum mail_error *error_code_r,
		       const char **error_r)
{
	ARRAY_TYPE(seq_range) uids;
	int ret = 0;

	i_array_init(&uids, 8);
	/* ends: each round has at least one message less */
	while (ret == 0 && !array_is_empty(&fetch->again)) {
		array_clear(&uids);
		seq_range_array_merge(&uids, &fetch->again);
		array_clear(&fetch->again);
		fetch->wanted = &uids;
		ret = fetch_all(fetch, error_code_r, error_r);
	}
	array_free(&uids);
	return ret;
}

static void
fetch_init(struct body_fetch *fetch, const struct body_fetch_settings *set,
	   const ARRAY_TYPE(seq_range) *uids)
{
	fetch->set = set;
	fetch->wanted = uids;
	fetch->digest = message_digest_init(local_copy_saves_crlf(set->copy));
	i_array_init(&fetch->settled, 64);
	i_array_init(&fetch->batch, 8);
	i_array_init(&fetch->again, 8);
}

static void fetch_deinit(struct body_fetch *fetch)
{
	array_free(&fetch->again);
	array_free(&fetch->batch);
	array_free(&fetch->settled);
	message_digest_deinit(&fetch->digest);
	i_free(fetch->error);
}

int body_fetch(const struct body_fetch_settings *set,
	       const ARRAY_TYPE(seq_range) *uids,
	       enum mail_error *error_code_r, const char **error_r)
{
	struct body_fetch fetch;
	int ret;

	i_zero(&fetch);
	fetch_init(&fetch, set, uids);
	ret = fetch_all(&fetch, error_code_r, error_r);
	if (ret == 0)
		ret = fetch_again(&fetch, error_code_r, error_r);
	fetch_deinit(&fetch);
	return ret;
}

struct body_fetch *
body_fetch_start(const struct body_fetch_settings *set,
		 const ARRAY_TYPE(seq_range) *uids)
{
	struct body_fetch *fetch = i_new(struct body_fetch, 1);

	fetch_init(fetch, set, uids);
	fetch->together = TRUE;
	fetch_plan(fetch);
	/* a second one would meet another mailbox */
	i_assert(array_count(&fetch->requests) <= 1);
	fetch_send_next(fetch);
	return fetch;
}

void body_fetch_refuse(struct body_fetch *fetch, const char *error)
{
	fetch_fail(fetch, error);
}

int body_fetch_end(struct body_fetch **_fetch, const char **error_r)
{
	struct body_fetch *fetch = *_fetch;
	int ret = -1;

	*_fetch = NULL;
	i_assert(fetch->item == NULL);
	if (fetch->error != NULL)
		*error_r = t_strdup(fetch->error);
	else if (!is_answered(fetch) || !array_is_empty(&fetch->again))
		*error_r = "Not all of its messages came";
	else
		ret = 0;
	pool_unref(&fetch->pool);
	fetch_deinit(fetch);
	i_free(fetch);
	return ret;
}
