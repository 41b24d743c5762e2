/* The service's queue: who waits where, in which order, and who is next; all with
   times that are passed in. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "scheduler/move-choice.h"
#include "scheduler/move-queue.h"

#include "engine-unit.h"
#include "unit.h"

#include <malloc.h>

#define NOW 1800000000
#define CATCHUP_SECS 300
#define REFRESH_SECS 3600
#define MANY_USERS 400000
#define MAX_BYTES_A_USER 300

static struct move_queue *queue;
static struct move_server *server;
static struct move_limits limits;

static void begin(unsigned int limit)
{
	const struct move_queue_settings set = {
		.refresh = REFRESH_SECS,
		.catchup = CATCHUP_SECS,
		.server_max = limit,
		.server = "old:143",
	};

	queue = move_queue_init(&set);
	server = move_queue_server(queue, "old:143");
	i_zero(&limits);
	limits.limit = limit;
}

static void end(void)
{
	move_queue_deinit(&queue);
}

static struct move_user *user_of(const char *name)
{
	struct move_user *user = move_queue_find(queue, name);

	CU_ASSERT_FATAL(user != NULL);
	return user;
}

/* One mailbox of so many bytes, filled or not. */
static void add(const char *name, enum move_phase phase, uint64_t bytes,
		bool filled, time_t looked)
{
	const struct move_totals totals = {
		.phase = phase,
		.mailboxes = 1,
		.filled = filled ? 1 : 0,
		.messages = 1,
		.bytes = bytes,
		.done_bytes = filled ? bytes : 0,
	};

	move_queue_restore(queue, move_queue_add(queue, name, NOW), "old:143",
			   &totals, looked, 0, NOW);
}

static void add_moving(const char *name, uint64_t bytes)
{
	add(name, MOVE_PHASE_MOVING, bytes, FALSE, 0);
}

/* Whoever comes next begins; his name and work, "" when nobody does. */
static const char *next_at(time_t now)
{
	static const char works[] = "sfrc";
	struct move_user *user;
	enum move_work work;

	move_queue_wake(queue, server, now);
	if (!move_choice_next(server, &limits, now, &user, &work))
		return "";
	move_queue_begin(queue, user, work, NULL, now);
	return t_strdup_printf("%s:%c", user->name, works[work]);
}

#define NEXT(expected) NEXT_AT(expected, NOW)
#define NEXT_AT(expected, now) do { \
	const char *next_name = next_at(now); \
	UNIT_CHECK(strcmp(next_name, expected) == 0, \
		   "%s instead of %s", next_name, expected); \
} while (0)

static void done_at(const char *name, enum move_phase phase, time_t now)
{
	struct move_user *user = user_of(name);
	struct move_totals totals = user->totals;

	totals.phase = phase;
	totals.mailboxes = 1;
	totals.filled = phase == MOVE_PHASE_MOVING &&
		user->run->work != MOVE_WORK_SURVEY ? 1 : 0;
	totals.local = phase == MOVE_PHASE_LOCAL ? 1 : 0;
	move_queue_progress(queue, user, &totals);
	move_queue_succeeded(queue, user, now);
}

static void fails(const char *name, enum move_failure failure, time_t now)
{
	move_queue_failed(queue, user_of(name), failure, "why", now);
}

/* Unseen ones as they came; then those with least left. */
static void plain_order(void)
{
	begin(1);
	(void)move_queue_add(queue, "b", NOW);
	(void)move_queue_add(queue, "a", NOW);
	add_moving("large", 1000);
	add_moving("small", 10);
	NEXT("b:s");
	NEXT("");
	done_at("b", MOVE_PHASE_MOVING, NOW);
	NEXT("a:s");
	done_at("a", MOVE_PHASE_CLOSED, NOW);
	/* a survey told no sizes */
	NEXT("b:f");
	done_at("b", MOVE_PHASE_LOCAL, NOW);
	NEXT("small:f");
	done_at("small", MOVE_PHASE_MOVING, NOW);
	NEXT("large:f");
	done_at("large", MOVE_PHASE_LOCAL, NOW);
	NEXT("");
	end();
}

