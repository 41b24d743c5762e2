#include "lib.h"
#include "ioloop.h"
#include "llist.h"
#include "migration-user.h"
#include "engine/lease.h"
#include "imap-session.h"
#include "redirected-mailbox.h"
#include "session-drain.h"

/* where inotify can't be had (watches are used up) */
#define POLL_MSECS 1000
/* while a client's command is being answered */
#define BYE_RETRY_MSECS 10

struct session_drain {
	struct session_hold *hold;
	struct io *io;
	struct timeout *to_check, *to_bye;
};

void session_hold_init(struct session_hold *hold, struct migration_user *muser,
		       struct mailbox *box, struct lease **lease)
{
	i_assert(hold->muser == NULL);
	hold->muser = muser;
	hold->box = box;
	hold->lease = *lease;
	*lease = NULL;
	DLLIST_PREPEND(&muser->holds, hold);
}

void session_hold_release(struct session_hold *hold)
{
	hold->drained = TRUE;
	lease_release(&hold->lease);
}

void session_hold_deinit(struct session_hold *hold)
{
	if (hold->muser == NULL)
		return;
	session_drain_deinit(hold);
	lease_release(&hold->lease);
	DLLIST_REMOVE(&hold->muser->holds, hold);
	hold->muser = NULL;
}

static void stop_watching(struct session_drain *drain)
{
	io_remove(&drain->io);
	timeout_remove(&drain->to_check);
}

static void say_bye(struct session_drain *drain)
{
	if (imap_session_bye(drain->hold->box))
		timeout_remove(&drain->to_bye);
}

/* Of a user who was closed meanwhile the leases are gone, and nobody asks for
   them: what is local stays so. */
static bool is_free(struct session_hold *hold)
{
	return REDIRECTED_MAILBOX(hold->box) == NULL &&
		migration_user_is_closed(hold->muser);
}

static void check_recall(struct session_drain *drain)
{
	if (!lease_recalled(drain->hold->lease))
		return;
	stop_watching(drain);
	if (is_free(drain->hold)) {
		lease_release(&drain->hold->lease);
		return;
	}
	session_hold_release(drain->hold);
	drain->to_bye = timeout_add_short(BYE_RETRY_MSECS, say_bye, drain);
	say_bye(drain);
}

static void check_recalls(struct session_drain *drain)
{
	session_drain_check(drain->hold->muser);
}

/* Another drain of the same mailbox: it is open more than once. */
static struct session_drain *find_other(struct session_hold *hold, bool watching)
{
	struct session_hold *other = hold->muser->holds;

	for (; other != NULL; other = other->next) {
		if (other != hold && other->drain != NULL &&
		    other->lease != NULL &&
		    (other->drain->io != NULL) == watching &&
		    strcmp(other->box->vname, hold->box->vname) == 0)
			return other->drain;
	}
	return NULL;
}

static void watch(struct session_drain *drain)
{
	struct lease *lease = drain->hold->lease;

	if (io_add_notify(lease_path(lease), check_recalls, drain,
			  &drain->io) != IO_NOTIFY_ADDED) {
		drain->to_check = timeout_add(POLL_MSECS, check_recall, drain);
	} else if (lease_recalled(lease)) {
		/* before it was watched */
		drain->to_check = timeout_add_short(0, check_recall, drain);
	}
}

void session_drain_init(struct session_hold *hold)
{
	if (hold->drain != NULL || hold->lease == NULL)
		return;
	hold->drain = i_new(struct session_drain, 1);
	hold->drain->hold = hold;
	/* inotify has one watch for a file: removing a second one would remove
	   the first one as well */
	if (find_other(hold, TRUE) == NULL)
		watch(hold->drain);
}

void session_drain_deinit(struct session_hold *hold)
{
	struct session_drain *drain = hold->drain, *other;
	bool watched;

	if (drain == NULL)
		return;
	hold->drain = NULL;
	watched = drain->io != NULL;
	stop_watching(drain);
	other = watched ? find_other(hold, FALSE) : NULL;
	if (other != NULL && other->to_check == NULL)
		watch(other);
	timeout_remove(&drain->to_bye);
	i_free(drain);
}

void session_drain_check(struct migration_user *muser)
{
	struct session_hold *hold = muser->holds;

	for (; hold != NULL; hold = hold->next) {
		if (hold->lease == NULL)
			continue;
		if (hold->drain != NULL)
			check_recall(hold->drain);
		else if (lease_recalled(hold->lease) && !is_free(hold))
			session_hold_release(hold);
	}
}

bool session_drain_pending(struct migration_user *muser)
{
	struct session_hold *hold = muser->holds;

	for (; hold != NULL; hold = hold->next) {
		if (hold->drained && hold->drain != NULL)
			return TRUE;
	}
	return FALSE;
}
