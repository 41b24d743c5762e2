/* What is said to a user's worker, as requests, and its answers. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "strescape.h"
#include "worker/worker-answer.h"
#include "worker/worker-protocol.h"
#include "worker/worker-request.h"

#include "engine-unit.h"
#include "unit.h"

static const char *op_str(const struct mirror_op *op)
{
	switch (op->type) {
	case MIRROR_STORE:
		return t_strdup_printf("store(%s %s)", op->uids, op->args);
	case MIRROR_EXPUNGE:
		return t_strdup_printf("expunge(%s)", op->uids);
	case MIRROR_APPEND:
		return t_strdup_printf("append(%"PRIuUOFF_T"+%"PRIuUOFF_T
			" %s%+d %s)", op->offset, op->size,
			dec2str(op->date), op->tz_offset, op->flags);
	case MIRROR_COPY:
		return t_strdup_printf("copy(%s/%u %s)", op->source,
				       op->source_uid_validity, op->uids);
	}
	i_unreached();
}

static const char *request_str(const struct worker_request *request)
{
	string_t *str = t_str_new(128);
	const struct mirror_op *op;
	const char *vname;

	str_printfa(str, "%d", request->type);
	if (request->vname != NULL)
		str_printfa(str, " %s", request->vname);
	if (request->type == WORKER_FRESH || request->type == WORKER_CATCHUP)
		str_printfa(str, " %u", request->max_age_msecs);
	if (request->type == WORKER_CATCHUP)
		str_printfa(str, " %u", request->catchup_flags);
	if (request->type == WORKER_FILL)
		str_printfa(str, " %u", request->fill_flags);
	if (request->type == WORKER_CUTOVER) {
		array_foreach_elem(&request->vnames, vname)
			str_printfa(str, " %s", vname);
	}
	if (request->type != WORKER_WRITE)
		return str_c(str);
	str_printfa(str, "/%u", request->write.uid_validity);
	array_foreach(&request->write.ops, op)
		str_printfa(str, " %s", op_str(op));
	if (request->needs_file)
		str_printfa(str, " file=%"PRIuUOFF_T, request->file_size);
	return str_c(str);
}

/* What becomes of a line whose words are separated by '|'. */
static const char *parsed(const char *line)
{
	const char *const *words = t_strsplit(line, "|");
	struct worker_request *request;
	const char *str;

	if (worker_request_parse(words, &request, &str) < 0)
		return t_strdup_printf("! %s", str);
	str = request_str(request);
	worker_request_free(&request);
	return str;
}