static void demand_order(void)
{
	begin(10);
	add_moving("small", 1);
	add_moving("old", 2);
	add_moving("new", 3);
	add_moving("first", 4);
	add_moving("second", 5);
	(void)move_queue_add(queue, "unseen", NOW);
	(void)move_queue_add(queue, "unwanted", NOW);
	move_queue_want(queue, user_of("old"), "", NOW - 7200);
	move_queue_want(queue, user_of("new"), "Sent", NOW);
	move_queue_want(queue, user_of("unseen"), "", NOW - 60);
	move_queue_prioritize(queue, user_of("first"), NOW - 2);
	move_queue_prioritize(queue, user_of("second"), NOW - 1);
	/* it doesn't lose his place to be named again */
	move_queue_prioritize(queue, user_of("first"), NOW);
	NEXT("first:f");
	NEXT("second:f");
	NEXT("new:f");
	NEXT("unseen:f");
	/* nobody waits for these any more, but of 10 places 2 are for them */
	NEXT("old:f");
	NEXT("small:f");
	NEXT("unwanted:s");
	end();
}

static void surveys_go_first(void)
{
	begin(8);
	for (unsigned int i = 0; i < 4; i++) {
		add_moving(t_strdup_printf("m%u", i), 100 + i);
		(void)move_queue_add(queue, t_strdup_printf("u%u", i), NOW);
	}
	/* one place in four */
	NEXT("m0:f");
	NEXT("m1:f");
	NEXT("u0:s");
	NEXT("u1:s");
	done_at("m0", MOVE_PHASE_LOCAL, NOW);
	NEXT("m2:f");
	NEXT("u2:s");
	NEXT("u3:s");
	NEXT("m3:f");
	end();
}

/* They are at servers that aren't known yet. */
static void surveys_elsewhere(void)
{
	begin(2);
	add_moving("m", 100);
	limits.surveys_wait = TRUE;
	NEXT("");
	move_queue_want(queue, user_of("m"), "", NOW);
	NEXT("m:f");
	end();
}

static void wanted_mailboxes(void)
{
	struct move_demand *demand;
	const char *name;

	begin(1);
	add_moving("m", 100);
	for (unsigned int i = 0; i < MOVE_WANTED_MAILBOXES + 3; i++) {
		name = t_strdup_printf("box%u", i);
		move_queue_want(queue, user_of("m"), name, NOW);
	}
	demand = user_of("m")->demand;
	CU_ASSERT_STRING_EQUAL(demand->mailboxes[0], "box10");
	CU_ASSERT_STRING_EQUAL(demand->mailboxes[7], "box3");
	move_queue_want(queue, user_of("m"), "box5", NOW);
	move_queue_want(queue, user_of("m"), "box5", NOW);
	CU_ASSERT_STRING_EQUAL(demand->mailboxes[0], "box5");
	CU_ASSERT_STRING_EQUAL(demand->mailboxes[1], "box10");
	CU_ASSERT_STRING_EQUAL(demand->mailboxes[7], "box3");
	NEXT("m:f");
	done_at("m", MOVE_PHASE_LOCAL, NOW);
	CU_ASSERT_PTR_NULL(user_of("m")->demand);
	/* what is local isn't waited for */
	move_queue_want(queue, user_of("m"), "box5", NOW);
	CU_ASSERT_PTR_NULL(user_of("m")->demand);
	end();
}

/* Each has one look in each interval, at a second of his own. */
static void looks_are_spread(void)
{
	unsigned int i, second, most = 0, looks = 0;
	unsigned int users = 3000;

	begin(1000);
	for (i = 0; i < users; i++) {
		add(t_strdup_printf("user%u", i), MOVE_PHASE_LOCAL, 1, TRUE,
		    NOW);
	}
	/* after the first round, which all of them had at once */
	for (second = 0; second < 3 * CATCHUP_SECS; second++) T_BEGIN {
		const char *name;

		for (i = 0; *(name = next_at(NOW + second)) != '\0'; i++) {
			done_at(t_strcut(name, ':'), MOVE_PHASE_LOCAL,
				NOW + second);
		}
		if (second >= 2 * CATCHUP_SECS) {
			most = I_MAX(most, i);
			looks += i;
		}
	} T_END;
	UNIT_CHECK(looks == users, "%u looks", looks);
	UNIT_CHECK(most < users / CATCHUP_SECS * 4, "%u in a second", most);
	end();
}

