#include "lib.h"
#include "array.h"
#include "index-storage.h"
#include "imapc-client-private.h"
#include "imapc-msgmap.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "remote-select.h"

struct remote_select {
	struct imapc_mailbox *mbox;
	/* answers that aren't there yet */
	unsigned int pending;
	bool selected, fetched;
	/* SELECT was refused, and the storage's error is set */
	bool refused;
	/* FETCH was, though the mailbox was selected */
	bool unfit;
};

/*
 * What imapc does within its own files
 */

static bool wants_examine(const struct imapc_mailbox *mbox)
{
	return !IMAPC_BOX_HAS_FEATURE(mbox, IMAPC_FEATURE_NO_EXAMINE) &&
		(mbox->box.flags & MAILBOX_FLAG_DROP_RECENT) == 0 &&
		(mbox->box.flags & MAILBOX_FLAG_READONLY) != 0;
}

static void
send_select(struct imapc_mailbox *mbox, struct imapc_command *cmd)
{
	imapc_command_sendf(cmd, "%1s %s",
			    wants_examine(mbox) ? "EXAMINE" : "SELECT",
			    imapc_mailbox_get_remote_name(mbox));
}

static bool is_complete(const struct imapc_mailbox *mbox)
{
	return mbox->exists_received && mbox->sync_uid_validity != 0;
}

static void
reopen_callback(const struct imapc_command_reply *reply, void *context)
{
	struct imapc_mailbox *mbox = context;

	i_assert(mbox->storage->reopen_count > 0);
	mbox->storage->reopen_count--;
	mbox->selecting = FALSE;
	if (reply->state == IMAPC_COMMAND_STATE_OK && is_complete(mbox))
		imap_mailbox_select_finish(mbox);
	else
		imapc_client_mailbox_reconnect(mbox->client_box,
			t_strdup_printf("Reopening mailbox '%s' failed: %s",
					mbox->box.name, reply->text_full));
	imapc_client_stop(mbox->storage->client->client);
}

/* The connection was made anew. EXISTS makes imapc ask for the flags. */
static void reopen(void *context)
{
	struct imapc_mailbox *mbox = context;
	struct imapc_command *cmd;

	mbox->prev_skipped_rseq = 0;
	mbox->prev_skipped_uid = 0;
	imapc_msgmap_reset(imapc_client_mailbox_get_msgmap(mbox->client_box));
	if (!mbox->initial_sync_done) {
		mbox->sync_next_lseq = 1;
		mbox->sync_next_rseq = 1;
	}
	mbox->state_fetched_success = FALSE;
	mbox->initial_sync_done = FALSE;
	mbox->selecting = TRUE;
	mbox->selected = FALSE;
	mbox->exists_received = FALSE;

	cmd = imapc_client_mailbox_cmd(mbox->client_box, reopen_callback,
				       mbox);
	imapc_command_set_flags(cmd, IMAPC_COMMAND_FLAG_SELECT);
	send_select(mbox, cmd);
	mbox->storage->reopen_count++;
}

/*
 * In one round trip
 */

static void answered(struct remote_select *select)
{
	if (--select->pending == 0)
		imapc_client_stop(select->mbox->storage->client->client);
}

static void
select_callback(const struct imapc_command_reply *reply, void *context)
{
	struct remote_select *select = context;
	struct imapc_mailbox *mbox = select->mbox;

	mbox->selecting = FALSE;
	if (reply->state == IMAPC_COMMAND_STATE_OK && is_complete(mbox)) {
		imap_mailbox_select_finish(mbox);
		select->selected = TRUE;
	} else if (reply->state == IMAPC_COMMAND_STATE_NO) {
		imapc_copy_error_from_reply(mbox->storage,
			mbox->box.inbox_any ? MAIL_ERROR_TEMP :
			MAIL_ERROR_NOTFOUND, reply);
		select->refused = TRUE;
	}
	answered(select);
}

