#include "demo-expect.h"
#include "demo-delivery.h"

#include <stdlib.h>
#include <string.h>

/* The messages of INBOX by Message-ID. */
struct id_uid {
	char *message_id;
	uint32_t uid;
};

struct id_list {
	struct id_uid *items;
	size_t count;
};

static int cmp_id(const void *a, const void *b)
{
	const struct id_uid *x = a, *y = b;
	int ret = strcmp(x->message_id, y->message_id);

	return ret != 0 ? ret : x->uid < y->uid ? -1 : x->uid > y->uid;
}

static void untagged(void *context, const struct imap_response *resp)
{
	struct id_list *list = context;
	struct imap_fetch fetch;
	const char *begin, *end;

	if (!imap_parse_fetch(resp, &fetch) || !fetch.has_body ||
	    fetch.uid == 0)
		return;
	begin = memchr(fetch.body, '<', fetch.body_size);
	end = begin == NULL ? NULL : strchr(begin, '>');
	if (end == NULL)
		return;
	list->items = realloc(list->items,
			      (list->count + 1) * sizeof(*list->items));
	if (list->items == NULL)
		abort();
	list->items[list->count].message_id =
		strndup(begin, (size_t)(end + 1 - begin));
	list->items[list->count++].uid = fetch.uid;
}

static void read_ids(struct demo_user *user, struct id_list *list)
{
	const struct lab *lab = user->lab->lab;
	struct imap_client *client;
	struct imap_box box;
	const char *error;

	if (imap_open(lab_get(lab, "NEW_IMAP"), user->name,
		      lab_get(lab, "PASSWORD"), DEMO_TIMEOUT_MS, &client,
		      &error) < 0) {
		demo_problem("%s: %s", user->label, error);
		return;
	}
	if (imap_examine(client, "INBOX", &box) == IMAP_OK) {
		imap_clear(client);
		imap_set_untagged(client, untagged, list);
		(void)imap_run(client, "UID FETCH 1:* (UID "
			       "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
		imap_set_untagged(client, NULL, NULL);
	}
	if (imap_reply(client)->status != IMAP_OK)
		demo_problem("%s: Message-IDs: %s", user->label,
			     imap_error(client));
	imap_logout(&client);
	qsort(list->items, list->count, sizeof(*list->items), cmp_id);
}

static void free_ids(struct id_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->items[i].message_id);
	free(list->items);
}

/* The lowest UID with that Message-ID, or 0. */
static uint32_t find_id(const struct id_list *list, const char *message_id)
{
	size_t low = 0, high = list->count, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (strcmp(list->items[mid].message_id, message_id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < list->count &&
		strcmp(list->items[low].message_id, message_id) == 0 ?
		list->items[low].uid : 0;
}

static const struct snapshot_message *
find_uid(const struct snapshot_folder *folder, uint32_t uid)
{
	size_t i;

	for (i = 0; folder != NULL && i < folder->count; i++) {
		if (folder->messages[i].uid == uid)
			return &folder->messages[i];
	}
	return NULL;
}

/* What was taken must be there, once: another copy is one too many for the
   comparison. */
unsigned int
demo_delivered_find(struct demo_user *user, struct demo_delivered *delivered_r)
{
	const struct snapshot_folder *inbox = snapshot_find(user->after,
							    "INBOX");
	const struct snapshot_message *msg;
	const struct delivery *delivery;
	struct id_list ids = { .items = NULL };
	unsigned int missing = 0;
	size_t i;

	delivered_r->count = 0;
	delivered_r->messages = calloc(user->delivered.count + 1,
				       sizeof(*delivered_r->messages));
	if (delivered_r->messages == NULL)
		abort();
	read_ids(user, &ids);
	for (i = 0; i < user->delivered.count; i++) {
		delivery = &user->delivered.items[i];
		msg = find_uid(inbox, find_id(&ids, delivery->message_id));
		if (delivery->state == DELIVERY_TAKEN && msg == NULL) {
			demo_problem("%s: the delivery %s is lost",
				     user->label, delivery->message_id);
			missing++;
		}
		if (delivery->state != DELIVERY_REFUSED && msg != NULL)
			delivered_r->messages[delivered_r->count++] = msg;
	}
	free_ids(&ids);
	return missing;
}

void demo_delivered_free(struct demo_delivered *delivered)
{
	free(delivered->messages);
	delivered->messages = NULL;
}

/* Those with UIDs below the limit. */
static void add_delivered(struct snapshot *expected,
			  const struct demo_delivered *delivered,
			  uint32_t limit)
{
	struct snapshot_folder *inbox = journal_folder(expected, "INBOX");
	struct snapshot_message *msg;
	size_t i;

	for (i = 0; inbox != NULL && i < delivered->count; i++) {
		if (delivered->messages[i]->uid >= limit)
			continue;
		msg = snapshot_add_message(inbox, delivered->messages[i]->uid);
		*msg = *delivered->messages[i];
		msg->flags = snapshot_intern(expected, "");
	}
}

struct snapshot *demo_expect_new(const struct demo_user *user,
				 const struct demo_delivered *delivered)
{
	struct snapshot *expected;

	expected = journal_expect_new(&user->journal, user->before);
	add_delivered(expected, delivered, UINT32_MAX);
	snapshot_finish(expected);
	return expected;
}

static uint32_t old_uidnext(const struct demo_user *user, const char *name)
{
	const struct snapshot_folder *folder;

	folder = snapshot_find(user->old_after, name);
	return folder == NULL ? 0 : folder->uidnext;
}

/* Whatever came before the cutover is on both servers. */
struct snapshot *demo_expect_old(const struct demo_user *user,
				 const struct demo_delivered *delivered)
{
	const uint32_t inbox_limit = old_uidnext(user, "INBOX");
	struct snapshot *expected;

	expected = journal_expect_old(&user->journal, user->before,
				      inbox_limit,
				      old_uidnext(user, JOURNAL_TRASH));
	add_delivered(expected, delivered, inbox_limit);
	snapshot_finish(expected);
	return expected;
}
