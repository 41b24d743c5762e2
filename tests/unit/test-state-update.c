/* test-state-update: nothing is written while another one has the tree, nor of
   a mailbox that isn't the old server's any more. */
#include "engine-unit.h"
#include "array.h"
#include "plugin/engine/lease.h"
#include "plugin/engine/rename-journal.h"
#include "plugin/engine/state-update.h"

#define NAME "a.b"

static unsigned int calls;

static int set_error(struct mailbox_state_file *state, void *context,
		     const char **error_r)
{
	calls++;
	if (context == NULL) {
		*error_r = "no";
		return -1;
	}
	state->error = context;
	return *state->error != '\0' ? 1 : 0;
}

static int update(const char *dir, bool held, char *text)
{
	const char *error = NULL;
	int ret = state_update(dir, NAME, held, 0, set_error, text, &error);

	CU_ASSERT((ret < 0) == (error != NULL));
	return ret;
}

static const char *error_now(const char *dir)
{
	struct mailbox_state_file state;
	const char *error;

	if (mailbox_state_read(dir, NAME, pool_datastack_create(), &state,
			       &error) <= 0)
		return "unreadable";
	return state.error;
}

static void test_lease(void)
{
	const struct mailbox_state_file filled = {
		.state = MAILBOX_STATE_FILLED,
	};
	const char *error, *dir = engine_unit_dir();
	char first[] = "first", second[] = "second", nothing[] = "";
	struct lease *tree;

	CU_ASSERT(mailbox_state_write(dir, NAME, &filled, &error) == 0);
	CU_ASSERT_FATAL(lease_tree(dir, 0, &tree, &error) == 1);
	calls = 0;
	CU_ASSERT(update(dir, FALSE, first) == -1);
	CU_ASSERT(calls == 0);
	CU_ASSERT_STRING_EQUAL(error_now(dir), "");
	CU_ASSERT(update(dir, TRUE, first) == 0);
	CU_ASSERT_STRING_EQUAL(error_now(dir), "first");
	lease_release(&tree);
	CU_ASSERT(update(dir, FALSE, second) == 0);
	CU_ASSERT_STRING_EQUAL(error_now(dir), "second");
	/* looked at only; refused */
	CU_ASSERT(update(dir, FALSE, nothing) == 0);
	CU_ASSERT(update(dir, FALSE, NULL) == -1);
	CU_ASSERT_STRING_EQUAL(error_now(dir), "second");
	/* and it was given back each time */
	CU_ASSERT(lease_tree(dir, 0, &tree, &error) == 1);
	lease_release(&tree);
}

/* Neither while a RENAME isn't ended. */
static void test_journal(void)
{
	const struct mailbox_state_file filled = {
		.state = MAILBOX_STATE_FILLED,
	};
	const struct folder_move move = { .from = NAME, .to = "b" };
	const char *error, *dir = engine_unit_dir();
	ARRAY_TYPE(folder_move) moves;
	char text[] = "text";

	t_array_init(&moves, 1);
	array_push_back(&moves, &move);
	CU_ASSERT(mailbox_state_write(dir, NAME, &filled, &error) == 0);
	CU_ASSERT(rename_journal_write(dir, &moves, &error) == 0);
	CU_ASSERT(update(dir, FALSE, text) == -1);
	CU_ASSERT(update(dir, TRUE, text) == -1);
	CU_ASSERT_STRING_EQUAL(error_now(dir), "");
	CU_ASSERT(rename_journal_remove(dir, &error) == 0);
	CU_ASSERT(update(dir, FALSE, text) == 0);
	CU_ASSERT_STRING_EQUAL(error_now(dir), "text");
}

static void test_states(void)
{
	static const struct {
		enum mailbox_state state;
		int ret;
	} tests[] = {
		{ MAILBOX_STATE_REMOTE, 0 },
		{ MAILBOX_STATE_FILLING, 0 },
		{ MAILBOX_STATE_FILLED, 0 },
		{ MAILBOX_STATE_LOCAL, -1 },
		{ MAILBOX_STATE_DELETED, -1 },
	};
	const char *error, *dir = engine_unit_dir();
	char text[] = "text";

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		const struct mailbox_state_file state = {
			.state = tests[i].state,
		};

		CU_ASSERT(mailbox_state_write(dir, NAME, &state, &error) == 0);
		UNIT_CHECK(update(dir, FALSE, text) == tests[i].ret, "%u", i);
		UNIT_CHECK(strcmp(error_now(dir), tests[i].ret == 0 ? text :
				  "") == 0, "%u: %s", i, error_now(dir));
	}
	/* deleted: it doesn't come back */
	CU_ASSERT(mailbox_state_remove(dir, NAME, &error) == 0);
	CU_ASSERT(update(dir, FALSE, text) == -1);
	CU_ASSERT_STRING_EQUAL(error_now(dir), "unreadable");
}

static const struct unit_test tests[] = {
	{ "under the lease", test_lease },
	{ "journal", test_journal },
	{ "states", test_states },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("state-update", tests);
}
