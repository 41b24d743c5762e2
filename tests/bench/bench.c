/*
 * bench PART [--rtt MS] [--corpus small|medium|folders|huge] [--tls]
 *       [--store sdbox|mdbox|maildir] [--messages N] [--runs N] [--users N]
 *       [--tools NAME,...] [--writers N] [--idlers N] [--port-base PORT]
 *       [--proxied] [--socket unix|inet] [--soak N]
 *
 * Measures one part and prints its figures. Most need root, for the lab. Exits
 * 0; 1 when something failed, 64 for wrong usage, 77 when this machine can't
 * have the lab.
 */
#include "bench.h"
#include "bench-lab.h"
#include "lab.h"
#include "options.h"
#include "process.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_BASE 23000

static const struct bench_part *const parts[] = {
	&bench_fill,
	&bench_verify,
	&bench_catchup,
	&bench_cutover,
	&bench_mirror,
	&bench_proxy,
	&bench_milter,
	&bench_report,
	NULL
};

static volatile pid_t child;

static void say(const char *fmt, va_list args)
{
	fprintf(stderr, "bench: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
}

void bench_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}

void bench_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	exit(EXIT_FAILURE);
}

static void usage(void)
{
	unsigned int i;

	fprintf(stderr, "usage: bench PART [--rtt MS] [--corpus "
		"small|medium|folders|huge]\n"
		"             [--tls] [--store sdbox|mdbox|maildir] "
		"[--messages N] [--runs N]\n"
		"             [--users N] [--tools NAME,...] [--writers N] "
		"[--idlers N]\n"
		"             [--port-base PORT] [--proxied] [--socket unix|inet] [--soak N]\n"
		"parts:");
	for (i = 0; parts[i] != NULL; i++)
		fprintf(stderr, " %s", parts[i]->name);
	fprintf(stderr, "\n");
	exit(64);
}

static unsigned int number(const char *str, unsigned int min, unsigned int max)
{
	return (unsigned int)option_number(str, min, max, usage);
}

static const char *store_name(const char *name)
{
	static const char *const names[] = { "sdbox", "mdbox", "maildir" };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (strcmp(name, names[i]) == 0)
			return names[i];
	}
	usage();
	return NULL;
}

static unsigned int socket_bits(const char *name)
{
	if (strcmp(name, "unix") == 0)
		return BENCH_UNIX;
	if (strcmp(name, "inet") != 0)
		usage();
	return BENCH_INET;
}

static void set_corpus(struct bench *bench, const char *name)
{
	const struct bench_corpus *corpus = bench_corpus_find(name);

	if (corpus == NULL)
		usage();
	bench->corpus = corpus->name;
	bench->corpus_set = corpus->set;
	bench->layout = corpus->layout;
}

static void parse_options(struct bench *bench, int argc, char **argv)
{
	static const struct option options[] = {
		{ "rtt", required_argument, NULL, 'd' },
		{ "corpus", required_argument, NULL, 'c' },
		{ "store", required_argument, NULL, 's' },
		{ "messages", required_argument, NULL, 'm' },
		{ "runs", required_argument, NULL, 'r' },
		{ "writers", required_argument, NULL, 'w' },
		{ "idlers", required_argument, NULL, 'i' },
		{ "port-base", required_argument, NULL, 'p' },
		{ "users", required_argument, NULL, 'u' },
		{ "tools", required_argument, NULL, 'T' },
		{ "tls", no_argument, NULL, 't' },
		{ "proxied", no_argument, NULL, 'x' },
		{ "socket", required_argument, NULL, 'k' },
		{ "soak", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'd': bench->rtt_ms = number(optarg, 0, 10000); break;
		case 'c': set_corpus(bench, optarg); break;
		case 's': bench->store = store_name(optarg); break;
		case 'm': bench->messages = number(optarg, 1, 10000000); break;
		case 'r': bench->runs = number(optarg, 1, BENCH_MAX_RUNS); break;
		case 'w': bench->writers = number(optarg, 1, 100); break;
		case 'i': bench->idlers = number(optarg, 0, 100); break;
		case 'p': bench->port_base = number(optarg, 1024, 65000); break;
		case 'u': bench->users = number(optarg, 1, 100); break;
		case 'T': bench->tools = optarg; break;
		case 't': bench->tls = true; break;
		case 'x': bench->proxied = true; break;
		case 'k': bench->sockets = socket_bits(optarg); break;
		case 'o': bench->soak = number(optarg, 100, 10000000); break;
		default: usage();
		}
	}
	if (optind != argc - 1)
		usage();
	bench->part = argv[optind];
}

static const struct bench_part *choose_part(struct bench *bench)
{
	const struct bench_part *part;
	unsigned int i;

	for (i = 0; parts[i] != NULL; i++) {
		if (strcmp(parts[i]->name, bench->part) == 0)
			break;
	}
	part = parts[i];
	if (part == NULL || (!part->any_layout &&
			     (bench->layout != BENCH_LAYOUT_LAB || bench->tls)))
		usage();
	if (bench->runs == 0)
		bench->runs = part->runs;
	if (bench->messages == 0)
		bench->messages = bench_corpus_find(bench->corpus)->messages;
	if (bench->messages == 0) {
		bench->messages = bench->corpus_set == CORPUS_MEDIUM ?
			part->messages_medium : part->messages_small;
	}
	return part;
}

static void pass_on(int signal)
{
	if (child > 0)
		(void)kill(child, signal);
}

static int run_part(const struct bench_part *part, struct bench *bench)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = pass_on,
				    .sa_flags = SA_RESTART };
	unsigned int i;
	int status;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_IGN);
		setvbuf(stdout, NULL, _IOLBF, 0);
		part->run(bench);
		if (bench->lab != NULL)
			bench_lab_check(bench);
		exit(EXIT_SUCCESS);
	}
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return EXIT_FAILURE;
	}
	child = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static void remove_folder(const char *folder)
{
	const char *const argv[] = {
		"rm", "-rf", "--one-file-system", folder, NULL
	};
	struct process_result result;

	if (process_run(argv, BENCH_TIMEOUT_MS, &result) < 0)
		bench_say("%s", result.output);
	process_result_free(&result);
}

int main(int argc, char *argv[])
{
	struct bench bench = {
		.corpus = "small",
		.store = "sdbox",
		.users = 1,
		.writers = 4,
		.idlers = 2,
		.port_base = PORT_BASE,
		.sockets = BENCH_UNIX | BENCH_INET,
	};
	char base[] = "/var/tmp/bench.XXXXXX", dir[sizeof(base) + 4];
	const struct bench_part *part;
	int status;

	parse_options(&bench, argc, argv);
	part = choose_part(&bench);
	if (!part->without_lab && geteuid() != 0) {
		bench_say("the lab needs root");
		return LAB_UNSUPPORTED;
	}
	if (mkdtemp(base) == NULL || chmod(base, 0755) < 0) {
		perror(base);
		return EXIT_FAILURE;
	}
	snprintf(dir, sizeof(dir), "%s/lab", base);
	bench.folder = base;
	bench.dir = dir;
	status = run_part(part, &bench);
	if (status == EXIT_FAILURE)
		bench_lab_explain(dir);
	bench_lab_end(dir);
	remove_folder(base);
	return status;
}