static void refresh_and_catchup(void)
{
	begin(1);
	add("filled", MOVE_PHASE_MOVING, 10, TRUE, NOW - 2 * REFRESH_SECS);
	add("local", MOVE_PHASE_LOCAL, 10, TRUE, NOW - 2 * CATCHUP_SECS);
	limits.daily = TRUE;
	NEXT("local:c");
	done_at("local", MOVE_PHASE_LOCAL, NOW);
	CU_ASSERT(user_of("local")->due >= NOW + CATCHUP_SECS / 2);
	NEXT("");
	limits.daily = FALSE;
	NEXT("filled:r");
	done_at("filled", MOVE_PHASE_MOVING, NOW);
	NEXT("");
	NEXT_AT("local:c", NOW + 2 * CATCHUP_SECS);
	end();
}

/* All is here, but it wasn't done to the end. */
static void interrupted(void)
{
	begin(1);
	add("m", MOVE_PHASE_MOVING, 10, TRUE, 0);
	NEXT("m:f");
	move_queue_put_back(queue, user_of("m"), 0, NOW);
	NEXT("m:f");
	done_at("m", MOVE_PHASE_MOVING, NOW);
	NEXT("");
	end();
}

/* While fills wait, looks are every other start where there's one place. */
static void looks_and_fills(void)
{
	begin(1);
	for (unsigned int i = 0; i < 3; i++) {
		add_moving(t_strdup_printf("m%u", i), 100 + i);
		add(t_strdup_printf("l%u", i), MOVE_PHASE_LOCAL, 1, TRUE,
		    NOW - 2 * CATCHUP_SECS);
	}
	for (unsigned int i = 0; i < 3; i++) {
		const char *name = next_at(NOW);

		UNIT_CHECK(name[0] == 'l', "%s", name);
		done_at(t_strcut(name, ':'), MOVE_PHASE_LOCAL, NOW);
		name = next_at(NOW);
		UNIT_CHECK(name[0] == 'm', "%s", name);
		done_at(t_strcut(name, ':'), MOVE_PHASE_LOCAL, NOW);
	}
	end();
}

static struct move_user *running_look(void)
{
	struct move_user *user;

	array_foreach_elem(&server->running, user) {
		if (user->run->work == MOVE_WORK_CATCHUP)
			return user;
	}
	i_fatal("no look is running");
}

/* ...and one place in four is theirs where there are more. */
static void looks_have_a_share(void)
{
	const char *name;

	begin(4);
	for (unsigned int i = 0; i < 5; i++) {
		add_moving(t_strdup_printf("m%u", i), 100 + i);
		add(t_strdup_printf("l%u", i), MOVE_PHASE_LOCAL, 1, TRUE,
		    NOW - 2 * CATCHUP_SECS);
	}
	name = next_at(NOW);
	CU_ASSERT(name[0] == 'l');
	NEXT("m0:f");
	CU_ASSERT(next_at(NOW)[0] == 'l');
	NEXT("m1:f");
	/* as long as there are some, the looks keep a place of their own */
	for (unsigned int i = 0; i < 3; i++) {
		done_at(running_look()->name, MOVE_PHASE_LOCAL, NOW);
		CU_ASSERT(*next_at(NOW) != '\0');
	}
	CU_ASSERT(server->running_works[MOVE_WORK_FILL] == 3);
	end();
}

