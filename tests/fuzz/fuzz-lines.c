/* fuzz-lines: the input as lines, for targets that take one at a time. */
#include "lib.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const *lines;
	static bool started = FALSE;

	if (!started)
		lib_init();
	started = TRUE;
	if (memchr(data, '\0', size) != NULL)
		return 0;
	T_BEGIN {
		lines = t_strsplit(t_strndup(data, size), "\n");
		for (; *lines != NULL; lines++)
			fuzz_line(*lines);
	} T_END;
	return 0;
}
