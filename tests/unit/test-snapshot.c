/* test-snapshot: what a comparison of two pictures finds */
#include "snapshot.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_1 "INBOX"
#define NAME_2 " R\\x2fD \\x5c \xc3\xbc "

static void fill(struct snapshot *snapshot, struct snapshot_folder *folder)
{
	struct snapshot_message *msg;
	unsigned int i;

	folder->listed = folder->selectable = true;
	folder->uidvalidity = 77;
	folder->uidnext = 30;
	for (i = 1; i <= 5; i++) {
		msg = snapshot_add_message(folder, i * 3);
		msg->has_flags = msg->has_date = msg->has_size = true;
		msg->has_digest = true;
		msg->size = 100 + i;
		msg->instant = 1000 * i;
		msg->flags = snapshot_intern(snapshot, i % 2 == 0 ? "" :
					     "$Label1 \\Seen");
		memset(msg->digest, (int)i, sizeof(msg->digest));
	}
}

static void add_uidl(struct snapshot *snapshot, const char *uidl)
{
	struct pop3_list *list = &snapshot->pop3;

	list->items = realloc(list->items,
			      (list->count + 1) * sizeof(*list->items));
	memset(&list->items[list->count], 0, sizeof(*list->items));
	list->items[list->count].number = (unsigned int)list->count + 1;
	list->items[list->count].size = 10;
	list->items[list->count++].uidl = strdup(uidl);
	snapshot->has_pop3 = true;
}

static struct snapshot *picture(void)
{
	struct snapshot *snapshot = snapshot_new();

	fill(snapshot, snapshot_add_folder(snapshot, NAME_1));
	fill(snapshot, snapshot_add_folder(snapshot, NAME_2));
	snapshot->folders[1].subscribed = true;
	snapshot->folders[1].special_use = snapshot_intern(snapshot,
							   "\\Junk \\Sent");
	add_uidl(snapshot, "u1");
	add_uidl(snapshot, "u2 with \"odd\" \\ bytes");
	snapshot_finish(snapshot);
	return snapshot;
}

static struct snapshot_folder *inbox(struct snapshot *snapshot)
{
	return (struct snapshot_folder *)snapshot_find(snapshot, NAME_1);
}

static void nothing(struct snapshot *b)
{
	(void)b;
}

static void lose_first(struct snapshot *b)
{
	struct snapshot_folder *folder = inbox(b);

	memmove(folder->messages, folder->messages + 1,
		--folder->count * sizeof(*folder->messages));
}

static void lose_last(struct snapshot *b)
{
	inbox(b)->count--;
}

static void double_one(struct snapshot *b)
{
	struct snapshot_folder *folder = inbox(b);
	struct snapshot_message *msg = snapshot_add_message(folder, 16);
	uint32_t uid = msg->uid;

	*msg = folder->messages[2];
	msg->uid = uid;
}

static void add_one(struct snapshot *b)
{
	struct snapshot_message *msg = snapshot_add_message(inbox(b), 16);

	msg->has_digest = true;
	memset(msg->digest, 99, sizeof(msg->digest));
}

static void change_body(struct snapshot *b)
{
	inbox(b)->messages[1].digest[31] ^= 1;
}

static void change_all_of_one(struct snapshot *b)
{
	inbox(b)->messages[1].digest[0] ^= 1;
	inbox(b)->messages[1].size++;
	inbox(b)->messages[1].instant++;
	inbox(b)->messages[1].flags = "\\Seen";
}

static void change_flags(struct snapshot *b)
{
	inbox(b)->messages[0].flags = "$Label1";
}

static void change_uidvalidity(struct snapshot *b)
{
	inbox(b)->uidvalidity++;
	/* UIDs say nothing then, bodies do */
	inbox(b)->messages[4].uid = 1000;
	lose_first(b);
	double_one(b);
}

static void change_uidnext(struct snapshot *b)
{
	inbox(b)->uidnext++;
}

static void unsubscribe(struct snapshot *b)
{
	((struct snapshot_folder *)snapshot_find(b, NAME_2))->subscribed =
		false;
}

static void lose_use(struct snapshot *b)
{
	((struct snapshot_folder *)snapshot_find(b, NAME_2))->special_use = "";
}

static void lose_folder(struct snapshot *b)
{
	struct snapshot_folder *last = &b->folders[--b->count];

	free(last->name);
	free(last->messages);
}

static void add_folder(struct snapshot *b)
{
	fill(b, snapshot_add_folder(b, "z"));
}

static void fail_folder(struct snapshot *b)
{
	snapshot_folder_fail(inbox(b), "EXAMINE: no");
}

static void swap_uidls(struct snapshot *b)
{
	char *uidl = b->pop3.items[0].uidl;

	b->pop3.items[0].uidl = b->pop3.items[1].uidl;
	b->pop3.items[1].uidl = uidl;
}

static void lose_uidl(struct snapshot *b)
{
	free(b->pop3.items[--b->pop3.count].uidl);
}

