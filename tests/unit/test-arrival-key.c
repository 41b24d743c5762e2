/* test-arrival-key: which files are taken as keys of arrival tags */
#include "common/arrival-tag.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define KEY "0123456789abcdef"
#define OTHER "ghijklmnopqrstuv"

static char folder[] = "/tmp/test-arrival-key.XXXXXX";

/* NULL is for no error. */
static bool has_error(int ret, const struct arrival_key *key,
		      const char *error, const char *part)
{
	if (part == NULL)
		return ret == 0 && key != NULL;
	return ret == -1 && key == NULL && strstr(error, part) != NULL;
}

static void test_content(void)
{
	static char long_key[ARRIVAL_KEY_MAX + 2];
	const struct {
		const char *data;
		size_t size;
		const char *error;
	} tests[] = {
		{ KEY, 16, NULL },
		{ KEY "\n", 17, NULL },
		{ KEY "\r\n", 18, NULL },
		{ "\n\n  " KEY "\t\n" OTHER "\n\n", 39, NULL },
		{ long_key, ARRIVAL_KEY_MAX, NULL },
		{ "", 0, "no key" },
		{ "\n \r\n", 4, "no key" },
		{ KEY, 15, "under 16" },
		{ KEY "\nshort\n", 23, "under 16" },
		{ long_key, ARRIVAL_KEY_MAX + 1, "over 256" },
		{ KEY "\n" KEY "\n" KEY "\n", 51, "more than two" },
		{ "a key with some spaces", 22, "printable" },
		{ KEY "\0\0", 18, "printable" },
		{ "\xff" KEY, 17, "printable" },
		{ KEY "\x7f", 17, "printable" }
	};
	struct arrival_key *key;
	const char *error;
	size_t i;
	int ret;

	memset(long_key, 'k', sizeof(long_key));
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		error = "";
		ret = arrival_key_parse(tests[i].data, tests[i].size, &key,
					&error);
		UNIT_CHECK(has_error(ret, key, error, tests[i].error),
			   "case %zu: %s", i, error);
		arrival_key_free(&key);
	}
}

/* The path of a file with that content and mode, valid until the next call. */
static const char *new_file(const char *data, size_t size, mode_t mode)
{
	static char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s/key", folder);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, data, size), (ssize_t)size);
	CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static void check_load(const char *path, const char *part)
{
	struct arrival_key *key;
	const char *error = "";
	int ret = arrival_key_load(path, &key, &error);

	UNIT_CHECK(has_error(ret, key, error, part), "%s: %d, %s, not %s", path,
		   ret, error, part == NULL ? "none" : part);
	arrival_key_free(&key);
}

static void test_modes(void)
{
	static const mode_t open_to_others[] = {
		0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666, 0440, 0777
	};
	size_t i;

	check_load(new_file(KEY, 16, 0600), NULL);
	check_load(new_file(KEY, 16, 0400), NULL);
	check_load(new_file(KEY, 16, 0700), NULL);
	for (i = 0; i < N_ELEMENTS(open_to_others); i++) {
		check_load(new_file(KEY, 16, open_to_others[i]),
			   "group or others may access it: chmod 600");
	}
}

static void test_files(void)
{
	static char large[4096];
	char path[100];

	memset(large, '\n', sizeof(large));
	memcpy(large, KEY, 16);
	check_load(new_file(KEY, 15, 0600), "under 16 bytes");
	check_load(new_file(large, sizeof(large), 0600), "too large");
	check_load(new_file("", 0, 0600), "no key in it");
	check_load(folder, "not a regular file");
	check_load("/dev/null", "not a regular file");
	snprintf(path, sizeof(path), "%s/none", folder);
	check_load(path, "No such file");
	/* without a writer: must not hang */
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	check_load(path, "not a regular file");
	unlink(path);
	CU_ASSERT_EQUAL(symlink(new_file(KEY, 16, 0600), path), 0);
	check_load(path, NULL);
	unlink(path);
}

/* The whole file is read, both keys. */
static void test_both_keys(void)
{
	static const struct arrival_tag tag = { ARRIVAL_AT_OLD, "mx", "a", 1 };
	struct arrival_mail *mail = arrival_mail_init();
	struct arrival_tag found;
	struct arrival_key *key, *both;
	char value[ARRIVAL_VALUE_SIZE];
	const char *error = "";

	arrival_mail_end(mail);
	CU_ASSERT_EQUAL_FATAL(arrival_key_parse(OTHER, 16, &key, &error), 0);
	CU_ASSERT_EQUAL_FATAL(arrival_key_load(
		new_file(KEY "\n" OTHER "\n", 34, 0600), &both, &error), 0);
	CU_ASSERT_EQUAL(arrival_tag_make(key, &tag, mail, value, &error), 0);
	CU_ASSERT_EQUAL(arrival_tag_check(both, value, strlen(value), mail,
					  &found, &error), ARRIVAL_VALID);
	CU_ASSERT_EQUAL(arrival_tag_make(both, &tag, mail, value, &error), 0);
	CU_ASSERT_EQUAL(arrival_tag_check(key, value, strlen(value), mail,
					  &found, &error), ARRIVAL_FORGED);
	arrival_key_free(&key);
	arrival_key_free(&both);
	arrival_mail_deinit(&mail);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "content", test_content },
		{ "modes", test_modes },
		{ "files", test_files },
		{ "both keys", test_both_keys },
		{ NULL, NULL }
	};

	return unit_run_in(folder, "arrival-key", tests);
}