static void failures(void)
{
	time_t now = NOW;
	unsigned int i;

	begin(2);
	add_moving("m", 10);
	add_moving("n", 20);
	NEXT("m:f");
	fails("m", MOVE_FAILURE_LOGIN, now);
	CU_ASSERT(move_queue_totals(queue)->failed == 1);
	/* he holds up nobody */
	NEXT("n:f");
	NEXT("");
	NEXT_AT("", now + 3599);
	now += 3600;
	for (i = 0; i < 10; i++) {
		NEXT_AT("m:f", now);
		fails("m", MOVE_FAILURE_LOGIN, now);
		now = user_of("m")->not_before;
	}
	NEXT_AT("m:f", now);
	fails("m", MOVE_FAILURE_LOGIN, now);
	CU_ASSERT(user_of("m")->not_before == now + 24 * 3600);
	move_queue_retry_all(queue, now);
	CU_ASSERT(move_queue_totals(queue)->failed == 0);
	NEXT_AT("m:f", now);
	/* another kind begins anew */
	fails("m", MOVE_FAILURE_USER, now);
	CU_ASSERT(user_of("m")->not_before == now + 60);
	fails("n", MOVE_FAILURE_USER, now);
	CU_ASSERT_STRING_EQUAL(move_queue_failed_users(queue)->user->name,
			       "n");
	move_queue_retry(queue, user_of("n"), now);
	NEXT_AT("n:f", now);
	move_queue_put_back(queue, user_of("n"), now + 30, now);
	NEXT_AT("", now + 29);
	NEXT_AT("n:f", now + 30);
	end();
}

/* It's another one who is tried next. */
static void refused(void)
{
	time_t now = NOW;

	begin(1);
	add_moving("m", 10);
	add_moving("n", 20);
	NEXT("m:f");
	move_queue_refused(queue, user_of("m"), 5, NOW);
	CU_ASSERT(user_of("m")->not_before == NOW + 60);
	CU_ASSERT(move_queue_totals(queue)->failed == 0);
	NEXT("n:f");
	done_at("n", MOVE_PHASE_CLOSED, NOW);
	for (unsigned int i = 0; i < 10; i++) {
		now = user_of("m")->not_before;
		NEXT_AT("m:f", now);
		move_queue_refused(queue, user_of("m"), 5, now);
	}
	CU_ASSERT(user_of("m")->not_before == now + 15 * 60);
	move_queue_retry_all(queue, now);
	NEXT_AT("m:f", now);
	move_queue_refused(queue, user_of("m"), 100, now);
	CU_ASSERT(user_of("m")->not_before == now + 100);
	end();
}

/* Strangers may say who is wanted: there's an end to what is remembered. */
static void wanted_by_strangers(void)
{
	unsigned int i, count = 0;
	struct move_user *user;

	begin(1);
	for (i = 0; i < 3 * MOVE_WANTED_IN_ALL; i++) T_BEGIN {
		add_moving(t_strdup_printf("u%u", i / 10), i);
		user = user_of(t_strdup_printf("u%u", i / 10));
		move_queue_want(queue, user, t_strdup_printf("b%u", i), NOW);
	} T_END;
	array_foreach_elem(move_queue_users(queue), user) {
		for (i = 0; i < MOVE_WANTED_MAILBOXES &&
		     user->demand->mailboxes[i] != NULL; i++)
			count++;
		for (; i < MOVE_WANTED_MAILBOXES; i++)
			CU_ASSERT_PTR_NULL(user->demand->mailboxes[i]);
	}
	UNIT_CHECK(count == MOVE_WANTED_IN_ALL, "%u", count);
	/* who has some may have others instead */
	user = user_of("u0");
	CU_ASSERT(move_queue_want(queue, user, "last", NOW));
	CU_ASSERT(!move_queue_want(queue, user, "last", NOW));
	CU_ASSERT_STRING_EQUAL(user->demand->mailboxes[0], "last");
	end();
}

static struct move_user *stop_at(time_t now)
{
	struct move_user *user = move_choice_stop(server, &limits, now);

	if (user != NULL)
		user->run->stopping = TRUE;
	return user;
}

static void stopped_for_wanted(void)
{
	begin(2);
	add_moving("small", 10);
	add_moving("large", 1000);
	add_moving("wanted", 500);
	add_moving("later", 600);
	NEXT("small:f");
	CU_ASSERT_PTR_NULL(stop_at(NOW));
	NEXT("wanted:f");
	move_queue_want(queue, user_of("wanted"), "", NOW);
	CU_ASSERT_PTR_NULL(stop_at(NOW));
	move_queue_want(queue, user_of("large"), "", NOW);
	CU_ASSERT_PTR_EQUAL(stop_at(NOW), user_of("small"));
	/* one is enough */
	CU_ASSERT_PTR_NULL(stop_at(NOW + 60));
	move_queue_put_back(queue, user_of("small"), 0, NOW + 61);
	NEXT_AT("large:f", NOW + 61);
	move_queue_want(queue, user_of("later"), "", NOW);
	/* all that run are wanted as well */
	CU_ASSERT_PTR_NULL(stop_at(NOW + 62));
	end();
}