static void test_requests(void)
{
	static const struct {
		const char *line, *result;
	} tests[] = {
		{ "FRESH|INBOX|1000", "0 INBOX 1000" },
		{ "WATCH|INBOX/a b\tc", "1 INBOX/a b\tc" },
		{ "UNWATCH|\xC3\xA4", "2 \xC3\xA4" },
		{ "WRITE|a|7|store|1:3,5|+FLAGS (\\Seen $Done)",
		  "3 a/7 store(1:3,5 +FLAGS (\\Seen $Done))" },
		{ "WRITE|a|7|store|1|FLAGS ()", "3 a/7 store(1 FLAGS ())" },
		{ "WRITE|a|7|store|1|-FLAGS (x)|expunge|1|expunge|2:4",
		  "3 a/7 store(1 -FLAGS (x)) expunge(1) expunge(2:4)" },
		{ "WRITE|a|4294967295|append|10|20|1700000000|-90|\\Seen a",
		  "3 a/4294967295 append(10+20 1700000000-90 \\Seen a) "
		  "file=30" },
		{ "WRITE|a|7|append|30|10|0|0||append|0|30|1|60|a",
		  "3 a/7 append(30+10 0+0 ) append(0+30 1+60 a) file=40" },
		{ "WRITE|a|7|copy|b|8|1,2", "3 a/7 copy(b/8 1,2)" },
		{ "FILL|a|0", "4 a 0" },
		{ "FILL|a|5", "4 a 5" },
		{ "CUTOVER|a", "5 a" },
		{ "CUTOVER|a|b", "5 a b" },
		{ "CATCHUP|0|0", "6 0 0" },
		{ "CATCHUP|30000|7", "6 30000 7" },
		{ "PAUSE", "7" },
		{ "RESUME", "8" },
		{ "END", "9" },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		const char *result = parsed(tests[i].line);

		UNIT_CHECK(strcmp(result, tests[i].result) == 0,
			   "%u: %s", i, result);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *line, *error;
	} tests[] = {
		{ "fresh|INBOX|1000", "a request" },
		{ "", "a request" },
		{ "FRESH", "a mailbox name" },
		{ "FRESH||1000", "a mailbox name" },
		{ "FRESH|\xff|1000", "a mailbox name" },
		{ "FRESH|a", "milliseconds" },
		{ "FRESH|a|-1", "milliseconds" },
		{ "FRESH|a|99999999999", "milliseconds" },
		{ "FRESH|a|1|2", "no more words" },
		{ "PAUSE|a", "no more words" },
		{ "FILL|a|2", "flags of a fill" },
		{ "FILL|a|8", "flags of a fill" },
		{ "CATCHUP", "milliseconds" },
		{ "CATCHUP|x|0", "milliseconds" },
		{ "CATCHUP|0", "flags of a catch-up" },
		{ "CATCHUP|0|8", "flags of a catch-up" },
		{ "CATCHUP|0|0|0", "no more words" },
		{ "END|0", "no more words" },
		{ "CUTOVER", "a mailbox name" },
		{ "CUTOVER|a|", "a mailbox name" },
		{ "WRITE|a|7", "something to write" },
		{ "WRITE|a|0|expunge|1", "a UIDVALIDITY" },
		{ "WRITE|a|4294967296|expunge|1", "a UIDVALIDITY" },
		{ "WRITE|a|7|x", "store, expunge, append or copy" },
		{ "WRITE|a|7|expunge", "a set of UIDs" },
		{ "WRITE|a|7|expunge|", "a set of UIDs" },
		{ "WRITE|a|7|expunge|0", "a set of UIDs" },
		{ "WRITE|a|7|expunge|1:*", "a set of UIDs" },
		{ "WRITE|a|7|expunge|1,", "a set of UIDs" },
		{ "WRITE|a|7|expunge|1 2", "a set of UIDs" },
		{ "WRITE|a|7|expunge|1\r\nx DELETE INBOX", "a set of UIDs" },
		{ "WRITE|a|7|store|1|+FLAGS.SILENT (a)", "FLAGS, " },
		{ "WRITE|a|7|store|1|+FLAGS (a", "FLAGS, " },
		{ "WRITE|a|7|store|1|+FLAGS (a))", "FLAGS, " },
		{ "WRITE|a|7|store|1|+FLAGS (a)\r\n", "FLAGS, " },
		{ "WRITE|a|7|store|1|+FLAGS (a\nb)", "FLAGS, " },
		{ "WRITE|a|7|store|1|+FLAGS (a  b)", "FLAGS, " },
		{ "WRITE|a|7|store|1|+FLAGS (a )", "FLAGS, " },
		{ "WRITE|a|7|store|1|+FLAGS (\\)", "FLAGS, " },
		{ "WRITE|a|7|store|1|+FLAGS ({3}", "FLAGS, " },
		{ "WRITE|a|7|store|1|+-FLAGS (a)", "FLAGS, " },
		{ "WRITE|a|7|append|0|1|1|1", "flags" },
		{ "WRITE|a|7|append|0|1|1|1|(a)", "flags" },
		{ "WRITE|a|7|append|0|1|1|1|a\n", "flags" },
		{ "WRITE|a|7|append|0|1|1|1441|", "a date" },
		{ "WRITE|a|7|append|0|1|x|0|", "a date" },
		{ "WRITE|a|7|append|-1|1|1|0|", "an offset" },
		{ "WRITE|a|7|append|1|9223372036854775807|1|0|", "an offset " },
		{ "WRITE|a|7|append|1|18446744073709551615|1|0|",
		  "an offset and a size of a file" },
		{ "WRITE|a|7|copy|b|0|1", "a UIDVALIDITY" },
		{ "WRITE|a|7|copy||1|1", "a mailbox name" },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		const char *result = parsed(tests[i].line);

		UNIT_CHECK(str_begins(result, t_strconcat("! Expected ",
						tests[i].error, NULL)),
			   "%u: %s", i, result);
	}
}

