#include "bench-corpus.h"
#include "bench-lab.h"

#include <stdio.h>
#include <string.h>

static const struct bench_corpus corpora[] = {
	{ "small", CORPUS_SMALL, "small", BENCH_LAYOUT_LAB, 0 },
	{ "medium", CORPUS_MEDIUM, "medium", BENCH_LAYOUT_LAB, 0 },
	{ "folders", CORPUS_SMALL, "small", BENCH_LAYOUT_FOLDERS, 3000 },
	{ "huge", CORPUS_SMALL, "small", BENCH_LAYOUT_HUGE, 300000 },
};

const struct bench_corpus *bench_corpus_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(corpora) / sizeof(corpora[0]); i++) {
		if (strcmp(corpora[i].name, name) == 0)
			return &corpora[i];
	}
	return NULL;
}

static void create(struct imap_client *client, const char *name)
{
	if (imap_run(client, "CREATE %s", name) != IMAP_OK)
		bench_fail("CREATE %s: %s", name, imap_error(client));
	imap_clear(client);
}

void bench_corpus_folders(const struct bench *bench, unsigned int user,
			  unsigned int messages)
{
	struct imap_client *client;
	char name[16];
	unsigned int i;

	client = bench_imap(bench, "OLD_IMAP_DIRECT", user);
	for (i = 0; i < BENCH_FOLDERS; i++) {
		snprintf(name, sizeof(name), "folder%02u", i);
		create(client, name);
		bench_append(bench, client, name, messages / BENCH_FOLDERS);
	}
	imap_logout(&client);
}

/* The old server copies what it has, since it does that with links. */
static void make_huge(const struct bench *bench, unsigned int user,
		      unsigned int copies)
{
	const unsigned int part = bench->messages / BENCH_HUGE_PART;
	struct imap_client *client;
	struct imap_box box;
	unsigned int i;

	client = bench_imap(bench, "OLD_IMAP_DIRECT", user);
	create(client, "huge");
	bench_append(bench, client, "huge", part);
	if (imap_examine(client, "huge", &box) != IMAP_OK)
		bench_fail("EXAMINE: %s", imap_error(client));
	for (i = 1; i < copies; i++) {
		if (imap_run(client, "COPY 1:%u huge", part) != IMAP_OK)
			bench_fail("COPY: %s", imap_error(client));
		imap_clear(client);
	}
	imap_logout(&client);
}

void bench_corpus_up(struct bench *bench, unsigned int users,
		     const char *settings)
{
	const enum bench_layout layout = bench->layout;
	unsigned int i;

	if (layout == BENCH_LAYOUT_HUGE && users < 2)
		users = 2;
	bench_lab_up(bench, users,
		     layout == BENCH_LAYOUT_LAB ? bench->messages : 0,
		     settings);
	if (layout == BENCH_LAYOUT_LAB)
		return;
	bench_say("filling the old server");
	for (i = 0; i < users; i++) {
		if (layout == BENCH_LAYOUT_FOLDERS)
			bench_corpus_folders(bench, i, bench->messages);
		else
			make_huge(bench, i, i == 0 ? BENCH_HUGE_PART : 1);
	}
}
