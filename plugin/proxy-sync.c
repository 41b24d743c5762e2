#include "lib.h"
#include "imapc-msgmap.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-namespace.h"
#include "proxy-sync.h"

#define REDIRECTED_REQUIRE(obj) \
	((struct redirected_mailbox *) \
	 MODULE_CONTEXT_REQUIRE(obj, redirected_mailbox_module))

static bool is_lost(struct redirected_mailbox *rbox)
{
	struct imapc_mailbox *mbox = rbox->mbox;

	if (!mbox->box.opened || (mbox->box.flags & MAILBOX_FLAG_SAVEONLY) != 0)
		return FALSE;
	return mbox->client_box == NULL ||
		!imapc_client_mailbox_is_opened(mbox->client_box);
}

/* As imapc does when it reconnects by itself, which it gives up after one
   failure. */
static int reselect(struct redirected_mailbox *rbox)
{
	struct imapc_mailbox *mbox = rbox->mbox;
	bool changes;

	(void)imapc_mailbox_commit_delayed_trans(mbox, FALSE, &changes);
	if (mbox->client_box != NULL)
		imapc_client_mailbox_close(&mbox->client_box);
	mbox->prev_skipped_rseq = 0;
	mbox->prev_skipped_uid = 0;
	mbox->sync_next_lseq = 0;
	mbox->sync_next_rseq = 0;
	mbox->sync_fetch_first_uid = 0;
	mbox->state_fetched_success = FALSE;
	mbox->initial_sync_done = FALSE;
	mbox->selected = FALSE;
	mbox->delayed_untagged_exists = FALSE;
	return imapc_mailbox_select(mbox);
}

static void heal(struct redirected_mailbox *rbox)
{
	enum mail_error error_code;
	const char *error;

	if (is_lost(rbox) && rbox->mbox->box.transaction_count == 0 &&
	    remote_ready(rbox->muser, &error_code, &error) == 0)
		(void)reselect(rbox);
	else if (rbox->want_noop && !is_lost(rbox))
		imapc_mailbox_noop(rbox->mbox);
	rbox->want_noop = FALSE;
}

static struct mailbox_sync_context *
proxy_sync_init_sync(struct mailbox *box, enum mailbox_sync_flags flags)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);
	struct mailbox_sync_context *ctx;

	heal(rbox);
	ctx = rbox->module_ctx.super.sync_init(box, flags);
	return ctx;
}

static int
proxy_sync_deinit(struct mailbox_sync_context *ctx,
		  struct mailbox_sync_status *status_r)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(ctx->box);

	if (rbox->module_ctx.super.sync_deinit(ctx, status_r) == 0)
		return 0;
	remote_refine_error(rbox->muser);
	return -1;
}

static void proxy_notify_changes(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	/* imapc would ask a connection that isn't there */
	if (box->notify_callback != NULL && is_lost(rbox))
		return;
	rbox->module_ctx.super.notify_changes(box);
}

static bool proxy_is_inconsistent(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	return rbox->drained || (box->view != NULL &&
		mail_index_view_is_inconsistent(box->view));
}

void proxy_sync_init(struct mailbox_vfuncs *v)
{
	v->sync_init = proxy_sync_init_sync;
	v->sync_deinit = proxy_sync_deinit;
	v->notify_changes = proxy_notify_changes;
	v->is_inconsistent = proxy_is_inconsistent;
}

void proxy_sync_want(struct redirected_mailbox *rbox, bool itself)
{
	struct mailbox *box = rbox->mbox->box.storage->mailboxes;

	for (; box != NULL; box = box->next) {
		struct redirected_mailbox *other = REDIRECTED_MAILBOX(box);

		if (other != NULL && other->mbox->selected &&
		    (itself || other != rbox) &&
		    strcmp(box->vname, rbox->mbox->box.vname) == 0)
			other->want_noop = TRUE;
	}
}
