#include "demo-compare.h"
#include "demo-delivery.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_SHOWN 10
#define COMPARE_FLAGS (SNAPSHOT_IGNORE_UIDNEXT | SNAPSHOT_IGNORE_SPECIAL_USE)

/* The messages of INBOX by Message-ID. */
struct id_uid {
	char *message_id;
	uint32_t uid;
};

struct id_list {
	struct id_uid *items;
	size_t count;
	bool failed;
};

static void take_picture(struct demo_user *user, const char *server_key,
			 unsigned int flags, struct snapshot **snapshot_r)
{
	const struct lab *lab = user->lab->lab;
	const struct snapshot_source source = {
		.imap = lab_get(lab, server_key), .user = user->name,
		.password = lab_get(lab, "PASSWORD"),
		.timeout_ms = DEMO_TIMEOUT_MS, .flags = flags
	};
	const char *error;

	if (demo_is_interrupted())
		return;
	if (snapshot_take(&source, snapshot_r, &error) < 0)
		demo_problem("%s: %s: %s", user->label, server_key, error);
}

static void take_old(struct demo_user *user, struct snapshot **snapshot_r)
{
	/* as an old server Courier forgets UIDVALIDITY at EXAMINE */
	take_picture(user, "OLD_IMAP_DIRECT",
		     strcmp(user->lab->kind, "courier") == 0 ?
		     SNAPSHOT_SELECT : 0, snapshot_r);
}

void demo_picture_before(struct demo_user *user)
{
	take_old(user, &user->before);
	if (user->before != NULL)
		journal_init(&user->journal, user->before);
}

void demo_picture_after(struct demo_user *user)
{
	take_picture(user, "NEW_IMAP", 0, &user->after);
	take_old(user, &user->old_after);
}

/*
 * Deliveries
 */

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

static void add_expected(struct snapshot *expected,
			 const struct snapshot_message *from)
{
	struct snapshot_folder *inbox = journal_folder(expected, "INBOX");
	struct snapshot_message *msg;

	if (inbox == NULL)
		return;
	msg = snapshot_add_message(inbox, from->uid);
	*msg = *from;
	msg->flags = snapshot_intern(expected, "");
}

/* What was taken must be there, once: another copy is one too many for the
   comparison. Whatever came before the cutover is on both servers. */
static unsigned int
expect_deliveries(struct demo_user *user, uint32_t old_limit,
		  struct snapshot *on_new, struct snapshot *on_old)
{
	const struct snapshot_folder *inbox = snapshot_find(user->after,
							    "INBOX");
	const struct snapshot_message *msg;
	const struct delivery *delivery;
	struct id_list ids = { .items = NULL };
	unsigned int missing = 0;
	size_t i;

	read_ids(user, &ids);
	for (i = 0; i < user->delivered.count; i++) {
		delivery = &user->delivered.items[i];
		msg = find_uid(inbox, find_id(&ids, delivery->message_id));
		if (delivery->state == DELIVERY_TAKEN && msg == NULL) {
			demo_problem("%s: the delivery %s is lost",
				     user->label, delivery->message_id);
			missing++;
		}
		if (delivery->state == DELIVERY_REFUSED || msg == NULL)
			continue;
		add_expected(on_new, msg);
		if (msg->uid < old_limit)
			add_expected(on_old, msg);
	}
	free_ids(&ids);
	return missing;
}

/*
 * Comparing
 */

/* UIDs only go up (I9). */
static unsigned int compare_uidnext(const struct demo_user *user)
{
	const struct snapshot_folder *old, *new;
	unsigned int wrong = 0;
	size_t i;

	for (i = 0; user->is_cut_over && i < user->after->count; i++) {
		new = &user->after->folders[i];
		old = snapshot_find(user->old_after, new->name);
		if (old == NULL || !new->selectable ||
		    new->uidnext > old->uidnext)
			continue;
		demo_problem("%s: %s: UIDNEXT is %u, and %u on the old server",
			     user->label, new->name, new->uidnext,
			     old->uidnext);
		wrong++;
	}
	return wrong;
}

static void say_differences(const struct demo_user *user, const char *where,
			    char *text)
{
	unsigned int shown = 0;
	char *line, *save;

	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (shown++ < MAX_SHOWN)
			demo_problem("%s, %s: %s", user->label, where, line);
	}
	if (shown > MAX_SHOWN)
		demo_problem("%s, %s: and %u more", user->label, where,
			     shown - MAX_SHOWN);
}

static void
compare_pictures(const struct demo_user *user, const char *where,
		 struct snapshot *expected, const struct snapshot *found,
		 struct demo_verdict *verdict)
{
	struct snapshot_diff diff;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		abort();
	snapshot_finish(expected);
	(void)snapshot_compare(expected, found, COMPARE_FLAGS, out, &diff);
	fclose(out);
	say_differences(user, where, text);
	free(text);
	verdict->lost += diff.lost;
	/* nobody wrote those, or not twice */
	verdict->doubled += diff.doubled + diff.added;
	verdict->changed += diff.changed + diff.folders_lost +
		diff.folders_added + diff.folders_changed;
}

static uint32_t old_uidnext(const struct demo_user *user, const char *name)
{
	const struct snapshot_folder *folder;

	folder = snapshot_find(user->old_after, name);
	return folder == NULL ? 0 : folder->uidnext;
}

