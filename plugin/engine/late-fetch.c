#include "lib.h"
#include "array.h"
#include "istream.h"
#include "safe-mkstemp.h"
#include "sort.h"
#include "str.h"
#include "write-full.h"
#include "old-fetch.h"
#include "uid-sets.h"
#include "late-fetch.h"

#include <unistd.h>

struct late_fetch {
	const char *temp_prefix;
	struct inventory_keywords *keywords;
	const ARRAY_TYPE(seq_range) *uids;
	ARRAY_TYPE(late_body) *bodies;
	struct message_digest_context *digest;

	/* the one that comes just now */
	struct istream *input;
	struct late_body body;

	/* here, or there */
	bool failed;
	enum mail_error error_code;
	char *error;
};

static int
fetch_failed(struct late_fetch *fetch, enum mail_error error_code,
	     const char *error)
{
	if (!fetch->failed) {
		fetch->failed = TRUE;
		fetch->error_code = error_code;
		fetch->error = i_strdup(error);
	}
	return -1;
}

static bool is_new(const struct late_fetch *fetch, uint32_t uid)
{
	const struct late_body *body;

	array_foreach(fetch->bodies, body) {
		if (body->uid == uid)
			return FALSE;
	}
	return seq_range_exists(fetch->uids, uid);
}

static int temp_file(struct late_fetch *fetch)
{
	string_t *path = t_str_new(256);
	int fd;

	str_append(path, fetch->temp_prefix);
	fd = safe_mkstemp(path, 0600, (uid_t)-1, (gid_t)-1);
	if (fd == -1) {
		return fetch_failed(fetch, MAIL_ERROR_TEMP, t_strdup_printf(
			"safe_mkstemp(%s) failed: %m", str_c(path)));
	}
	i_unlink(str_c(path));
	return fd;
}

static int late_begin(void *context, const struct old_fetch_item *item,
		      struct istream *input)
{
	struct late_fetch *fetch = context;

	if (fetch->failed || !is_new(fetch, item->uid) ||
	    (item->fields & OLD_FETCH_DATE) == 0)
		return -1;
	i_zero(&fetch->body);
	if ((fetch->body.fd = temp_file(fetch)) == -1)
		return -1;
	fetch->body.uid = item->uid;
	fetch->body.item.uid = item->uid;
	fetch->body.item.flags = item->flags & INVENTORY_FLAGS;
	fetch->body.item.keywords = inventory_keywords_get(fetch->keywords,
		(item->fields & OLD_FETCH_FLAGS) != 0 ? item->keywords : NULL);
	fetch->body.item.date = item->date;
	fetch->body.item.tz_offset = item->tz_offset;
	fetch->input = input;
	message_digest_reset(fetch->digest);
	return 0;
}

static int late_more(void *context)
{
	struct late_fetch *fetch = context;
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(fetch->input, &data, &size) > 0) {
		if (write_full(fetch->body.fd, data, size) < 0) {
			return fetch_failed(fetch, ENOSPACE(errno) ?
				MAIL_ERROR_NOQUOTA : MAIL_ERROR_TEMP,
				t_strdup_printf("write(%s...) failed: %m",
						fetch->temp_prefix));
		}
		message_digest_more(fetch->digest, data, size);
		fetch->body.size += size;
		i_stream_skip(fetch->input, size);
	}
	return 0;
}

static void late_end(void *context, const char *error)
{
	struct late_fetch *fetch = context;

	if (fetch->input == NULL)
		return;
	fetch->input = NULL;
	message_digest_finish(fetch->digest, &fetch->body.digest);
	if (error == NULL)
		array_push_back(fetch->bodies, &fetch->body);
	else
		i_close_fd(&fetch->body.fd);
}

static int late_item(void *context ATTR_UNUSED,
		     const struct old_fetch_item *item ATTR_UNUSED)
{
	return 0;
}

static const struct old_fetch_handler late_handler = {
	.item = late_item,
	.body_begin = late_begin,
	.body_more = late_more,
	.body_end = late_end,
};

/* NO: some of them can't be had, which shows by their absence. */
static void late_done(const struct old_reply *reply, struct late_fetch *fetch)
{
	if (reply->state == OLD_REPLY_LOST || reply->state == OLD_REPLY_BAD)
		(void)fetch_failed(fetch, reply->error_code, reply->error);
}

static int body_cmp(const struct late_body *b1, const struct late_body *b2)
{
	return b1->uid < b2->uid ? -1 : (b1->uid > b2->uid ? 1 : 0);
}

static void
fetch_set(struct late_fetch *fetch, struct old_client *client, const char *set)
{
	const struct old_fetch_request req = {
		.uids = set,
		.fields = OLD_FETCH_FLAGS | OLD_FETCH_DATE | OLD_FETCH_BODY,
	};

	old_fetch_send(client, &req, &late_handler, late_done, fetch);
}

static int
fetch_all(struct late_fetch *fetch, struct old_client *client,
	  enum mail_error *error_code_r, const char **error_r)
{
	ARRAY_TYPE(const_string) sets;
	const char *set;

	uid_sets(fetch->uids, &sets);
	array_foreach_elem(&sets, set)
		fetch_set(fetch, client, set);
	return old_client_wait(client, error_code_r, error_r);
}

/* One by one: a NO to one must not hide the others. */
static int
fetch_missing(struct late_fetch *fetch, struct old_client *client,
	      enum mail_error *error_code_r, const char **error_r)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, fetch->uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (is_new(fetch, uid))
			fetch_set(fetch, client, dec2str(uid));
	}
	return old_client_wait(client, error_code_r, error_r);
}

int late_fetch(struct old_client *client, const char *temp_prefix,
	       struct inventory_keywords *keywords,
	       const ARRAY_TYPE(seq_range) *uids,
	       ARRAY_TYPE(late_body) *bodies,
	       enum mail_error *error_code_r, const char **error_r)
{
	struct late_fetch fetch = {
		.temp_prefix = temp_prefix,
		.keywords = keywords,
		.uids = uids,
		.bodies = bodies,
		.digest = message_digest_init(TRUE),
	};
	int ret;

	ret = fetch_all(&fetch, client, error_code_r, error_r);
	if (ret == 0 && !fetch.failed)
		ret = fetch_missing(&fetch, client, error_code_r, error_r);
	if (ret == 0 && fetch.failed) {
		*error_code_r = fetch.error_code;
		*error_r = t_strdup(fetch.error);
		ret = -1;
	}
	array_sort(bodies, body_cmp);
	message_digest_deinit(&fetch.digest);
	i_free(fetch.error);
	return ret;
}

void late_bodies_free(ARRAY_TYPE(late_body) *bodies)
{
	struct late_body *body;

	array_foreach_modifiable(bodies, body)
		i_close_fd(&body->fd);
	array_clear(bodies);
}
