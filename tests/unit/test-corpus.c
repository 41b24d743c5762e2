/* test-corpus: generated mail is the same each time, and as promised */
#include "corpus.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static unsigned int find_kind(const char *name)
{
	unsigned int i;

	for (i = 0; i < corpus_kinds(); i++) {
		if (strcmp(corpus_kind_name(i), name) == 0)
			return i;
	}
	CU_FAIL_FATAL("no such kind");
	return 0;
}

static void make(const char *kind, struct corpus_message *msg)
{
	struct corpus corpus = { .set = CORPUS_NASTY, .seed = 3,
				 .attachment = 100000 };

	memset(msg, 0, sizeof(*msg));
	corpus_make(&corpus, find_kind(kind), msg);
	CU_ASSERT_STRING_EQUAL(msg->kind, kind);
}

static bool ends_with(const struct corpus_message *msg, const char *end)
{
	size_t size = strlen(end);

	return msg->size >= size &&
		memcmp(msg->data + msg->size - size, end, size) == 0;
}

static bool holds(const struct corpus_message *msg, const char *str)
{
	return memmem(msg->data, msg->size, str, strlen(str)) != NULL;
}

static size_t longest_line(const struct corpus_message *msg)
{
	size_t i, start = 0, longest = 0;

	for (i = 0; i < msg->size; i++) {
		if (msg->data[i] != '\n')
			continue;
		if (i - start > longest)
			longest = i - start;
		start = i + 1;
	}
	return longest;
}

static void test_same_each_time(void)
{
	static const enum corpus_set sets[] = {
		CORPUS_SMALL, CORPUS_MEDIUM, CORPUS_MIXED, CORPUS_NASTY
	};
	struct corpus_message a = { .data = NULL }, b = { .data = NULL };
	struct corpus corpus = { .seed = 42, .attachment = 5000 };
	unsigned int i, n;

	for (i = 0; i < 4; i++) {
		corpus.set = sets[i];
		for (n = 0; n < 100; n++) {
			corpus_make(&corpus, n, &a);
			/* another one in between */
			corpus_make(&corpus, 500 - n, &b);
			corpus_make(&corpus, n, &b);
			UNIT_CHECK(a.size == b.size && a.instant == b.instant &&
				   a.zone == b.zone &&
				   strcmp(a.flags, b.flags) == 0 &&
				   memcmp(a.data, b.data, a.size) == 0,
				   "set %u, message %u", i, n);
		}
	}
	corpus_make(&corpus, 0, &a);
	corpus.seed++;
	corpus_make(&corpus, 0, &b);
	CU_ASSERT(a.size != b.size || memcmp(a.data, b.data, a.size) != 0);
	corpus_message_free(&a);
	corpus_message_free(&b);
}

static void test_sizes(void)
{
	struct corpus corpus = { .set = CORPUS_SMALL, .seed = 1 };
	struct corpus_message msg = { .data = NULL };
	unsigned int n, below = 0;
	size_t largest = 0;

	for (n = 0; n < 2000; n++) {
		corpus_make(&corpus, n, &msg);
		UNIT_CHECK(msg.size >= 1000 && msg.size < 8500, "small %u: %zu",
			   n, msg.size);
		UNIT_CHECK(ends_with(&msg, "\r\n"), "small %u", n);
	}
	corpus.set = CORPUS_MEDIUM;
	for (n = 0; n < 4000; n++) {
		corpus_make(&corpus, n, &msg);
		below += msg.size < 15500;
		if (msg.size > largest)
			largest = msg.size;
	}
	CU_ASSERT(below > 1700 && below < 2300);
	CU_ASSERT(largest > 500000 && largest < 2200000);
	corpus_message_free(&msg);
}

static void test_dates_and_flags(void)
{
	struct corpus corpus = { .set = CORPUS_NASTY, .seed = 1,
				 .attachment = 5000 };
	struct corpus_message msg = { .data = NULL };
	time_t first = 2000000000, last = 0;
	unsigned int n, keywords = 0, none = 0;

	for (n = 0; n < 1000; n++) {
		corpus_make(&corpus, n, &msg);
		if (msg.instant < first)
			first = msg.instant;
		if (msg.instant > last)
			last = msg.instant;
		keywords += strstr(msg.flags, "$Forwarded") != NULL;
		none += msg.flags[0] == '\0';
		UNIT_CHECK(abs(msg.zone) <= 14 * 60, "zone %d", msg.zone);
	}
	/* within 1970 and 2037, and most of that */
	CU_ASSERT(first >= 86400 && first < 86400L * 365);
	CU_ASSERT(last < 2145916800L && last > 2145916800L - 86400L * 365);
	CU_ASSERT(keywords > 10 && none > 10);
	corpus_message_free(&msg);
}

