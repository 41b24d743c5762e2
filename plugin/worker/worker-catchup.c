#include "lib.h"
#include "ioloop.h"
#include "time-util.h"
#include "migration-user.h"
#include "engine/mailbox-state.h"
#include "engine/mirror-watch.h"
#include "worker-catchup.h"
#include "worker-turns.h"

/* A client of the old server may change flags each moment. */
#define HEARD_MSECS 1000
/* where others may have all connections, and need them for a look each; with some
   chance in it */
#define SLOT_RETRY_MSECS 2000

struct worker_catchup {
	struct migration_user *muser;
	struct worker_turns *turns;
	struct worker_catchup_callbacks callbacks;
	void *context;
	struct ioloop *ioloop;

	/* what was heard of the old INBOX last */
	struct mirror_status inbox;
	/* it is news since the last look; it came while a turn was under way,
	   which may have been too early to see it */
	bool is_news, is_late;
	/* when the last look ended, and when the last one began that was a
	   success; 0: never */
	struct timeval ended, succeeded;
	struct timeout *to_interval, *to_heard;
};

static void want_look(struct worker_catchup *catchup)
{
	struct migration_user *muser = catchup->muser;

	if (migration_user_is_closed(muser))
		catchup->callbacks.closed(catchup->context);
	else if (mailbox_state_any(muser->set.dir, MAILBOX_STATE_LOCAL))
		worker_turns_catchup(catchup->turns);
}

static unsigned int interval_msecs(const struct worker_catchup *catchup)
{
	return catchup->muser->set.catchup_interval * 1000;
}

static void catchup_interval(struct worker_catchup *catchup);

static void wait_for_next(struct worker_catchup *catchup, unsigned int msecs)
{
	timeout_remove(&catchup->to_interval);
	catchup->to_interval = timeout_add_short_to(catchup->ioloop, msecs,
						    catchup_interval, catchup);
}

/* Until the look has been. */
static void wait_for_look(struct worker_catchup *catchup)
{
	unsigned int msecs = interval_msecs(catchup);

	if (catchup->muser->set.old_connections > 0)
		msecs = I_MIN(msecs, SLOT_RETRY_MSECS +
			      i_rand_limit(SLOT_RETRY_MSECS / 2));
	wait_for_next(catchup, msecs);
}

static void catchup_interval(struct worker_catchup *catchup)
{
	if (catchup->callbacks.is_watched(catchup->context))
		want_look(catchup);
	wait_for_look(catchup);
}

static void begin(struct worker_catchup *catchup)
{
	if (catchup->to_interval == NULL && interval_msecs(catchup) > 0)
		wait_for_look(catchup);
}

bool worker_catchup_is_recent(struct worker_catchup *catchup,
			      unsigned int max_age_msecs)
{
	int msecs;

	begin(catchup);
	if (catchup->succeeded.tv_sec == 0 || catchup->is_news)
		return FALSE;
	msecs = timeval_diff_msecs(&ioloop_timeval, &catchup->succeeded);
	return msecs >= 0 && (unsigned int)msecs < max_age_msecs;
}

bool worker_catchup_wants_inbox(struct worker_catchup *catchup)
{
	struct migration_user *muser = catchup->muser;

	return catchup->to_interval != NULL &&
		!migration_user_is_closed(muser) &&
		mailbox_state_is(muser->set.dir, "INBOX", MAILBOX_STATE_LOCAL);
}

/*
 * News
 */

static void look_at_news(struct worker_catchup *catchup)
{
	timeout_remove(&catchup->to_heard);
	if (catchup->is_news)
		want_look(catchup);
}

static void look_soon(struct worker_catchup *catchup)
{
	int ago = timeval_diff_msecs(&ioloop_timeval, &catchup->ended);

	if (catchup->to_heard != NULL)
		return;
	catchup->to_heard = timeout_add_short_to(catchup->ioloop,
		ago < 0 || ago >= HEARD_MSECS ? 0 : HEARD_MSECS - ago,
		look_at_news, catchup);
}

static bool is_same(const struct mirror_status *s1,
		    const struct mirror_status *s2)
{
	return s1->uid_validity == s2->uid_validity &&
		s1->uid_next == s2->uid_next &&
		s1->messages == s2->messages && s1->modseq == s2->modseq;
}

void worker_catchup_heard(struct worker_catchup *catchup,
			  const struct mirror_status *status)
{
	if (!is_same(&catchup->inbox, status)) {
		catchup->inbox = *status;
		catchup->is_news = TRUE;
		catchup->is_late = worker_turns_running(catchup->turns);
	}
	if (catchup->is_news)
		look_soon(catchup);
}

/* What was heard before it began, it has seen. Whatever couldn't be done is tried
   again after the interval. */
void worker_catchup_looked(struct worker_catchup *catchup, bool success)
{
	io_loop_time_refresh();
	catchup->ended = ioloop_timeval;
	if (success) {
		catchup->succeeded = ioloop_timeval;
		timeval_sub_msecs(&catchup->succeeded,
				  worker_turns_running_msecs(catchup->turns));
	}
	catchup->is_news = catchup->is_late;
	catchup->is_late = FALSE;
	if (catchup->is_news)
		look_soon(catchup);
	if (catchup->to_interval != NULL)
		wait_for_next(catchup, interval_msecs(catchup));
}

void worker_catchup_turn_ended(struct worker_catchup *catchup)
{
	catchup->is_late = FALSE;
}

/*
 * Its life
 */

struct worker_catchup *
worker_catchup_init(struct migration_user *muser, struct worker_turns *turns,
		    const struct worker_catchup_callbacks *callbacks,
		    void *context)
{
	struct worker_catchup *catchup = i_new(struct worker_catchup, 1);

	catchup->muser = muser;
	catchup->turns = turns;
	catchup->callbacks = *callbacks;
	catchup->context = context;
	catchup->ioloop = current_ioloop;
	return catchup;
}

void worker_catchup_deinit(struct worker_catchup **_catchup)
{
	struct worker_catchup *catchup = *_catchup;

	*_catchup = NULL;
	timeout_remove(&catchup->to_interval);
	timeout_remove(&catchup->to_heard);
	i_free(catchup);
}
