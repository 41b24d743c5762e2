/*
 * milter-options: the command line of migration-milter
 */
#ifndef MILTER_OPTIONS_H
#define MILTER_OPTIONS_H

#include "milter-config.h"

#include <stdbool.h>

struct milter_options {
	const char *config_file;
	/* Stay in the foreground. */
	bool foreground;
	/* Only check the settings. */
	bool check;
	/* To standard error as well. */
	bool verbose;
	bool version;
	struct milter_overrides overrides;
};

/* -1 when it is wrong; what is wrong was said on standard error. */
int milter_options_parse(int argc, char *argv[],
			 struct milter_options *options_r);

#endif