static void check_safe(const struct worker_request *request)
{
	const struct mirror_op *op;

	if (request->type != WORKER_WRITE)
		return;
	array_foreach(&request->write.ops, op) {
		if (op->uids != NULL)
			CU_ASSERT(op->uids[strspn(op->uids,
						  "0123456789:,")] == '\0');
		if (op->args != NULL)
			CU_ASSERT(strpbrk(op->args, "\r\n\"{") == NULL);
		if (op->flags != NULL)
			CU_ASSERT(strpbrk(op->flags, "\r\n\"{()") == NULL);
	}
}

/* Whatever is done to a good line, what is taken can be sent. */
static void test_mangled(void)
{
	static const char *const lines[] = {
		"WRITE\ta\t7\tstore\t1:3,5\t+FLAGS (\\Seen $Done)",
		"WRITE\ta\t7\tappend\t0\t30\t1700000000\t60\t\\Seen a",
		"WRITE\ta\t7\tcopy\tb\t8\t1,2\texpunge\t4",
		"CUTOVER\ta\tb",
	};
	static const char bytes[] = "\t\001\r\n\"{}()*:, \\09a\x7f\xff";
	struct worker_request *request;
	const char *error;
	unsigned int taken = 0;

	for (unsigned int i = 0; i < 20000; i++) T_BEGIN {
		char *line = t_strdup_noconst(lines[i % N_ELEMENTS(lines)]);

		for (unsigned int n = engine_unit_rand(3); n > 0; n--)
			line[engine_unit_rand(strlen(line))] =
				bytes[engine_unit_rand(sizeof(bytes) - 1)];
		if (worker_request_parse(t_strsplit_tabescaped(line), &request,
					 &error) == 0) {
			taken++;
			check_safe(request);
			worker_request_free(&request);
		}
	} T_END;
	UNIT_CHECK(taken > 1000, "%u", taken);
}

static void test_errors(void)
{
	for (unsigned int i = MAIL_ERROR_NONE; i <= MAIL_ERROR_LOOKUP_ABORTED;
	     i++) {
		UNIT_CHECK(worker_error_from_str(worker_error_to_str(i)) == i,
			   "%u", i);
	}
	CU_ASSERT(worker_error_from_str("of tomorrow") == MAIL_ERROR_TEMP);
}

static void test_answers(void)
{
	struct mirror_write write = {
		.answer = MIRROR_DONE,
		.log = { .seq = 3, .offset = 5000000000, .length = 40 },
	};
	static const uint32_t uids[] = { 7, 4294967295 };

	t_array_init(&write.saved_uids, 2);
	CU_ASSERT_STRING_EQUAL(worker_answer_write(&write),
			       "OK\t3\t5000000000\t40");
	array_append(&write.saved_uids, uids, N_ELEMENTS(uids));
	CU_ASSERT_STRING_EQUAL(worker_answer_write(&write),
			       "OK\t3\t5000000000\t40\t7\t4294967295");
	write.answer = MIRROR_LOCAL;
	CU_ASSERT_STRING_EQUAL(worker_answer_write(&write), "LOCAL");
	write.answer = MIRROR_GONE;
	CU_ASSERT_STRING_EQUAL(worker_answer_write(&write), "GONE");
	write.answer = MIRROR_FAILED;
	write.error_code = MAIL_ERROR_NOQUOTA;
	write.error = "[OVERQUOTA] a\tb\n";
	CU_ASSERT_STRING_EQUAL(worker_answer_write(&write),
		"NO\tnoquota\t[OVERQUOTA] a\001tb\001n");
}

