/* test-mirror-backoff: each time later, never too late, never all together. */
#include "engine-unit.h"
#include "plugin/engine/mirror-backoff.h"

#define ROUNDS 20

/* Is it that delay, and what chance may add? */
static void check(unsigned int round, unsigned int msecs, unsigned int expected)
{
	UNIT_CHECK(msecs >= expected && msecs <= expected + expected / 4,
		   "%u: %u instead of %u", round, msecs, expected);
}

static void test_later(void)
{
	struct mirror_backoff backoff = { .msecs = 0 };
	unsigned int i, expected = MIRROR_BACKOFF_MIN_MSECS;

	for (i = 0; i < ROUNDS; i++) {
		check(i, mirror_backoff_failed(&backoff, 0, FALSE), expected);
		expected = I_MIN(expected * 2, MIRROR_BACKOFF_MAX_MSECS);
	}
	CU_ASSERT_EQUAL(expected, MIRROR_BACKOFF_MAX_MSECS);
}

static void test_refused(void)
{
	struct mirror_backoff backoff = { .msecs = 0 };
	unsigned int i, expected = MIRROR_BACKOFF_REFUSED_MIN_MSECS;

	for (i = 0; i < ROUNDS; i++) {
		check(i, mirror_backoff_failed(&backoff, 0, TRUE), expected);
		expected = I_MIN(expected * 2, MIRROR_BACKOFF_REFUSED_MAX_MSECS);
	}
	/* the password is right again, and the server away */
	check(i, mirror_backoff_failed(&backoff, 0, FALSE),
	      MIRROR_BACKOFF_MAX_MSECS);
}

static void test_lived(void)
{
	struct mirror_backoff backoff = { .msecs = 0 };

	check(0, mirror_backoff_failed(&backoff, 100000, FALSE),
	      MIRROR_BACKOFF_MIN_MSECS);
	/* accepted and dropped at once */
	check(1, mirror_backoff_failed(&backoff, 1, FALSE),
	      MIRROR_BACKOFF_MIN_MSECS * 2);
	check(2, mirror_backoff_failed(&backoff,
				       MIRROR_BACKOFF_MIN_MSECS * 2 - 1, FALSE),
	      MIRROR_BACKOFF_MIN_MSECS * 4);
	check(3, mirror_backoff_failed(&backoff,
				       MIRROR_BACKOFF_MIN_MSECS * 4, FALSE),
	      MIRROR_BACKOFF_MIN_MSECS);
}

static void test_chance(void)
{
	unsigned int first = 0, i;
	bool differs = FALSE;

	for (i = 0; i < ROUNDS; i++) {
		struct mirror_backoff backoff = { .msecs = 0 };
		unsigned int msecs = mirror_backoff_failed(&backoff, 0, FALSE);

		differs = differs || (i > 0 && msecs != first);
		first = msecs;
	}
	CU_ASSERT_TRUE(differs);
}

static const struct unit_test tests[] = {
	{ "each time later", test_later },
	{ "login refused", test_refused },
	{ "begins anew", test_lived },
	{ "by chance", test_chance },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("mirror-backoff", tests);
}
