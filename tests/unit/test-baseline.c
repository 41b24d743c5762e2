/* test-baseline: what is remembered of the old server's mailbox at the cutover,
   and what its clients changed since. */
#include "engine-unit.h"
#include "array.h"
#include "buffer.h"
#include "imap-seqset.h"
#include "seq-range-array.h"
#include "str.h"
#include "imap-util.h"
#include "plugin/engine/baseline.h"
#include "plugin/engine/flag-merge.h"
#include "plugin/engine/mailbox-state.h"

#define NAME "Lists/b\xc3\xa4r"
#define MANY 20000

static struct inventory_keywords *keywords;

static void put(struct inventory *inventory, uint32_t uid, const char *flags)
{
	bool added;
	struct inventory_item *item = inventory_get(inventory, uid, &added);
	enum mail_flags parsed;

	inventory_flags_parse(keywords, flags, &parsed, &item->keywords);
	item->flags = parsed;
}

static const char *show(const struct inventory *inventory)
{
	const struct inventory_item *item;
	string_t *str = t_str_new(64);

	array_foreach(&inventory->items, item) {
		str_printfa(str, "%u(", item->uid);
		inventory_flags_append(str, item->flags, item->keywords);
		str_append(str, ") ");
	}
	return str_c(str);
}

static const char *uids(const ARRAY_TYPE(seq_range) *array)
{
	string_t *str = t_str_new(64);

	imap_write_seq_range(str, array);
	return str_c(str);
}

static void check_read(const char *dir, const struct baseline *wanted)
{
	struct baseline baseline;
	const char *error;

	baseline_init(&baseline, keywords);
	CU_ASSERT_FATAL(baseline_read(dir, NAME, &baseline, &error) == 1);
	CU_ASSERT(baseline.uid_validity == wanted->uid_validity);
	CU_ASSERT(baseline.next_uid == wanted->next_uid);
	CU_ASSERT(baseline.modseq == wanted->modseq);
	CU_ASSERT_STRING_EQUAL(uids(&baseline.late), uids(&wanted->late));
	CU_ASSERT_STRING_EQUAL(uids(&baseline.waiting), uids(&wanted->waiting));
	CU_ASSERT_STRING_EQUAL(uids(&baseline.copied), uids(&wanted->copied));
	CU_ASSERT_STRING_EQUAL(show(&baseline.refused), show(&wanted->refused));
	CU_ASSERT(baseline.reset_uid == wanted->reset_uid);
	CU_ASSERT(baseline.resets == wanted->resets);
	CU_ASSERT(baseline.waiting_begun == wanted->waiting_begun);
	CU_ASSERT_STRING_EQUAL(show(&baseline.messages),
			       show(&wanted->messages));
	baseline_deinit(&baseline);
}

static void make(struct baseline *baseline, unsigned int count)
{
	static const char *const flags[] = {
		"", "\\Seen", "\\Seen $Forwarded", "\\Flagged Odd", "\\Deleted",
	};

	baseline_init(baseline, keywords);
	baseline->uid_validity = 1234567;
	baseline->next_uid = 3 * count + 10;
	baseline->modseq = UINT64_C(1) << 40;
	for (unsigned int i = 0; i < count; i++)
		put(&baseline->messages, 3 * i + 1,
		    flags[engine_unit_rand(N_ELEMENTS(flags))]);
}

