#include "demo-late-count.h"
#include "demo-progress.h"

#include <stdlib.h>
#include <string.h>

/* How often a Message-ID should be there. */
static size_t wanted_count(const struct demo_user *user, const char *message_id)
{
	const struct late_list *list = &user->late;
	size_t count = message_ids_count(&user->ids_after, message_id, NULL);
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		if (list->mails[i].accepted_ms != 0 &&
		    strcmp(list->mails[i].message_id, message_id) == 0)
			count++;
	}
	return count;
}

static void
compare_count(const struct demo_user *user, const char *message_id,
	      size_t found, struct demo_late_counts *counts)
{
	size_t wanted = wanted_count(user, message_id);

	if (found == wanted)
		return;
	demo_problem("%s: %s is there %zu times, and should be %zu times",
		     user->label, message_id, found, wanted);
	if (found < wanted)
		counts->lost += (unsigned int)(wanted - found);
	else
		counts->doubled += (unsigned int)(found - wanted);
}

/* What is there, each Message-ID once. */
static void
compare_found(const struct demo_user *user, const struct message_ids *ids,
	      struct demo_late_counts *counts)
{
	const struct message_place *place = ids->items;
	size_t count;

	for (; place < ids->items + ids->count; place += count) {
		(void)message_ids_find(ids, place->message_id, &count);
		compare_count(user, place->message_id, count, counts);
	}
}

/* What isn't there at all. */
static void
compare_missing(const struct demo_user *user, const struct message_ids *ids,
		struct demo_late_counts *counts)
{
	const struct late_list *list = &user->late;
	const struct message_place *place;
	size_t i, count;

	for (i = 0; i < list->count; i++) {
		if (message_ids_count(ids, list->mails[i].message_id, NULL) == 0)
			compare_count(user, list->mails[i].message_id, 0,
				      counts);
	}
	for (i = 0; i < user->ids_after.count; i += count) {
		place = &user->ids_after.items[i];
		(void)message_ids_find(&user->ids_after, place->message_id,
				       &count);
		if (message_ids_count(ids, place->message_id, NULL) == 0)
			compare_count(user, place->message_id, 0, counts);
	}
}

static void count_user(const struct demo_user *user,
		       struct demo_late_counts *counts)
{
	const struct late_list *list = &user->late;
	const struct lab *lab = user->lab->lab;
	struct message_ids ids;
	const char *error;
	unsigned int i;

	if (message_ids_take(lab_get(lab, "NEW_IMAP"), user->name,
			     lab_get(lab, "PASSWORD"), DEMO_TIMEOUT_MS, &ids,
			     &error) < 0) {
		demo_problem("%s: Message-IDs: %s", user->label, error);
		return;
	}
	for (i = 0; i < list->count; i++)
		counts->late += list->mails[i].kind != LATE_AT_NEW &&
			list->mails[i].accepted_ms != 0;
	compare_found(user, &ids, counts);
	compare_missing(user, &ids, counts);
	message_ids_free(&ids);
}

static int cmp_ms(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_delay(unsigned int **delays, size_t *count, unsigned int ms)
{
	*delays = realloc(*delays, (*count + 1) * sizeof(**delays));
	if (*delays == NULL)
		abort();
	(*delays)[(*count)++] = ms;
}

static void
measure_delays(const struct demo *demo, struct demo_late_counts *counts)
{
	unsigned int *delays = NULL, i, j;
	const struct late_mail *mail;
	size_t count = 0;

	for (i = 0; i < demo->user_count; i++) {
		for (j = 0; j < demo->users[i].late.count; j++) {
			mail = &demo->users[i].late.mails[j];
			if (mail->kind == LATE_AT_OLD && mail->seen_ms != 0)
				add_delay(&delays, &count, (unsigned int)
					  (mail->seen_ms - mail->accepted_ms));
		}
	}
	if (count > 0) {
		qsort(delays, count, sizeof(*delays), cmp_ms);
		counts->median_ms = delays[count / 2];
		counts->max_ms = delays[count - 1];
	}
	free(delays);
}

void demo_late_count(struct demo *demo, struct demo_late_counts *counts_r)
{
	unsigned int i;

	memset(counts_r, 0, sizeof(*counts_r));
	for (i = 0; i < demo->user_count; i++)
		count_user(&demo->users[i], counts_r);
	measure_delays(demo, counts_r);
	demo_say("%u late mails, %u lost, %u doubled; at the new servers after "
		 "%u ms (median), %u ms at most", counts_r->late,
		 counts_r->lost, counts_r->doubled, counts_r->median_ms,
		 counts_r->max_ms);
}
