#include "lib.h"
#include "array.h"
#include "hash.h"
#include "llist.h"
#include "move-queue.h"

#define URGENT_SECS (30 * 60)
/* what is looked at again once a day: is he closed still? */
#define CLOSED_SECS (24 * 3600)
/* nobody waits longer, whatever the clock was when that was said */
#define MAX_WAIT_SECS (2 * CLOSED_SECS)
/* whom the old server refused: so that it's another one who is tried next */
#define REFUSED_SECS 60
#define REFUSED_MAX_SECS (15 * 60)
#define MAX_REASON 512
#define INITIAL_HEAP 64

struct move_queue {
	struct move_queue_settings set;
	HASH_TABLE(char *, struct move_user *) names;
	ARRAY_TYPE(move_user) users;
	ARRAY_TYPE(move_server) servers;
	HASH_TABLE(char *, struct move_server *) server_names;
	struct move_server *first_server;
	struct move_failed *failed;
	struct move_queue_totals totals;
	uint32_t next_number;
	/* names that are remembered */
	unsigned int wanted_count;
	uint8_t sweep;
};

/* how long a user waits who failed: at first, and at most */
static const struct {
	unsigned int first, most;
} retry_secs[] = {
	[MOVE_FAILURE_USER] = { 60, 6 * 3600 },
	[MOVE_FAILURE_LOGIN] = { 3600, 24 * 3600 },
};

/*
 * Orders
 */

#define COMPARE(a, b) ((a) < (b) ? -1 : (a) > (b) ? 1 : 0)

static uint64_t bytes_left(const struct move_user *user)
{
	return user->totals.bytes > user->totals.done_bytes ?
		user->totals.bytes - user->totals.done_bytes : 0;
}

static int compare_numbers(const void *p1, const void *p2)
{
	const struct move_user *user1 = p1, *user2 = p2;

	return COMPARE(user1->number, user2->number);
}

/* one that isn't 0 first, then the earlier */
static int compare_prioritized(time_t time1, time_t time2)
{
	if ((time1 == 0) != (time2 == 0))
		return time1 != 0 ? -1 : 1;
	return COMPARE(time1, time2);
}

static int compare_fills(const void *p1, const void *p2)
{
	static const struct move_demand no_demand;
	const struct move_user *user1 = p1, *user2 = p2;
	const struct move_demand *demand1, *demand2;
	int ret;

	demand1 = user1->demand != NULL ? user1->demand : &no_demand;
	demand2 = user2->demand != NULL ? user2->demand : &no_demand;
	ret = compare_prioritized(demand1->prioritized, demand2->prioritized);
	if (ret == 0)
		ret = COMPARE(demand2->wanted, demand1->wanted);
	if (ret == 0)
		ret = COMPARE(bytes_left(user1), bytes_left(user2));
	return ret != 0 ? ret : compare_numbers(p1, p2);
}

static int compare_due(const void *p1, const void *p2)
{
	const struct move_user *user1 = p1, *user2 = p2;
	int ret = COMPARE(user1->due, user2->due);

	return ret != 0 ? ret : compare_numbers(p1, p2);
}

static int compare_later(const void *p1, const void *p2)
{
	const struct move_user *user1 = p1, *user2 = p2;
	int ret = COMPARE(user1->not_before, user2->not_before);

	return ret != 0 ? ret : compare_numbers(p1, p2);
}

static priorityq_cmp_callback_t *const orders[] = {
	[MOVE_PLACE_SURVEYS] = compare_numbers,
	[MOVE_PLACE_FILLS] = compare_fills,
	[MOVE_PLACE_REFRESHES] = compare_due,
	[MOVE_PLACE_CATCHUPS] = compare_due,
	[MOVE_PLACE_LATER] = compare_later,
};

/*
 * Places
 */

bool move_user_is_filled(const struct move_user *user)
{
	const struct move_totals *totals = &user->totals;

	return totals->phase == MOVE_PHASE_MOVING && totals->failed == 0 &&
		totals->local + totals->filled >= totals->mailboxes;
}

bool move_user_is_urgent(const struct move_user *user, time_t now)
{
	return user->demand != NULL &&
		(user->demand->prioritized != 0 ||
		 user->demand->wanted > now - URGENT_SECS);
}

/* The user's own second of each interval, at least half of it from then on. */
static uint32_t next_due(const struct move_user *user, uint32_t from,
			 unsigned int interval)
{
	uint32_t second = str_hash(user->name) % interval;
	uint32_t earliest = from + interval / 2;

	return earliest + (second + interval - earliest % interval) % interval;
}

