#include "milter-options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: migration-milter [-fnvV] [-c file] [-p socket] "
	      "[-P pid-file] [-u user[:group]]\n", stderr);
}

int milter_options_parse(int argc, char *argv[],
			 struct milter_options *options_r)
{
	int c;

	memset(options_r, 0, sizeof(*options_r));
	options_r->config_file = MILTER_CONFIG_FILE;
	while ((c = getopt(argc, argv, "c:fnp:P:u:vV")) != -1) {
		switch (c) {
		case 'c':
			options_r->config_file = optarg;
			break;
		case 'f':
			options_r->foreground = true;
			break;
		case 'n':
			options_r->check = true;
			break;
		case 'p':
			options_r->overrides.socket = optarg;
			break;
		case 'P':
			options_r->overrides.pid_file = optarg;
			break;
		case 'u':
			options_r->overrides.user = optarg;
			break;
		case 'v':
			options_r->verbose = true;
			break;
		case 'V':
			options_r->version = true;
			break;
		default:
			usage();
			return -1;
		}
	}
	if (optind < argc) {
		usage();
		return -1;
	}
	return 0;
}
