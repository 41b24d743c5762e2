/* test-milter-heartbeat: numbers that tell of heartbeats nobody could write */
#include "milter/heartbeat.h"
#include "unit.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define BEGIN 1000

/* After those at BEGIN and an interval later, which are 1 and 2. */
static void test_numbers(void)
{
	static const struct {
		unsigned int interval;
		/* seconds since the second one */
		time_t passed;
		uint64_t seq;
	} tests[] = {
		{ 60, 60, 3 }, { 60, 61, 3 },
		/* at a reload or stop, before it's due */
		{ 60, 0, 3 }, { 60, 1, 3 }, { 60, 59, 3 },
		/* late, but none is missing yet */
		{ 60, 119, 3 }, { 60, 120, 3 },
		{ 60, 121, 4 }, { 60, 181, 5 },
		{ 60, 6 * 3600, 361 }, { 60, 6 * 3600 + 1, 362 },
		{ 1, 1, 3 }, { 1, 2, 3 }, { 1, 3, 4 }, { 1, 4, 5 },
		{ 3600, 3601, 3 }, { 3600, 6 * 3600 + 1, 8 },
	};
	struct heartbeat heartbeat;
	time_t now;
	uint64_t seq;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		heartbeat_begin(&heartbeat, BEGIN, tests[i].interval);
		CU_ASSERT_EQUAL(heartbeat.next, BEGIN);
		CU_ASSERT_EQUAL(heartbeat_count(&heartbeat, BEGIN,
						tests[i].interval), 1);
		now = heartbeat.next;
		CU_ASSERT_EQUAL(now, BEGIN + (time_t)tests[i].interval);
		CU_ASSERT_EQUAL(heartbeat_count(&heartbeat, now,
						tests[i].interval), 2);
		seq = heartbeat_count(&heartbeat, now + tests[i].passed,
				      tests[i].interval);
		UNIT_CHECK(seq == tests[i].seq, "%zu: %u", i,
			   (unsigned int)seq);
	}
}

/* A worker that is missing from the start on, or for hours. */
static void test_put_off(void)
{
	struct heartbeat heartbeat;
	time_t now = BEGIN;

	heartbeat_begin(&heartbeat, now, 60);
	while (now < BEGIN + 600) {
		heartbeat_put_off(&heartbeat, now);
		CU_ASSERT(heartbeat.next > now && heartbeat.next <= now + 2);
		now = heartbeat.next;
	}
	CU_ASSERT_EQUAL(heartbeat_count(&heartbeat, BEGIN + 601, 60), 10);
	CU_ASSERT_EQUAL(heartbeat_count(&heartbeat, heartbeat.next, 60), 11);
}

/* What was missed is told by the interval that was promised then. */
static void test_reload(void)
{
	struct heartbeat heartbeat;

	heartbeat_begin(&heartbeat, BEGIN, 600);
	CU_ASSERT_EQUAL(heartbeat_count(&heartbeat, BEGIN, 600), 1);
	CU_ASSERT_EQUAL(heartbeat_count(&heartbeat, BEGIN + 599, 10), 2);
	CU_ASSERT_EQUAL(heartbeat.next, BEGIN + 609);
	CU_ASSERT_EQUAL(heartbeat_count(&heartbeat, BEGIN + 630, 600), 5);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "numbers", test_numbers },
		{ "put off", test_put_off },
		{ "another interval", test_reload },
		{ NULL, NULL }
	};

	return unit_run("milter-heartbeat", tests);
}