static void stopped_for_looks(void)
{
	begin(1);
	add_moving("m", 1000);
	NEXT("m:f");
	add("l", MOVE_PHASE_LOCAL, 1, TRUE, NOW - 2 * CATCHUP_SECS);
	add("k", MOVE_PHASE_LOCAL, 1, TRUE, NOW - 2 * CATCHUP_SECS);
	CU_ASSERT_PTR_NULL(stop_at(NOW + 59));
	CU_ASSERT_PTR_EQUAL(stop_at(NOW + 61), user_of("m"));
	move_queue_put_back(queue, user_of("m"), 0, NOW + 61);
	/* they have a turn */
	CU_ASSERT(next_at(NOW + 61)[2] == 'c');
	done_at(array_idx_elem(&server->running, 0)->name, MOVE_PHASE_LOCAL,
		NOW + 62);
	CU_ASSERT(next_at(NOW + 62)[2] == 'c');
	done_at(array_idx_elem(&server->running, 0)->name, MOVE_PHASE_LOCAL,
		NOW + 63);
	NEXT_AT("m:f", NOW + 63);
	end();
}

static void bounds(void)
{
	struct server_bounds bounds;

	server_bounds_init(&bounds, 8);
	CU_ASSERT(bounds.limit == 8);
	CU_ASSERT(server_bounds_throttled(&bounds, NOW - 10, NOW));
	CU_ASSERT(bounds.limit == 4);
	/* those that were there with it are the same refusal */
	CU_ASSERT(!server_bounds_throttled(&bounds, NOW - 5, NOW + 1));
	CU_ASSERT(bounds.limit == 4);
	server_bounds_succeeded(&bounds, NOW + 59);
	CU_ASSERT(bounds.limit == 4);
	server_bounds_succeeded(&bounds, NOW + 60);
	server_bounds_succeeded(&bounds, NOW + 61);
	CU_ASSERT(bounds.limit == 5);
	for (unsigned int i = 0; i < 10; i++) {
		(void)server_bounds_throttled(&bounds, NOW + 100 + i,
					      NOW + 100 + i);
	}
	CU_ASSERT(bounds.limit == 1);
	for (unsigned int i = 0; i < 20; i++)
		server_bounds_succeeded(&bounds, NOW + 1000 + 60 * i);
	CU_ASSERT(bounds.limit == 8);
	server_bounds_set_max(&bounds, 2);
	CU_ASSERT(bounds.limit == 2);
	server_bounds_set_max(&bounds, 6);
	CU_ASSERT(bounds.limit == 6);
}

static void sweeps(void)
{
	begin(1);
	(void)move_queue_add(queue, "a", NOW);
	(void)move_queue_add(queue, "b", NOW);
	add_moving("c", 10);
	NEXT("a:s");
	move_queue_sweep_begin(queue);
	(void)move_queue_add(queue, "c", NOW);
	/* who runs stays */
	CU_ASSERT(move_queue_sweep_end(queue) == 1);
	CU_ASSERT_PTR_NULL(move_queue_find(queue, "b"));
	CU_ASSERT(move_queue_totals(queue)->users == 2);
	move_queue_put_back(queue, user_of("a"), 0, NOW);
	move_queue_sweep_begin(queue);
	CU_ASSERT(move_queue_sweep_end(queue) == 2);
	CU_ASSERT(move_queue_totals(queue)->users == 0);
	CU_ASSERT(move_queue_totals(queue)->bytes == 0);
	NEXT("");
	end();
}