static void
compare_user(struct demo_user *user, struct demo_verdict *verdict)
{
	struct snapshot *on_new, *on_old;

	on_new = journal_expect_new(&user->journal, user->before);
	on_old = journal_expect_old(&user->journal, user->before,
				    old_uidnext(user, "INBOX"),
				    old_uidnext(user, JOURNAL_TRASH));
	verdict->lost += expect_deliveries(user, old_uidnext(user, "INBOX"),
					   on_new, on_old);
	compare_pictures(user, "new server", on_new, user->after, verdict);
	compare_pictures(user, "old server", on_old, user->old_after, verdict);
	verdict->changed += compare_uidnext(user);
	verdict->accounts++;
	verdict->mailboxes += (unsigned int)on_new->count;
	verdict->messages += snapshot_messages(on_new);
	if (!user->journal.frozen)
		demo_problem("%s: the client was never told of the cutover",
			     user->label);
	snapshot_free(&on_new);
	snapshot_free(&on_old);
}

static void add_counts(const struct demo_user *user,
		       struct demo_verdict *verdict)
{
	verdict->client_errors += user->client.errors + user->watcher.errors +
		user->delivery.errors;
	verdict->reconnects += user->client.reconnects +
		user->watcher.reconnects;
	if (user->client.interrupted_ms > verdict->interrupted_ms)
		verdict->interrupted_ms = user->client.interrupted_ms;
	if (user->client.slowest_ms > verdict->slowest_ms)
		verdict->slowest_ms = user->client.slowest_ms;
	if (user->delivery.slowest_ms > verdict->slowest_delivery_ms)
		verdict->slowest_delivery_ms = user->delivery.slowest_ms;
}

static int cmp_ms(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure_cutovers(const struct demo *demo,
			     struct demo_verdict *verdict)
{
	unsigned int all[DEMO_USERS * DEMO_MAX_CUTOVERS], i, count = 0;

	for (i = 0; i < demo->user_count; i++) {
		memcpy(all + count, demo->users[i].cutover_ms,
		       demo->users[i].cutovers * sizeof(*all));
		count += demo->users[i].cutovers;
	}
	if (count == 0)
		return;
	qsort(all, count, sizeof(*all), cmp_ms);
	verdict->cutover_ms_median = all[count / 2];
	verdict->cutover_ms_max = all[count - 1];
}

static void table_row(const struct demo_user *user,
		      const struct demo_verdict *verdict)
{
	printf("%-15s %6u %6llu %6u %6u %4u %7u %5llu %5llu %5llu %5u\n",
	       user->label, verdict->mailboxes,
	       (unsigned long long)verdict->messages, user->client.writes,
	       user->delivery.writes, verdict->reconnects,
	       verdict->interrupted_ms, (unsigned long long)verdict->lost,
	       (unsigned long long)verdict->doubled,
	       (unsigned long long)verdict->changed, verdict->client_errors);
}

static void add_verdict(struct demo_verdict *to,
			const struct demo_verdict *from)
{
	to->accounts += from->accounts;
	to->mailboxes += from->mailboxes;
	to->messages += from->messages;
	to->lost += from->lost;
	to->doubled += from->doubled;
	to->changed += from->changed;
	to->client_errors += from->client_errors;
	to->reconnects += from->reconnects;
	if (from->interrupted_ms > to->interrupted_ms)
		to->interrupted_ms = from->interrupted_ms;
	if (from->slowest_ms > to->slowest_ms)
		to->slowest_ms = from->slowest_ms;
	if (from->slowest_delivery_ms > to->slowest_delivery_ms)
		to->slowest_delivery_ms = from->slowest_delivery_ms;
}

void demo_compare(struct demo *demo, struct demo_verdict *verdict_r)
{
	struct demo_verdict verdicts[DEMO_USERS];
	struct demo_user *user;
	unsigned int i;

	memset(verdict_r, 0, sizeof(*verdict_r));
	memset(verdicts, 0, sizeof(verdicts));
	for (i = 0; i < demo->user_count; i++) {
		user = &demo->users[i];
		add_counts(user, &verdicts[i]);
		if (user->before != NULL && user->after != NULL &&
		    user->old_after != NULL)
			compare_user(user, &verdicts[i]);
		add_verdict(verdict_r, &verdicts[i]);
	}
	measure_cutovers(demo, verdict_r);
	printf("\n%-15s %6s %6s %6s %6s %4s %7s %5s %5s %5s %5s\n", "account",
	       "mailb.", "mess.", "writes", "deliv.", "bye", "away ms", "lost",
	       "doub.", "chan.", "err.");
	for (i = 0; i < demo->user_count; i++)
		table_row(&demo->users[i], &verdicts[i]);
}

void demo_verdict_print(const struct demo_verdict *verdict)
{
	printf("accounts=%u mailboxes=%u messages=%llu lost=%llu doubled=%llu "
	       "changed=%llu client_errors=%u cutover_ms_median=%u "
	       "cutover_ms_max=%u", verdict->accounts, verdict->mailboxes,
	       (unsigned long long)verdict->messages,
	       (unsigned long long)verdict->lost,
	       (unsigned long long)verdict->doubled,
	       (unsigned long long)verdict->changed, verdict->client_errors,
	       verdict->cutover_ms_median, verdict->cutover_ms_max);
}