static const char *const *answer_words(const char *answer)
{
	CU_ASSERT(str_begins(answer, "OK\t"));
	return t_strsplit_tabescaped(answer) + 1;
}

static void test_fill_answer(void)
{
	struct fill_result result, copy;
	const char *const *words;

	for (unsigned int i = 0; i < sizeof(result); i++)
		((unsigned char *)&result)[i] = engine_unit_rand(256);
	result.local = result.rebuilt = TRUE;
	result.filled = FALSE;
	words = answer_words(worker_answer_fill(&result));
	CU_ASSERT(worker_answer_parse_fill(words, &copy) == 0);
	CU_ASSERT(copy.local && copy.rebuilt && !copy.filled);
	CU_ASSERT(copy.fetched == result.fetched &&
		  copy.fetched_bytes == result.fetched_bytes &&
		  copy.verified_bytes == result.verified_bytes &&
		  copy.bad == result.bad && copy.messages == result.messages &&
		  copy.old_uid_next == result.old_uid_next &&
		  copy.old_modseq == result.old_modseq &&
		  copy.usecs == result.usecs);
	CU_ASSERT_STRING_EQUAL(worker_answer_fill(&copy),
			       worker_answer_fill(&result));
	words = answer_words("OK\t2\t0");
	CU_ASSERT(worker_answer_parse_fill(words, &copy) < 0);
	words = answer_words("OK\t1\t0\tx");
	CU_ASSERT(worker_answer_parse_fill(words, &copy) < 0);
}

static void test_catchup_answer(void)
{
	const struct catchup_result result = {
		.mailboxes = 60, .changed = 2, .late = 3, .doubles = 4,
		.failed = 5, .flags = 6, .expunged = 7, .moved = 8,
		.copied = 9, .copied_flags = 10, .waiting = 11,
	};

	CU_ASSERT_STRING_EQUAL(worker_answer_catchup(&result),
		"OK\t0\t60\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11");
}

static void test_cutover_answer(void)
{
	const struct cutover_result results[] = {
		{ .vname = "a\tb", .messages = 3, .usecs = 1000 },
		{ .vname = "c", .was_local = TRUE },
	};
	ARRAY_TYPE(cutover_result) sent, got;
	const struct cutover_result *first, *last;

	t_array_init(&sent, 2);
	t_array_init(&got, 2);
	array_append(&sent, results, N_ELEMENTS(results));
	CU_ASSERT(worker_answer_parse_cutover(
		answer_words(worker_answer_cutover(&sent)), &got) == 0);
	CU_ASSERT(array_count(&got) == 2);
	first = array_front(&got);
	CU_ASSERT_STRING_EQUAL(first->vname, "a\tb");
	CU_ASSERT(!first->was_local && first->messages == 3 &&
		  first->usecs == 1000);
	last = array_back(&got);
	CU_ASSERT(last->was_local);
	CU_ASSERT(worker_answer_parse_cutover(answer_words("OK\ta\t0\t1"),
					      &got) < 0);
	CU_ASSERT(worker_answer_parse_cutover(answer_words("OK\ta\t2\t1\t1"),
					      &got) < 0);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "requests", test_requests },
		{ "refused", test_refused },
		{ "mangled lines", test_mangled },
		{ "error words", test_errors },
		{ "answers", test_answers },
		{ "answer to FILL", test_fill_answer },
		{ "answer to CUTOVER", test_cutover_answer },
		{ "answer to CATCHUP", test_catchup_answer },
		{ NULL, NULL }
	};

	return engine_unit_run("worker-request", tests);
}
