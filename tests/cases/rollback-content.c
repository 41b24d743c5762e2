#include "rollback-content.h"

#include <stdlib.h>
#include <string.h>

static char *line_of(const struct snapshot_message *message)
{
	char *line = NULL, hex[2 * SNAPSHOT_DIGEST_SIZE + 1];

	for (unsigned int i = 0; i < SNAPSHOT_DIGEST_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", message->digest[i]);
	if (asprintf(&line, "%s (%s) %lld", hex, message->flags,
		     (long long)message->instant) < 0)
		abort();
	return line;
}

static int line_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
note_uid(struct rollback_uids *uids, uint32_t uidvalidity,
	 const struct snapshot_message *message)
{
	unsigned int i;

	for (i = 0; i < uids->count; i++) {
		if (uids->uids[i].uid == message->uid &&
		    uids->uids[i].uidvalidity == uidvalidity)
			break;
	}
	if (i == uids->count) {
		if (!UNIT_CHECK(i < 2 * ROLLBACK_CONTENT_MAX, "too many UIDs"))
			return;
		uids->uids[i].uid = message->uid;
		uids->uids[i].uidvalidity = uidvalidity;
		memcpy(uids->uids[i].digest, message->digest,
		       SNAPSHOT_DIGEST_SIZE);
		uids->count++;
	}
	UNIT_CHECK(memcmp(uids->uids[i].digest, message->digest,
			  SNAPSHOT_DIGEST_SIZE) == 0,
		   "UID %u was another message before", message->uid);
}

void rollback_content_get(const char *side, unsigned int user,
			  const char *mailbox, struct rollback_uids *uids,
			  struct rollback_content *content_r)
{
	struct snapshot *snapshot = case_snapshot(side, user, false);
	const struct snapshot_folder *folder;

	content_r->count = 0;
	folder = snapshot == NULL ? NULL : snapshot_find(snapshot, mailbox);
	if (!UNIT_CHECK(folder != NULL && folder->error == NULL &&
			folder->count < ROLLBACK_CONTENT_MAX,
			"%s: %s can't be read", side, mailbox)) {
		snapshot_free(&snapshot);
		return;
	}
	for (size_t i = 0; i < folder->count; i++) {
		content_r->lines[content_r->count++] =
			line_of(&folder->messages[i]);
		if (uids != NULL)
			note_uid(uids, folder->uidvalidity,
				 &folder->messages[i]);
	}
	qsort(content_r->lines, content_r->count, sizeof(*content_r->lines),
	      line_cmp);
	snapshot_free(&snapshot);
}

void rollback_content_free(struct rollback_content *content)
{
	while (content->count > 0)
		free(content->lines[--content->count]);
}

bool rollback_content_same(struct rollback_content *a,
			   struct rollback_content *b, const char *what)
{
	unsigned int i;
	bool same;

	for (i = 0; i < a->count && i < b->count; i++) {
		if (strcmp(a->lines[i], b->lines[i]) != 0)
			break;
	}
	same = UNIT_CHECK(i == a->count && i == b->count,
		"%s: %u and %u messages; the first that differ: %s and %s",
		what, a->count, b->count,
		i < a->count ? a->lines[i] : "none",
		i < b->count ? b->lines[i] : "none");
	rollback_content_free(a);
	rollback_content_free(b);
	return same;
}