static const struct {
	const char *name;
	void (*change)(struct snapshot *b);
	unsigned int flags;
	struct snapshot_diff diff;
	unsigned int lines;
} cases[] = {
	{ "equal", nothing, 0, { .lost = 0 }, 0 },
	{ "first lost", lose_first, 0, { .lost = 1 }, 1 },
	{ "last lost", lose_last, 0, { .lost = 1 }, 1 },
	{ "doubled", double_one, 0, { .doubled = 1 }, 1 },
	{ "added", add_one, 0, { .added = 1 }, 1 },
	{ "body", change_body, 0, { .changed = 1 }, 1 },
	{ "all of one", change_all_of_one, 0, { .changed = 1 }, 4 },
	{ "flags", change_flags, 0, { .changed = 1 }, 1 },
	{ "UIDVALIDITY", change_uidvalidity, 0,
	  { .lost = 1, .doubled = 1, .folders_changed = 1 }, 1 },
	{ "UIDNEXT", change_uidnext, 0, { .folders_changed = 1 }, 1 },
	{ "UIDNEXT ignored", change_uidnext, SNAPSHOT_IGNORE_UIDNEXT,
	  { .lost = 0 }, 0 },
	{ "subscription", unsubscribe, 0, { .folders_changed = 1 }, 1 },
	{ "subscription ignored", unsubscribe, SNAPSHOT_IGNORE_SUBSCRIPTIONS,
	  { .lost = 0 }, 0 },
	{ "special use", lose_use, 0, { .folders_changed = 1 }, 1 },
	{ "special use ignored", lose_use, SNAPSHOT_IGNORE_SPECIAL_USE,
	  { .lost = 0 }, 0 },
	{ "folder lost", lose_folder, 0, { .lost = 5, .folders_lost = 1 }, 1 },
	{ "folder added", add_folder, 0,
	  { .added = 5, .folders_added = 1 }, 1 },
	{ "unreadable", fail_folder, 0, { .folders_changed = 1 }, 1 },
	{ "UIDLs swapped", swap_uidls, 0, { .changed = 2 }, 2 },
	{ "UIDLs ignored", swap_uidls, SNAPSHOT_IGNORE_POP3, { .lost = 0 }, 0 },
	{ "UIDL lost", lose_uidl, 0, { .lost = 1 }, 1 }
};

static unsigned int count_lines(const char *text)
{
	unsigned int lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void test_compare(void)
{
	struct snapshot *a, *b;
	struct snapshot_diff diff;
	char *text;
	size_t i, size;
	FILE *out;
	bool equal;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a = picture();
		b = picture();
		cases[i].change(b);
		out = open_memstream(&text, &size);
		equal = snapshot_compare(a, b, cases[i].flags, out, &diff);
		fclose(out);
		UNIT_CHECK(memcmp(&diff, &cases[i].diff, sizeof(diff)) == 0,
			   "%s: %s", cases[i].name, text);
		UNIT_CHECK(equal == (cases[i].lines == 0), "%s",
			   cases[i].name);
		UNIT_CHECK(count_lines(text) == cases[i].lines, "%s: %s",
			   cases[i].name, text);
		free(text);
		snapshot_free(&a);
		snapshot_free(&b);
	}
}

static void test_same_uid_twice(void)
{
	struct snapshot *a = picture();

	snapshot_add_message(inbox(a), 3);
	snapshot_finish(a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(inbox(a)->error);
	CU_ASSERT_STRING_EQUAL(inbox(a)->error, "UID 3 given twice");
	snapshot_free(&a);
}

static void test_file(void)
{
	char path[] = "test-snapshot.XXXXXX";
	struct snapshot *a = picture(), *b;
	struct snapshot_diff diff;
	const char *error = "";

	close(mkstemp(path));
	CU_ASSERT_EQUAL(snapshot_save(a, path, &error), 0);
	CU_ASSERT_EQUAL_FATAL(snapshot_load(path, &b, &error), 0);
	CU_ASSERT(snapshot_compare(a, b, 0, stdout, &diff));
	CU_ASSERT_EQUAL(snapshot_messages(b), 10);
	CU_ASSERT_EQUAL(b->pop3.count, 2);
	snapshot_free(&b);
	/* an error comes back too, and still counts */
	fail_folder(a);
	CU_ASSERT_EQUAL(snapshot_save(a, path, &error), 0);
	CU_ASSERT_EQUAL_FATAL(snapshot_load(path, &b, &error), 0);
	CU_ASSERT(!snapshot_compare(b, b, 0, NULL, &diff));
	snapshot_free(&b);
	snapshot_free(&a);
	unlink(path);
	CU_ASSERT_EQUAL(snapshot_load(path, &b, &error), -1);
}

static void test_bad_file(void)
{
	static const char *const texts[] = {
		"", "x\n", "snapshot 2\n", "snapshot 1\nM 1 2 3 - \n",
		"snapshot 1\nE x\n", "snapshot 1\nF 1\n",
		"snapshot 1\nF 1 2 lsx - a\nM 1 2 3 abc \n",
		"snapshot 1\nF 1 2 lsx - a\nM 1 2 3 -\n", "snapshot 1\nP x\n",
		"snapshot 1\nX 1\n", "snapshot 1\n\n"
	};
	char path[] = "test-snapshot.XXXXXX";
	struct snapshot *snapshot;
	const char *error;
	size_t i;
	FILE *out;

	close(mkstemp(path));
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		out = fopen(path, "w");
		fputs(texts[i], out);
		fclose(out);
		UNIT_CHECK(snapshot_load(path, &snapshot, &error) < 0,
			   "case %zu", i);
	}
	unlink(path);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "compare", test_compare },
		{ "a UID given twice", test_same_uid_twice },
		{ "file", test_file },
		{ "files that aren't pictures", test_bad_file },
		{ NULL, NULL }
	};

	return unit_run("snapshot", tests);
}
