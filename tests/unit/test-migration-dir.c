/* test-migration-dir: files are replaced whole or not at all, whatever fails
   or dies on the way. The system calls that matter are wrapped: the engine is
   linked statically. */
#include "engine-unit.h"
#include "buffer.h"
#include "hostpid.h"
#include "str.h"
#include "plugin/engine/folder-tree-file.h"
#include "plugin/engine/migration-dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_SIZE 4096

/* What the calls did, and the one (counted from 1) at which to fail or die. */
static struct {
	string_t *log;
	unsigned int count, fail_at, die_at;
} calls;

/* TRUE: it must fail */
static bool call(const char *name)
{
	calls.count++;
	if (calls.log != NULL)
		str_printfa(calls.log, "%s ", name);
	if (calls.count == calls.die_at)
		(void)raise(SIGKILL);
	errno = EIO;
	return calls.count == calls.fail_at;
}

int rename(const char *old, const char *new)
{
	return call("rename") ? -1 :
		(int)syscall(SYS_renameat, AT_FDCWD, old, AT_FDCWD, new);
}

int fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	return call(S_ISDIR(st.st_mode) ? "fsync-dir" : "fsync") ? -1 :
		(int)syscall(SYS_fsync, fd);
}

static void calls_reset(string_t *log)
{
	i_zero(&calls);
	calls.log = log;
}

static int replace(const char *dir, const char *text, const char **error_r)
{
	return migration_dir_replace(dir, "state", "a", text, strlen(text),
				     error_r);
}

static int get(const char *dir, const char **text_r)
{
	buffer_t *data = t_buffer_create(64);
	const char *error;
	int ret = migration_dir_read(dir, "state", "a", MAX_SIZE, data, &error);

	*text_r = ret <= 0 ? "" : str_c(data);
	return ret;
}

static unsigned int files_in(const char *path)
{
	unsigned int count = 0;
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			count++;
	}
	if (dir != NULL)
		closedir(dir);
	return count;
}

static void test_order(void)
{
	const char *error, *text, *dir = engine_unit_dir();
	string_t *log = t_str_new(64);

	calls_reset(NULL);
	CU_ASSERT(replace(dir, "old", &error) == 0);
	calls_reset(log);
	CU_ASSERT(replace(dir, "new", &error) == 0);
	UNIT_CHECK(strcmp(str_c(log), "fsync rename fsync-dir ") == 0,
		   "%s", str_c(log));
	CU_ASSERT(get(dir, &text) == 1 && strcmp(text, "new") == 0);
	CU_ASSERT(files_in(t_strconcat(dir, "/tmp", NULL)) == 0);

	str_truncate(log, 0);
	CU_ASSERT(migration_dir_unlink(dir, "state", "a", &error) == 0);
	UNIT_CHECK(strcmp(str_c(log), "fsync-dir ") == 0, "%s", str_c(log));
	CU_ASSERT(get(dir, &text) == 0);
	CU_ASSERT(migration_dir_unlink(dir, "state", "a", &error) == 0);
	calls_reset(NULL);
}

/* The first file makes the folders, durably, before it is there itself. */
static void test_folders(void)
{
	const char *error, *path, *dir = engine_unit_dir();
	string_t *log = t_str_new(64);
	struct stat st;

	dir = t_strconcat(dir, "/home/migration", NULL);
	calls_reset(log);
	CU_ASSERT(replace(dir, "x", &error) == 0);
	calls_reset(NULL);
	UNIT_CHECK(strcmp(str_c(log), "fsync-dir fsync-dir fsync-dir fsync-dir "
			  "fsync rename fsync-dir ") == 0, "%s", str_c(log));
	CU_ASSERT(stat(t_strconcat(dir, "/state", NULL), &st) == 0 &&
		  (st.st_mode & 0777) == 0700);
	CU_ASSERT(stat(t_strconcat(dir, "/state/a", NULL), &st) == 0 &&
		  (st.st_mode & 0777) == 0600);
	CU_ASSERT(migration_dir_path(dir, "lease", "b", &path, &error) == 0);
	CU_ASSERT(strcmp(path, t_strconcat(dir, "/lease/b", NULL)) == 0);
	CU_ASSERT(stat(path, &st) < 0 && errno == ENOENT);
	/* a file is in the way */
	engine_unit_write(t_strconcat(dir, "/gate", NULL), "", 0);
	CU_ASSERT(migration_dir_path(t_strconcat(dir, "/gate", NULL), "x", "b",
				     &path, &error) == -1);
}

