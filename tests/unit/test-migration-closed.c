/* The file that ends a migration, and what goes behind it. */

#include "lib.h"
#include "engine/close.h"
#include "engine/mailbox-state.h"
#include "engine/migration-closed.h"
#include "engine/migration-dir.h"

#include "engine-unit.h"
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

static void write_text(const char *dir, const char *folder, const char *name,
		       const char *text)
{
	const char *error;

	CU_ASSERT_FATAL(migration_dir_replace(dir, folder, name, text,
					      strlen(text), &error) == 0);
}

static bool exists(const char *dir, const char *name)
{
	struct stat st;

	return lstat(t_strconcat(dir, "/", name, NULL), &st) == 0;
}

static void test_file(void)
{
	const char *dir = engine_unit_dir(), *error;
	struct migration_closed closed = { .when = 1700000000 }, copy;

	CU_ASSERT(migration_is_closed(dir, &error) == 0);
	CU_ASSERT(migration_closed_read(dir, &copy, &error) == 0);
	CU_ASSERT(migration_closed_write(dir, &closed, &error) == 0);
	CU_ASSERT(migration_is_closed(dir, &error) == 1);
	CU_ASSERT(migration_closed_read(dir, &copy, &error) == 1);
	CU_ASSERT(copy.when == 1700000000 && !copy.forced);
	closed.forced = TRUE;
	CU_ASSERT(migration_closed_write(dir, &closed, &error) == 0);
	CU_ASSERT(migration_closed_read(dir, &copy, &error) == 1);
	CU_ASSERT(copy.when == 1700000000 && copy.forced);
}

/* The file counts, whatever is in it. */
static void test_odd_file(void)
{
	static const char *const texts[] = {
		"", "\n", "something", "migration-closed 1\nwhen=x\n",
		"migration-closed 2\nwhen=7\nforced=yes\n",
	};
	const char *dir = engine_unit_dir(), *error;
	struct migration_closed closed;

	for (unsigned int i = 0; i < N_ELEMENTS(texts); i++) {
		write_text(dir, ".", "closed", texts[i]);
		CU_ASSERT(migration_is_closed(dir, &error) == 1);
		UNIT_CHECK(migration_closed_read(dir, &closed, &error) == 1 &&
			   closed.when == 0 && !closed.forced, "%u", i);
	}
	CU_ASSERT(migration_is_closed("/nowhere/at/all", &error) == 0);
	/* it can't be told: that isn't "no" */
	CU_ASSERT(symlink("loop", t_strconcat(dir, "/loop", NULL)) == 0);
	CU_ASSERT(migration_is_closed(t_strconcat(dir, "/loop", NULL),
				      &error) < 0);
}

/* What isn't ours stays, and so does the file; what a crash has left goes with
   the next one. */
static void test_remove(void)
{
	const char *dir = engine_unit_dir(), *error;
	const struct migration_closed closed = { .when = 1 };
	const struct mailbox_state_file state = {
		.state = MAILBOX_STATE_LOCAL,
	};

	CU_ASSERT(migration_closed_write(dir, &closed, &error) == 0);
	CU_ASSERT(mailbox_state_write(dir, "INBOX", &state, &error) == 0);
	write_text(dir, "digest", "INBOX", "x");
	write_text(dir, "lease", ".tree", "");
	write_text(dir, ".", "worker.lock", "");
	write_text(dir, ".", "dovecot.conf", "mine");
	write_text(dir, "mail", "1", "mine as well");
	CU_ASSERT(close_remove_files(dir, &error) == 0);
	CU_ASSERT(migration_is_closed(dir, &error) == 1);
	CU_ASSERT(exists(dir, "dovecot.conf") && exists(dir, "mail/1"));
	CU_ASSERT(!exists(dir, "state") && !exists(dir, "digest") &&
		  !exists(dir, "lease") && !exists(dir, "tmp") &&
		  !exists(dir, "worker.lock"));
	CU_ASSERT(close_remove_files(dir, &error) == 0);
	write_text(dir, "seen", "INBOX", "1 1\n");
	CU_ASSERT(close_remove_files(dir, &error) == 0);
	CU_ASSERT(!exists(dir, "seen"));
}

/* One that can't go is told, and all others go. */
static void test_remove_fails(void)
{
	const char *dir = engine_unit_dir(), *error = NULL;

	write_text(dir, "digest/odd", "INBOX", "x");
	write_text(dir, "state", "INBOX", "x");
	CU_ASSERT(close_remove_files(dir, &error) < 0);
	CU_ASSERT(error != NULL && strstr(error, "digest/odd") != NULL);
	CU_ASSERT(!exists(dir, "state"));
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "the file", test_file },
		{ "odd files", test_odd_file },
		{ "what goes", test_remove },
		{ "what can't go", test_remove_fails },
		{ NULL, NULL }
	};

	return engine_unit_run("migration-closed", tests);
}
