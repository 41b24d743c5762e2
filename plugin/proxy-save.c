#include "lib.h"
#include "redirected-mailbox.h"
#include "remote-namespace.h"
#include "proxy-save.h"

/* Only ever asked for a redirected mailbox. */
static struct redirected_mailbox *redirected(struct mail_save_context *ctx)
{
	struct redirected_mailbox *rbox =
		REDIRECTED_MAILBOX(ctx->transaction->box);

	i_assert(rbox != NULL);
	return rbox;
}

static void save_failed(struct redirected_mailbox *rbox,
			struct mail_save_context *ctx)
{
	if (rbox->appended == ctx)
		rbox->append_failed = TRUE;
}

static int proxy_save_end(struct redirected_mailbox *rbox,
			  struct mail_save_context *ctx)
{
	/* the literal is complete only now, and nothing of it was sent yet */
	if (rbox->hold.drained) {
		rbox->module_ctx.super.save_cancel(ctx);
		return redirected_mailbox_refuse(rbox);
	}
	if (rbox->module_ctx.super.save_finish(ctx) == 0)
		return 0;
	remote_refine_error(rbox->muser);
	return -1;
}

static int proxy_save_finish(struct mail_save_context *ctx)
{
	struct redirected_mailbox *rbox = redirected(ctx);

	if (proxy_save_end(rbox, ctx) < 0) {
		save_failed(rbox, ctx);
		return -1;
	}
	if (rbox->appended != ctx) {
		rbox->appended = ctx;
		rbox->append_failed = FALSE;
	}
	return 0;
}

static void proxy_save_cancel(struct mail_save_context *ctx)
{
	struct redirected_mailbox *rbox = redirected(ctx);

	save_failed(rbox, ctx);
	rbox->module_ctx.super.save_cancel(ctx);
}

static int proxy_copy(struct mail_save_context *ctx, struct mail *mail)
{
	struct redirected_mailbox *rbox = redirected(ctx);

	if (rbox->hold.drained) {
		mailbox_save_cancel(&ctx);
		return redirected_mailbox_refuse(rbox);
	}
	if (rbox->module_ctx.super.copy(ctx, mail) == 0)
		return 0;
	remote_refine_error(rbox->muser);
	return -1;
}

/* imapc has no way back from appended messages, and panics: it takes them for
   copies. What is left for it to do here is to forget the transaction; the few
   bytes of its list of UIDs can't be reached. */
static void proxy_save_rollback(struct mail_save_context *ctx)
{
	struct redirected_mailbox *rbox = redirected(ctx);
	bool half_done = rbox->appended == ctx && rbox->append_failed;

	rbox->appended = NULL;
	if (!half_done) {
		rbox->module_ctx.super.transaction_save_rollback(ctx);
		return;
	}
	e_warning(rbox->mbox->box.event, "migration: Some messages couldn't be "
		  "saved: those before them stay on the old server");
	/* as imapc_save_alloc() made it: its first member */
	i_free(ctx);
}

static void
proxy_save_commit_post(struct mail_save_context *ctx,
		       struct mail_index_transaction_commit_result *result)
{
	struct redirected_mailbox *rbox = redirected(ctx);

	rbox->appended = NULL;
	rbox->module_ctx.super.transaction_save_commit_post(ctx, result);
}

void proxy_save_init(struct mailbox_vfuncs *v)
{
	v->save_finish = proxy_save_finish;
	v->save_cancel = proxy_save_cancel;
	v->copy = proxy_copy;
	v->transaction_save_rollback = proxy_save_rollback;
	v->transaction_save_commit_post = proxy_save_commit_post;
}
