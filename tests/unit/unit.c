#include "unit.h"

#include <CUnit/Basic.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_OPEN_FOLDERS 16

bool unit_pass(const char *file, unsigned int line)
{
	CU_assertImplementation(CU_TRUE, line, "", file, "", CU_FALSE);
	return true;
}

bool unit_fail(const char *file, unsigned int line, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CU_assertImplementation(CU_FALSE, line, text, file, "", CU_FALSE);
	return false;
}

static bool add_tests(const char *name, const struct unit_test *tests)
{
	CU_pSuite suite = CU_add_suite(name, NULL, NULL);

	if (suite == NULL)
		return false;
	for (; tests->name != NULL; tests++) {
		if (CU_add_test(suite, tests->name, tests->run) == NULL)
			return false;
	}
	return true;
}

int unit_run(const char *suite, const struct unit_test *tests)
{
	bool ok;

	if (CU_initialize_registry() != CUE_SUCCESS ||
	    !add_tests(suite, tests)) {
		fprintf(stderr, "%s: %s\n", suite, CU_get_error_msg());
		return 1;
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	ok = CU_basic_run_tests() == CUE_SUCCESS &&
		CU_get_number_of_tests_run() > 0 &&
		CU_get_number_of_failure_records() == 0;
	CU_cleanup_registry();
	return ok ? 0 : 1;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

int unit_run_in(char *folder, const char *suite,
		const struct unit_test *tests)
{
	int status;

	if (mkdtemp(folder) == NULL) {
		perror(folder);
		return 1;
	}
	status = unit_run(suite, tests);
	if (nftw(folder, remove_one, MAX_OPEN_FOLDERS,
		 FTW_DEPTH | FTW_PHYS) < 0) {
		perror(folder);
		return 1;
	}
	return status;
}