static enum move_place
look_place(struct move_user *user, enum move_place place, unsigned int interval,
	   time_t now)
{
	if (interval == 0)
		return MOVE_PLACE_NONE;
	/* who wasn't looked at yet is at his next second */
	user->due = next_due(user, user->looked != 0 ? user->looked :
			     (uint32_t)now - interval / 2, interval);
	return place;
}

static enum move_place
find_place(struct move_queue *queue, struct move_user *user, time_t now)
{
	if (user->run != NULL)
		return MOVE_PLACE_NONE;
	if (user->not_before > now)
		return MOVE_PLACE_LATER;
	switch (user->totals.phase) {
	case MOVE_PHASE_UNSEEN:
		/* a fill sees him as well */
		return user->demand != NULL ? MOVE_PLACE_FILLS :
			MOVE_PLACE_SURVEYS;
	case MOVE_PHASE_MOVING:
		/* a fill that was interrupted may not have cut over yet */
		if (!move_user_is_filled(user) || user->looked == 0)
			return MOVE_PLACE_FILLS;
		return look_place(user, MOVE_PLACE_REFRESHES,
				  queue->set.refresh, now);
	case MOVE_PHASE_LOCAL:
		return look_place(user, MOVE_PLACE_CATCHUPS,
				  queue->set.catchup, now);
	case MOVE_PHASE_CLOSED:
		return MOVE_PLACE_SURVEYS;
	}
	i_unreached();
}

static void leave_place(struct move_user *user)
{
	if (user->place != MOVE_PLACE_NONE) {
		priorityq_remove(user->server->heaps[user->place],
				 &user->item);
	}
	user->place = MOVE_PLACE_NONE;
}

static void take_place(struct move_queue *queue, struct move_user *user,
		       time_t now)
{
	leave_place(user);
	user->place = find_place(queue, user, now);
	if (user->place != MOVE_PLACE_NONE)
		priorityq_add(user->server->heaps[user->place], &user->item);
}

void move_queue_wake(struct move_queue *queue, struct move_server *server,
		     time_t now)
{
	struct priorityq *later = server->heaps[MOVE_PLACE_LATER];
	struct priorityq_item *item;

	while ((item = priorityq_peek(later)) != NULL &&
	       ((struct move_user *)item)->not_before <= now)
		take_place(queue, (struct move_user *)item, now);
}

/*
 * Sums
 */

static void count_user(struct move_queue *queue, const struct move_user *user)
{
	struct move_queue_totals *totals = &queue->totals;

	totals->users++;
	totals->phases[user->totals.phase]++;
	totals->messages += user->totals.messages;
	totals->done_messages += user->totals.done_messages;
	totals->bytes += user->totals.bytes;
	totals->done_bytes += user->totals.done_bytes;
}

static void uncount_user(struct move_queue *queue,
			 const struct move_user *user)
{
	struct move_queue_totals *totals = &queue->totals;

	totals->users--;
	totals->phases[user->totals.phase]--;
	totals->messages -= user->totals.messages;
	totals->done_messages -= user->totals.done_messages;
	totals->bytes -= user->totals.bytes;
	totals->done_bytes -= user->totals.done_bytes;
}

static void set_totals(struct move_queue *queue, struct move_user *user,
		       const struct move_totals *totals)
{
	uncount_user(queue, user);
	user->totals = *totals;
	count_user(queue, user);
}

const struct move_queue_totals *
move_queue_totals(const struct move_queue *queue)
{
	return &queue->totals;
}

/*
 * Servers
 */

struct move_server *
move_queue_server(struct move_queue *queue, const char *name)
{
	struct move_server *server =
		hash_table_lookup(queue->server_names, name);

	if (server != NULL)
		return server;
	server = i_new(struct move_server, 1);
	server->name = i_strdup(name);
	server_bounds_init(&server->bounds, queue->set.server_max);
	for (unsigned int i = 0; i < MOVE_PLACE_HEAPS; i++)
		server->heaps[i] = priorityq_init(orders[i], INITIAL_HEAP);
	i_array_init(&server->running, 4);
	hash_table_insert(queue->server_names, server->name, server);
	array_push_back(&queue->servers, &server);
	return server;
}

static void server_free(struct move_server *server)
{
	for (unsigned int i = 0; i < MOVE_PLACE_HEAPS; i++)
		priorityq_deinit(&server->heaps[i]);
	array_free(&server->running);
	i_free(server->reason);
	i_free(server->name);
	i_free(server);
}

const ARRAY_TYPE(move_server) *
move_queue_servers(const struct move_queue *queue)
{
	return &queue->servers;
}

