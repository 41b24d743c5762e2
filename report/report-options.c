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
	OPTION_ACCOUNTS = 256,
	OPTION_HOURS,
	OPTION_HTML,
	OPTION_IGNORE,
	OPTION_JSON,
	OPTION_KNOWN,
	OPTION_PATIENCE,
	OPTION_POLL_AGE,
	OPTION_QUIET,
	OPTION_RETRY,
	OPTION_SINCE,
	OPTION_SPAM_COUNTS,
	OPTION_TTL,
	OPTION_UNTIL,
	OPTION_VERDICT
};

static const char short_options[] = "-d:fhj::n:s:vVy:z:";

static const struct option long_options[] = {
	{ "accounts", required_argument, NULL, OPTION_ACCOUNTS },
	{ "domain", required_argument, NULL, 'd' },
	{ "follow", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "hours", required_argument, NULL, OPTION_HOURS },
	{ "html", required_argument, NULL, OPTION_HTML },
	{ "ignore", required_argument, NULL, OPTION_IGNORE },
	{ "journal", optional_argument, NULL, 'j' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "known", required_argument, NULL, OPTION_KNOWN },
	{ "patience", required_argument, NULL, OPTION_PATIENCE },
	{ "poll-age", required_argument, NULL, OPTION_POLL_AGE },
	{ "quiet", required_argument, NULL, OPTION_QUIET },
	{ "retry", required_argument, NULL, OPTION_RETRY },
	{ "rows", required_argument, NULL, 'n' },
	{ "since", required_argument, NULL, OPTION_SINCE },
	{ "spam-counts", no_argument, NULL, OPTION_SPAM_COUNTS },
	{ "switched", required_argument, NULL, 's' },
	{ "ttl", required_argument, NULL, OPTION_TTL },
	{ "until", required_argument, NULL, OPTION_UNTIL },
	{ "verdict", required_argument, NULL, OPTION_VERDICT },
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
"      --verdict DOMAIN  say whether the old server may be cancelled, no more\n"
"For the verdicts:\n"
"      --quiet SPAN      for which nothing wanted may come (7d)\n"
"      --retry SPAN      the longest time for which senders retry (5d)\n"
"      --ttl SPAN        the largest TTL of MX and A (of event=dns)\n"
"      --poll-age SPAN   that the last look may be old (24h)\n"
"      --patience SPAN   for who sent there last, at most (30d)\n"
"      --spam-counts     it's wanted as well\n"
"      --ignore SOURCE, --known FILE   a network, a client's or a sender's\n"
"                        domain, local or clients: that don't count\n"
"      --accounts FILE   all there are, one a line\n"
"FILE: syslog, also compressed by gzip or xz; - or none is standard input.\n"
"TIME: 2026-11-22, \"2026-11-22 03:04\", 2026-11-22T03:04:05+01:00 or @seconds.\n"
"SPAN: 7d, 36h, 90m, 30s.\n";

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

static int64_t span_value(const char *name, const char *value)
{
	int64_t seconds;

	if (!verdict_options_span(value, &seconds))
		usage_error("--%s: \"%s\" isn't a span as 7d or 36h", name,
			    value);
	return seconds;
}

static void check_list(const char *path, int ret)
{
	if (ret == 0)
		return;
	fprintf(stderr, "migration-report: %s: %s\n", path, strerror(errno));
	exit(EX_NOINPUT);
}

/* false: it's another one. */
static bool take_verdict_option(struct verdict_options *options, int c)
{
	struct report_verdict_settings *set = &options->set;

	switch (c) {
	case OPTION_ACCOUNTS:
		check_list(optarg,
			   verdict_options_read_accounts(options, optarg));
		break;
	case OPTION_IGNORE: verdict_options_add_known(options, optarg); break;
	case OPTION_KNOWN:
		check_list(optarg,
			   verdict_options_read_known(options, optarg));
		break;
	case OPTION_PATIENCE:
		set->patience_s = span_value("patience", optarg);
		break;
	case OPTION_POLL_AGE:
		set->age_s = span_value("poll-age", optarg);
		break;
	case OPTION_QUIET: set->quiet_s = span_value("quiet", optarg); break;
	case OPTION_RETRY: set->retry_s = span_value("retry", optarg); break;
	case OPTION_SPAM_COUNTS: set->spam_counts = true; break;
	case OPTION_TTL: set->ttl_s = span_value("ttl", optarg); break;
	default:
		return false;
	}
	return true;
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
	case OPTION_VERDICT:
		options->verdict = true;
		options->domain = optarg;
		break;
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
		if (!take_verdict_option(&options->verdict_options, c))
			usage_error("see the options");
	}
}

static void check_follow(const struct report_options *options)
{
	size_t i;

	if (!options->follow)
		return;
	if (options->verdict || options->json || options->html != NULL || options->until != 0)
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
	verdict_options_init(&options->verdict_options);
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
	if (options->verdict && *options->domain == '\0')
		usage_error("--verdict: of which domain?");
	options->verdict_options.set.as_of = options->until;
	check_follow(options);
}

void report_options_deinit(struct report_options *options)
{
	verdict_options_deinit(&options->verdict_options);
	free(options->files);
	options->files = NULL;
}