static void test_written(void)
{
	const char *dir = engine_unit_dir(), *error;
	struct baseline baseline;

	keywords = inventory_keywords_init();
	CU_ASSERT(!baseline_exists(dir, NAME));
	make(&baseline, 0);
	CU_ASSERT(baseline_read(dir, NAME, &baseline, &error) == 0);
	CU_ASSERT(baseline_write(dir, NAME, &baseline, &error) == 0);
	CU_ASSERT(baseline_exists(dir, NAME));
	check_read(dir, &baseline);
	baseline_deinit(&baseline);

	make(&baseline, MANY);
	seq_range_array_add_range(&baseline.late, 4, 10);
	seq_range_array_add(&baseline.waiting, 13);
	seq_range_array_add(&baseline.copied, 16);
	put(&baseline.refused, 20, "\\Seen Odd");
	put(&baseline.refused, 23, "");
	baseline.reset_uid = 77;
	baseline.resets = 2;
	baseline.waiting_begun = 1795000000;
	CU_ASSERT(baseline_write(dir, NAME, &baseline, &error) == 0);
	check_read(dir, &baseline);
	baseline_reset(&baseline, 1795000001, 7);
	CU_ASSERT(array_is_empty(&baseline.late) &&
		  array_is_empty(&baseline.messages.items));
	CU_ASSERT(baseline.next_uid == 1 && baseline.reset_uid == 7);
	CU_ASSERT(baseline.uid_validity == 1795000001 && baseline.resets == 3);
	CU_ASSERT(baseline_remove(dir, NAME, &error) == 0);
	CU_ASSERT(baseline_remove(dir, NAME, &error) == 0);
	CU_ASSERT(!baseline_exists(dir, NAME));
	baseline_deinit(&baseline);
	inventory_keywords_deinit(&keywords);
}

/* Cut anywhere, and of another mailbox. */
static void test_refused(void)
{
	const char *dir = engine_unit_dir(), *path, *error;
	struct baseline baseline;
	buffer_t *data;

	keywords = inventory_keywords_init();
	make(&baseline, 5);
	CU_ASSERT_FATAL(baseline_write(dir, NAME, &baseline, &error) == 0);
	path = t_strconcat(dir, "/baseline/", mailbox_state_key(NAME), NULL);
	data = engine_unit_read(path);
	for (size_t size = 0; size + 1 < data->used; size++) T_BEGIN {
		engine_unit_write(path, data->data, size);
		baseline_clear(&baseline);
		CU_ASSERT(baseline_read(dir, NAME, &baseline, &error) == -1);
	} T_END;
	engine_unit_write(t_strconcat(dir, "/baseline/other", NULL),
			  data->data, data->used);
	baseline_clear(&baseline);
	CU_ASSERT(baseline_read(dir, "other", &baseline, &error) == -1);
	CU_ASSERT(strstr(error, "/baseline/other") != NULL);
	baseline_deinit(&baseline);
	inventory_keywords_deinit(&keywords);
}

static const char *names(const char *const *set)
{
	return set == NULL ? "" : t_strarray_join(set, " ");
}

/* "+\\Seen $A -\\Flagged", "" for nothing */
static const char *show_change(const struct flag_merge *merge)
{
	const struct flag_change *change;
	string_t *str = t_str_new(64);

	array_foreach(&merge->changes, change) {
		str_append_c(str, '+');
		imap_write_flags(str, change->add, change->add_keywords);
		str_append(str, " -");
		imap_write_flags(str, change->remove, change->remove_keywords);
		CU_ASSERT(change->add_keywords == NULL ||
			  *names(change->add_keywords) != '\0');
	}
	return str_c(str);
}

/* The message as a whole is what it becomes by the changes. */
static void
check_item(const struct inventory *base, const struct inventory *old,
	   const struct inventory *local, const struct flag_merge *merge)
{
	const struct inventory_item *here = inventory_find(local, 7);
	const struct flag_change *change =
		array_is_empty(&merge->changes) ? NULL :
		array_front(&merge->changes);
	struct flag_merge again;
	struct inventory merged;
	struct inventory_item item;
	enum mail_flags flags = here->flags;

	flag_merge_item(keywords, inventory_find(base, 7),
			inventory_find(old, 7), here, &item);
	if (change != NULL)
		flags = (flags | change->add) & ~change->remove;
	CU_ASSERT(item.flags == flags);
	CU_ASSERT(change != NULL || item.keywords == here->keywords);

	item.uid = 7;
	inventory_init(&merged, keywords);
	array_push_back(&merged.items, &item);
	flag_merge_init(&again);
	flag_merge_compute(&again, base, old, &merged);
	CU_ASSERT(array_is_empty(&again.changes));
	flag_merge_deinit(&again);
	inventory_deinit(&merged);
}