/* A call fails: the error is told, and before the rename the old one stands. */
static void test_failures(void)
{
	static const struct {
		const char *error, *text;
	} tests[] = {
		{ "fsync(", "old" },
		{ "rename(", "old" },
		{ "fsync(", "new" },
	};
	const char *error, *text, *dir = engine_unit_dir();
	int ret;

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		calls_reset(NULL);
		CU_ASSERT(replace(dir, "old", &error) == 0);
		calls_reset(NULL);
		calls.fail_at = i + 1;
		error = "";
		ret = replace(dir, "new", &error);
		UNIT_CHECK(ret == -1 && str_begins(error, tests[i].error), "%u: %s", i,
			   error);
		calls_reset(NULL);
		ret = get(dir, &text);
		UNIT_CHECK(ret == 1 && strcmp(text, tests[i].text) == 0, "%u: %s", i, text);
		CU_ASSERT(files_in(t_strconcat(dir, "/tmp", NULL)) == 0);
	}
}

/* Killed at each of the calls: the old one or the new one, and what was left
   lying about disturbs nobody. */
static void test_killed(void)
{
	static const char *const expected[] = { "old", "old", "new" };
	const char *error, *text, *dir = engine_unit_dir();
	pid_t pid;
	int ret;

	for (unsigned int i = 0; i < N_ELEMENTS(expected); i++) {
		calls_reset(NULL);
		CU_ASSERT(replace(dir, "old", &error) == 0);
		fflush(NULL);
		if ((pid = fork()) == 0) {
			calls_reset(NULL);
			calls.die_at = i + 1;
			_exit(replace(dir, "new", &error) == 0 ? 0 : 1);
		}
		CU_ASSERT(engine_unit_wait(pid) == -1);
		ret = get(dir, &text);
		UNIT_CHECK(ret == 1 && strcmp(text, expected[i]) == 0, "%u: %s", i, text);
		CU_ASSERT(replace(dir, "later", &error) == 0);
		CU_ASSERT(get(dir, &text) == 1 && strcmp(text, "later") == 0);
	}
}

static void test_read(void)
{
	const char *error, *path, *dir = engine_unit_dir();
	buffer_t *data = t_buffer_create(64);
	char block[MAX_SIZE + 1];

	CU_ASSERT(migration_dir_read(dir, "state", "a", MAX_SIZE, data,
				     &error) == 0);
	CU_ASSERT(migration_dir_path(dir, "state", "a", &path, &error) == 0);
	memset(block, '\0', sizeof(block));
	engine_unit_write(path, block, MAX_SIZE);
	CU_ASSERT(migration_dir_read(dir, "state", "a", MAX_SIZE, data,
				     &error) == 1);
	CU_ASSERT(data->used == MAX_SIZE);
	engine_unit_write(path, block, MAX_SIZE + 1);
	buffer_set_used_size(data, 0);
	CU_ASSERT(migration_dir_read(dir, "state", "a", MAX_SIZE, data,
				     &error) == -1);
	CU_ASSERT(migration_dir_read(dir, ".", "state", MAX_SIZE, data,
				     &error) == -1);
}

static bool is_text(const char *dir, const char *name, const char *text)
{
	const char *path = t_strdup_printf("%s/state/%s", dir, name);

	return strcmp(str_c(engine_unit_read(path)), text) == 0;
}

/* Nothing is replaced, and what a crash has left of it is ended. */
static void test_rename_new(void)
{
	const char *error, *a, *b, *dir = engine_unit_dir();
	struct stat st;

	CU_ASSERT(migration_dir_path(dir, "state", "a", &a, &error) == 0 &&
		  migration_dir_path(dir, "state", "b", &b, &error) == 0);
	CU_ASSERT(migration_dir_rename_new(dir, "state", "a", "b",
					   &error) == 1);
	engine_unit_write(a, "1", 1);
	CU_ASSERT(migration_dir_rename_new(dir, "state", "a", "b",
					   &error) == 1);
	CU_ASSERT(stat(a, &st) < 0 && is_text(dir, "b", "1"));
	engine_unit_write(a, "2", 1);
	CU_ASSERT(migration_dir_rename_new(dir, "state", "a", "b",
					   &error) == 0);
	CU_ASSERT(is_text(dir, "a", "2") && is_text(dir, "b", "1"));
	CU_ASSERT(unlink(a) == 0 && link(b, a) == 0);
	CU_ASSERT(migration_dir_rename_new(dir, "state", "a", "b",
					   &error) == 1);
	CU_ASSERT(stat(a, &st) < 0 && is_text(dir, "b", "1"));
}