static void
fetch_callback(const struct imapc_command_reply *reply, void *context)
{
	struct remote_select *select = context;
	struct imapc_mailbox *mbox = select->mbox;

	mbox->state_fetching_uid1 = FALSE;
	mbox->delayed_untagged_exists = FALSE;
	if (select->selected && reply->state == IMAPC_COMMAND_STATE_OK) {
		mbox->sync_next_lseq = 0;
		mbox->sync_next_rseq = 0;
		mbox->state_fetched_success = TRUE;
		select->fetched = TRUE;
	} else if (select->selected) {
		select->unfit = reply->state == IMAPC_COMMAND_STATE_NO ||
			reply->state == IMAPC_COMMAND_STATE_BAD;
	}
	answered(select);
}

/* imapc takes the answers as those of its own FETCH of the flags, and doesn't
   send that. */
static void expect_flags(struct imapc_mailbox *mbox)
{
	mbox->selecting = TRUE;
	mbox->exists_received = FALSE;
	mbox->sync_next_lseq = 1;
	mbox->sync_next_rseq = 1;
	mbox->state_fetched_success = FALSE;
	mbox->state_fetching_uid1 = TRUE;
}

/* Returns 0; -1 when it was refused or didn't do. */
static int select_and_fetch(struct remote_select *select)
{
	struct imapc_mailbox *mbox = select->mbox;
	struct imapc_command *cmd;

	mbox->client_box = imapc_client_mailbox_open(
		mbox->storage->client->client, mbox);
	expect_flags(mbox);
	select->pending = 2;

	cmd = imapc_client_mailbox_cmd(mbox->client_box, select_callback,
				       select);
	imapc_command_set_mailbox(cmd, NULL);
	send_select(mbox, cmd);
	cmd = imapc_client_mailbox_cmd(mbox->client_box, fetch_callback,
				       select);
	imapc_command_set_flags(cmd, IMAPC_COMMAND_FLAG_SELECT);
	imapc_command_send(cmd, "UID FETCH 1:* (FLAGS)");
	while (select->pending > 0)
		imapc_client_run(mbox->storage->client->client);
	if (!select->fetched ||
	    !imapc_client_mailbox_is_opened(mbox->client_box))
		return -1;
	imapc_client_mailbox_set_reopen_cb(mbox->client_box, reopen, mbox);
	return 0;
}

/* Gmail has messages' GUIDs. imapc has what is in its index to be compared with
   what is told; that is in memory, and empty. */
static bool is_plain(struct imapc_mailbox *mbox)
{
	return (mbox->capabilities & IMAPC_CAPABILITY_X_GM_EXT_1) == 0 &&
		mail_index_is_in_memory(mbox->box.index) &&
		mail_index_view_get_messages_count(mbox->box.view) == 0;
}

static bool is_selected_here(const struct redirected_mailbox *rbox)
{
	const struct mailbox *box = &rbox->mbox->box;

	return rbox->known && !box->deleting && !box->creating &&
		(box->flags & MAILBOX_FLAG_SAVEONLY) == 0 &&
		!rbox->muser->no_burst_select;
}

/* Returns 1 when it is open, 0 when imapc is to do it, -1 when it can't be. */
static int try_open(struct redirected_mailbox *rbox)
{
	struct imapc_mailbox *mbox = rbox->mbox;
	struct remote_select select = { .mbox = mbox };

	if (!is_selected_here(rbox))
		return 0;
	if (imapc_client_get_capabilities(mbox->storage->client->client,
					  &mbox->capabilities) < 0)
		return -1;
	if (index_storage_mailbox_open(&mbox->box, FALSE) < 0)
		return -1;
	if (is_plain(mbox) && select_and_fetch(&select) == 0)
		return 1;
	mailbox_close(&mbox->box);
	if (select.refused)
		return -1;
	if (select.unfit)
		rbox->muser->no_burst_select = TRUE;
	return 0;
}

static int remote_select_open(struct mailbox *box)
{
	struct redirected_mailbox *rbox = REDIRECTED_MAILBOX(box);
	int ret = try_open(rbox);

	if (ret == 0)
		return rbox->inner_ctx.super.open(box);
	return ret > 0 ? 0 : -1;
}

void remote_select_init(struct redirected_mailbox *rbox)
{
	struct mailbox *box = &rbox->mbox->box;
	struct mailbox_vfuncs *v = box->vlast;

	rbox->inner_ctx.super = *v;
	box->vlast = &rbox->inner_ctx.super;
	v->open = remote_select_open;
}
