#include "demo-compare.h"
#include "demo-expect.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SHOWN 10
#define COMPARE_FLAGS (SNAPSHOT_IGNORE_UIDNEXT | SNAPSHOT_IGNORE_SPECIAL_USE)

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

static void take_ids(struct demo_user *user)
{
	const struct lab *lab = user->lab->lab;
	const char *error;

	if (message_ids_take(lab_get(lab, "NEW_IMAP"), user->name,
			     lab_get(lab, "PASSWORD"), DEMO_TIMEOUT_MS,
			     &user->ids_after, &error) < 0)
		demo_problem("%s: Message-IDs: %s", user->label, error);
}

void demo_picture_after(struct demo_user *user)
{
	take_picture(user, "NEW_IMAP", 0, &user->after);
	take_ids(user);
	take_old(user, &user->old_after);
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

static void add_diff(struct demo_verdict *verdict,
		     const struct snapshot_diff *diff)
{
	verdict->lost += diff->lost;
	/* nobody wrote those, or not twice */
	verdict->doubled += diff->doubled + diff->added;
	verdict->changed += diff->changed + diff->folders_lost +
		diff->folders_added + diff->folders_changed;
}

static void
compare_pictures(const struct demo_user *user, const char *where,
		 const struct snapshot *expected, const struct snapshot *found,
		 struct demo_verdict *verdict)
{
	struct snapshot_diff diff;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		abort();
	(void)snapshot_compare(expected, found, COMPARE_FLAGS, out, &diff);
	fclose(out);
	say_differences(user, where, text);
	free(text);
	add_diff(verdict, &diff);
}

static uint64_t count_differences(const struct snapshot *expected,
				  const struct snapshot *found)
{
	struct snapshot_diff diff;

	(void)snapshot_compare(expected, found, COMPARE_FLAGS, NULL, &diff);
	return diff.lost + diff.doubled + diff.added + diff.changed +
		diff.folders_lost + diff.folders_added + diff.folders_changed;
}

/* It has all that was written before the cutover began, and of what was written
   meanwhile the first ones: one of these states it must be. The one that comes
   nearest. */
static struct snapshot *
expect_old_state(struct demo_user *user, const struct demo_delivered *delivered)
{
	struct snapshot *nearest = demo_expect_old(user, delivered), *expected;
	uint64_t least = count_differences(nearest, user->old_after), count;

	while (least > 0 && journal_advance(&user->journal)) {
		expected = demo_expect_old(user, delivered);
		count = count_differences(expected, user->old_after);
		if (count < least) {
			snapshot_free(&nearest);
			nearest = expected;
			least = count;
		} else {
			snapshot_free(&expected);
		}
	}
	return nearest;
}

static void
compare_user(struct demo_user *user, struct demo_verdict *verdict)
{
	struct demo_delivered delivered;
	struct snapshot *on_new, *on_old;

	verdict->lost += demo_delivered_find(user, &delivered);
	on_new = demo_expect_new(user, &delivered);
	on_old = expect_old_state(user, &delivered);
	compare_pictures(user, "new server", on_new, user->after, verdict);
	compare_pictures(user, "old server", on_old, user->old_after, verdict);
	verdict->changed += compare_uidnext(user);
	verdict->accounts++;
	verdict->mailboxes += (unsigned int)on_new->count;
	verdict->messages += snapshot_messages(on_new);
	if (!user->journal.frozen)
		demo_problem("%s: the client has written nothing since the "
			     "cutover", user->label);
	snapshot_free(&on_new);
	snapshot_free(&on_old);
	demo_delivered_free(&delivered);
}

static void add_counts(const struct demo_user *user,
		       struct demo_verdict *verdict)
{
	verdict->client_errors += user->client.errors + user->watcher.errors +
		user->delivery.errors;
	verdict->mirrored += user->mirrored_mailboxes;
	*(user->inbox_is_mirrored ? &verdict->disconnects :
	  &verdict->reconnects) += user->client.reconnects +
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
	       user->delivery.writes,
	       verdict->reconnects + verdict->disconnects,
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
	to->mirrored += from->mirrored;
	to->disconnects += from->disconnects;
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
