#include "lib.h"
#include "old-fetch.h"
#include "old-inventory.h"

#define INVENTORY_FIELDS \
	(OLD_FETCH_FLAGS | OLD_FETCH_DATE | OLD_FETCH_SIZE)

struct inventory_fetch {
	struct inventory *inventory;
	uint32_t first_uid, end_uid;

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
	if ((fetched->fields & OLD_FETCH_FLAGS) != 0) {
		item->flags = fetched->flags & INVENTORY_FLAGS;
		item->keywords = inventory_keywords_get(inventory->keywords,
							fetched->keywords);
	}
	if ((fetched->fields & OLD_FETCH_DATE) != 0) {
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
fetch_run(struct old_client *client, const struct old_fetch_request *req,
	  struct inventory_fetch *fetch, enum mail_error *error_code_r,
	  const char **error_r)
{
	int ret;

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
