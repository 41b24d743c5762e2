#include "config.h"
#include "report-options.h"
#include "memory.h"
#include "syslog-time.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ROWS_DEFAULT 20
#define HOURS_DEFAULT 48

enum {
	OPTION_HOURS = 256,
	OPTION_HTML,
	OPTION_JSON,
	OPTION_SINCE,
	OPTION_UNTIL
};

static const char short_options[] = "-d:fhj::n:s:vVy:z:";

static const struct option long_options[] = {
	{ "domain", required_argument, NULL, 'd' },
	{ "follow", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "hours", required_argument, NULL, OPTION_HOURS },
	{ "html", required_argument, NULL, OPTION_HTML },
	{ "journal", optional_argument, NULL, 'j' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "rows", required_argument, NULL, 'n' },
	{ "since", required_argument, NULL, OPTION_SINCE },
	{ "switched", required_argument, NULL, 's' },
	{ "until", required_argument, NULL, OPTION_UNTIL },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "year", required_argument, NULL, 'y' },
	{ "zone", required_argument, NULL, 'z' },
	{ NULL, 0, NULL, 0 }
};

static const char usage_text[] =
"usage: migration-report [OPTION...] [FILE...]\n"
"  -d, --domain DOMAIN   only this domain\n"
"  -s, --switched TIME   when MX was switched (default: the first arrival at\n"
"                        the new server)\n"
"      --since TIME, --until TIME   only lines of that time\n"
"  -z, --zone ZONE       of times without one, in the FILEs that follow\n"
"  -y, --year YEAR       of the first line, in the FILEs that follow\n"
"  -j, --journal[=DIR]   read the systemd journal\n"
"  -f, --follow          stay, and show a live screen\n"
"  -n, --rows N          of each table (20; 0: all)\n"
"      --hours N         show the last N hours (48; 0: all)\n"
"      --json            JSON instead of text\n"
"      --html FILE       write a page there, besides\n"
"  -v, --verbose         show lines that can't be used, on standard error\n"
"  -h, --help; -V, --version\n"
"FILE: syslog, also compressed by gzip or xz; - or none is standard input.\n"
"TIME: 2026-11-22, \"2026-11-22 03:04\", 2026-11-22T03:04:05+01:00 or @seconds.\n";

static void __attribute__((format(printf, 1, 2), noreturn))
usage_error(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "migration-report: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n%s", usage_text);
	exit(EX_USAGE);
}

static int64_t time_value(const char *name, const char *value)
{
	int64_t time;

	if (!syslog_time_parse(value, &time) || time <= 0)
		usage_error("--%s: \"%s\" isn't a time", name, value);
	return time;
}

static size_t number_value(const char *name, const char *value, size_t max)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 ||
	    number > max)
		usage_error("--%s: \"%s\" isn't a number up to %zu", name,
			    value, max);
	return number;
}

static void add_file(struct report_options *options,
		     const struct report_file *file)
{
	options->files = memory_resize(options->files, options->files_count + 1,
				       sizeof(*options->files));
	options->files[options->files_count++] = *file;
}

static void take_option(struct report_options *options, int c,
			struct report_file *file)
{
	switch (c) {
	case 'd': options->domain = optarg; break;
	case 'f': options->follow = true; break;
	case 'j':
		options->journal = true;
		options->journal_folder = optarg;
		break;
	case 'n':
		options->text.rows = number_value("rows", optarg, 1000000000);
		break;
	case 's': options->switched = time_value("switched", optarg); break;
	case 'v': options->verbose = true; break;
	case 'y': file->year = (int)number_value("year", optarg, 9999); break;
	case 'z': file->zone = optarg; break;
	case OPTION_HOURS:
		options->text.hours = number_value("hours", optarg, 1000000000);
		break;
	case OPTION_HTML: options->html = optarg; break;
	case OPTION_JSON: options->json = true; break;
	case OPTION_SINCE: options->since = time_value("since", optarg); break;
	case OPTION_UNTIL: options->until = time_value("until", optarg); break;
	case 1:
		file->path = optarg;
		add_file(options, file);
		break;
	case 'h':
		printf("%s", usage_text);
		exit(EX_OK);
	case 'V':
		printf("migration-report (%s)\n", PACKAGE_STRING);
		exit(EX_OK);
	default:
		usage_error("see the options");
	}
}

static void check_follow(const struct report_options *options)
{
	size_t i;

	if (!options->follow)
		return;
	if (options->json || options->html != NULL || options->until != 0)
		usage_error("--follow is for the screen, and knows no end");
	for (i = 0; i < options->files_count; i++) {
		if (strcmp(options->files[i].path, "-") == 0)
			usage_error("--follow needs files or the journal, "
				    "not standard input");
	}
}

void report_options_parse(struct report_options *options, int argc,
			  char *argv[])
{
	struct report_file file = { NULL, NULL, 0 };
	int c;

	memset(options, 0, sizeof(*options));
	options->domain = "";
	options->text.rows = ROWS_DEFAULT;
	options->text.hours = HOURS_DEFAULT;
	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1)
		take_option(options, c, &file);
	for (; optind < argc; optind++) {
		file.path = argv[optind];
		add_file(options, &file);
	}
	if (options->files_count == 0 && !options->journal) {
		file.path = "-";
		add_file(options, &file);
	}
	check_follow(options);
}

void report_options_deinit(struct report_options *options)
{
	free(options->files);
	options->files = NULL;
}
