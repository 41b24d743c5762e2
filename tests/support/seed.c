/*
 * seed: fills an account over IMAP with generated folders and mail
 *
 * seed --imap HOST:PORT --user U --password P --messages N --folders N
 *      [--corpus small|medium|mixed|nasty] [--seed S] [--tricky-names]
 *      [--attachment MB]
 *
 * Half of the messages go to INBOX, the rest over the folders. Some are appended
 * and expunged at once, so that UIDs have holes. Folders and messages that the
 * server refuses are skipped and counted. Prints one line. Exits 0 when all went
 * well but refusals, 1 when the server failed, 64 for wrong usage.
 */
#include "corpus.h"
#include "imap-client.h"
#include "mutf7.h"
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define TIMEOUT_MS 60000
/* A MULTIAPPEND's size. */
#define BATCH_MESSAGES 200
#define BATCH_BYTES (4UL * 1024 * 1024)
/* One in so many is expunged again, leaving a hole. */
#define HOLE_EVERY 23
#define HOLES_FIRST 3
#define PIPELINE 16

struct folder {
	char *name;
	unsigned int messages;
};

struct seed {
	const char *hostport, *user, *password;
	struct corpus corpus;
	unsigned int messages, folders;
	bool tricky;

	struct imap_client *client;
	char prefix[256], separator;
	struct folder *boxes;
	unsigned int box_count;
	struct corpus_message msg;
	/* The number of the next message to make. */
	unsigned int next;
	unsigned int created, refused_folders, refused_messages, stored, holes;
	uint64_t bytes;
};

/* Smaller than any message of the corpus. */
static const char filler[] = "Subject: gone\r\n\r\ngone\r\n";

static void die(struct seed *seed, const char *what)
{
	fprintf(stderr, "seed: %s: %s: %s\n", seed->user, what,
		imap_error(seed->client));
	exit(EXIT_FAILURE);
}

/* The server's NO is a result; anything worse ends the program. */
static bool must_run(struct seed *seed, const char *what, unsigned int tag)
{
	enum imap_status status = imap_wait(seed->client, tag);

	if (status == IMAP_LOST)
		die(seed, what);
	return status == IMAP_OK;
}

static unsigned int
send_named(struct seed *seed, const char *command, const char *name)
{
	unsigned int tag = imap_start(seed->client);

	imap_text(seed->client, "%s ", command);
	imap_mailbox(seed->client, name);
	imap_end(seed->client);
	return tag;
}

static void take_namespace(struct seed *seed, const struct imap_arg *arg)
{
	/* ((prefix separator ...) ...) of the personal ones */
	if (arg == NULL || arg->child == NULL)
		return;
	arg = arg->child->child;
	if (arg == NULL || arg->type != IMAP_ARG_STRING)
		return;
	snprintf(seed->prefix, sizeof(seed->prefix), "%s", arg->data);
	if (arg->next != NULL && arg->next->type == IMAP_ARG_STRING)
		seed->separator = arg->next->data[0];
}

static void find_namespace(struct seed *seed)
{
	const struct imap_response *resp;
	const struct imap_arg *arg;

	imap_clear(seed->client);
	if (imap_has(seed->client, "NAMESPACE")) {
		must_run(seed, "NAMESPACE",
			 imap_send(seed->client, "NAMESPACE"));
		resp = imap_find(imap_untagged(seed->client), "NAMESPACE");
		if (resp != NULL)
			take_namespace(seed, resp->args);
	}
	if (seed->separator == '\0') {
		must_run(seed, "LIST",
			 imap_send(seed->client, "LIST \"\" \"\""));
		resp = imap_find(imap_untagged(seed->client), "LIST");
		arg = resp == NULL ? NULL : resp->args;
		if (arg != NULL && arg->next != NULL &&
		    arg->next->type == IMAP_ARG_STRING)
			seed->separator = arg->next->data[0];
	}
	imap_clear(seed->client);
}

static void add_box(struct seed *seed, char *name)
{
	seed->boxes = realloc(seed->boxes, (seed->box_count + 1) *
			      sizeof(*seed->boxes));
	if (seed->boxes == NULL)
		abort();
	seed->boxes[seed->box_count].name = name;
	seed->boxes[seed->box_count].messages = 0;
	seed->box_count++;
}

/* The server's name of a path; NULL when a level holds the separator. */
static char *server_name(const struct seed *seed, const char *path)
{
	char *full, *name, *p;

	if (strchr(path, seed->separator) != NULL)
		return NULL;
	if (asprintf(&full, "%s%s", seed->prefix, path) < 0)
		abort();
	for (p = full + strlen(seed->prefix); *p != '\0'; p++) {
		if (*p == '\n')
			*p = seed->separator;
	}
	name = mutf7_encode(full);
	free(full);
	return name;
}

