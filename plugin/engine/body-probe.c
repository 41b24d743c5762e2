#include "lib.h"
#include "istream.h"
#include "seq-range-array.h"
#include "old-fetch.h"
#include "body-probe.h"

struct body_probe {
	struct istream *body;
	ARRAY_TYPE(seq_range) *ok_uids;
	uint32_t uid;
};

static int probe_begin(void *context, const struct old_fetch_item *item,
		       struct istream *body)
{
	struct body_probe *probe = context;

	probe->uid = item->uid;
	probe->body = body;
	return 0;
}

static int probe_more(void *context)
{
	struct body_probe *probe = context;
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(probe->body, &data, &size) > 0)
		i_stream_skip(probe->body, size);
	return 0;
}

static void probe_end(void *context, const char *error)
{
	struct body_probe *probe = context;

	if (error == NULL)
		seq_range_array_add(probe->ok_uids, probe->uid);
	probe->body = NULL;
}

static int probe_item(void *context ATTR_UNUSED,
		      const struct old_fetch_item *item ATTR_UNUSED)
{
	return 0;
}

static const struct old_fetch_handler probe_handler = {
	.item = probe_item,
	.body_begin = probe_begin,
	.body_more = probe_more,
	.body_end = probe_end,
};

static void probed(const struct old_reply *reply ATTR_UNUSED,
		   struct body_probe *probe ATTR_UNUSED)
{
	/* what came, came */
}

int body_probe(struct old_client *client, const ARRAY_TYPE(seq_range) *uids,
	       ARRAY_TYPE(seq_range) *ok_uids_r,
	       enum mail_error *error_code_r, const char **error_r)
{
	struct body_probe probe = { .ok_uids = ok_uids_r };
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) T_BEGIN {
		const struct old_fetch_request req = {
			.uids = dec2str(uid),
			.fields = OLD_FETCH_BODY,
		};
		/* one by one: a NO to one mustn't hide the others */
		old_fetch_send(client, &req, &probe_handler, probed, &probe);
	} T_END;
	return old_client_wait(client, error_code_r, error_r);
}
