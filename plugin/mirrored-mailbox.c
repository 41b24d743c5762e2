#include "lib.h"
#include "ioloop.h"
#include "migration-user.h"
#include "folder-forward.h"
#include "mirrored-notify.h"
#include "mirrored-search.h"
#include "mirrored-transaction.h"
#include "worker-client.h"
#include "engine/lease.h"
#include "engine/mailbox-state.h"
#include "engine/migration-report.h"
#include "mirrored-mailbox.h"

#include <time.h>

/* when a client selects it */
#define SELECT_MAX_AGE_MSECS 1000
/* while no worker can be had that is told that it is selected */
#define WATCH_RETRY_MSECS 5000
/* not each time that the old server can't be asked */
#define STALE_REPORT_SECS 60

#define MIRRORED_REQUIRE(obj) \
	((struct mirrored_mailbox *) \
	 MODULE_CONTEXT_REQUIRE(obj, mirrored_mailbox_module))

struct mirrored_mailbox_module mirrored_mailbox_module =
	MODULE_CONTEXT_INIT(&mail_storage_module_register);

int mirrored_mailbox_refuse(struct mirrored_mailbox *mbox)
{
	mail_storage_set_error(mbox->box->storage, MAIL_ERROR_INUSE,
		"Mailbox was just changed by its move to this server, "
		"open it again");
	return -1;
}

static void stop_watching(struct mirrored_mailbox *mbox)
{
	struct worker_client *client = worker_client_get(mbox->muser);
	const char *const words[] = { "UNWATCH", mbox->box->vname, NULL };

	timeout_remove(&mbox->to_watch);
	if (mbox->watched_on == 0)
		return;
	worker_client_set_lost(client, NULL, NULL);
	if (mbox->watched_on == worker_client_connection(client))
		worker_client_tell(client, words);
	mbox->watched_on = 0;
}

/* From now on it is to be asked before the old server has the word again. */
static bool hold_local(struct mirrored_mailbox *mbox)
{
	struct migration_user *muser = mbox->muser;
	struct lease *lease;
	const char *error;

	if (lease_share(muser->set.dir, mbox->box->vname, 0, &lease,
			&error) <= 0)
		return FALSE;
	if (!mailbox_state_is(muser->set.dir, mbox->box->vname,
			      MAILBOX_STATE_LOCAL)) {
		lease_release(&lease);
		return FALSE;
	}
	session_hold_init(&mbox->hold, muser, mbox->box, &lease);
	if (mbox->box->opened)
		session_drain_init(&mbox->hold);
	return TRUE;
}

bool mirrored_mailbox_set_local(struct mirrored_mailbox *mbox)
{
	if (mbox->local)
		return !mbox->hold.drained;
	if (!hold_local(mbox)) {
		mirrored_mailbox_set_gone(mbox);
		return FALSE;
	}
	stop_watching(mbox);
	mbox->local = TRUE;
	return TRUE;
}

void mirrored_mailbox_set_gone(struct mirrored_mailbox *mbox)
{
	stop_watching(mbox);
	mbox->gone = TRUE;
}

static void report_stale(struct mirrored_mailbox *mbox, const char *reason)
{
	struct migration_user *muser = mbox->muser;
	time_t now = time(NULL);

	if (now - muser->stale_reported < STALE_REPORT_SECS)
		return;
	muser->stale_reported = now;
	migration_report(muser, "stale", "mailbox", mbox->box->vname,
			 "reason", reason, NULL);
}

/* Whatever comes of it, the copy is served. */
static void ask_fresh(struct mirrored_mailbox *mbox, unsigned int max_age_msecs)
{
	enum worker_answer answer;
	const char *error;

	mbox->want_fresh = FALSE;
	if (mbox->local || mbox->gone)
		return;
	if (!worker_client_fresh(worker_client_get(mbox->muser),
				 mbox->box->vname, max_age_msecs, &answer,
				 &error))
		report_stale(mbox, error);
	else if (answer == WORKER_LOCAL)
		(void)mirrored_mailbox_set_local(mbox);
	else if (answer == WORKER_GONE)
		mirrored_mailbox_set_gone(mbox);
}

void mirrored_mailbox_want_fresh(struct mirrored_mailbox *mbox)
{
	mbox->want_fresh = TRUE;
	mbox->max_age_msecs = 0;
}

/* An idling client hears nothing if the worker that was told is gone. */
static void watch_again(struct mirrored_mailbox *mbox)
{
	timeout_remove(&mbox->to_watch);
	worker_client_reconnect(worker_client_get(mbox->muser));
	mirrored_mailbox_watch(mbox);
}