/* Many writers at once: always one of the written texts, whole. */
static void test_writers(void)
{
	const char *error, *text, *dir = engine_unit_dir();
	pid_t pids[4];
	unsigned int i, n;
	int ret;

	CU_ASSERT(replace(dir, "0000", &error) == 0);
	fflush(NULL);
	for (i = 0; i < N_ELEMENTS(pids); i++) {
		if ((pids[i] = fork()) != 0)
			continue;
		/* the temporary file is named after the process */
		hostpid_init();
		for (n = 0; n < 50; n++) {
			if (replace(dir, t_strdup_printf("%u%u%u%u", i, i, i,
							 i), &error) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (n = 0; n < 500; n++) T_BEGIN {
		ret = get(dir, &text);
		UNIT_CHECK(ret == 1 && strlen(text) == 4 &&
			   strspn(text, t_strdup_printf("%c", text[0])) == 4,
			   "%s", text);
	} T_END;
	for (i = 0; i < N_ELEMENTS(pids); i++)
		CU_ASSERT(engine_unit_wait(pids[i]) == 0);
}

static void test_tree_file(void)
{
	static const struct {
		const char *text;
		int ret;
	} tests[] = {
		{ "migration-tree 1\nsep=46\nchecked=1700000000\nend\n", 1 },
		{ "migration-tree 1\nsep=0\nchecked=0\nend\n", 1 },
		{ "migration-tree 2\nsep=46\nchecked=1700000000\nend\n", -1 },
		{ "migration-tree 1\nsep=128\nchecked=1\nend\n", -1 },
		{ "migration-tree 1\nsep=-1\nchecked=1\nend\n", -1 },
		{ "migration-tree 1\nsep=\nchecked=1\nend\n", -1 },
		{ "migration-tree 1\nsep=.\nchecked=1\nend\n", -1 },
		{ "migration-tree 1\nsep=46\nchecked=\nend\n", -1 },
		{ "migration-tree 1\nsep=46\nchecked=x\nend\n", -1 },
		{ "migration-tree 1\nchecked=1\nsep=46\nend\n", -1 },
		{ "migration-tree 1\nsep=46\nend\nchecked=1\n", -1 },
		{ "migration-tree 1\nsep=46\nchecked=1\nend\nend\n", -1 },
		{ "migration-tree 1\nsep=46\nchecked=1\nend\nx", -1 },
		{ "", -1 },
	};
	static const char seps[] = { '.', '/', '\0', '\\', 0x7f };
	const char *error, *path, *dir = engine_unit_dir();
	struct folder_tree_file file;
	unsigned int i;

	CU_ASSERT(folder_tree_file_read(dir, &file, &error) == 0);
	for (i = 0; i < N_ELEMENTS(seps); i++) {
		const struct folder_tree_file written = {
			.old_sep = seps[i], .checked = 1700000000 + i,
		};
		CU_ASSERT(folder_tree_file_write(dir, &written, &error) == 0);
		UNIT_CHECK(folder_tree_file_read(dir, &file, &error) == 1 &&
			   file.old_sep == seps[i] &&
			   file.checked == written.checked, "%u", i);
	}
	CU_ASSERT(migration_dir_path(dir, "state", ".tree", &path,
				     &error) == 0);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		engine_unit_write(path, tests[i].text, strlen(tests[i].text));
		UNIT_CHECK(folder_tree_file_read(dir, &file, &error) ==
			   tests[i].ret, "%u", i);
	}
	for (i = 0; i < strlen(tests[0].text); i++) {
		engine_unit_write(path, tests[0].text, i);
		UNIT_CHECK(folder_tree_file_read(dir, &file, &error) == -1,
			   "%u bytes", i);
	}
}

static const struct unit_test tests[] = {
	{ "order", test_order },
	{ "folders", test_folders },
	{ "failures", test_failures },
	{ "killed", test_killed },
	{ "rename, not replacing", test_rename_new },
	{ "read", test_read },
	{ "writers", test_writers },
	{ "tree file", test_tree_file },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("migration-dir", tests);
}