static void test_kinds(void)
{
	struct corpus_message msg;

	make("no-final-newline", &msg);
	CU_ASSERT(msg.size > 0 && msg.data[msg.size - 1] != '\n');
	corpus_message_free(&msg);
	make("empty-body", &msg);
	CU_ASSERT(ends_with(&msg, "\r\n\r\n"));
	corpus_message_free(&msg);
	make("header-only", &msg);
	CU_ASSERT(!holds(&msg, "\r\n\r\n") && ends_with(&msg, "\r\n"));
	corpus_message_free(&msg);
	make("long-header", &msg);
	CU_ASSERT(longest_line(&msg) > 30 * 1024);
	corpus_message_free(&msg);
	make("long-lines", &msg);
	CU_ASSERT(longest_line(&msg) > 65000);
	corpus_message_free(&msg);
	make("deep-mime", &msg);
	CU_ASSERT(holds(&msg, "boundary=\"b50\""));
	CU_ASSERT(holds(&msg, "--b0--\r\n"));
	corpus_message_free(&msg);
	make("8bit-header", &msg);
	CU_ASSERT(holds(&msg, "Subject: Gr\xfc\xdf"));
	corpus_message_free(&msg);
	make("lone-cr", &msg);
	CU_ASSERT(holds(&msg, "\rmiddle\r\r\n"));
	corpus_message_free(&msg);
	make("dot-lines", &msg);
	CU_ASSERT(holds(&msg, "\r\n.\r\n..\r\n"));
	corpus_message_free(&msg);
	make("from-lines", &msg);
	CU_ASSERT(holds(&msg, "\r\nFrom "));
	corpus_message_free(&msg);
	make("no-message-id", &msg);
	CU_ASSERT(!holds(&msg, "Message-ID:"));
	corpus_message_free(&msg);
	make("attachment", &msg);
	CU_ASSERT(msg.size > 100000 && msg.size < 102000);
	corpus_message_free(&msg);
}

static void test_doubles(void)
{
	struct corpus corpus = { .set = CORPUS_NASTY, .seed = 9 };
	struct corpus_message a = { .data = NULL }, b = { .data = NULL };
	unsigned int n = find_kind("double");

	corpus_make(&corpus, n, &a);
	corpus_make(&corpus, n + corpus_kinds(), &b);
	CU_ASSERT(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
	n = find_kind("same-message-id");
	corpus_make(&corpus, n, &a);
	corpus_make(&corpus, n + corpus_kinds(), &b);
	CU_ASSERT(holds(&a, "<the.same@sender.example>"));
	CU_ASSERT(holds(&b, "<the.same@sender.example>"));
	CU_ASSERT(a.size != b.size || memcmp(a.data, b.data, a.size) != 0);
	corpus_message_free(&a);
	corpus_message_free(&b);
}

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All different, each parent made before, five levels reached. */
static void check_folders(bool tricky)
{
	enum { COUNT = 2000 };
	char *names[COUNT], *sorted[COUNT], *slash, parent[1024];
	unsigned int i, j, depth, deepest = 0;

	for (i = 0; i < COUNT; i++) {
		names[i] = strdup(corpus_folder(5, i, tricky));
		for (depth = 1, slash = names[i]; *slash != '\0'; slash++)
			depth += *slash == '\n';
		if (depth > deepest)
			deepest = depth;
		slash = strrchr(names[i], '\n');
		if (slash != NULL) {
			snprintf(parent, sizeof(parent), "%.*s",
				 (int)(slash - names[i]), names[i]);
			for (j = 0; j < i && strcmp(names[j], parent) != 0; j++) ;
			UNIT_CHECK(j < i, "no parent: %s", names[i]);
		}
	}
	memcpy(sorted, names, sizeof(names));
	qsort(sorted, COUNT, sizeof(*sorted), cmp_names);
	for (i = 1; i < COUNT; i++) {
		UNIT_CHECK(strcmp(sorted[i - 1], sorted[i]) != 0, "twice: %s",
			   sorted[i]);
	}
	CU_ASSERT_EQUAL(deepest, 5);
	for (i = 0; i < COUNT; i++)
		free(names[i]);
}

static void test_folders(void)
{
	check_folders(false);
	check_folders(true);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "the same each time", test_same_each_time },
		{ "sizes", test_sizes },
		{ "dates and flags", test_dates_and_flags },
		{ "kinds", test_kinds },
		{ "doubles", test_doubles },
		{ "folder names", test_folders },
		{ NULL, NULL }
	};

	return unit_run("corpus", tests);
}