static void other_servers(void)
{
	struct move_server *other;

	begin(1);
	(void)move_queue_add(queue, "a", NOW);
	(void)move_queue_add(queue, "b", NOW);
	NEXT("a:s");
	other = move_queue_server(queue, "other:143");
	move_queue_set_server(queue, user_of("a"), other);
	CU_ASSERT(array_count(&other->running) == 1);
	NEXT("b:s");
	move_queue_put_back(queue, user_of("a"), 0, NOW);
	CU_ASSERT(priorityq_count(other->heaps[MOVE_PLACE_SURVEYS]) == 1);
	CU_ASSERT(move_queue_totals(queue)->running == 1);
	end();
}

/* Everything that may come, in any order: sums are right, and heaps. */
static void check_sums(unsigned int users)
{
	const struct move_queue_totals *totals = move_queue_totals(queue);
	unsigned int phases = 0, waiting = 0;
	uint64_t bytes = 0;
	struct move_user *user;

	for (unsigned int i = 0; i < N_ELEMENTS(totals->phases); i++)
		phases += totals->phases[i];
	for (unsigned int i = 0; i < MOVE_PLACE_HEAPS; i++)
		waiting += priorityq_count(server->heaps[i]);
	array_foreach_elem(move_queue_users(queue), user)
		bytes += user->totals.bytes;
	CU_ASSERT(totals->users == users && phases == users);
	CU_ASSERT(waiting + totals->running == users);
	CU_ASSERT(totals->running == array_count(&server->running));
	CU_ASSERT(totals->bytes == bytes);
}

static void random_step(struct move_user *user, time_t now)
{
	unsigned int what = engine_unit_rand(8);

	if (user->run == NULL) {
		if (what == 0)
			move_queue_want(queue, user, "INBOX", now);
		else if (what == 1)
			move_queue_prioritize(queue, user, now);
		else if (what == 2)
			move_queue_retry(queue, user, now);
		else
			(void)next_at(now);
	} else if (what == 0) {
		fails(user->name, MOVE_FAILURE_USER, now);
	} else if (what == 1) {
		move_queue_put_back(queue, user, now + 30, now);
	} else {
		done_at(user->name, what % 2 == 0 ? MOVE_PHASE_LOCAL :
			MOVE_PHASE_MOVING, now);
	}
}

static void random_life(void)
{
	unsigned int users = 50;

	begin(6);
	for (unsigned int i = 0; i < users; i++) {
		(void)move_queue_add(queue, t_strdup_printf("user%u", i),
				     NOW);
	}
	for (unsigned int i = 0; i < 20000; i++) T_BEGIN {
		struct move_user *user = array_idx_elem(
			move_queue_users(queue), engine_unit_rand(users));

		random_step(user, NOW + i * 3);
	} T_END;
	check_sums(users);
	end();
}

/* What a lot of users cost. */
static void many_users(void)
{
	size_t before = mallinfo2().uordblks, used;

	begin(4);
	for (unsigned int i = 0; i < MANY_USERS; i++) T_BEGIN {
		add_moving(t_strdup_printf("user.%06u@example.com", i),
			   engine_unit_rand(1000000));
	} T_END;
	used = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	UNIT_CHECK(used / MANY_USERS < MAX_BYTES_A_USER, "%zu bytes a user",
		   used / MANY_USERS);
	CU_ASSERT(*next_at(NOW) != '\0');
	check_sums(MANY_USERS);
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "plain order", plain_order },
		{ "demand", demand_order },
		{ "surveys go first", surveys_go_first },
		{ "surveys elsewhere", surveys_elsewhere },
		{ "wanted mailboxes", wanted_mailboxes },
		{ "looks are spread", looks_are_spread },
		{ "refresh and catch-up", refresh_and_catchup },
		{ "interrupted", interrupted },
		{ "looks and fills", looks_and_fills },
		{ "looks have a share", looks_have_a_share },
		{ "failures", failures },
		{ "refused", refused },
		{ "wanted by strangers", wanted_by_strangers },
		{ "stopped for who is wanted", stopped_for_wanted },
		{ "stopped for looks", stopped_for_looks },
		{ "bounds", bounds },
		{ "sweeps", sweeps },
		{ "other servers", other_servers },
		{ "random life", random_life },
		{ "many users", many_users },
		{ NULL, NULL }
	};

	return engine_unit_run("move-queue", tests);
}
