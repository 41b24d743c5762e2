/*
 * unit: runs one CUnit suite and tells the result by the exit status
 *
 * A test program is a table of tests and
 *     int main(void) { return unit_run("name", tests); }
 * CUnit prints its summary. The status is 0 only when at least one test ran
 * and none failed.
 */
#ifndef UNIT_H
#define UNIT_H

#include <CUnit/CUnit.h>
#include <stdbool.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

/* The table ends in a NULL name. */
int unit_run(const char *suite, const struct unit_test *tests);

/* An assertion that says more than its text: UNIT_CHECK(ok, "case %zu", i). */
#define UNIT_CHECK(ok, ...) unit_check((ok), __FILE__, __LINE__, __VA_ARGS__)
bool unit_check(bool ok, const char *file, unsigned int line,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