/*
 * Users
 */

const ARRAY_TYPE(move_user) *move_queue_users(const struct move_queue *queue)
{
	return &queue->users;
}

struct move_user *
move_queue_find(const struct move_queue *queue, const char *name)
{
	return hash_table_lookup(queue->names, name);
}

struct move_user *
move_queue_add(struct move_queue *queue, const char *name, time_t now)
{
	struct move_user *user = move_queue_find(queue, name);
	size_t size = strlen(name) + 1;
	char *key;

	if (user == NULL) {
		user = i_malloc(MALLOC_ADD(sizeof(*user), size));
		memcpy(user->name, name, size);
		user->number = queue->next_number++;
		user->server = queue->first_server;
		user->place = MOVE_PLACE_NONE;
		key = user->name;
		hash_table_insert(queue->names, key, user);
		array_push_back(&queue->users, &user);
		count_user(queue, user);
		take_place(queue, user, now);
	}
	user->sweep = queue->sweep;
	return user;
}

static void wanted_free(struct move_queue *queue, char **mailbox)
{
	if (*mailbox != NULL)
		queue->wanted_count--;
	i_free(*mailbox);
}

static void demand_free(struct move_queue *queue, struct move_user *user)
{
	if (user->demand == NULL)
		return;
	for (unsigned int i = 0; i < MOVE_WANTED_MAILBOXES; i++)
		wanted_free(queue, &user->demand->mailboxes[i]);
	i_free(user->demand);
}

static void failed_free(struct move_queue *queue, struct move_user *user)
{
	struct move_failed *failed = user->failed;

	user->not_before = 0;
	user->refused = 0;
	if (failed == NULL)
		return;
	DLLIST_REMOVE(&queue->failed, failed);
	queue->totals.failed--;
	i_free(failed->reason);
	i_free(user->failed);
}

static void user_free(struct move_queue *queue, struct move_user *user)
{
	leave_place(user);
	demand_free(queue, user);
	failed_free(queue, user);
	i_free(user->run);
	i_free(user);
}

static void user_remove(struct move_queue *queue, struct move_user *user)
{
	char *name = user->name;

	uncount_user(queue, user);
	hash_table_remove(queue->names, name);
	user_free(queue, user);
}

void move_queue_sweep_begin(struct move_queue *queue)
{
	queue->sweep++;
}

unsigned int move_queue_sweep_end(struct move_queue *queue)
{
	struct move_user **users;
	unsigned int i, count, kept = 0;

	users = array_get_modifiable(&queue->users, &count);
	for (i = 0; i < count; i++) {
		if (users[i]->sweep == queue->sweep || users[i]->run != NULL)
			users[kept++] = users[i];
		else
			user_remove(queue, users[i]);
	}
	array_delete(&queue->users, kept, count - kept);
	return count - kept;
}

/*
 * What is told about them
 */

static struct move_demand *demand_get(struct move_user *user)
{
	if (user->demand == NULL)
		user->demand = i_new(struct move_demand, 1);
	return user->demand;
}

/* The latest first, each once. Returns TRUE when that changed anything. */
static bool demand_add(struct move_queue *queue, struct move_demand *demand,
		       const char *mailbox)
{
	unsigned int i;

	if (demand->mailboxes[0] != NULL &&
	    strcmp(demand->mailboxes[0], mailbox) == 0)
		return FALSE;
	for (i = 0; i < MOVE_WANTED_MAILBOXES - 1; i++) {
		if (demand->mailboxes[i] == NULL ||
		    strcmp(demand->mailboxes[i], mailbox) == 0)
			break;
	}
	if (demand->mailboxes[i] == NULL &&
	    queue->wanted_count >= MOVE_WANTED_IN_ALL) {
		/* no more than there are */
		if (i == 0)
			return FALSE;
		i--;
	}
	wanted_free(queue, &demand->mailboxes[i]);
	memmove(demand->mailboxes + 1, demand->mailboxes,
		i * sizeof(demand->mailboxes[0]));
	demand->mailboxes[0] = i_strdup(mailbox);
	queue->wanted_count++;
	return TRUE;
}

/* Of whom nothing is wanted that isn't here already. */
static bool is_done(const struct move_user *user)
{
	return user->totals.phase == MOVE_PHASE_LOCAL ||
		move_user_is_filled(user);
}

