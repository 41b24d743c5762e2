#include "demo-journal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_FLAG_TEXT 512

unsigned int journal_flag(struct journal *journal, const char *flag)
{
	unsigned int i;

	for (i = 0; i < journal->flag_count; i++) {
		if (strcmp(journal->flags[i], flag) == 0)
			return 1U << i;
	}
	if (journal->flag_count == JOURNAL_MAX_FLAGS)
		abort();
	journal->flags[i] = strdup(flag);
	journal->flag_count++;
	return 1U << i;
}

static unsigned int parse_flags(struct journal *journal, const char *str)
{
	char text[MAX_FLAG_TEXT], *save, *flag;
	unsigned int flags = 0;

	snprintf(text, sizeof(text), "%s", str);
	for (flag = strtok_r(text, " ", &save); flag != NULL;
	     flag = strtok_r(NULL, " ", &save))
		flags |= journal_flag(journal, flag);
	return flags;
}

static int cmp_str(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *journal_flags_str(const struct journal *journal,
			      unsigned int flags)
{
	static _Thread_local char text[MAX_FLAG_TEXT];
	const char *names[JOURNAL_MAX_FLAGS];
	unsigned int i, count = 0;
	size_t used = 0;

	for (i = 0; i < journal->flag_count; i++) {
		if ((flags & 1U << i) != 0)
			names[count++] = journal->flags[i];
	}
	qsort(names, count, sizeof(*names), cmp_str);
	text[0] = '\0';
	for (i = 0; i < count && used < sizeof(text); i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s", i == 0 ? "" : " ", names[i]);
	}
	return text;
}

struct journal_message *journal_add(struct journal *journal, uint32_t uid,
				    const char *flags)
{
	struct journal_message *msg;

	if (journal->count == journal->room) {
		journal->room = journal->room == 0 ? 256 : journal->room * 2;
		journal->messages = realloc(journal->messages, journal->room *
					    sizeof(*journal->messages));
		if (journal->messages == NULL)
			abort();
	}
	msg = &journal->messages[journal->count++];
	memset(msg, 0, sizeof(*msg));
	msg->uid = uid;
	msg->flags = parse_flags(journal, flags);
	return msg;
}

static void
take_folder(struct journal *journal, const struct snapshot_folder *folder,
	    bool is_trash)
{
	const struct snapshot_message *from;
	struct journal_message *msg;
	size_t i;

	for (i = 0; folder != NULL && i < folder->count; i++) {
		from = &folder->messages[i];
		msg = journal_add(journal, is_trash ? 0 : from->uid,
				  from->flags);
		msg->trash_uid = is_trash ? from->uid : 0;
		msg->size = from->size;
		msg->instant = from->instant;
		memcpy(msg->digest, from->digest, sizeof(msg->digest));
	}
}

void journal_init(struct journal *journal, const struct snapshot *before)
{
	memset(journal, 0, sizeof(*journal));
	take_folder(journal, snapshot_find(before, "INBOX"), false);
	take_folder(journal, snapshot_find(before, JOURNAL_TRASH), true);
}

void journal_deinit(struct journal *journal)
{
	unsigned int i;
	size_t j;

	for (i = 0; i < journal->flag_count; i++)
		free((char *)journal->flags[i]);
	for (j = 0; j < journal->count; j++)
		free(journal->messages[j].message_id);
	free(journal->messages);
	free(journal->writes);
	memset(journal, 0, sizeof(*journal));
}

void journal_freeze(struct journal *journal)
{
	size_t i;

	for (i = 0; i < journal->count; i++) {
		journal->messages[i].old_uid = journal->messages[i].uid;
		journal->messages[i].old_flags = journal->messages[i].flags;
	}
	journal->frozen = true;
}

void journal_note_unsure(struct journal *journal, size_t message)
{
	struct journal_write *write;

	if (journal->write_count == journal->write_room) {
		journal->write_room = journal->write_room * 2 + 64;
		journal->writes = realloc(journal->writes, journal->write_room *
					  sizeof(*journal->writes));
		if (journal->writes == NULL)
			abort();
	}
	write = &journal->writes[journal->write_count++];
	write->message = message;
	write->uid = journal->messages[message].uid;
	write->flags = journal->messages[message].flags;
}

bool journal_advance(struct journal *journal)
{
	const struct journal_write *write;

	if (journal->advanced == journal->write_count)
		return false;
	write = &journal->writes[journal->advanced++];
	journal->messages[write->message].old_uid = write->uid;
	journal->messages[write->message].old_flags = write->flags;
	return true;
}

static void
expect_message(const struct journal *journal, struct snapshot *expected,
	       struct snapshot_folder *folder, uint32_t uid,
	       unsigned int flags, const struct journal_message *from)
{
	struct snapshot_message *msg = snapshot_add_message(folder, uid);

	msg->flags = snapshot_intern(expected,
				     journal_flags_str(journal, flags));
	msg->has_flags = msg->has_date = msg->has_size = true;
	msg->has_digest = true;
	msg->size = from->size;
	msg->instant = from->instant;
	memcpy(msg->digest, from->digest, sizeof(msg->digest));
}

static void copy_folder(struct snapshot *expected,
			const struct snapshot_folder *from, bool empty)
{
	struct snapshot_folder *folder;
	struct snapshot_message *msg;
	size_t i;

	folder = snapshot_add_folder(expected, from->name);
	folder->listed = from->listed;
	folder->subscribed = from->subscribed;
	folder->selectable = from->selectable;
	folder->special_use = snapshot_intern(expected, from->special_use);
	folder->uidvalidity = from->uidvalidity;
	folder->uidnext = from->uidnext;
	if (from->error != NULL)
		snapshot_folder_fail(folder, "%s", from->error);
	for (i = 0; !empty && i < from->count; i++) {
		msg = snapshot_add_message(folder, from->messages[i].uid);
		*msg = from->messages[i];
		msg->flags = snapshot_intern(expected, msg->flags);
	}
}

static struct snapshot *copy_untouched(const struct snapshot *before)
{
	struct snapshot *expected = snapshot_new();
	size_t i;

	for (i = 0; i < before->count; i++) {
		copy_folder(expected, &before->folders[i],
			strcmp(before->folders[i].name, "INBOX") == 0 ||
			strcmp(before->folders[i].name, JOURNAL_TRASH) == 0);
	}
	return expected;
}

struct snapshot_folder *
journal_folder(struct snapshot *expected, const char *name)
{
	return (struct snapshot_folder *)snapshot_find(expected, name);
}

struct snapshot *journal_expect_new(const struct journal *journal,
				    const struct snapshot *before)
{
	struct snapshot *expected = copy_untouched(before);
	const struct journal_message *msg;

	for (msg = journal->messages;
	     msg < journal->messages + journal->count; msg++) {
		if (msg->uid != 0) {
			expect_message(journal, expected,
				       journal_folder(expected, "INBOX"),
				       msg->uid, msg->flags, msg);
		}
		if (msg->trash_uid != 0) {
			expect_message(journal, expected,
				       journal_folder(expected, JOURNAL_TRASH),
				       msg->trash_uid, msg->flags, msg);
		}
	}
	return expected;
}

struct snapshot *journal_expect_old(const struct journal *journal,
				    const struct snapshot *before,
				    uint32_t inbox_limit, uint32_t trash_limit)
{
	struct snapshot *expected = copy_untouched(before);
	const struct journal_message *msg;

	for (msg = journal->messages;
	     msg < journal->messages + journal->count; msg++) {
		if (msg->old_uid != 0 && msg->old_uid < inbox_limit) {
			expect_message(journal, expected,
				       journal_folder(expected, "INBOX"),
				       msg->old_uid, msg->old_flags, msg);
		}
		if (msg->trash_uid != 0 && msg->trash_uid < trash_limit) {
			expect_message(journal, expected,
				       journal_folder(expected, JOURNAL_TRASH),
				       msg->trash_uid, msg->flags, msg);
		}
	}
	return expected;
}