static void try_folder(struct seed *seed, const char *path, bool subscribe,
		       bool count_refusal)
{
	char *name = server_name(seed, path);

	if (name == NULL ||
	    !must_run(seed, "CREATE", send_named(seed, "CREATE", name))) {
		if (count_refusal) {
			seed->refused_folders++;
			if (name == NULL) {
				fprintf(stderr, "seed: %s: the separator is in "
					"a name below %.*s\n", seed->user,
					(int)strcspn(path, "\n"), path);
			} else {
				fprintf(stderr, "seed: %s: CREATE %s refused: "
					"%s\n", seed->user, name,
					imap_error(seed->client));
			}
		}
		free(name);
		return;
	}
	seed->created++;
	if (subscribe &&
	    !must_run(seed, "SUBSCRIBE", send_named(seed, "SUBSCRIBE", name)))
		fprintf(stderr, "seed: %s: SUBSCRIBE %s refused: %s\n",
			seed->user, name, imap_error(seed->client));
	add_box(seed, name);
}

static void make_folders(struct seed *seed)
{
	static const char *const usual[] = { "Sent", "Drafts", "Trash" };
	unsigned int i;

	add_box(seed, strdup("INBOX"));
	must_run(seed, "SUBSCRIBE", send_named(seed, "SUBSCRIBE", "INBOX"));
	for (i = 0; i < 3; i++) {
		/* a NO means that it's there already */
		try_folder(seed, usual[i], true, false);
	}
	for (i = 0; i < seed->folders; i++) {
		try_folder(seed, corpus_folder(seed->corpus.seed, i,
					       seed->tricky),
			   i % 3 != 1, true);
	}
	imap_clear(seed->client);
}

static void spread_messages(struct seed *seed)
{
	unsigned int i, left = seed->messages, share;
	struct corpus_rng rng;

	if (seed->box_count == 1) {
		seed->boxes[0].messages = left;
		return;
	}
	seed->boxes[0].messages = left / 2;
	left -= left / 2;
	corpus_rng_init(&rng, seed->corpus.seed, UINT64_MAX);
	for (i = 1; i < seed->box_count && left > 0; i++) {
		share = left * 2 / (seed->box_count - i) + 1;
		share = corpus_rng_below(&rng, share + 1);
		if (i == seed->box_count - 1 || share > left)
			share = left;
		seed->boxes[i].messages = share;
		left -= share;
	}
}

/* Makes message n and hands it to the command under way. */
static bool add_message(struct seed *seed, unsigned int n)
{
	char date[IMAP_DATE_SIZE];

	corpus_make(&seed->corpus, n, &seed->msg);
	imap_format_date(seed->msg.instant, seed->msg.zone, date);
	return imap_append_add(seed->client, seed->msg.flags, date,
			       seed->msg.data, seed->msg.size);
}

static void count_single(struct seed *seed, unsigned int tag, unsigned int n)
{
	if (must_run(seed, "APPEND", tag)) {
		seed->stored++;
		return;
	}
	/* others have been made since */
	corpus_make(&seed->corpus, n, &seed->msg);
	seed->bytes -= seed->msg.size;
	seed->refused_messages++;
	fprintf(stderr, "seed: %s: message %u (%s) refused: %s\n", seed->user,
		n, seed->msg.kind, imap_error(seed->client));
}

/* Each message in an APPEND of its own, some of them under way at a time. */
static void append_singly(struct seed *seed, const char *box,
			  unsigned int first, unsigned int count)
{
	unsigned int tags[PIPELINE], sent, done = 0;

	for (sent = 0; sent < count; sent++) {
		if (sent - done == PIPELINE) {
			count_single(seed, tags[done % PIPELINE], first + done);
			done++;
		}
		tags[sent % PIPELINE] = imap_append_start(seed->client, box);
		(void)add_message(seed, first + sent);
		imap_end(seed->client);
		seed->bytes += seed->msg.size;
	}
	for (; done < sent; done++)
		count_single(seed, tags[done % PIPELINE], first + done);
}

/* One MULTIAPPEND of what fits, of at most max messages. */
static void append_batch(struct seed *seed, const char *box, unsigned int max)
{
	unsigned int tag, first = seed->next, count = 0;
	uint64_t size = 0;
	bool open = true;

	tag = imap_append_start(seed->client, box);
	while (open && count < max && count < BATCH_MESSAGES &&
	       size < BATCH_BYTES) {
		count++;
		open = add_message(seed, seed->next++);
		size += seed->msg.size;
		if (open && count % HOLE_EVERY == 0)
			open = imap_append_add(seed->client, NULL, NULL, filler,
					       sizeof(filler) - 1);
	}
	imap_end(seed->client);
	if (must_run(seed, "APPEND", tag)) {
		seed->stored += count;
		seed->bytes += size;
	} else {
		append_singly(seed, box, first, count);
	}
}

static void append_all(struct seed *seed, const char *box, unsigned int count)
{
	unsigned int end = seed->next + count;

	while (seed->next < end && imap_has(seed->client, "MULTIAPPEND"))
		append_batch(seed, box, end - seed->next);
	append_singly(seed, box, seed->next, end - seed->next);
	seed->next = end;
	imap_clear(seed->client);
}