bool move_queue_want(struct move_queue *queue, struct move_user *user,
		     const char *mailbox, time_t now)
{
	bool changed = FALSE;

	/* that's what the client has waited for, or can't have */
	if (is_done(user))
		return FALSE;
	/* in the heap, its order mustn't change */
	leave_place(user);
	demand_get(user)->wanted = now;
	if (*mailbox != '\0')
		changed = demand_add(queue, user->demand, mailbox);
	if (user->totals.phase == MOVE_PHASE_CLOSED)
		user->not_before = 0;
	take_place(queue, user, now);
	return changed;
}

void move_queue_prioritize(struct move_queue *queue, struct move_user *user,
			   time_t now)
{
	leave_place(user);
	failed_free(queue, user);
	if (!is_done(user) && demand_get(user)->prioritized == 0)
		user->demand->prioritized = now;
	take_place(queue, user, now);
}

void move_queue_retry(struct move_queue *queue, struct move_user *user,
		      time_t now)
{
	leave_place(user);
	failed_free(queue, user);
	take_place(queue, user, now);
}

static void retry_refused(struct move_queue *queue, struct move_server *server,
			  time_t now)
{
	struct priorityq *later = server->heaps[MOVE_PLACE_LATER];
	struct priorityq_item *const *items = priorityq_items(later);
	unsigned int i, count = priorityq_count(later);
	ARRAY_TYPE(move_user) users;
	struct move_user *user;

	t_array_init(&users, 64);
	for (i = 0; i < count; i++) {
		user = (struct move_user *)items[i];
		if (user->refused > 0)
			array_push_back(&users, &user);
	}
	array_foreach_elem(&users, user)
		move_queue_retry(queue, user, now);
}

void move_queue_retry_all(struct move_queue *queue, time_t now)
{
	struct move_server *server;

	array_foreach_elem(&queue->servers, server) {
		server->failed_in_a_row = 0;
		server->braked_until = 0;
		retry_refused(queue, server, now);
	}
	while (queue->failed != NULL)
		move_queue_retry(queue, queue->failed->user, now);
}

struct move_failed *move_queue_failed_users(const struct move_queue *queue)
{
	return queue->failed;
}

/* Not longer than somebody reads it; cut at a character's end. */
static char *reason_dup(const char *reason)
{
	size_t size = strlen(reason);

	if (size > MAX_REASON) {
		size = MAX_REASON;
		while (size > 0 && (reason[size] & 0xc0) == 0x80)
			size--;
	}
	return i_strndup(reason, size);
}

static struct move_failed *
failed_get(struct move_queue *queue, struct move_user *user, time_t now)
{
	if (user->failed == NULL) {
		user->failed = i_new(struct move_failed, 1);
		user->failed->user = user;
		user->failed->since = now;
		DLLIST_PREPEND(&queue->failed, user->failed);
		queue->totals.failed++;
	}
	return user->failed;
}

/*
 * What was known of them
 */

void move_queue_restore(struct move_queue *queue, struct move_user *user,
			const char *server, const struct move_totals *totals,
			time_t looked, time_t not_before, time_t now)
{
	leave_place(user);
	user->server = move_queue_server(queue, server);
	set_totals(queue, user, totals);
	user->looked = I_MIN(looked, now);
	user->not_before = I_MIN(not_before, now + MAX_WAIT_SECS);
	take_place(queue, user, now);
}

void move_queue_restore_demand(struct move_queue *queue,
			       struct move_user *user, time_t prioritized,
			       time_t wanted, time_t now)
{
	leave_place(user);
	demand_get(user)->prioritized = I_MIN(prioritized, now);
	user->demand->wanted = I_MIN(wanted, now);
	take_place(queue, user, now);
}

void move_queue_restore_failed(struct move_queue *queue,
			       struct move_user *user,
			       const struct move_failed *_failed, time_t now)
{
	struct move_failed *failed;

	leave_place(user);
	failed = failed_get(queue, user, I_MIN(_failed->since, now));
	failed->failure = _failed->failure;
	failed->count = _failed->count;
	i_free(failed->reason);
	failed->reason = reason_dup(_failed->reason);
	take_place(queue, user, now);
}

/*
 * What is done for them
 */

static void run_begin(struct move_queue *queue, struct move_user *user)
{
	array_push_back(&user->server->running, &user);
	user->server->running_works[user->run->work]++;
	queue->totals.running++;
}

static void run_end(struct move_queue *queue, struct move_user *user)
{
	struct move_server *server = user->server;
	struct move_user *const *users;
	unsigned int i, count;

	users = array_get(&server->running, &count);
	for (i = 0; i < count && users[i] != user; i++) ;
	i_assert(i < count);
	array_delete(&server->running, i, 1);
	server->running_works[user->run->work]--;
	queue->totals.running--;
}