static void test_merge(void)
{
	static const struct {
		const char *base, *old, *local, *change;
		bool conflict, seen;
	} cases[] = {
		/* nothing was changed there */
		{ "", "", "", "", FALSE, FALSE },
		{ "\\Seen", "\\Seen", "", "", FALSE, FALSE },
		{ "$A", "$a", "$B", "", FALSE, FALSE },
		/* there alone */
		{ "", "\\Seen", "", "+\\Seen -", FALSE, TRUE },
		{ "\\Seen", "", "\\Seen", "+ -\\Seen", FALSE, FALSE },
		{ "\\Seen $A", "\\Flagged $B", "\\Seen $A",
		  "+\\Flagged $B -\\Seen $A", FALSE, FALSE },
		{ "$A", "", "$A", "+ -$A", FALSE, FALSE },
		/* the same on both sides */
		{ "", "\\Seen $A", "\\Seen $A", "", FALSE, TRUE },
		{ "\\Seen $A", "", "", "", FALSE, FALSE },
		/* others on both sides: both stand */
		{ "", "\\Flagged", "\\Seen", "+\\Flagged -", TRUE, FALSE },
		{ "\\Seen", "", "\\Seen \\Answered", "+ -\\Seen", TRUE, FALSE },
		{ "$A", "$A $B", "$C", "+$B -", TRUE, FALSE },
		{ "$A $B", "$A", "$A", "", FALSE, FALSE },
		{ "$A $B", "$A", "$B", "+ -$B", TRUE, FALSE },
	};
	struct inventory base, old, local;
	struct flag_merge merge;

	keywords = inventory_keywords_init();
	for (unsigned int i = 0; i < N_ELEMENTS(cases); i++) T_BEGIN {
		inventory_init(&base, keywords);
		inventory_init(&old, keywords);
		inventory_init(&local, keywords);
		flag_merge_init(&merge);
		put(&base, 7, cases[i].base);
		put(&old, 7, cases[i].old);
		put(&local, 7, cases[i].local);
		/* new there, expunged here */
		put(&old, 9, "\\Seen");
		flag_merge_compute(&merge, &base, &old, &local);
		CU_ASSERT_STRING_EQUAL(show_change(&merge), cases[i].change);
		CU_ASSERT(array_not_empty(&merge.conflicts) ==
			  cases[i].conflict);
		CU_ASSERT(merge.seen == (cases[i].seen ? 1 : 0));
		check_item(&base, &old, &local, &merge);
		flag_merge_deinit(&merge);
		inventory_deinit(&local);
		inventory_deinit(&old);
		inventory_deinit(&base);
	} T_END;
	inventory_keywords_deinit(&keywords);
}

/* Counted, and nothing to be done. */
static void test_gone_here(void)
{
	struct inventory base, old, local;
	struct flag_merge merge;

	keywords = inventory_keywords_init();
	inventory_init(&base, keywords);
	inventory_init(&old, keywords);
	inventory_init(&local, keywords);
	flag_merge_init(&merge);
	put(&base, 1, "");
	put(&old, 1, "\\Seen");
	flag_merge_compute(&merge, &base, &old, &local);
	CU_ASSERT(merge.changed == 1 && merge.seen == 1);
	CU_ASSERT(array_is_empty(&merge.changes));
	flag_merge_deinit(&merge);
	inventory_deinit(&local);
	inventory_deinit(&old);
	inventory_deinit(&base);
	inventory_keywords_deinit(&keywords);
}

static const struct unit_test tests[] = {
	{ "a baseline is read as it was written", test_written },
	{ "no part of one is taken for the whole", test_refused },
	{ "flags are merged, each by itself", test_merge },
	{ "a message that isn't here any more", test_gone_here },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("baseline", tests);
}
