#include "lib.h"
#include "mailbox-list-private.h"
#include "migration-user.h"
#include "engine/folder-tree.h"
#include "status-ahead.h"
#include "redirect-list.h"

#define REDIRECT_LIST_CONTEXT(obj) \
	MODULE_CONTEXT_REQUIRE(obj, redirect_list_module)
#define REDIRECT_ITER_CONTEXT(obj) \
	MODULE_CONTEXT(obj, redirect_list_module)

struct redirect_list {
	union mailbox_list_module_context module_ctx;
	struct migration_user *muser;
};

struct redirect_list_iter {
	union mailbox_list_iterate_module_context module_ctx;
	struct mailbox_info info;
	enum mail_error error_code;
	/* why the listing fails, or NULL */
	char *error;
};

static MODULE_CONTEXT_DEFINE_INIT(redirect_list_module,
				  &mailbox_list_module_register);

static struct redirect_list_iter *
tree_refresh(struct migration_user *muser)
{
	struct redirect_list_iter *riter = i_new(struct redirect_list_iter, 1);
	const char *error;

	if (folder_tree_refresh(muser, FALSE, &riter->error_code,
				&error) < 0 && !folder_tree_exists(muser))
		riter->error = i_strdup(error);
	return riter;
}

static struct mailbox_list_iterate_context *
redirect_list_iter_init(struct mailbox_list *list, const char *const *patterns,
			enum mailbox_list_iter_flags flags)
{
	struct redirect_list *rlist = REDIRECT_LIST_CONTEXT(list);
	struct migration_user *muser = rlist->muser;
	struct mailbox_list_iterate_context *ctx;
	struct redirect_list_iter *riter = NULL;

	if (muser->bypass == 0 && muser->remote_ns != NULL)
		riter = tree_refresh(muser);
	if (riter != NULL)
		status_ahead_list_begin(muser, patterns, flags);
	migration_bypass_begin(muser);
	ctx = rlist->module_ctx.super.iter_init(list, patterns, flags);
	migration_bypass_end(muser);
	if (riter != NULL)
		MODULE_CONTEXT_SET(ctx, redirect_list_module, riter);
	return ctx;
}

static const struct mailbox_info *
redirect_list_iter_next(struct mailbox_list_iterate_context *ctx)
{
	struct redirect_list *rlist = REDIRECT_LIST_CONTEXT(ctx->list);
	struct redirect_list_iter *riter = REDIRECT_ITER_CONTEXT(ctx);
	const struct mailbox_info *info;

	if (riter != NULL && riter->error != NULL)
		return NULL;
	migration_bypass_begin(rlist->muser);
	info = rlist->module_ctx.super.iter_next(ctx);
	migration_bypass_end(rlist->muser);
	if (info == NULL || riter == NULL)
		return info;
	riter->info = *info;
	riter->info.flags &= ENUM_NEGATE(MAILBOX_MARKED | MAILBOX_UNMARKED);
	return &riter->info;
}

static int redirect_list_iter_deinit(struct mailbox_list_iterate_context *ctx)
{
	struct mailbox_list *list = ctx->list;
	struct redirect_list *rlist = REDIRECT_LIST_CONTEXT(list);
	struct redirect_list_iter *riter = REDIRECT_ITER_CONTEXT(ctx);
	int ret;

	migration_bypass_begin(rlist->muser);
	ret = rlist->module_ctx.super.iter_deinit(ctx);
	migration_bypass_end(rlist->muser);
	if (riter == NULL)
		return ret;
	status_ahead_list_end(rlist->muser);
	if (riter->error != NULL) {
		mailbox_list_set_error(list, riter->error_code, riter->error);
		i_free(riter->error);
		ret = -1;
	}
	i_free(riter);
	return ret;
}

void redirect_list_created(struct migration_user *muser,
			   struct mailbox_list *list)
{
	struct mailbox_list_vfuncs *v = list->vlast;
	struct redirect_list *rlist;

	rlist = p_new(list->pool, struct redirect_list, 1);
	rlist->module_ctx.super = *v;
	list->vlast = &rlist->module_ctx.super;
	rlist->muser = muser;
	v->iter_init = redirect_list_iter_init;
	v->iter_next = redirect_list_iter_next;
	v->iter_deinit = redirect_list_iter_deinit;
	MODULE_CONTEXT_SET(list, redirect_list_module, rlist);
}