static void watch_lost(void *context)
{
	watch_again(context);
}

void mirrored_mailbox_watch(struct mirrored_mailbox *mbox)
{
	struct worker_client *client = worker_client_get(mbox->muser);
	const char *const words[] = { "WATCH", mbox->box->vname, NULL };
	unsigned int connection = worker_client_connection(client);

	if (mbox->local || mbox->gone ||
	    (connection != 0 && mbox->watched_on == connection))
		return;
	timeout_remove(&mbox->to_watch);
	if (connection == 0) {
		mbox->to_watch = timeout_add(WATCH_RETRY_MSECS, watch_again,
					     mbox);
		return;
	}
	worker_client_tell(client, words);
	worker_client_set_lost(client, watch_lost, mbox);
	mbox->watched_on = connection;
}

static int mirrored_open(struct mailbox *box)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(box);

	if (mbox->gone || mbox->hold.drained)
		return mirrored_mailbox_refuse(mbox);
	if ((box->flags & MAILBOX_FLAG_SAVEONLY) == 0) {
		mbox->want_fresh = TRUE;
		mbox->max_age_msecs = SELECT_MAX_AGE_MSECS;
	}
	if (mbox->module_ctx.super.open(box) < 0)
		return -1;
	session_drain_init(&mbox->hold);
	return 0;
}

static void mirrored_close(struct mailbox *box)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(box);

	stop_watching(mbox);
	session_drain_deinit(&mbox->hold);
	mirrored_notify_deinit(&mbox->notify);
	mbox->module_ctx.super.close(box);
}

static struct mailbox_sync_context *
mirrored_sync_init(struct mailbox *box, enum mailbox_sync_flags flags)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(box);

	if (mbox->want_fresh) T_BEGIN {
		ask_fresh(mbox, mbox->max_age_msecs);
	} T_END;
	return mbox->module_ctx.super.sync_init(box, flags);
}

static int
mirrored_sync_deinit(struct mailbox_sync_context *ctx,
		     struct mailbox_sync_status *status_r)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(ctx->box);
	int ret = mbox->module_ctx.super.sync_deinit(ctx, status_r);

	return mbox->gone ? mirrored_mailbox_refuse(mbox) : ret;
}

static bool mirrored_is_inconsistent(struct mailbox *box)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(box);

	return mbox->gone || mbox->hold.drained ||
		mbox->module_ctx.super.is_inconsistent(box);
}

static int
mirrored_get_status(struct mailbox *box, enum mailbox_status_items items,
		    struct mailbox_status *status_r)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(box);
	bool opened = box->opened;
	int ret;

	/* one that is open says what its view has */
	if (!opened) T_BEGIN {
		ask_fresh(mbox, mbox->muser->set.mirror_interval * 1000);
	} T_END;
	if (mbox->gone && !opened)
		return mirrored_mailbox_refuse(mbox);
	ret = mbox->outer.get_status(box, items, status_r);
	/* those of the index aren't the old server's (I2) */
	status_r->nonpermanent_modseqs = TRUE;
	return ret;
}

static void mirrored_free(struct mailbox *box)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(box);

	mbox->outer.free(box);
	session_hold_deinit(&mbox->hold);
}

void mirrored_mailbox_init(struct migration_user *muser, struct mailbox *box)
{
	struct mailbox_vfuncs *v = box->vlast;
	struct mirrored_mailbox *mbox;

	mbox = p_new(box->pool, struct mirrored_mailbox, 1);
	mbox->outer = *v;
	box->vlast = &mbox->outer;
	mbox->muser = muser;
	mbox->box = box;
	v->free = mirrored_free;
	v->get_status = mirrored_get_status;
	MODULE_CONTEXT_SET(box, mirrored_mailbox_module, mbox);
	folder_forward_init(muser, box, v, &mbox->outer);
}

void mirrored_mailbox_init_inner(struct mirrored_mailbox *mbox)
{
	struct mailbox_vfuncs *v = mbox->box->vlast;

	mbox->module_ctx.super = *v;
	mbox->box->vlast = &mbox->module_ctx.super;
	v->open = mirrored_open;
	v->close = mirrored_close;
	v->sync_init = mirrored_sync_init;
	v->sync_deinit = mirrored_sync_deinit;
	v->is_inconsistent = mirrored_is_inconsistent;
	mirrored_notify_init(v);
	mirrored_search_init(v);
	mirrored_transaction_init(v);
}
