/*
 * make-log [LINES [EVERY [SEED [rfc3164]]]]: writes such a log (log-world.h) to
 * standard output, and what is in it to standard error.
 */
#include "log-world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char *argv[])
{
	struct log_world_settings settings = log_world_defaults;
	const struct log_world_counts *counts;
	struct log_world *world;
	char line[LOG_WORLD_LINE_MAX];
	size_t size;

	if (argc > 1)
		settings.lines = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		settings.every = (unsigned int)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		settings.seed = strtoull(argv[3], NULL, 10);
	settings.rfc3164 = argc > 4 && strcmp(argv[4], "rfc3164") == 0;
	if (settings.lines == 0 || settings.every == 0) {
		fprintf(stderr, "usage: make-log [LINES [EVERY [SEED [rfc3164]]]]\n");
		return 64;
	}
	world = log_world_init(&settings);
	while ((size = log_world_line(world, line)) > 0) {
		if (fwrite(line, size, 1, stdout) != 1)
			break;
	}
	counts = log_world_counts(world);
	fprintf(stderr, "lines=%llu report_lines=%llu wanted_old=%llu "
		"wanted_new=%llu spam_old=%llu spam_new=%llu switched=%lld\n",
		(unsigned long long)counts->lines,
		(unsigned long long)counts->report_lines,
		(unsigned long long)counts->wanted[0],
		(unsigned long long)counts->wanted[1],
		(unsigned long long)counts->spam[0],
		(unsigned long long)counts->spam[1],
		(long long)counts->switched);
	log_world_deinit(&world);
	return fflush(stdout) == 0 ? 0 : 1;
}
