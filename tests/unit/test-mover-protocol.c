/* What scheduler and mover say to each other. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "strescape.h"
#include "mover/mover-protocol.h"
#include "mover/mover-request.h"

#include "engine-unit.h"
#include "unit.h"

static const struct move_totals full = {
	.phase = MOVE_PHASE_MOVING,
	.mailboxes = 60, .local = 3, .filled = 2,
	.messages = 5000000000, .bytes = UINT64_MAX,
	.done_messages = 4999999999, .done_bytes = 1,
	.failed = 4294967295, .fetched_bytes = 7,
};

static const char *const *totals_words(const struct move_totals *totals)
{
	string_t *str = t_str_new(128);

	str_append(str, "OK");
	move_totals_append(str, totals);
	return t_strsplit_tabescaped(str_c(str)) + 1;
}

static void test_totals(void)
{
	const char *const *words = totals_words(&full);
	struct move_totals totals;

	CU_ASSERT(str_array_length(words) == 10);
	CU_ASSERT(move_totals_parse(words, &totals));
	CU_ASSERT(totals.phase == full.phase &&
		  totals.mailboxes == full.mailboxes &&
		  totals.local == full.local && totals.filled == full.filled &&
		  totals.messages == full.messages &&
		  totals.bytes == full.bytes &&
		  totals.done_messages == full.done_messages &&
		  totals.done_bytes == full.done_bytes &&
		  totals.failed == full.failed &&
		  totals.fetched_bytes == full.fetched_bytes);
}

static void test_broken_totals(void)
{
	static const char *const lines[] = {
		"", "moving", "moving|1|2|3|4|5|6|7|8",
		"elsewhere|1|2|3|4|5|6|7|8|9", "moving|-1|2|3|4|5|6|7|8|9",
		"moving|1|2|3|x|5|6|7|8|9", "moving|1|2|3|4|5|6|7|8|",
		"moving|1|2|3|4|18446744073709551616|6|7|8|9",
	};
	struct move_totals totals;

	CU_ASSERT(move_totals_parse(t_strsplit("local|1|2|3|4|5|6|7|8|9|more",
					       "|"), &totals));
	CU_ASSERT(totals.fetched_bytes == 9);
	for (unsigned int i = 0; i < N_ELEMENTS(lines); i++) {
		UNIT_CHECK(!move_totals_parse(t_strsplit(lines[i], "|"),
					      &totals), "%s", lines[i]);
	}
}

static void test_words(void)
{
	enum move_failure failure, same_failure;
	enum move_phase phase, same_phase;

	for (failure = MOVE_FAILURE_USER; failure <= MOVE_FAILURE_BUSY;
	     failure++) {
		CU_ASSERT(move_failure_from_str(move_failure_to_str(failure),
						&same_failure) &&
			  same_failure == failure);
	}
	for (phase = MOVE_PHASE_UNSEEN; phase <= MOVE_PHASE_CLOSED; phase++) {
		CU_ASSERT(move_phase_from_str(move_phase_to_str(phase),
					      &same_phase) &&
			  same_phase == phase);
	}
	CU_ASSERT(!move_failure_from_str("of tomorrow", &failure));
	CU_ASSERT(!move_phase_from_str("", &phase));
}

/* What becomes of a line whose words are separated by '|'. */
static const char *parsed(const char *line)
{
	string_t *str = t_str_new(128);
	struct mover_request request;
	const char *vname, *error;

	if (mover_request_parse(t_strsplit(line, "|"), pool_datastack_create(),
				&request, &error) < 0)
		return t_strdup_printf("! %s", error);
	str_printfa(str, "%d", request.type);
	array_foreach_elem(&request.vnames, vname)
		str_printfa(str, " %s", vname);
	return str_c(str);
}

static void test_requests(void)
{
	static const struct {
		const char *line, *result;
	} tests[] = {
		{ "SURVEY", "0" },
		{ "FILL", "1" },
		{ "FILL|INBOX|a/b c", "1 INBOX a/b c" },
		{ "CATCHUP", "2" },
		{ "FIRST|\xC3\xA4", "3 \xC3\xA4" },
		{ "STOP", "4" },
		{ "", "! Expected a request" },
		{ "survey", "! Expected a request" },
		{ "SURVEY|a", "! Expected no more words" },
		{ "FILL|", "1" },
		{ "FILL|a|\xff|b", "1 a b" },
		{ "FIRST|\xff", "3" },
		{ "FIRST", "! Expected a mailbox name" },
		{ "FIRST|a|b", "! Expected no more words" },
		{ "STOP|now", "! Expected no more words" },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		const char *result = parsed(tests[i].line);

		UNIT_CHECK(strcmp(result, tests[i].result) == 0,
			   "%u: %s", i, result);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "totals", test_totals },
		{ "broken totals", test_broken_totals },
		{ "words", test_words },
		{ "requests", test_requests },
		{ NULL, NULL }
	};

	return engine_unit_run("mover-protocol", tests);
}
