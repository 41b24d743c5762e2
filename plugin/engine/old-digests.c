#include "lib.h"
#include "array.h"
#include "istream.h"
#include "old-fetch.h"
#include "old-digests.h"
#include "uid-sets.h"

struct old_digests {
	ARRAY_TYPE(old_digest) *digests;
	struct message_digest_context *ctx;
	struct istream *body;
	uint32_t uid;
};

static int body_begin(void *context, const struct old_fetch_item *item,
		      struct istream *body)
{
	struct old_digests *digests = context;

	digests->uid = item->uid;
	digests->body = body;
	message_digest_reset(digests->ctx);
	return 0;
}

static int body_more(void *context)
{
	struct old_digests *digests = context;
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(digests->body, &data, &size) > 0) {
		message_digest_more(digests->ctx, data, size);
		i_stream_skip(digests->body, size);
	}
	return 0;
}

static void body_end(void *context, const char *error)
{
	struct old_digests *digests = context;
	struct old_digest *digest;

	digests->body = NULL;
	if (error != NULL)
		return;
	digest = array_append_space(digests->digests);
	digest->uid = digests->uid;
	message_digest_finish(digests->ctx, &digest->digest);
}

static int item_done(void *context ATTR_UNUSED,
		     const struct old_fetch_item *item ATTR_UNUSED)
{
	return 0;
}

static const struct old_fetch_handler digest_handler = {
	.item = item_done,
	.body_begin = body_begin,
	.body_more = body_more,
	.body_end = body_end,
};

static void fetched(const struct old_reply *reply ATTR_UNUSED,
		    struct old_digests *digests ATTR_UNUSED)
{
	/* what came, came */
}

int old_digests_get(struct old_client *client,
		    const ARRAY_TYPE(seq_range) *uids,
		    ARRAY_TYPE(old_digest) *digests_r,
		    enum mail_error *error_code_r, const char **error_r)
{
	struct old_digests digests = { .digests = digests_r };
	struct old_fetch_request req = { .fields = OLD_FETCH_BODY };
	ARRAY_TYPE(const_string) sets;
	const char *set;
	int ret;

	digests.ctx = message_digest_init(FALSE);
	uid_sets(uids, &sets);
	array_foreach_elem(&sets, set) {
		req.uids = set;
		old_fetch_send(client, &req, &digest_handler, fetched,
			       &digests);
	}
	ret = old_client_wait(client, error_code_r, error_r);
	message_digest_deinit(&digests.ctx);
	return ret;
}
