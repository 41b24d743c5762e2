#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-util.h"
#include "old-fetch.h"
#include "old-inventory.h"

#define INVENTORY_FIELDS \
	(OLD_FETCH_FLAGS | OLD_FETCH_DATE | OLD_FETCH_SIZE)

struct inventory_fetch {
	struct inventory *inventory;
	uint32_t first_uid, end_uid;
	/* UIDs that were shown at all, and with these */
	ARRAY_TYPE(seq_range) shown, flagged, dated;

	bool done;
	enum mail_error error_code;
	char *error;
};

/* The server may show a message again, with some of the fields. */
static int
fetch_item(void *context, const struct old_fetch_item *fetched)
{
	struct inventory_fetch *fetch = context;
	struct inventory *inventory = fetch->inventory;
	struct inventory_item *item;
	bool added;

	/* n:* means the last message where none has such a UID */
	if (fetched->uid < fetch->first_uid || fetched->uid >= fetch->end_uid)
		return 0;
	item = inventory_get(inventory, fetched->uid, &added);
	seq_range_array_add(&fetch->shown, fetched->uid);
	if ((fetched->fields & OLD_FETCH_FLAGS) != 0) {
		seq_range_array_add(&fetch->flagged, fetched->uid);
		item->flags = fetched->flags & INVENTORY_FLAGS;
		item->keywords = inventory_keywords_get(inventory->keywords,
							fetched->keywords);
	}
	if ((fetched->fields & OLD_FETCH_DATE) != 0) {
		seq_range_array_add(&fetch->dated, fetched->uid);
		item->date = fetched->date;
		item->tz_offset = fetched->tz_offset;
	}
	if ((fetched->fields & OLD_FETCH_SIZE) != 0)
		item->size = fetched->size;
	return 0;
}

static const struct old_fetch_handler fetch_handler = {
	.item = fetch_item,
};

static void
fetch_done(const struct old_reply *reply, struct inventory_fetch *fetch)
{
	fetch->done = reply->state == OLD_REPLY_OK;
	fetch->error_code = reply->error_code;
	fetch->error = i_strdup(reply->error);
}

static int
fetch_once(struct old_client *client, const struct old_fetch_request *req,
	   struct inventory_fetch *fetch, enum mail_error *error_code_r,
	   const char **error_r)
{
	int ret;

	fetch->done = FALSE;
	array_clear(&fetch->shown);
	old_fetch_send(client, req, &fetch_handler, fetch_done, fetch);
	ret = old_client_wait(client, error_code_r, error_r);
	if (ret == 0 && !fetch->done) {
		*error_code_r = fetch->error_code;
		*error_r = t_strdup(fetch->error);
		ret = -1;
	}
	i_free(fetch->error);
	return ret;
}

/* Shown without what was asked for. Without a size it is fetched in one go. */
static void
get_lacking(const struct inventory_fetch *fetch, enum old_fetch_fields fields,
	    ARRAY_TYPE(seq_range) *lacking)
{
	ARRAY_TYPE(seq_range) whole;

	t_array_init(&whole, 8);
	seq_range_array_merge(&whole, &fetch->flagged);
	if ((fields & OLD_FETCH_DATE) != 0)
		seq_range_array_intersect(&whole, &fetch->dated);
	seq_range_array_merge(lacking, &fetch->shown);
	seq_range_array_remove_seq_range(lacking, &whole);
}

static void
remove_items(struct inventory *inventory, const ARRAY_TYPE(seq_range) *uids)
{
	const struct inventory_item *item;

	for (unsigned int i = array_count(&inventory->items); i > 0; i--) {
		item = array_idx(&inventory->items, i - 1);
		if (seq_range_exists(uids, item->uid))
			array_delete(&inventory->items, i - 1, 1);
	}
}

/* Changes that others make while the answer comes are shown without the rest.
   Whoever isn't shown again is expunged by now. Who is shown so only now has
   changed since the mailbox was opened, which the next look finds. */
