#include "message-ids.h"
#include "imap-client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For the callback: where the answers of FETCH belong. */
struct reader {
	struct message_ids *ids;
	const char *mailbox;
};

static void *grown(void *items, size_t count, size_t size)
{
	items = realloc(items, count * size);
	if (items == NULL)
		abort();
	return items;
}

static void
add_place(struct message_ids *ids, const char *mailbox, uint32_t uid,
	  const char *id, size_t id_size)
{
	struct message_place *place;

	if (ids->count == ids->room) {
		ids->room = ids->room * 2 + 256;
		ids->items = grown(ids->items, ids->room, sizeof(*ids->items));
	}
	place = &ids->items[ids->count++];
	place->mailbox = mailbox;
	place->uid = uid;
	place->message_id = strndup(id, id_size);
	if (place->message_id == NULL)
		abort();
}

static void untagged(void *context, const struct imap_response *resp)
{
	struct reader *reader = context;
	struct imap_fetch fetch;
	const char *begin, *end;

	if (!imap_parse_fetch(resp, &fetch) || !fetch.has_body ||
	    fetch.uid == 0)
		return;
	begin = memchr(fetch.body, '<', fetch.body_size);
	end = begin == NULL ? NULL :
		memchr(begin, '>', fetch.body_size -
		       (size_t)(begin - fetch.body));
	if (end != NULL)
		add_place(reader->ids, reader->mailbox, fetch.uid, begin,
			  (size_t)(end + 1 - begin));
}

static bool has_attribute(const struct imap_arg *list, const char *name)
{
	const struct imap_arg *arg;

	for (arg = list->child; arg != NULL; arg = arg->next) {
		if (imap_arg_is(arg, name))
			return true;
	}
	return false;
}

static int list_mailboxes(struct imap_client *client, struct message_ids *ids)
{
	const struct imap_response *resp;
	const struct imap_arg *name;

	if (imap_run(client, "LIST \"\" \"*\"") != IMAP_OK)
		return -1;
	for (resp = imap_find(imap_untagged(client), "LIST"); resp != NULL;
	     resp = imap_find(resp->next, "LIST")) {
		name = resp->args == NULL || resp->args->next == NULL ? NULL :
			resp->args->next->next;
		if (name == NULL || has_attribute(resp->args, "\\Noselect") ||
		    has_attribute(resp->args, "\\NonExistent"))
			continue;
		ids->mailboxes = grown(ids->mailboxes, ids->mailbox_count + 1,
				       sizeof(*ids->mailboxes));
		ids->mailboxes[ids->mailbox_count++] = strdup(name->data);
	}
	imap_clear(client);
	return 0;
}

static int read_mailbox(struct imap_client *client, struct message_ids *ids,
			const char *mailbox)
{
	struct reader reader = { .ids = ids, .mailbox = mailbox };
	enum imap_status status;
	struct imap_box box;

	if (imap_examine(client, mailbox, &box) != IMAP_OK)
		return -1;
	imap_clear(client);
	if (box.exists == 0)
		return 0;
	imap_set_untagged(client, untagged, &reader);
	status = imap_run(client, "UID FETCH 1:* (UID "
			  "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
	imap_set_untagged(client, NULL, NULL);
	return status == IMAP_OK ? 0 : -1;
}

static int cmp_place(const void *a, const void *b)
{
	const struct message_place *x = a, *y = b;
	int ret = strcmp(x->message_id, y->message_id);

	if (ret == 0)
		ret = strcmp(x->mailbox, y->mailbox);
	return ret != 0 ? ret : x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int read_all(struct imap_client *client, struct message_ids *ids)
{
	size_t i;

	if (list_mailboxes(client, ids) < 0)
		return -1;
	for (i = 0; i < ids->mailbox_count; i++) {
		if (read_mailbox(client, ids, ids->mailboxes[i]) < 0)
			return -1;
	}
	qsort(ids->items, ids->count, sizeof(*ids->items), cmp_place);
	return 0;
}

int message_ids_take(const char *hostport, const char *user,
		     const char *password, unsigned int timeout_ms,
		     struct message_ids *ids_r, const char **error_r)
{
	static _Thread_local char error[NET_LINE_MAX_ERROR];
	struct imap_client *client;
	int ret;

	memset(ids_r, 0, sizeof(*ids_r));
	if (imap_open(hostport, user, password, timeout_ms, &client,
		      error_r) < 0)
		return -1;
	ret = read_all(client, ids_r);
	if (ret < 0) {
		snprintf(error, sizeof(error), "%s", imap_error(client));
		*error_r = error;
		message_ids_free(ids_r);
	}
	imap_logout(&client);
	return ret;
}

void message_ids_free(struct message_ids *ids)
{
	size_t i;

	for (i = 0; i < ids->count; i++)
		free(ids->items[i].message_id);
	for (i = 0; i < ids->mailbox_count; i++)
		free(ids->mailboxes[i]);
	free(ids->items);
	free(ids->mailboxes);
	memset(ids, 0, sizeof(*ids));
}

const struct message_place *
message_ids_find(const struct message_ids *ids, const char *message_id,
		 size_t *count_r)
{
	size_t low = 0, high = ids->count, mid, end;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (strcmp(ids->items[mid].message_id, message_id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < ids->count &&
	     strcmp(ids->items[end].message_id, message_id) == 0; end++) ;
	*count_r = end - low;
	return end == low ? NULL : &ids->items[low];
}

size_t message_ids_count(const struct message_ids *ids,
			 const char *message_id, const char *mailbox)
{
	const struct message_place *place;
	size_t i, found, count = 0;

	place = message_ids_find(ids, message_id, &found);
	for (i = 0; i < found; i++) {
		if (mailbox == NULL || strcmp(place[i].mailbox, mailbox) == 0)
			count++;
	}
	return count;
}
