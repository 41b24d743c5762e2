#include "lib.h"
#include "array.h"
#include "flag-merge.h"

void flag_merge_init(struct flag_merge *merge)
{
	i_zero(merge);
	i_array_init(&merge->changes, 16);
	i_array_init(&merge->conflicts, 8);
}

void flag_merge_deinit(struct flag_merge *merge)
{
	array_free(&merge->changes);
	array_free(&merge->conflicts);
}

static bool
flags_equal(const struct inventory_item *i1, const struct inventory_item *i2)
{
	return (i1->flags & INVENTORY_FLAGS) == (i2->flags & INVENTORY_FLAGS) &&
		i1->keywords == i2->keywords;
}

static bool has_keyword(const char *const *keywords, const char *keyword)
{
	return keywords != NULL && str_array_icase_find(keywords, keyword);
}

/* Those of names that are neither in unless1 nor in unless2. */
static const char *const *
keywords_without(struct inventory_keywords *keywords, const char *const *names,
		 const char *const *unless1, const char *const *unless2)
{
	ARRAY_TYPE(const_string) result;

	t_array_init(&result, 8);
	for (; names != NULL && *names != NULL; names++) {
		if (!has_keyword(unless1, *names) &&
		    !has_keyword(unless2, *names))
			array_push_back(&result, names);
	}
	array_append_zero(&result);
	return inventory_keywords_get(keywords, array_front(&result));
}

/* Those of names, gone from the old server, that are here still. */
static const char *const *
keywords_to_remove(struct inventory_keywords *keywords,
		   const char *const *names, const char *const *old,
		   const char *const *local)
{
	const char *const *gone = keywords_without(keywords, names, old, NULL);
	const char *const *here_no_more =
		keywords_without(keywords, gone, local, NULL);

	return keywords_without(keywords, gone, here_no_more, NULL);
}

static void
merge_one(struct flag_merge *merge, struct inventory_keywords *keywords,
	  const struct inventory_item *base, const struct inventory_item *old,
	  const struct inventory_item *local)
{
	const enum mail_flags set = old->flags & ~base->flags;
	const enum mail_flags cleared = base->flags & ~old->flags;
	const struct flag_change change = {
		.uid = old->uid,
		.add = set & ~local->flags & INVENTORY_FLAGS,
		.remove = cleared & local->flags & INVENTORY_FLAGS,
		.add_keywords = keywords_without(keywords, old->keywords,
						 base->keywords,
						 local->keywords),
		.remove_keywords = keywords_to_remove(keywords, base->keywords,
						      old->keywords,
						      local->keywords),
	};

	if (!flags_equal(local, base) && !flags_equal(local, old))
		seq_range_array_add(&merge->conflicts, old->uid);
	if (change.add != 0 || change.remove != 0 ||
	    change.add_keywords != NULL || change.remove_keywords != NULL)
		array_push_back(&merge->changes, &change);
}

void flag_merge_compute(struct flag_merge *merge, const struct inventory *base,
			const struct inventory *old,
			const struct inventory *local)
{
	const struct inventory_item *item, *before, *here;

	i_assert(base->keywords == old->keywords &&
		 base->keywords == local->keywords);
	array_foreach(&old->items, item) {
		before = inventory_find(base, item->uid);
		if (before == NULL || flags_equal(item, before))
			continue;
		merge->changed++;
		if ((item->flags & ~before->flags & MAIL_SEEN) != 0)
			merge->seen++;
		here = inventory_find(local, item->uid);
		if (here != NULL) T_BEGIN {
			merge_one(merge, old->keywords, before, item, here);
		} T_END;
	}
}

void flag_merge_item(struct inventory_keywords *keywords,
		     const struct inventory_item *base,
		     const struct inventory_item *old,
		     const struct inventory_item *local,
		     struct inventory_item *item_r)
{
	const enum mail_flags set = old->flags & ~base->flags;
	const enum mail_flags cleared = base->flags & ~old->flags;
	ARRAY_TYPE(const_string) names;
	const char *const *name;

	t_array_init(&names, 8);
	/* those that are gone there are out */
	for (name = local->keywords; name != NULL && *name != NULL; name++) {
		if (!has_keyword(base->keywords, *name) ||
		    has_keyword(old->keywords, *name))
			array_push_back(&names, name);
	}
	for (name = old->keywords; name != NULL && *name != NULL; name++) {
		if (!has_keyword(base->keywords, *name))
			array_push_back(&names, name);
	}
	array_append_zero(&names);
	item_r->flags = (local->flags | set) & ~cleared & INVENTORY_FLAGS;
	item_r->keywords = inventory_keywords_get(keywords,
						  array_front(&names));
}
