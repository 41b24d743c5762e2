#include "journal.h"
#include "imap-client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const journal_flags[] = {
	"\\Flagged", "\\Answered", "\\Deleted", "$Work", "$Later", NULL
};

struct journal_note *journal_add(struct journal *journal, const char *id,
				 unsigned int home)
{
	struct journal_note *note;

	if (journal->count == journal->room) {
		journal->room = journal->room == 0 ? 256 : journal->room * 2;
		journal->notes = realloc(journal->notes, journal->room *
					 sizeof(*journal->notes));
		if (journal->notes == NULL)
			abort();
	}
	note = &journal->notes[journal->count++];
	memset(note, 0, sizeof(*note));
	snprintf(note->id, sizeof(note->id), "%s", id);
	note->home = home;
	return note;
}

void journal_free(struct journal *journal)
{
	free(journal->notes);
	memset(journal, 0, sizeof(*journal));
}

static unsigned int flags_of(const struct imap_arg *flag)
{
	unsigned int i, bits = 0;

	for (; flag != NULL; flag = flag->next) {
		for (i = 0; journal_flags[i] != NULL; i++) {
			if (strcasecmp(flag->data, journal_flags[i]) == 0)
				bits |= 1U << i;
		}
	}
	return bits;
}

/* "Message-ID: <id>..." -> id */
static bool take_id(const struct imap_fetch *fetch, char *id, size_t size)
{
	const char *begin, *end;

	if (!fetch->has_body)
		return false;
	begin = memchr(fetch->body, '<', fetch->body_size);
	end = begin == NULL ? NULL :
		memchr(begin, '>', fetch->body_size -
		       (size_t)(begin - fetch->body));
	if (end == NULL || (size_t)(end - begin) > size)
		return false;
	snprintf(id, size, "%.*s", (int)(end - begin - 1), begin + 1);
	return true;
}

static int compare_found(const void *a, const void *b)
{
	return strcmp(((const struct journal_found *)a)->id,
		      ((const struct journal_found *)b)->id);
}

/* The same message twice becomes one with a count. */
static void join_found(struct journal_mailbox *box)
{
	size_t i, n = 0;

	box->messages = box->count;
	qsort(box->found, box->count, sizeof(*box->found), compare_found);
	for (i = 0; i < box->count; i++) {
		if (n > 0 && compare_found(&box->found[n - 1],
					   &box->found[i]) == 0)
			box->found[n - 1].count++;
		else
			box->found[n++] = box->found[i];
	}
	box->count = n;
}

int journal_read(struct imap_client *client, struct journal_mailbox *box_r)
{
	const struct imap_response *resp;
	struct journal_found *found;
	struct imap_fetch fetch;

	memset(box_r, 0, sizeof(*box_r));
	box_r->found = calloc(imap_exists(client) + 1, sizeof(*box_r->found));
	if (box_r->found == NULL)
		abort();
	if (imap_exists(client) == 0)
		return 0;
	imap_clear(client);
	if (imap_run(client, "UID FETCH 1:* (UID FLAGS "
		     "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])") != IMAP_OK)
		return -1;
	for (resp = imap_untagged(client); resp != NULL; resp = resp->next) {
		if (!imap_parse_fetch(resp, &fetch) ||
		    box_r->count == imap_exists(client))
			continue;
		found = &box_r->found[box_r->count];
		if (!take_id(&fetch, found->id, sizeof(found->id)))
			continue;
		found->flags = flags_of(fetch.flags);
		found->count = 1;
		box_r->count++;
	}
	join_found(box_r);
	return 0;
}

void journal_mailbox_free(struct journal_mailbox *box)
{
	free(box->found);
	memset(box, 0, sizeof(*box));
}

static void
judge_note(struct journal_note *note, const struct journal_found *found,
	   enum journal_place place, FILE *out, struct journal_verdict *verdict)
{
	unsigned int count = found == NULL ? 0 : found->count;
	unsigned int min = note->min[place], wrong;

	if (place == JOURNAL_HOME)
		note->seen = count;
	else if (note->moving && note->seen == 0 && min == 0)
		min = 1;
	if (count < min) {
		verdict->lost++;
		fprintf(out, "    %s (UID %u): %u times, not %u\n", note->id,
			note->uid, count, min);
	} else if (count > note->max[place]) {
		verdict->doubled++;
		fprintf(out, "    %s (UID %u): %u times, not %u\n", note->id,
			note->uid, count, note->max[place]);
	} else if (place == JOURNAL_HOME && found != NULL) {
		wrong = (found->flags ^ note->flags) & ~note->unsure;
		if (wrong != 0) {
			verdict->changed++;
			fprintf(out, "    %s (UID %u): flags %x, not %x\n",
				note->id, note->uid, found->flags,
				note->flags);
		}
	}
}

void journal_judge(struct journal *journal, struct journal_mailbox *box,
		   enum journal_place place, unsigned int home, FILE *out,
		   struct journal_verdict *verdict)
{
	struct journal_note *note;
	struct journal_found key, *found;
	size_t i;

	for (i = 0; i < journal->count; i++) {
		note = &journal->notes[i];
		if (place == JOURNAL_HOME && note->home != home)
			continue;
		memcpy(key.id, note->id, sizeof(key.id));
		found = bsearch(&key, box->found, box->count,
				sizeof(*box->found), compare_found);
		if (found != NULL)
			found->known = true;
		judge_note(note, found, place, out, verdict);
	}
}
