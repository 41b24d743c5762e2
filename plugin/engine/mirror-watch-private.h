#ifndef MIRROR_WATCH_PRIVATE_H
#define MIRROR_WATCH_PRIVATE_H

/*
 * mirror-watch-private: what the files of mirror-watch share.
 *
 *   mirror-watch.c         what callers may ask, the connection's life
 *   mirror-watch-user.c    a user's settings
 *   mirror-watch-boxes.c   the wanted mailboxes and what is known of them
 *   mirror-watch-poll.c    STATUS and LIST-STATUS
 *   mirror-watch-notify.c  NOTIFY and the heartbeat
 *
 * All that is to be done is decided in watch_tick(), from the ioloop; callbacks
 * note what they hear and wake it. Times are milliseconds of a clock that
 * nobody sets (watch_now()); 0 is never.
 */

#include "lib.h"
#include "hash.h"
#include "name-map.h"
#include "old-client.h"
#include "mirror-backoff.h"
#include "mirror-watch.h"

struct watch_settings {
	struct event *event_parent;
	/* between polls of those that are selected, and of all */
	unsigned int selected_msecs, all_msecs;
	/* between NOOPs while NOTIFY is held; how long the answer may take */
	unsigned int heartbeat_msecs, patience_msecs;
	/* FALSE while it isn't known; strings in the data stack */
	bool (*name_map)(void *context, struct name_map *map_r);
	void *context;
};

/* A poll: one at a time of a kind. */
struct watch_round {
	unsigned int interval_msecs;
	/* when the one in flight began; when the next is to, and may earliest */
	uint64_t began, due, rest;
	/* questions without an answer */
	unsigned int pending;
};

struct watch_box {
	struct mirror_watch *watch;
	char *vname, *old_name;
	struct mirror_status status;

	/* when it was wanted first */
	uint64_t born;
	/* when the question was sent whose answer is known */
	uint64_t known;
	/* of the STATUS in flight */
	uint64_t asked;
	struct watch_round *round;
	/* the last poll with LIST-STATUS that told of it */
	unsigned int listed;
	/* the NOTIFY that tells of it, as watch->notify_count */
	unsigned int notify;
	/* how many polls in a row found what NOTIFY hadn't told */
	unsigned int untold;
	/* the call of mirror_watch_want() that last had it */
	unsigned int wanted;

	bool selected:1;
	/* to be asked as soon as can be */
	bool ask:1;
	/* told since the STATUS was sent */
	bool told:1;
	/* isn't wanted any more, freed when its STATUS is answered */
	bool removed:1;
};
ARRAY_DEFINE_TYPE(watch_box, struct watch_box *);

/* What a STATUS line has; see struct mirror_status. */
enum watch_items {
	WATCH_MESSAGES = 0x01,
	WATCH_UIDNEXT = 0x02,
	WATCH_UIDVALIDITY = 0x04,
	WATCH_MODSEQ = 0x08,
};

enum watch_state {
	/* not connected; perhaps waiting to try again */
	WATCH_OFF,
	/* connecting and logging in */
	WATCH_LOGIN,
	WATCH_UP,
};

enum watch_notify {
	WATCH_NOTIFY_OFF,
	/* sent, the first STATUS lines come */
	WATCH_NOTIFY_SETTING,
	WATCH_NOTIFY_HELD,
};

struct mirror_watch {
	struct event *event;
	struct watch_settings set;
	struct mirror_watch_callbacks callbacks;
	void *context;
	struct old_client *client;

	struct name_map map;
	/* its strings; NULL while it isn't known */
	char *old_prefix, *prefix;
	ARRAY_TYPE(watch_box) boxes;
	HASH_TABLE(char *, struct watch_box *) by_vname, by_old_name;
	unsigned int want_count;

	/* watch_tick() */
	struct timeout *to;
	uint64_t wake_at;

	enum watch_state state;
	struct mirror_backoff backoff;
	uint64_t up_since, retry_at;
	/* an outage was logged */
	bool outage;

	struct watch_round selected, all;
	/* without LIST-STATUS: the box that is asked next */
	unsigned int all_next;
	/* LIST-STATUS: how many were sent; one is in flight; it is refused */
	unsigned int list_count;
	bool listing, list_refused;

	enum watch_notify notify;
	unsigned int notify_count;
	/* when it was sent; when it may be sent (again), 0: never */
	uint64_t notify_since, notify_at;
	/* when the last NOOP was sent that was answered: what happened before
	   that was told; when the one in flight was sent */
	uint64_t alive;
	uint64_t noop_sent;
};

/* mirror-watch.c */
struct mirror_watch *
watch_create(const struct old_client_settings *client_set,
	     const struct watch_settings *set,
	     const struct mirror_watch_callbacks *callbacks, void *context);
uint64_t watch_now(void);
/* Call watch_tick() at that time, if not earlier. */
void watch_wake(struct mirror_watch *watch, uint64_t when);
/* Can something be sent? */
bool watch_is_up(const struct mirror_watch *watch);
/* A command is answered, in whatever way. */
void watch_answered(struct mirror_watch *watch, const struct old_reply *reply);

/* mirror-watch-boxes.c */
void watch_boxes_init(struct mirror_watch *watch);
void watch_boxes_deinit(struct mirror_watch *watch);
struct watch_box *
watch_box_find(const struct mirror_watch *watch, const char *vname);
struct watch_box *
watch_box_find_old(const struct mirror_watch *watch, const char *old_name);
/* NULL when the old server can't have such a name */
struct watch_box *watch_box_get(struct mirror_watch *watch, const char *vname);
/* Those of the first list of a call count. */
void watch_boxes_want(struct mirror_watch *watch,
		      const ARRAY_TYPE(const_string) *vnames, bool selected);
/* Away with those that the last mirror_watch_want() didn't have. */
void watch_boxes_sweep(struct mirror_watch *watch);
/* Only when its STATUS isn't in flight. */
void watch_box_free(struct watch_box **box);
/* Put in what was told; returns TRUE when something is new. */
bool watch_box_update(struct watch_box *box, const struct mirror_status *told,
		      enum watch_items items);
/* All until then is known, the old server was asked then. */
void watch_box_set_known(struct watch_box *box, uint64_t asked);
void watch_box_set_gone(struct watch_box *box);
/* Can it be relied on NOTIFY to tell of it? */
bool watch_box_is_notified(const struct watch_box *box);

/* mirror-watch-poll.c */
void watch_poll_start(struct mirror_watch *watch, uint64_t now);
void watch_poll_tick(struct mirror_watch *watch, uint64_t now);
/* The next poll of all within a second, if the last wasn't too slow. */
void watch_poll_soon(struct mirror_watch *watch);
/* * STATUS name (items) */
void watch_poll_status(struct mirror_watch *watch,
		       const struct imap_arg *args);

/* mirror-watch-notify.c */
void watch_notify_start(struct mirror_watch *watch, uint64_t now);
void watch_notify_stop(struct mirror_watch *watch);
void watch_notify_heartbeat(struct mirror_watch *watch, uint64_t now);
void watch_notify_tick(struct mirror_watch *watch, uint64_t now);
/* The server has too much to tell (RFC 5465 5.8). */
void watch_notify_overflow(struct mirror_watch *watch);

#endif
