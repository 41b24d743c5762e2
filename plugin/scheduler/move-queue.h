#ifndef MOVE_QUEUE_H
#define MOVE_QUEUE_H

/*
 * move-queue: the users that the service moves, and in which order.
 *
 * No process, no disk; the time is passed in (unix seconds). A user waits in one
 * heap of his old server, so that whatever is told about him costs
 * O(log users), and nothing is ever done for all of them but in a sweep. Kept
 * small: there may be a million of them.
 *
 * Who waits for what:
 *   surveys    unseen, in the order in which they came
 *   fills      prioritized, the first first; then wanted, the latest first; then
 *              by bytes that are left, few first
 *   refreshes  filled and not local; catchups: local. By when they are due: each
 *              user has a second of his own in the interval, so that looks are
 *              spread evenly over it
 *   later      not before a time, after a failure
 */

#include "priorityq.h"
#include "mover/mover-protocol.h"
#include "server-bounds.h"

struct old_budget;

enum move_work {
	MOVE_WORK_SURVEY,
	MOVE_WORK_FILL,
	/* a FILL of who is filled */
	MOVE_WORK_REFRESH,
	MOVE_WORK_CATCHUP,

	MOVE_WORK_COUNT
};

enum move_place {
	/* he waits for that work */
	MOVE_PLACE_SURVEYS,
	MOVE_PLACE_FILLS,
	MOVE_PLACE_REFRESHES,
	MOVE_PLACE_CATCHUPS,
	MOVE_PLACE_LATER,

	MOVE_PLACE_HEAPS,
	/* running, or there's nothing to be done */
	MOVE_PLACE_NONE = MOVE_PLACE_HEAPS
};

/* a client's mailboxes that are remembered, the latest first; of all users */
#define MOVE_WANTED_MAILBOXES 8
#define MOVE_WANTED_IN_ALL 10000

struct move_demand {
	/* 0: not */
	time_t prioritized, wanted;
	char *mailboxes[MOVE_WANTED_MAILBOXES];
};

/* He failed, and nothing of it was the old server's wish. */
struct move_failed {
	struct move_failed *prev, *next;
	struct move_user *user;
	enum move_failure failure;
	/* in a row */
	unsigned int count;
	time_t since;
	char *reason;
};

/* What is done for him now. */
struct move_run {
	enum move_work work;
	time_t begun;
	bool stopping;
	/* of who does it */
	void *context;
};

struct move_user {
	struct priorityq_item item;
	/* in the order in which they came */
	uint32_t number;
	/* the next look; nothing before; the last look that succeeded, 0: none */
	uint32_t due, not_before, looked;
	uint8_t place;
	uint8_t sweep;
	/* how often in a row the old server refused him, and not his login */
	uint8_t refused;
	struct move_totals totals;
	struct move_server *server;
	/* each may be NULL */
	struct move_demand *demand;
	struct move_failed *failed;
	struct move_run *run;
	char name[];
};
ARRAY_DEFINE_TYPE(move_user, struct move_user *);

struct move_server {
	/* host:port; "" as long as a user's isn't known */
	char *name;
	struct server_bounds bounds;
	/* NULL for "" */
	struct old_budget *budget;
	struct priorityq *heaps[MOVE_PLACE_HEAPS];
	ARRAY_TYPE(move_user) running;
	unsigned int running_works[MOVE_WORK_COUNT];
	/* was the last one that began a look? */
	bool last_was_look;
	/* when somebody was last stopped for others; until when looks go first */
	time_t relieved, looks_until;
	/* why it's left alone; until when that was reported; the end of the day
	   whose limit was */
	char *reason;
	time_t refused_until;
	int64_t daily_reported;
	/* the number of the user who was refused last, and when */
	uint32_t refused_user;
	time_t refused;
	/* users who failed, one after the other, and nobody succeeded; until when
	   it's left alone for that */
	unsigned int failed_in_a_row;
	time_t braked_until;
};
ARRAY_DEFINE_TYPE(move_server, struct move_server *);

