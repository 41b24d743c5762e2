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
/* The same with a folder for the tests' files: made from a template as
   mkdtemp(3) takes it, and removed with all that is in it. */
int unit_run_in(char *folder, const char *suite,
		const struct unit_test *tests);

/* An assertion that says more than its text: UNIT_CHECK(ok, "case %zu", i). What
   comes after ok is only looked at when that is false, and after it: it may be
   an error that ok's own call has set. */
#define UNIT_CHECK(ok, ...) \
	unit_result((ok) ? unit_pass(__FILE__, __LINE__) : \
		    unit_fail(__FILE__, __LINE__, __VA_ARGS__))
/* Count it; they return true, and false. */
bool unit_pass(const char *file, unsigned int line);
bool unit_fail(const char *file, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Unlike that of an operator, its value needn't be used. */
static inline bool unit_result(bool ok)
{
	return ok;
}

#endif