/* So that the first UID isn't 1, also where batches carry no fillers. */
static void append_fillers(struct seed *seed, const char *box)
{
	unsigned int i, tags[HOLES_FIRST];

	for (i = 0; i < HOLES_FIRST; i++) {
		tags[i] = imap_append_send(seed->client, box, NULL, NULL,
					   filler, sizeof(filler) - 1);
	}
	for (i = 0; i < HOLES_FIRST; i++)
		must_run(seed, "APPEND", tags[i]);
}

/* The UIDs of a SEARCH answer as a set; the caller frees it. */
static char *join_uids(const struct imap_arg *arg, unsigned int *count_r)
{
	size_t size;
	char *set;
	FILE *out = open_memstream(&set, &size);

	if (out == NULL)
		abort();
	for (*count_r = 0; arg != NULL; arg = arg->next, ++*count_r)
		fprintf(out, "%s%s", *count_r == 0 ? "" : ",", arg->data);
	fclose(out);
	return set;
}

/* Expunges the fillers, known by their size, and nothing else. */
static void make_holes(struct seed *seed, const char *box)
{
	const struct imap_response *resp;
	struct imap_box opened;
	unsigned int count, store, expunge;
	char *set;

	if (imap_select(seed->client, box, &opened) != IMAP_OK)
		die(seed, "SELECT");
	imap_clear(seed->client);
	must_run(seed, "SEARCH", imap_send(seed->client, "UID SEARCH SMALLER "
					   "%zu", sizeof(filler) + 20));
	resp = imap_find(imap_untagged(seed->client), "SEARCH");
	set = join_uids(resp == NULL ? NULL : resp->args, &count);
	if (count > 0) {
		store = imap_send(seed->client, "UID STORE %s +FLAGS.SILENT "
				  "(\\Deleted)", set);
		expunge = imap_send(seed->client, "UID EXPUNGE %s", set);
		if (!must_run(seed, "STORE", store) ||
		    !must_run(seed, "EXPUNGE", expunge))
			die(seed, "expunging fillers");
	}
	free(set);
	seed->holes += count;
	imap_clear(seed->client);
}

static void fill_box(struct seed *seed, const struct folder *box)
{
	bool holes = imap_has(seed->client, "UIDPLUS") && box->messages > 0;

	if (holes)
		append_fillers(seed, box->name);
	append_all(seed, box->name, box->messages);
	if (holes)
		make_holes(seed, box->name);
}

static void usage(void)
{
	fprintf(stderr, "usage: seed --imap HOST:PORT --user U --password P "
		"--messages N --folders N\n"
		"            [--corpus small|medium|mixed|nasty] [--seed S] "
		"[--tricky-names]\n            [--attachment MB]\n");
	exit(64);
}

static uint64_t number(const char *str, uint64_t max)
{
	return option_number(str, 0, max, usage);
}

static void parse_options(struct seed *seed, int argc, char **argv)
{
	static const struct option options[] = {
		{ "imap", required_argument, NULL, 'i' },
		{ "user", required_argument, NULL, 'u' },
		{ "password", required_argument, NULL, 'p' },
		{ "messages", required_argument, NULL, 'm' },
		{ "folders", required_argument, NULL, 'f' },
		{ "corpus", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ "attachment", required_argument, NULL, 'a' },
		{ "tricky-names", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'i': seed->hostport = optarg; break;
		case 'u': seed->user = optarg; break;
		case 'p': seed->password = optarg; break;
		case 'm': seed->messages = (unsigned int)number(optarg, 10000000); break;
		case 'f': seed->folders = (unsigned int)number(optarg, 100000); break;
		case 's': seed->corpus.seed = number(optarg, UINT64_MAX); break;
		case 'a': seed->corpus.attachment = number(optarg, 900) << 20; break;
		case 't': seed->tricky = true; break;
		case 'c':
			if (corpus_set_parse(optarg, &seed->corpus.set))
				break;
			/* fall through */
		default: usage();
		}
	}
	if (seed->hostport == NULL || seed->user == NULL ||
	    seed->password == NULL || optind != argc)
		usage();
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char *argv[])
{
	struct seed seed = { .corpus = { .seed = 1 } };
	double start = now();
	const char *error;
	unsigned int i;

	parse_options(&seed, argc, argv);
	if (imap_open(seed.hostport, seed.user, seed.password, TIMEOUT_MS,
		      &seed.client, &error) < 0) {
		fprintf(stderr, "seed: %s: %s\n", seed.user, error);
		return EXIT_FAILURE;
	}
	find_namespace(&seed);
	make_folders(&seed);
	spread_messages(&seed);
	for (i = 0; i < seed.box_count; i++)
		fill_box(&seed, &seed.boxes[i]);
	imap_logout(&seed.client);
	printf("seed: user=%s folders=%u refused_folders=%u messages=%u "
	       "refused_messages=%u bytes=%llu holes=%u seconds=%.1f\n",
	       seed.user, seed.created, seed.refused_folders, seed.stored,
	       seed.refused_messages, (unsigned long long)seed.bytes,
	       seed.holes, now() - start);
	for (i = 0; i < seed.box_count; i++)
		free(seed.boxes[i].name);
	free(seed.boxes);
	corpus_message_free(&seed.msg);
	return EXIT_SUCCESS;
}
