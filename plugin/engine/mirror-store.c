#include "lib.h"
#include "array.h"
#include "str.h"
#include "mirror-private.h"

static bool has_keyword(const char *const *keywords, const char *keyword)
{
	return keywords != NULL && str_array_icase_find(keywords, keyword);
}

int mirror_store_parse(struct inventory_keywords *keywords, const char *args,
		       struct mirror_store *store_r)
{
	const char *end;

	store_r->sign = *args == '+' || *args == '-' ? *args++ : '=';
	if (!str_begins(args, "FLAGS (") || (end = strrchr(args, ')')) == NULL ||
	    end[1] != '\0')
		return -1;
	args += strlen("FLAGS (");
	inventory_flags_parse(keywords, t_strdup_until(args, end),
			   &store_r->flags, &store_r->keywords);
	return 0;
}

/* keywords, with those of more or without them */
static const char *const *
change_keywords(struct inventory_keywords *keywords,
		const char *const *names, const char *const *more, bool add)
{
	ARRAY_TYPE(const_string) result;

	t_array_init(&result, 8);
	for (; names != NULL && *names != NULL; names++) {
		if (!has_keyword(more, *names))
			array_push_back(&result, names);
	}
	for (; add && more != NULL && *more != NULL; more++)
		array_push_back(&result, more);
	array_append_zero(&result);
	return inventory_keywords_get(keywords, array_front(&result));
}

void mirror_store_do(struct inventory_keywords *keywords,
		     const struct mirror_store *store,
		     struct inventory_item *item)
{
	if (store->sign == '=') {
		item->flags = store->flags;
		item->keywords = store->keywords;
		return;
	}
	if (store->sign == '+')
		item->flags |= store->flags;
	else
		item->flags &= ~store->flags;
	item->keywords = change_keywords(keywords, item->keywords,
					 store->keywords, store->sign == '+');
}

static bool
keywords_are(const char *const *wanted, const char *const *keywords, bool there)
{
	for (; wanted != NULL && *wanted != NULL; wanted++) {
		if (has_keyword(keywords, *wanted) != there)
			return FALSE;
	}
	return TRUE;
}

bool mirror_store_is_done(const struct mirror_store *store,
			  const struct old_mailbox *mailbox,
			  const struct inventory_item *item)
{
	enum mail_flags wanted = store->flags & mailbox->permanent_flags;
	enum mail_flags flags = item->flags & mailbox->permanent_flags;

	switch (store->sign) {
	case '+':
		return (flags & wanted) == wanted &&
			(!mailbox->new_keywords ||
			 keywords_are(store->keywords, item->keywords, TRUE));
	case '-':
		return (flags & wanted) == 0 &&
			keywords_are(store->keywords, item->keywords, FALSE);
	default:
		return flags == wanted &&
			(!mailbox->new_keywords ||
			 store->keywords == item->keywords);
	}
}