void move_queue_begin(struct move_queue *queue, struct move_user *user,
		      enum move_work work, void *context, time_t now)
{
	i_assert(user->run == NULL);

	leave_place(user);
	user->run = i_new(struct move_run, 1);
	user->run->work = work;
	user->run->begun = now;
	user->run->context = context;
	user->server->last_was_look =
		work == MOVE_WORK_REFRESH || work == MOVE_WORK_CATCHUP;
	run_begin(queue, user);
}

void move_queue_set_server(struct move_queue *queue, struct move_user *user,
			   struct move_server *server)
{
	i_assert(user->run != NULL);

	run_end(queue, user);
	user->server = server;
	run_begin(queue, user);
}

void move_queue_set_work(struct move_user *user, enum move_work work)
{
	user->server->running_works[user->run->work]--;
	user->run->work = work;
	user->server->running_works[work]++;
}

void move_queue_progress(struct move_queue *queue, struct move_user *user,
			 const struct move_totals *totals)
{
	i_assert(user->run != NULL);

	set_totals(queue, user, totals);
}

void move_queue_set_phase(struct move_queue *queue, struct move_user *user,
			  enum move_phase phase)
{
	struct move_totals totals = user->totals;

	totals.phase = phase;
	move_queue_progress(queue, user, &totals);
}

static void ended(struct move_queue *queue, struct move_user *user, time_t now)
{
	run_end(queue, user);
	i_free(user->run);
	take_place(queue, user, now);
}

void move_queue_succeeded(struct move_queue *queue, struct move_user *user,
			  time_t now)
{
	failed_free(queue, user);
	if (is_done(user)) {
		demand_free(queue, user);
		if (user->run->work != MOVE_WORK_SURVEY)
			user->looked = now;
	} else if (user->totals.phase == MOVE_PHASE_CLOSED) {
		demand_free(queue, user);
		user->not_before = next_due(user, now, CLOSED_SECS);
	}
	ended(queue, user, now);
}

void move_queue_put_back(struct move_queue *queue, struct move_user *user,
			 time_t not_before, time_t now)
{
	/* who failed before waits as long as he did */
	user->not_before = not_before;
	ended(queue, user, now);
}

void move_queue_refused(struct move_queue *queue, struct move_user *user,
			unsigned int min_secs, time_t now)
{
	unsigned int secs = REFUSED_SECS;

	for (unsigned int i = 0; i < user->refused &&
	     secs < REFUSED_MAX_SECS; i++)
		secs *= 2;
	if (user->refused < UINT8_MAX)
		user->refused++;
	secs = I_MAX(I_MIN(secs, REFUSED_MAX_SECS), min_secs);
	move_queue_put_back(queue, user, now + secs, now);
}

void move_queue_failed(struct move_queue *queue, struct move_user *user,
		       enum move_failure failure, const char *reason,
		       time_t now)
{
	struct move_failed *failed = failed_get(queue, user, now);
	unsigned int i, secs, most;

	i_assert(failure < N_ELEMENTS(retry_secs));

	if (failed->failure != failure)
		failed->count = 0;
	failed->failure = failure;
	failed->count++;
	i_free(failed->reason);
	failed->reason = reason_dup(reason);

	secs = retry_secs[failure].first;
	most = retry_secs[failure].most;
	for (i = 1; i < failed->count && secs < most; i++)
		secs *= 2;
	user->not_before = now + I_MIN(secs, most);
	ended(queue, user, now);
}

/*
 * The queue
 */

struct move_queue *move_queue_init(const struct move_queue_settings *set)
{
	struct move_queue *queue = i_new(struct move_queue, 1);

	queue->set = *set;
	hash_table_create(&queue->names, default_pool, 0, str_hash, strcmp);
	hash_table_create(&queue->server_names, default_pool, 0, str_hash,
			  strcmp);
	i_array_init(&queue->users, 1024);
	i_array_init(&queue->servers, 4);
	queue->first_server = move_queue_server(queue, set->server);
	queue->set.server = queue->first_server->name;
	return queue;
}

void move_queue_deinit(struct move_queue **_queue)
{
	struct move_queue *queue = *_queue;
	struct move_server *server;
	struct move_user *user;

	*_queue = NULL;
	array_foreach_elem(&queue->users, user)
		user_free(queue, user);
	array_foreach_elem(&queue->servers, server)
		server_free(server);
	hash_table_destroy(&queue->names);
	hash_table_destroy(&queue->server_names);
	array_free(&queue->users);
	array_free(&queue->servers);
	i_free(queue);
}
