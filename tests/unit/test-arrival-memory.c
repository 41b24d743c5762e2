/* test-arrival-memory: arrival tags when OpenSSL is out of memory */
#include "arrival-unit.h"
#include "unit.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL's allocations: how many more succeed; -1 for all. */
static __thread int memory_left = -1;

static bool memory_take(void)
{
	if (memory_left > 0)
		memory_left--;
	return memory_left != 0;
}

static void *memory_new(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_take() ? malloc(size) : NULL;
}

static void *
memory_resize(void *block, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_take() ? realloc(block, size) : NULL;
}

static void memory_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	free(block);
}

/* Makes and checks a tag while memory lasts; true when it did. */
static bool mail_with_memory(int left, const struct arrival_key *key,
			     struct arrival_mail *mail, const char *value)
{
	struct arrival_tag tag;
	char made[ARRIVAL_VALUE_SIZE];
	enum arrival_result result;
	const char *error = "";
	bool ended;
	int ret;

	memory_left = left;
	arrival_mail_begin(mail);
	arrival_mail_end(mail);
	result = arrival_tag_check(key, value, strlen(value), mail, &tag, &error);
	UNIT_CHECK(result == ARRIVAL_VALID ||
		   (result == ARRIVAL_UNCHECKED && tag.host[0] == '\0'),
		   "memory for %d: %s", left, arrival_result_name(result));
	ret = arrival_tag_make(key, &mail_tag, mail, made, &error);
	UNIT_CHECK(strcmp(made, ret == 0 ? value : "") == 0,
		   "memory for %d: %s", left, made);
	ended = memory_left == 0;
	memory_left = -1;
	UNIT_CHECK(ended || (ret == 0 && result == ARRIVAL_VALID),
		   "memory for %d was enough: %s", left, error);
	return !ended;
}

/* Out of memory at each place: never taken for a forged tag, and over with the
   mail. */
static void test_out_of_memory(void)
{
	static const struct header none[] = { { NULL, NULL } };
	const char *value = make(KEY, &mail_tag, none);
	struct arrival_key *key = new_key(KEY);
	struct arrival_mail *mail = NULL;
	int left;

	for (left = 0; mail == NULL; left++) {
		memory_left = left;
		mail = arrival_mail_init();
		memory_left = -1;
	}
	CU_ASSERT(left > 1);
	for (left = 0; !mail_with_memory(left, key, mail, value); left++) {
		CU_ASSERT_FATAL(left < 1000);
		CU_ASSERT(mail_with_memory(1000, key, mail, value));
	}
	CU_ASSERT(left > 0);
	arrival_mail_deinit(&mail);
	arrival_key_free(&key);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "out of memory", test_out_of_memory },
		{ NULL, NULL }
	};

	/* before OpenSSL allocates anything */
	if (CRYPTO_set_mem_functions(memory_new, memory_resize,
				     memory_free) != 1)
		return 1;
	return unit_run("arrival-memory", tests);
}
