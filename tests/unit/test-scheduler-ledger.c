/* The service's ledger: what is written comes back, and what is broken is said to
   be. */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "str.h"
#include "scheduler/ledger.h"
#include "scheduler/move-queue.h"
#include "scheduler/pause-file.h"

#include "engine-unit.h"
#include "unit.h"

#include <sys/stat.h>

#define NOW 1800000000

static struct move_queue *queue_new(void)
{
	const struct move_queue_settings set = {
		.refresh = 3600,
		.catchup = 300,
		.server_max = 2,
		.server = "",
	};

	return move_queue_init(&set);
}

static void fill_queue(struct move_queue *queue)
{
	const struct move_totals totals = {
		.phase = MOVE_PHASE_MOVING,
		.mailboxes = 7,
		.local = 1,
		.filled = 2,
		.messages = 30,
		.bytes = 5000000000ULL,
		.done_messages = 10,
		.done_bytes = 4000000000ULL,
		.failed = 1,
	};
	struct move_user *user = move_queue_add(queue, "a\tb\n@x", NOW);

	move_queue_restore(queue, user, "old:143", &totals, NOW - 5, 0, NOW);
	move_queue_want(queue, user, "INBOX", NOW - 3);
	user = move_queue_add(queue, "failed", NOW);
	move_queue_prioritize(queue, user, NOW - 9);
	move_queue_begin(queue, user, MOVE_WORK_FILL, NULL, NOW);
	move_queue_failed(queue, user, MOVE_FAILURE_LOGIN, "NO\tno", NOW - 2);
	(void)move_queue_add(queue, "unseen", NOW);
}

/* Returns the ledger's text. */
static buffer_t *write_ledger(const char *dir, struct move_queue *queue)
{
	struct ledger *ledger = ledger_init(dir, queue);

	ledger_changed(ledger, TRUE);
	ledger_deinit(&ledger);
	return engine_unit_read(t_strconcat(dir, "/ledger", NULL));
}

static int read_ledger(const char *dir, struct move_queue *queue)
{
	struct ledger *ledger = ledger_init(dir, queue);
	const char *error = NULL;
	int ret = ledger_read(ledger, NOW, &error);

	if (ret < 0)
		CU_ASSERT(error != NULL && *error != '\0');
	ledger_deinit(&ledger);
	return ret;
}

static void comes_back(void)
{
	const char *dir = engine_unit_dir();
	struct move_queue *queue = queue_new(), *other = queue_new();
	struct move_user *user;
	struct stat st;
	buffer_t *text;

	fill_queue(queue);
	text = write_ledger(dir, queue);
	CU_ASSERT(read_ledger(dir, other) == 1);
	/* the same is written again */
	CU_ASSERT(buffer_cmp(text, write_ledger(dir, other)));
	CU_ASSERT(move_queue_totals(other)->users == 3);
	CU_ASSERT(move_queue_totals(other)->bytes == 5000000000ULL);
	user = move_queue_find(other, "a\tb\n@x");
	CU_ASSERT_FATAL(user != NULL && user->demand != NULL);
	CU_ASSERT(user->demand->wanted == NOW - 3);
	CU_ASSERT(user->looked == NOW - 5 && user->totals.mailboxes == 7);
	CU_ASSERT_STRING_EQUAL(user->server->name, "old:143");
	user = move_queue_find(other, "failed");
	CU_ASSERT_FATAL(user != NULL && user->failed != NULL);
	CU_ASSERT(user->demand->prioritized == NOW - 9);
	CU_ASSERT(user->failed->failure == MOVE_FAILURE_LOGIN);
	CU_ASSERT(user->failed->count == 1);
	CU_ASSERT(user->not_before == NOW - 2 + 3600);
	CU_ASSERT_STRING_EQUAL(user->failed->reason, "NO\tno");
	CU_ASSERT(stat(t_strconcat(dir, "/ledger", NULL), &st) == 0 &&
		  (st.st_mode & 0777) == 0600);
	move_queue_deinit(&queue);
	move_queue_deinit(&other);
}

/* Cut anywhere, and with any byte changed: it's read, or said not to be one. */
static void broken(void)
{
	const char *dir = engine_unit_dir();
	const char *path = t_strconcat(dir, "/ledger", NULL);
	struct move_queue *queue = queue_new();
	buffer_t *text;

	fill_queue(queue);
	text = write_ledger(dir, queue);
	move_queue_deinit(&queue);
	for (size_t i = 0; i < text->used; i++) T_BEGIN {
		int ret;

		queue = queue_new();
		engine_unit_write(path, text->data, i);
		ret = read_ledger(dir, queue);
		/* but for its last LF */
		UNIT_CHECK(ret == -1 || i == text->used - 1,
			   "%zu bytes: %d", i, ret);
		move_queue_deinit(&queue);
		queue = queue_new();
		((unsigned char *)text->data)[i] ^= 1;
		engine_unit_write(path, text->data, text->used);
		(void)read_ledger(dir, queue);
		((unsigned char *)text->data)[i] ^= 1;
		move_queue_deinit(&queue);
	} T_END;
}

/* Written while the clock was wrong, and with a reason without end. */
static void odd_values(void)
{
	const char *dir = engine_unit_dir();
	struct move_queue *queue = queue_new(), *other = queue_new();
	struct move_totals totals = { .phase = MOVE_PHASE_MOVING };
	const time_t later = NOW + 1000000;
	struct move_user *user = move_queue_add(queue, "a", later);
	string_t *reason = t_str_new(32768);

	for (unsigned int i = 0; i < 5000; i++)
		str_append(reason, "\t\xc3\xa4");
	totals.mailboxes = 1;
	move_queue_restore(queue, user, "old:143", &totals, later, 0, later);
	move_queue_want(queue, user, "INBOX", later);
	move_queue_begin(queue, user, MOVE_WORK_FILL, NULL, later);
	move_queue_failed(queue, user, MOVE_FAILURE_LOGIN, str_c(reason),
			  later);
	(void)write_ledger(dir, queue);
	CU_ASSERT(read_ledger(dir, other) == 1);
	user = move_queue_find(other, "a");
	CU_ASSERT_FATAL(user != NULL && user->failed != NULL);
	CU_ASSERT(user->looked == NOW && user->demand->wanted == NOW);
	CU_ASSERT(user->not_before <= NOW + 2 * 24 * 3600);
	CU_ASSERT(strlen(user->failed->reason) <= 512);
	move_queue_deinit(&queue);
	move_queue_deinit(&other);
}

static void none_there(void)
{
	struct move_queue *queue = queue_new();

	CU_ASSERT(read_ledger(engine_unit_dir(), queue) == 0);
	move_queue_deinit(&queue);
}

static void pause_file(void)
{
	const char *dir = engine_unit_dir();
	const char *error;

	CU_ASSERT(!pause_file_exists(dir));
	for (unsigned int i = 0; i < 2; i++) {
		CU_ASSERT(pause_file_set(dir, TRUE, &error) == 0);
		CU_ASSERT(pause_file_exists(dir));
	}
	for (unsigned int i = 0; i < 2; i++) {
		CU_ASSERT(pause_file_set(dir, FALSE, &error) == 0);
		CU_ASSERT(!pause_file_exists(dir));
	}
	dir = t_strconcat(dir, "/none", NULL);
	CU_ASSERT(pause_file_set(dir, TRUE, &error) == -1);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "comes back", comes_back },
		{ "broken", broken },
		{ "odd values", odd_values },
		{ "none there", none_there },
		{ "pause file", pause_file },
		{ NULL, NULL }
	};

	return engine_unit_run("scheduler-ledger", tests);
}
