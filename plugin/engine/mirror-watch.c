/* mirror-watch: what callers may ask, and the life of the connection. */

#include "mirror-watch-private.h"
#include "array.h"
#include "ioloop.h"

#include <time.h>

uint64_t watch_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
		i_fatal("clock_gettime() failed: %m");
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool watch_is_up(const struct mirror_watch *watch)
{
	return watch->state == WATCH_UP &&
		old_client_is_connected(watch->client);
}

static void watch_down(struct mirror_watch *watch, const char *reason)
{
	uint64_t now = watch_now();
	unsigned int lived = watch->state == WATCH_UP ?
		I_MIN(now - watch->up_since + 1, UINT_MAX) : 0;

	watch->state = WATCH_OFF;
	watch_notify_stop(watch);
	watch->retry_at = now + mirror_backoff_failed(&watch->backoff, lived,
		old_client_login_refused(watch->client));
	if (!watch->outage) {
		e_warning(watch->event, "migration: The old server isn't "
			  "watched for changes: %s", reason);
	}
	watch->outage = TRUE;
	watch_wake(watch, watch->retry_at);
}

static void watch_up(struct mirror_watch *watch)
{
	uint64_t now = watch_now();

	watch->state = WATCH_UP;
	watch->up_since = now;
	if (watch->outage)
		e_info(watch->event, "migration: The old server is watched "
		       "for changes again");
	watch->outage = FALSE;
	watch_notify_start(watch, now);
	watch_poll_start(watch, now);
	watch_wake(watch, now);
}

/* Until this is answered it isn't known what the server can. */
static void watch_hello(const struct old_reply *reply,
			struct mirror_watch *watch)
{
	if (reply->state != OLD_REPLY_LOST)
		watch_up(watch);
	else if (watch->state == WATCH_LOGIN)
		watch_down(watch, reply->error);
}

static void watch_start(struct mirror_watch *watch, uint64_t now)
{
	if (now < watch->retry_at) {
		watch_wake(watch, watch->retry_at);
		return;
	}
	watch->state = WATCH_LOGIN;
	old_client_send(watch->client, watch_hello, watch, "NOOP");
}

static void watch_stop(struct mirror_watch *watch)
{
	watch->state = WATCH_OFF;
	watch_notify_stop(watch);
	old_client_disconnect(watch->client, "nobody wants to know");
}

static void watch_work(struct mirror_watch *watch, uint64_t now)
{
	watch_notify_heartbeat(watch, now);
	/* it may have given up; a command would connect at once */
	if (!watch_is_up(watch))
		return;
	watch_poll_tick(watch, now);
	watch_notify_tick(watch, now);
	/* nobody tells that an idle connection is closed */
	watch_wake(watch, now + watch->set.selected_msecs);
}

static void watch_tick(struct mirror_watch *watch)
{
	uint64_t now = watch_now();

	timeout_remove(&watch->to);
	if (array_count(&watch->boxes) == 0) {
		if (watch->state != WATCH_OFF)
			watch_stop(watch);
		return;
	}
	switch (watch->state) {
	case WATCH_OFF:
		watch_start(watch, now);
		break;
	case WATCH_LOGIN:
		break;
	case WATCH_UP:
		if (old_client_is_connected(watch->client))
			watch_work(watch, now);
		else
			watch_down(watch, "The connection was closed");
		break;
	}
}

void watch_wake(struct mirror_watch *watch, uint64_t when)
{
	uint64_t now = watch_now();

	if (watch->to != NULL && watch->wake_at <= when)
		return;
	timeout_remove(&watch->to);
	watch->wake_at = when;
	watch->to = timeout_add_short(when <= now ? 0 : when - now, watch_tick,
				      watch);
}

void watch_answered(struct mirror_watch *watch, const struct old_reply *reply)
{
	if (reply->state == OLD_REPLY_LOST && watch->state == WATCH_UP)
		watch_down(watch, reply->error);
}

static bool
watch_untagged(const struct old_untagged *untagged, struct mirror_watch *watch)
{
	if (strcmp(untagged->name, "STATUS") == 0)
		watch_poll_status(watch, untagged->args);
	else if (strcmp(untagged->code, "NOTIFICATIONOVERFLOW") == 0)
		watch_notify_overflow(watch);
	return TRUE;
}

struct mirror_watch *
watch_create(const struct old_client_settings *client_set,
	     const struct watch_settings *set,
	     const struct mirror_watch_callbacks *callbacks, void *context)
{
	struct mirror_watch *watch = i_new(struct mirror_watch, 1);

	watch->event = event_create(set->event_parent);
	watch->set = *set;
	watch->callbacks = *callbacks;
	watch->context = context;
	watch->selected.interval_msecs = set->selected_msecs;
	watch->all.interval_msecs = set->all_msecs;
	watch_boxes_init(watch);
	watch->client = old_client_init(client_set, watch->event);
	old_client_set_untagged(watch->client, watch_untagged, watch);
	return watch;
}

void mirror_watch_deinit(struct mirror_watch **_watch)
{
	struct mirror_watch *watch = *_watch;

	if (watch == NULL)
		return;
	*_watch = NULL;
	watch_stop(watch);
	old_client_deinit(&watch->client);
	timeout_remove(&watch->to);
	watch_boxes_deinit(watch);
	event_unref(&watch->event);
	i_free(watch);
}

void mirror_watch_want(struct mirror_watch *watch,
		       const ARRAY_TYPE(const_string) *selected,
		       const ARRAY_TYPE(const_string) *others)
{
	watch->want_count++;
	watch_boxes_want(watch, selected, TRUE);
	watch_boxes_want(watch, others, FALSE);
	watch_boxes_sweep(watch);
	watch_wake(watch, watch_now());
}

void mirror_watch_ask(struct mirror_watch *watch, const char *vname)
{
	struct watch_box *box = watch_box_get(watch, vname);

	if (box == NULL || box->asked != 0)
		return;
	box->ask = TRUE;
	watch_wake(watch, watch_now());
}

bool mirror_watch_is_fresh(const struct mirror_watch *watch, const char *vname,
			   unsigned int max_age_msecs)
{
	const struct watch_box *box = watch_box_find(watch, vname);
	uint64_t now = watch_now();

	if (box == NULL)
		return FALSE;
	if (box->known != 0 && now - box->known <= max_age_msecs)
		return TRUE;
	return watch_box_is_notified(box) && watch_is_up(watch) &&
		now - watch->alive <= max_age_msecs;
}

void mirror_watch_switch_ioloop(struct mirror_watch *watch)
{
	if (watch->to != NULL)
		watch->to = io_loop_move_timeout(&watch->to);
	old_client_switch_ioloop(watch->client);
}
