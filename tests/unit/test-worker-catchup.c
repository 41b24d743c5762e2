/* When the worker looks for late mail. The turns are this test's own: they only
   count. Seconds are real ones. */

#include "lib.h"
#include "ioloop.h"
#include "migration-user.h"
#include "engine/mailbox-state.h"
#include "engine/migration-closed.h"
#include "engine/mirror-watch.h"
#include "worker/worker-catchup.h"
#include "worker/worker-turns.h"

#include "engine-unit.h"
#include "unit.h"

static struct migration_user user;
static struct worker_catchup *catchup;
static unsigned int wanted, closed_count;
static bool running, watched;

bool migration_user_is_closed(struct migration_user *muser)
{
	const char *error;

	return migration_is_closed(muser->set.dir, &error) > 0;
}

void worker_turns_catchup(struct worker_turns *turns ATTR_UNUSED)
{
	wanted++;
}

bool worker_turns_running(const struct worker_turns *turns ATTR_UNUSED)
{
	return running;
}

unsigned int
worker_turns_running_msecs(const struct worker_turns *turns ATTR_UNUSED)
{
	return 0;
}

static bool is_watched(void *context ATTR_UNUSED)
{
	return watched;
}

static void was_closed(void *context ATTR_UNUSED)
{
	closed_count++;
}

static void set_inbox(enum mailbox_state state)
{
	const struct mailbox_state_file file = { .state = state };
	const char *error;

	CU_ASSERT_FATAL(mailbox_state_write(user.set.dir, "INBOX", &file,
					    &error) == 0);
}

static void begin(unsigned int interval)
{
	static const struct worker_catchup_callbacks callbacks = {
		.is_watched = is_watched,
		.closed = was_closed,
	};

	i_zero(&user);
	user.set.dir = engine_unit_dir();
	user.set.catchup_interval = interval;
	wanted = closed_count = 0;
	running = FALSE;
	watched = TRUE;
	set_inbox(MAILBOX_STATE_LOCAL);
	catchup = worker_catchup_init(&user, NULL, &callbacks, NULL);
}

static void stop(void *context ATTR_UNUSED)
{
	io_loop_stop(current_ioloop);
}

static void run_for(unsigned int msecs)
{
	struct timeout *to = timeout_add_short(msecs, stop, NULL);

	io_loop_run(current_ioloop);
	timeout_remove(&to);
}

static void check(unsigned int expected, const char *what)
{
	UNIT_CHECK(wanted == expected, "%s: %u looks, not %u", what, wanted,
		   expected);
	wanted = 0;
}

/* As a turn does it. */
static void look(bool success)
{
	worker_catchup_looked(catchup, success);
	worker_catchup_turn_ended(catchup);
}

static void heard(uint32_t uid_next)
{
	const struct mirror_status status = {
		.uid_validity = 7, .uid_next = uid_next, .messages = 1,
	};

	worker_catchup_heard(catchup, &status);
}

static void test_interval(void)
{
	begin(1);
	run_for(1200);
	check(0, "before anybody asked");
	CU_ASSERT(!worker_catchup_is_recent(catchup, 1000));
	run_for(1200);
	check(1, "one interval");
	watched = FALSE;
	run_for(1200);
	check(0, "nobody is connected");
	watched = TRUE;
	set_inbox(MAILBOX_STATE_MIRRORED);
	run_for(1200);
	check(0, "nothing is local");
	worker_catchup_deinit(&catchup);
}

static void test_no_interval(void)
{
	begin(0);
	CU_ASSERT(!worker_catchup_is_recent(catchup, 1000));
	CU_ASSERT(!worker_catchup_wants_inbox(catchup));
	run_for(200);
	check(0, "without an interval");
	worker_catchup_deinit(&catchup);
}

static void test_recent(void)
{
	begin(60);
	CU_ASSERT(!worker_catchup_is_recent(catchup, 10000));
	look(FALSE);
	CU_ASSERT(!worker_catchup_is_recent(catchup, 10000));
	look(TRUE);
	CU_ASSERT(worker_catchup_is_recent(catchup, 10000));
	CU_ASSERT(!worker_catchup_is_recent(catchup, 0));
	run_for(100);
	CU_ASSERT(!worker_catchup_is_recent(catchup, 50));
	/* what was heard since then is newer */
	heard(5);
	CU_ASSERT(!worker_catchup_is_recent(catchup, 10000));
	look(TRUE);
	CU_ASSERT(worker_catchup_is_recent(catchup, 10000));
	worker_catchup_deinit(&catchup);
}

static void test_news(void)
{
	begin(60);
	CU_ASSERT(!worker_catchup_wants_inbox(catchup));
	CU_ASSERT(!worker_catchup_is_recent(catchup, 0));
	CU_ASSERT(worker_catchup_wants_inbox(catchup));
	heard(5);
	heard(5);
	run_for(50);
	check(1, "news");
	look(TRUE);
	heard(5);
	run_for(50);
	check(0, "nothing new");
	/* a busy client there */
	heard(6);
	heard(7);
	run_for(50);
	check(0, "so soon after a look");
	run_for(1000);
	check(1, "a second after a look");
	/* in the middle of the look: it may have come too late for it */
	running = TRUE;
	heard(8);
	running = FALSE;
	look(TRUE);
	run_for(1100);
	check(1, "heard in a look");
	look(TRUE);
	/* a look that failed is tried again after the interval */
	heard(9);
	run_for(1100);
	check(1, "news again");
	look(FALSE);
	heard(9);
	run_for(1100);
	check(0, "nothing new behind a failure");
	set_inbox(MAILBOX_STATE_MIRRORED);
	CU_ASSERT(!worker_catchup_wants_inbox(catchup));
	worker_catchup_deinit(&catchup);
}

static void test_closed(void)
{
	const struct migration_closed closed = { .when = 1 };
	const char *error;

	begin(1);
	CU_ASSERT(!worker_catchup_is_recent(catchup, 0));
	CU_ASSERT(migration_closed_write(user.set.dir, &closed, &error) == 0);
	CU_ASSERT(!worker_catchup_wants_inbox(catchup));
	run_for(1200);
	check(0, "closed");
	CU_ASSERT(closed_count == 1);
	worker_catchup_deinit(&catchup);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "interval", test_interval },
		{ "no interval", test_no_interval },
		{ "recent", test_recent },
		{ "news", test_news },
		{ "closed", test_closed },
		{ NULL, NULL }
	};

	return engine_unit_run("worker-catchup", tests);
}