struct move_queue_settings {
	/* seconds from one look to the next, 0: none */
	unsigned int refresh, catchup;
	/* of users at once, for a server that is new here */
	unsigned int server_max;
	/* where users are as long as theirs isn't known */
	const char *server;
};

struct move_queue_totals {
	unsigned int phases[MOVE_PHASE_CLOSED + 1];
	/* of those that are in the list; that run */
	unsigned int users, failed, running;
	uint64_t messages, done_messages, bytes, done_bytes;
};

struct move_queue;

struct move_queue *move_queue_init(const struct move_queue_settings *set);
void move_queue_deinit(struct move_queue **queue);

const struct move_queue_totals *
move_queue_totals(const struct move_queue *queue);
const ARRAY_TYPE(move_user) *move_queue_users(const struct move_queue *queue);
const ARRAY_TYPE(move_server) *
move_queue_servers(const struct move_queue *queue);
/* The latest first. */
struct move_failed *move_queue_failed_users(const struct move_queue *queue);
/* That of the name; it's made when there's none. */
struct move_server *
move_queue_server(struct move_queue *queue, const char *name);

struct move_user *
move_queue_find(const struct move_queue *queue, const char *name);
/* The user of that name; he is added when there's none. */
struct move_user *
move_queue_add(struct move_queue *queue, const char *name, time_t now);
/* Users that aren't added between these two, and don't run, are removed.
   Returns how many. */
void move_queue_sweep_begin(struct move_queue *queue);
unsigned int move_queue_sweep_end(struct move_queue *queue);

/* What was known of him before. Times that are to come aren't believed: the clock
   may have been wrong. */
void move_queue_restore(struct move_queue *queue, struct move_user *user,
			const char *server, const struct move_totals *totals,
			time_t looked, time_t not_before, time_t now);
void move_queue_restore_demand(struct move_queue *queue,
			       struct move_user *user, time_t prioritized,
			       time_t wanted, time_t now);
void move_queue_restore_failed(struct move_queue *queue,
			       struct move_user *user,
			       const struct move_failed *failed, time_t now);

/* A client of his is there. mailbox may be "". Returns TRUE when it's now before
   others. */
bool move_queue_want(struct move_queue *queue, struct move_user *user,
		     const char *mailbox, time_t now);
void move_queue_prioritize(struct move_queue *queue, struct move_user *user,
			   time_t now);
/* Forget that he failed, or was refused. */
void move_queue_retry(struct move_queue *queue, struct move_user *user,
		      time_t now);
void move_queue_retry_all(struct move_queue *queue, time_t now);

/* Is he prioritized, or was he wanted in the last 30 minutes? */
bool move_user_is_urgent(const struct move_user *user, time_t now);
/* Is all of him here, as of the last look? */
bool move_user_is_filled(const struct move_user *user);
/* Those of the server who waited for a time that is over find their places. */
void move_queue_wake(struct move_queue *queue, struct move_server *server,
		     time_t now);

/* It begins; it turns out that his old server is another one; how far he is. */
void move_queue_begin(struct move_queue *queue, struct move_user *user,
		      enum move_work work, void *context, time_t now);
void move_queue_set_server(struct move_queue *queue, struct move_user *user,
			   struct move_server *server);
void move_queue_set_work(struct move_user *user, enum move_work work);
void move_queue_progress(struct move_queue *queue, struct move_user *user,
			 const struct move_totals *totals);
void move_queue_set_phase(struct move_queue *queue, struct move_user *user,
			  enum move_phase phase);
/* It ended, and he finds his place: it was done; it's to be done again, not
   before a time, or not for so many seconds, and longer each time in a row; he
   failed. */
void move_queue_succeeded(struct move_queue *queue, struct move_user *user,
			  time_t now);
void move_queue_put_back(struct move_queue *queue, struct move_user *user,
			 time_t not_before, time_t now);
void move_queue_refused(struct move_queue *queue, struct move_user *user,
			unsigned int min_secs, time_t now);
void move_queue_failed(struct move_queue *queue, struct move_user *user,
		       enum move_failure failure, const char *reason,
		       time_t now);

#endif