static int
fetch_lacking(struct old_client *client, enum old_fetch_fields fields,
	      struct inventory_fetch *fetch, enum mail_error *error_code_r,
	      const char **error_r)
{
	ARRAY_TYPE(seq_range) asked, gone, late, lacking;
	string_t *uids = t_str_new(128);

	t_array_init(&asked, 8);
	t_array_init(&gone, 8);
	t_array_init(&late, 8);
	t_array_init(&lacking, 8);
	get_lacking(fetch, fields, &asked);
	if (array_is_empty(&asked))
		return 0;
	imap_write_seq_range(uids, &asked);
	const struct old_fetch_request req = {
		.uids = str_c(uids), .fields = fields,
	};
	if (fetch_once(client, &req, fetch, error_code_r, error_r) < 0)
		return -1;
	seq_range_array_merge(&gone, &asked);
	seq_range_array_remove_seq_range(&gone, &fetch->shown);
	remove_items(fetch->inventory, &gone);
	get_lacking(fetch, fields, &lacking);
	seq_range_array_merge(&late, &lacking);
	seq_range_array_remove_seq_range(&late, &asked);
	remove_items(fetch->inventory, &late);
	seq_range_array_intersect(&lacking, &asked);
	seq_range_array_merge(&fetch->inventory->unknown, &lacking);
	return 0;
}

static void fetch_init(struct inventory_fetch *fetch)
{
	i_array_init(&fetch->shown, 8);
	i_array_init(&fetch->flagged, 8);
	i_array_init(&fetch->dated, 8);
}

static void fetch_deinit(struct inventory_fetch *fetch)
{
	array_free(&fetch->dated);
	array_free(&fetch->flagged);
	array_free(&fetch->shown);
}

static int
fetch_run(struct old_client *client, const struct old_fetch_request *req,
	  struct inventory_fetch *fetch, enum mail_error *error_code_r,
	  const char **error_r)
{
	int ret;

	fetch_init(fetch);
	ret = fetch_once(client, req, fetch, error_code_r, error_r);
	if (ret == 0)
		ret = fetch_lacking(client, req->fields, fetch, error_code_r,
				    error_r);
	fetch_deinit(fetch);
	return ret;
}

int old_inventory_get(struct old_client *client, uint32_t first_uid,
		      uint32_t end_uid, struct inventory *inventory,
		      enum mail_error *error_code_r, const char **error_r)
{
	struct inventory_fetch fetch = {
		.inventory = inventory,
		.first_uid = first_uid,
		.end_uid = end_uid,
	};
	const struct old_fetch_request req = {
		.uids = t_strdup_printf("%u:*", first_uid),
		.fields = INVENTORY_FIELDS,
	};

	return fetch_run(client, &req, &fetch, error_code_r, error_r);
}

int old_inventory_get_flags(struct old_client *client, uint32_t end_uid,
			    struct inventory *inventory,
			    enum mail_error *error_code_r,
			    const char **error_r)
{
	struct inventory_fetch fetch = {
		.inventory = inventory,
		.first_uid = 1,
		.end_uid = end_uid,
	};
	const struct old_fetch_request req = {
		.uids = t_strdup_printf("1:%u", end_uid - 1),
		.fields = OLD_FETCH_FLAGS,
	};

	if (end_uid <= 1)
		return 0;
	return fetch_run(client, &req, &fetch, error_code_r, error_r);
}

int old_inventory_get_changed(struct old_client *client, uint64_t modseq,
			      uint32_t end_uid, struct inventory *inventory,
			      enum mail_error *error_code_r,
			      const char **error_r)
{
	struct inventory_fetch fetch = {
		.inventory = inventory,
		.first_uid = 1,
		.end_uid = end_uid,
	};
	const struct old_fetch_request req = {
		.uids = "1:*",
		.fields = INVENTORY_FIELDS,
		.changed_since = modseq,
	};

	return fetch_run(client, &req, &fetch, error_code_r, error_r);
}

struct inventory_fetch *
old_inventory_send(struct old_client *client, uint32_t end_uid,
		   struct inventory *inventory)
{
	struct inventory_fetch *fetch = i_new(struct inventory_fetch, 1);
	const struct old_fetch_request req = {
		.uids = "1:*", .fields = INVENTORY_FIELDS,
	};

	fetch->inventory = inventory;
	fetch->first_uid = 1;
	fetch->end_uid = end_uid;
	fetch_init(fetch);
	old_fetch_send(client, &req, &fetch_handler, fetch_done, fetch);
	return fetch;
}

bool old_inventory_end(struct inventory_fetch **_fetch)
{
	struct inventory_fetch *fetch = *_fetch;
	bool all;

	*_fetch = NULL;
	T_BEGIN {
		ARRAY_TYPE(seq_range) lacking;

		t_array_init(&lacking, 8);
		get_lacking(fetch, INVENTORY_FIELDS, &lacking);
		all = fetch->done && array_is_empty(&lacking);
	} T_END;
	i_free(fetch->error);
	fetch_deinit(fetch);
	i_free(fetch);
	return all;
}
