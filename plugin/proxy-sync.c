#include "lib.h"
#include "ioloop.h"
#include "index-storage.h"
#include "imapc-msgmap.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-namespace.h"
#include "remote-watchdog.h"
#include "proxy-sync.h"

/* how soon an idling client hears of what others do on the old server */
#define POLL_MSECS 1000

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

	/* imapc's own would begin an IDLE: see proxy_notify_changes() */
	if (index_mailbox_sync_deinit(ctx, status_r) == 0)
		return 0;
	remote_refine_error(rbox->muser);
	return -1;
}

/* What is new was untagged; a lost connection is seen by the sync. */
static void
poll_answered(const struct imapc_command_reply *reply ATTR_UNUSED,
	      void *context)
{
	struct redirected_mailbox *rbox = context;

	rbox->polling = FALSE;
	rbox->polls_missed = 0;
}

/* The watchdog sleeps while nobody waits. */
static void poll_missed(struct redirected_mailbox *rbox)
{
	if (++rbox->polls_missed * POLL_MSECS <
	    remote_watchdog_patience(rbox->muser->remote_watchdog))
		return;
	rbox->polls_missed = 0;
	imapc_client_mailbox_reconnect(rbox->mbox->client_box,
				       "No answer to NOOP");
}

static void poll_old_server(struct redirected_mailbox *rbox)
{
	struct imapc_mailbox *mbox = rbox->mbox;
	struct imapc_command *cmd;

	if (mbox->client_box == NULL ||
	    !imapc_client_mailbox_is_opened(mbox->client_box))
		return;
	if (rbox->polling) {
		poll_missed(rbox);
		return;
	}
	rbox->polling = TRUE;
	cmd = imapc_client_mailbox_cmd(mbox->client_box, poll_answered, rbox);
	imapc_command_send(cmd, "NOOP");
}

/* While a client idles. imapc's own IDLE can't be used: it says DONE without
   waiting for the server's "+", and Cyrus doesn't see a DONE that came together
   with the IDLE. Its timeout also gets lost when the answer to its NOOP comes
   while another command runs. */
static void proxy_notify_changes(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);
	struct imapc_mailbox *mbox = rbox->mbox;

	timeout_remove(&mbox->to_idle_check);
	if (box->notify_callback == NULL)
		return;
	mbox->to_idle_check = timeout_add(POLL_MSECS, poll_old_server, rbox);
	poll_old_server(rbox);
}

static bool proxy_is_inconsistent(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_REQUIRE(box);

	return rbox->hold.drained || (box->view != NULL &&
		mail_index_view_is_inconsistent(box->view));
}

void proxy_sync_init(struct mailbox_vfuncs *v)
{
	v->sync_init = proxy_sync_init_sync;
	v->sync_deinit = proxy_sync_deinit;
	v->notify_changes = proxy_notify_changes;
	v->is_inconsistent = proxy_is_inconsistent;
}

void proxy_sync_want(struct migration_user *muser, const char *vname,
		     struct redirected_mailbox *but)
{
	struct mailbox *box = muser->remote_ns->storage->mailboxes;

	for (; box != NULL; box = box->next) {
		struct redirected_mailbox *rbox = REDIRECTED_MAILBOX(box);

		if (rbox != NULL && rbox != but && rbox->mbox->selected &&
		    strcmp(box->vname, vname) == 0)
			rbox->want_noop = TRUE;
	}
}
