#include "lib.h"
#include "ioloop.h"
#include "migration-user.h"
#include "redirected-mailbox.h"
#include "engine/lease.h"
#include "imap-session.h"
#include "session-drain.h"

/* where inotify can't be had (watches are used up) */
#define POLL_MSECS 1000
/* while a client's command is being answered */
#define BYE_RETRY_MSECS 10

struct session_drain {
	struct redirected_mailbox *rbox;
	struct io *io;
	struct timeout *to_check, *to_bye;
};

static void stop_watching(struct session_drain *drain)
{
	io_remove(&drain->io);
	timeout_remove(&drain->to_check);
}

static void say_bye(struct session_drain *drain)
{
	if (imap_session_bye(&drain->rbox->mbox->box))
		timeout_remove(&drain->to_bye);
}

static void check_recall(struct session_drain *drain)
{
	if (!lease_recalled(drain->rbox->lease))
		return;
	stop_watching(drain);
	redirected_mailbox_release(drain->rbox);
	drain->to_bye = timeout_add_short(BYE_RETRY_MSECS, say_bye, drain);
	say_bye(drain);
}

static void check_recalls(struct session_drain *drain)
{
	session_drain_check(drain->rbox->muser);
}

/* Another drain of the same mailbox: it is open more than once. */
static struct session_drain *
find_other(struct redirected_mailbox *rbox, bool watching)
{
	struct redirected_mailbox *other;
	struct mailbox *box;

	for (box = rbox->muser->remote_ns->storage->mailboxes; box != NULL;
	     box = box->next) {
		other = REDIRECTED_MAILBOX(box);
		if (other != NULL && other != rbox && other->drain != NULL &&
		    other->lease != NULL &&
		    (other->drain->io != NULL) == watching &&
		    strcmp(box->vname, rbox->mbox->box.vname) == 0)
			return other->drain;
	}
	return NULL;
}

static void watch(struct session_drain *drain)
{
	struct lease *lease = drain->rbox->lease;

	if (io_add_notify(lease_path(lease), check_recalls, drain,
			  &drain->io) != IO_NOTIFY_ADDED) {
		drain->to_check = timeout_add(POLL_MSECS, check_recall, drain);
	} else if (lease_recalled(lease)) {
		/* before it was watched */
		drain->to_check = timeout_add_short(0, check_recall, drain);
	}
}

struct session_drain *session_drain_init(struct redirected_mailbox *rbox)
{
	struct session_drain *drain = i_new(struct session_drain, 1);

	drain->rbox = rbox;
	/* inotify has one watch for a file: removing a second one would remove
	   the first one as well */
	if (find_other(rbox, TRUE) == NULL)
		watch(drain);
	return drain;
}

void session_drain_deinit(struct session_drain **_drain)
{
	struct session_drain *drain = *_drain, *other;
	bool watched;

	if (drain == NULL)
		return;
	*_drain = NULL;
	watched = drain->io != NULL;
	stop_watching(drain);
	other = watched ? find_other(drain->rbox, FALSE) : NULL;
	if (other != NULL && other->to_check == NULL)
		watch(other);
	timeout_remove(&drain->to_bye);
	i_free(drain);
}

void session_drain_check(struct migration_user *muser)
{
	struct redirected_mailbox *rbox;
	struct mailbox *box;

	for (box = muser->remote_ns->storage->mailboxes; box != NULL;
	     box = box->next) {
		rbox = REDIRECTED_MAILBOX(box);
		if (rbox == NULL || rbox->lease == NULL)
			continue;
		if (rbox->drain != NULL)
			check_recall(rbox->drain);
		else if (lease_recalled(rbox->lease))
			redirected_mailbox_release(rbox);
	}
}

bool session_drain_pending(struct migration_user *muser)
{
	struct redirected_mailbox *rbox;
	struct mailbox *box;

	for (box = muser->remote_ns->storage->mailboxes; box != NULL;
	     box = box->next) {
		rbox = REDIRECTED_MAILBOX(box);
		if (rbox != NULL && rbox->drained && rbox->drain != NULL)
			return TRUE;
	}
	return FALSE;
}
