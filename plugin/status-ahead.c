#include "lib.h"
#include "array.h"
#include "mailbox-list-iter.h"
#include "migration-user.h"
#include "imap-ahead.h"
#include "status-ahead.h"

/* A listing of mailboxes while which their STATUS may be asked for. Its mark is
   above those of imap-ahead. */
struct status_listing {
	const char *const *patterns;
	enum mailbox_list_iter_flags flags;
	uint64_t mark;
	/* those within it count as well, and it ends with the last one */
	unsigned int depth;
	pool_t pool;
	/* all of its names: empty until they are needed */
	ARRAY_TYPE(const_string) vnames;
	/* where the last one that was asked for stands */
	unsigned int pos;
};

#define LISTING_MARK_FIRST (1ULL << 63)

void status_ahead_list_begin(struct migration_user *muser,
			     const char *const *patterns,
			     enum mailbox_list_iter_flags flags)
{
	static uint64_t last_mark = LISTING_MARK_FIRST;
	struct status_listing *listing = muser->status_listing;
	pool_t pool;

	if (listing != NULL) {
		listing->depth++;
		return;
	}
	pool = pool_alloconly_create("status listing", 1024);
	listing = p_new(pool, struct status_listing, 1);
	listing->pool = pool;
	listing->patterns = p_strarray_dup(pool, patterns);
	listing->flags = flags;
	listing->mark = ++last_mark;
	listing->depth = 1;
	p_array_init(&listing->vnames, pool, 8);
	muser->status_listing = listing;
}

void status_ahead_list_end(struct migration_user *muser)
{
	struct status_listing *listing = muser->status_listing;

	i_assert(listing->depth > 0);
	if (--listing->depth > 0)
		return;
	muser->status_listing = NULL;
	pool_unref(&listing->pool);
}

/* An error shows in the listing itself. */
static void read_vnames(struct migration_user *muser,
			struct status_listing *listing)
{
	struct mailbox_list_iterate_context *iter;
	const struct mailbox_info *info;
	const char *vname;

	migration_bypass_begin(muser);
	iter = mailbox_list_iter_init_multiple(muser->ns->list,
		listing->patterns, listing->flags);
	while ((info = mailbox_list_iter_next(iter)) != NULL) {
		if ((info->flags & (MAILBOX_NOSELECT |
				    MAILBOX_NONEXISTENT)) != 0)
			continue;
		vname = p_strdup(listing->pool, info->vname);
		array_push_back(&listing->vnames, &vname);
	}
	(void)mailbox_list_iter_deinit(&iter);
	migration_bypass_end(muser);
}

/* Mostly it is the next one. Returns FALSE when it isn't there. */
static bool find_vname(struct status_listing *listing, const char *vname)
{
	unsigned int i, count = array_count(&listing->vnames);

	for (i = 0; i < count; i++) {
		unsigned int pos = (listing->pos + i) % count;

		if (strcmp(array_idx_elem(&listing->vnames, pos), vname) == 0) {
			listing->pos = pos;
			return TRUE;
		}
	}
	return FALSE;
}

static void
listing_get(struct migration_user *muser, struct status_listing *listing,
	    const char *vname, unsigned int max,
	    ARRAY_TYPE(status_ahead) *next)
{
	struct status_ahead *ahead;
	unsigned int i;

	if (array_is_empty(&listing->vnames))
		read_vnames(muser, listing);
	if (!find_vname(listing, vname))
		return;
	for (i = listing->pos + 1;
	     i < array_count(&listing->vnames) && max-- > 0; i++) {
		ahead = array_append_space(next);
		ahead->vname = array_idx_elem(&listing->vnames, i);
		ahead->mark = listing->mark;
	}
}

/* A listing that waits for its client to read lets other commands be executed. */
uint64_t status_ahead_mark(struct migration_user *muser)
{
	uint64_t mark = imap_ahead_mark(muser->user);

	if (mark == 0 && muser->status_listing != NULL)
		mark = muser->status_listing->mark;
	return mark;
}

void status_ahead_get(struct migration_user *muser, const char *vname,
		      unsigned int max, pool_t pool,
		      ARRAY_TYPE(status_ahead) *next)
{
	if (imap_ahead_mark(muser->user) != 0)
		imap_ahead_get(muser->user, max, pool, next);
	else if (muser->status_listing != NULL)
		listing_get(muser, muser->status_listing, vname, max, next);
}
