#include "snapshot.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct snapshot *snapshot_new(void)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (snapshot == NULL)
		abort();
	return snapshot;
}

void snapshot_free(struct snapshot **_snapshot)
{
	struct snapshot *snapshot = *_snapshot;
	size_t i;

	*_snapshot = NULL;
	if (snapshot == NULL)
		return;
	for (i = 0; i < snapshot->count; i++) {
		free(snapshot->folders[i].name);
		free(snapshot->folders[i].error);
		free(snapshot->folders[i].messages);
	}
	for (i = 0; i < snapshot->string_count; i++)
		free(snapshot->strings[i]);
	free(snapshot->strings);
	free(snapshot->folders);
	pop3_list_free(&snapshot->pop3);
	free(snapshot);
}

const char *snapshot_intern(struct snapshot *snapshot, const char *str)
{
	size_t i;

	/* few different ones are used again and again: the newest first */
	for (i = snapshot->string_count; i > 0; i--) {
		if (strcmp(snapshot->strings[i - 1], str) == 0)
			return snapshot->strings[i - 1];
	}
	snapshot->strings = realloc(snapshot->strings,
				    (snapshot->string_count + 1) *
				    sizeof(*snapshot->strings));
	if (snapshot->strings == NULL)
		abort();
	snapshot->strings[snapshot->string_count] = strdup(str);
	return snapshot->strings[snapshot->string_count++];
}

struct snapshot_folder *
snapshot_add_folder(struct snapshot *snapshot, const char *name)
{
	struct snapshot_folder *folder;

	snapshot->folders = realloc(snapshot->folders, (snapshot->count + 1) *
				    sizeof(*snapshot->folders));
	if (snapshot->folders == NULL)
		abort();
	folder = &snapshot->folders[snapshot->count++];
	memset(folder, 0, sizeof(*folder));
	folder->name = strdup(name);
	folder->special_use = "";
	return folder;
}

struct snapshot_message *
snapshot_add_message(struct snapshot_folder *folder, uint32_t uid)
{
	struct snapshot_message *msg;

	if (folder->count == folder->room) {
		folder->room = folder->room == 0 ? 64 : folder->room * 2;
		folder->messages = realloc(folder->messages, folder->room *
					   sizeof(*folder->messages));
		if (folder->messages == NULL)
			abort();
	}
	msg = &folder->messages[folder->count++];
	memset(msg, 0, sizeof(*msg));
	msg->uid = uid;
	msg->flags = "";
	return msg;
}

void snapshot_folder_fail(struct snapshot_folder *folder, const char *fmt, ...)
{
	va_list args;

	/* the first reason is the one to know */
	if (folder->error != NULL)
		return;
	va_start(args, fmt);
	if (vasprintf(&folder->error, fmt, args) < 0)
		abort();
	va_end(args);
}

static int cmp_message(const void *a, const void *b)
{
	const struct snapshot_message *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int cmp_folder(const void *a, const void *b)
{
	const struct snapshot_folder *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void snapshot_finish(struct snapshot *snapshot)
{
	struct snapshot_folder *folder;
	size_t i, j;

	for (i = 0; i < snapshot->count; i++) {
		folder = &snapshot->folders[i];
		if (folder->count > 0) {
			qsort(folder->messages, folder->count,
			      sizeof(*folder->messages), cmp_message);
		}
		for (j = 1; j < folder->count; j++) {
			if (folder->messages[j].uid ==
			    folder->messages[j - 1].uid) {
				snapshot_folder_fail(folder,
					"UID %u given twice",
					folder->messages[j].uid);
			}
		}
	}
	if (snapshot->count > 0) {
		qsort(snapshot->folders, snapshot->count,
		      sizeof(*snapshot->folders), cmp_folder);
	}
}

const struct snapshot_folder *
snapshot_find(const struct snapshot *snapshot, const char *name)
{
	size_t i;

	for (i = 0; i < snapshot->count; i++) {
		if (strcmp(snapshot->folders[i].name, name) == 0)
			return &snapshot->folders[i];
	}
	return NULL;
}

uint64_t snapshot_messages(const struct snapshot *snapshot)
{
	uint64_t messages = 0;
	size_t i;

	for (i = 0; i < snapshot->count; i++)
		messages += snapshot->folders[i].count;
	return messages;
}
