/* mirror-watch-notify: NOTIFY (RFC 5465), and the heartbeat: Dovecot gathers
   events for half a second, and for several when more of them follow, but tells
   them all before it answers to a NOOP. */

#include "mirror-watch-private.h"

/* All that is one's own; all that changes what STATUS says. */
#define WATCH_NOTIFY_EVENTS \
	"(PERSONAL (MessageNew MessageExpunge FlagChange))"
/* So long it is polled after a server had too much to tell. */
#define WATCH_OVERFLOW_MSECS (60 * 1000)

void watch_notify_start(struct mirror_watch *watch, uint64_t now)
{
	watch->notify_at = old_client_has(watch->client, "NOTIFY") ? now : 0;
}

void watch_notify_stop(struct mirror_watch *watch)
{
	watch->notify = WATCH_NOTIFY_OFF;
	watch->noop_sent = 0;
}

static void notify_poll(struct mirror_watch *watch, uint64_t again_at)
{
	watch_notify_stop(watch);
	watch->notify_at = again_at;
	watch->all.due = watch->all.rest;
	watch_wake(watch, watch_now());
}

static void
notify_answer(const struct old_reply *reply, struct mirror_watch *watch)
{
	switch (reply->state) {
	case OLD_REPLY_LOST:
		break;
	case OLD_REPLY_OK:
		if (watch->notify == WATCH_NOTIFY_SETTING) {
			watch->notify = WATCH_NOTIFY_HELD;
			watch->alive = watch->notify_since;
			watch_wake(watch, watch_now());
		}
		break;
	case OLD_REPLY_NO:
	case OLD_REPLY_BAD:
		e_info(watch->event, "migration: The old server refuses NOTIFY "
		       "and is polled for changes: %s", reply->error);
		notify_poll(watch, 0);
		break;
	}
	watch_answered(watch, reply);
}

static void
notify_enabled(const struct old_reply *reply, struct mirror_watch *watch)
{
	watch_answered(watch, reply);
}

static void notify_set(struct mirror_watch *watch, uint64_t now)
{
	watch->notify = WATCH_NOTIFY_SETTING;
	watch->notify_count++;
	watch->notify_since = now;
	/* else HIGHESTMODSEQ isn't told */
	if (old_client_has(watch->client, "ENABLE") &&
	    old_client_has(watch->client, "CONDSTORE"))
		old_client_send(watch->client, notify_enabled, watch,
				"ENABLE CONDSTORE");
	old_client_send(watch->client, notify_answer, watch,
			"NOTIFY SET STATUS "WATCH_NOTIFY_EVENTS);
}

static void
notify_alive(const struct old_reply *reply, struct mirror_watch *watch)
{
	if (reply->state != OLD_REPLY_LOST)
		watch->alive = watch->noop_sent;
	watch->noop_sent = 0;
	watch_answered(watch, reply);
}

void watch_notify_heartbeat(struct mirror_watch *watch, uint64_t now)
{
	if (watch->notify != WATCH_NOTIFY_HELD)
		return;
	if (watch->noop_sent != 0) {
		if (now - watch->noop_sent >= watch->set.patience_msecs)
			old_client_disconnect(watch->client,
					      "it doesn't answer to NOOP");
	} else if (now - watch->alive >= watch->set.heartbeat_msecs &&
		   old_client_pending(watch->client) == 0) {
		watch->noop_sent = now;
		old_client_send(watch->client, notify_alive, watch, "NOOP");
	}
	watch_wake(watch, now + watch->set.heartbeat_msecs);
}

void watch_notify_tick(struct mirror_watch *watch, uint64_t now)
{
	if (watch->notify == WATCH_NOTIFY_OFF && watch->notify_at != 0 &&
	    now >= watch->notify_at)
		notify_set(watch, now);
}

void watch_notify_overflow(struct mirror_watch *watch)
{
	/* the tagged NO to NOTIFY may have the same code */
	if (watch->notify == WATCH_NOTIFY_OFF)
		return;
	e_info(watch->event, "migration: The old server has too much to tell "
	       "and is polled for changes");
	notify_poll(watch, watch_now() + WATCH_OVERFLOW_MSECS);
}
