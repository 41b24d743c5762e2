#include "demo-expect.h"
#include "demo-delivery.h"

#include <stdlib.h>
#include <string.h>

/* The lowest UID with that Message-ID in INBOX, or 0. */
static uint32_t find_id(const struct message_ids *ids, const char *message_id)
{
	const struct message_place *place;
	size_t i, count;

	place = message_ids_find(ids, message_id, &count);
	for (i = 0; i < count; i++) {
		if (strcmp(place[i].mailbox, "INBOX") == 0)
			return place[i].uid;
	}
	return 0;
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
	unsigned int missing = 0;
	size_t i;

	delivered_r->count = 0;
	delivered_r->messages = calloc(user->delivered.count + 1,
				       sizeof(*delivered_r->messages));
	if (delivered_r->messages == NULL)
		abort();
	for (i = 0; i < user->delivered.count; i++) {
		delivery = &user->delivered.items[i];
		msg = find_uid(inbox, find_id(&user->ids_after,
					      delivery->message_id));
		if (delivery->state == DELIVERY_TAKEN && msg == NULL) {
			demo_problem("%s: the delivery %s is lost",
				     user->label, delivery->message_id);
			missing++;
		}
		if (delivery->state != DELIVERY_REFUSED && msg != NULL)
			delivered_r->messages[delivered_r->count++] = msg;
	}
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
