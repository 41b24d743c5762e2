/*
 * snapshot: takes pictures of accounts and compares them
 *
 * snapshot --imap HOST:PORT --user U --password P [--pop3 HOST:PORT]
 *          [--no-bodies] [--select] --save FILE
 * snapshot --compare A B [--ignore-uidnext] [--ignore-special-use]
 *          [--ignore-subscriptions] [--ignore-pop3]
 *
 * Prints a line for each difference and one with the counts. Exits 0 when equal
 * (or saved), 1 when different, 2 in trouble, 64 for wrong usage.
 */
#include "snapshot.h"

#include <getopt.h>
#include <stdlib.h>

#define TIMEOUT_MS 120000
#define EXIT_TROUBLE 2
#define EXIT_USAGE 64

struct options {
	struct snapshot_source source;
	const char *save, *before, *after;
	unsigned int ignore;
};

static int usage(void)
{
	fprintf(stderr,
		"usage: snapshot --imap HOST:PORT --user U --password P "
		"[--pop3 HOST:PORT]\n"
		"                [--no-bodies] [--select] --save FILE\n"
		"       snapshot --compare A B [--ignore-uidnext] "
		"[--ignore-special-use]\n"
		"                [--ignore-subscriptions] [--ignore-pop3]\n");
	return EXIT_USAGE;
}

static bool parse_options(struct options *opt, int argc, char **argv)
{
	static const struct option options[] = {
		{ "imap", required_argument, NULL, 'i' },
		{ "pop3", required_argument, NULL, 'o' },
		{ "user", required_argument, NULL, 'u' },
		{ "password", required_argument, NULL, 'p' },
		{ "save", required_argument, NULL, 's' },
		{ "compare", required_argument, NULL, 'c' },
		{ "no-bodies", no_argument, NULL, 'b' },
		{ "select", no_argument, NULL, 'e' },
		{ "ignore-uidnext", no_argument, NULL, 'n' },
		{ "ignore-special-use", no_argument, NULL, 'l' },
		{ "ignore-subscriptions", no_argument, NULL, 'r' },
		{ "ignore-pop3", no_argument, NULL, '3' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'i': opt->source.imap = optarg; break;
		case 'o': opt->source.pop3 = optarg; break;
		case 'u': opt->source.user = optarg; break;
		case 'p': opt->source.password = optarg; break;
		case 's': opt->save = optarg; break;
		case 'c': opt->before = optarg; break;
		case 'b': opt->source.flags |= SNAPSHOT_NO_BODIES; break;
		case 'e': opt->source.flags |= SNAPSHOT_SELECT; break;
		case 'n': opt->ignore |= SNAPSHOT_IGNORE_UIDNEXT; break;
		case 'l': opt->ignore |= SNAPSHOT_IGNORE_SPECIAL_USE; break;
		case 'r': opt->ignore |= SNAPSHOT_IGNORE_SUBSCRIPTIONS; break;
		case '3': opt->ignore |= SNAPSHOT_IGNORE_POP3; break;
		default: return false;
		}
	}
	if (opt->before != NULL) {
		opt->after = argv[optind];
		return opt->save == NULL && argc == optind + 1;
	}
	return opt->save != NULL && opt->source.imap != NULL &&
		opt->source.user != NULL && opt->source.password != NULL &&
		argc == optind;
}

static int trouble(const char *what, const char *error)
{
	fprintf(stderr, "snapshot: %s: %s\n", what, error);
	return EXIT_TROUBLE;
}

static int save(const struct options *opt)
{
	struct snapshot *snapshot;
	const char *error;
	size_t i, errors = 0;
	int ret = EXIT_SUCCESS;

	if (snapshot_take(&opt->source, &snapshot, &error) < 0)
		return trouble(opt->source.user, error);
	for (i = 0; i < snapshot->count; i++) {
		if (snapshot->folders[i].error == NULL)
			continue;
		errors++;
		ret = trouble(snapshot->folders[i].name,
			      snapshot->folders[i].error);
	}
	if (snapshot_save(snapshot, opt->save, &error) < 0)
		ret = trouble(opt->save, error);
	printf("snapshot: user=%s folders=%zu messages=%llu errors=%zu\n",
	       opt->source.user, snapshot->count,
	       (unsigned long long)snapshot_messages(snapshot), errors);
	snapshot_free(&snapshot);
	return ret;
}

static int compare(const struct options *opt)
{
	struct snapshot *before, *after;
	struct snapshot_diff diff;
	const char *error;
	bool equal;

	if (snapshot_load(opt->before, &before, &error) < 0)
		return trouble(opt->before, error);
	if (snapshot_load(opt->after, &after, &error) < 0) {
		snapshot_free(&before);
		return trouble(opt->after, error);
	}
	equal = snapshot_compare(before, after, opt->ignore, stdout, &diff);
	printf("snapshot: lost=%llu doubled=%llu added=%llu changed=%llu "
	       "folders_lost=%llu folders_added=%llu folders_changed=%llu\n",
	       (unsigned long long)diff.lost,
	       (unsigned long long)diff.doubled,
	       (unsigned long long)diff.added,
	       (unsigned long long)diff.changed,
	       (unsigned long long)diff.folders_lost,
	       (unsigned long long)diff.folders_added,
	       (unsigned long long)diff.folders_changed);
	snapshot_free(&before);
	snapshot_free(&after);
	return equal ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	struct options opt = { .source = { .timeout_ms = TIMEOUT_MS } };

	if (!parse_options(&opt, argc, argv))
		return usage();
	return opt.before != NULL ? compare(&opt) : save(&opt);
}
