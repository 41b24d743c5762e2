/*
 * test-read-only: what the plugin leaves behind is an ordinary mail store (I7)
 *
 * Everything is cut over, then the new server runs without the plugin: it must
 * show the same. What a fill left half-way must not trouble it either.
 */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>

static void store_is_ordinary(const char *store)
{
	const char *const args[] = {
		"--store", store, "--users", "2", "--messages", "120",
		"--corpus", "mixed", NULL
	};
	struct snapshot *before, *with, *without;
	struct lab *lab;

	if (case_lab_up(args, CASE_MANUAL) != 0)
		return;
	lab = case_lab;
	before = case_snapshot("NEW", 0, true);
	case_migration("fill -u %s", case_user(0));
	case_migration("cutover -u %s", case_user(0));
	with = case_snapshot("NEW", 0, true);
	case_same(&before, &with, SNAPSHOT_IGNORE_UIDNEXT, "cut over");
	with = case_snapshot("NEW", 0, true);
	case_server("old", "stop", NULL);
	case_server("new", "restart", "--no-plugin");
	without = case_snapshot("NEW", 0, true);
	case_same(&with, &without, 0, "without the plugin");
	case_no_crash();
	case_lab_down(&lab);
}

static void sdbox_is_ordinary(void)
{
	store_is_ordinary("sdbox");
}

static const struct unit_test tests[] = {
	{ "sdbox is ordinary afterwards", sdbox_is_ordinary },
	{ NULL, NULL }
};

int main(void)
{
	const struct case_program program = {
		.name = "test-read-only",
		.tests = tests,
	};

	return case_main(&program);
}
