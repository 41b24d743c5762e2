#include "corpus.h"
#include "corpus-kinds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define MEGABYTE (1024UL * 1024)
#define DAY 86400
#define LAST_INSTANT 2145830400LL	/* end of 2037 */
#define RECENT_FROM 1325376000LL	/* 2012 */
#define RECENT_DAYS 4600

bool corpus_set_parse(const char *name, enum corpus_set *set_r)
{
	static const char *const names[] = {
		"small", "medium", "mixed", "nasty"
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*set_r = (enum corpus_set)i;
			return true;
		}
	}
	return false;
}

static size_t size_small(struct corpus_rng *rng)
{
	return 600 + corpus_rng_below(rng, 7000);
}

/* Log-normal around 15 KB, so that the tail is long but ends. */
static size_t size_medium(struct corpus_rng *rng)
{
	double sum = 0, size;
	int i;

	for (i = 0; i < 12; i++)
		sum += corpus_rng_below(rng, 1000000) / 1e6;
	size = 15000 * exp((sum - 6) * 1.4);
	return size < 500 ? 500 : size > 2.0 * MEGABYTE ? 2 * MEGABYTE :
		(size_t)size;
}

static unsigned int kind_mixed(struct maker *maker)
{
	unsigned int dice = corpus_rng_below(&maker->rng, 100);

	maker->size = dice < 50 ? size_small(&maker->rng) :
		size_medium(&maker->rng);
	if (dice < 45)
		return KIND_PLAIN;
	if (dice < 85)
		return KIND_HTML;
	if (dice < 95)
		return KIND_ATTACHMENT;
	maker->size = size_small(&maker->rng);
	return KINDS_ODD + corpus_rng_below(&maker->rng,
					    corpus_kinds() - KINDS_ODD);
}

static unsigned int choose_kind(struct maker *maker)
{
	size_t attachment = maker->corpus->attachment;
	unsigned int kind;

	maker->size = size_small(&maker->rng);
	switch (maker->corpus->set) {
	case CORPUS_SMALL:
		kind = KIND_PLAIN;
		break;
	case CORPUS_MEDIUM:
		maker->size = size_medium(&maker->rng);
		kind = maker->size > 40000 ? KIND_ATTACHMENT :
			corpus_rng_below(&maker->rng, 2);
		break;
	case CORPUS_MIXED:
		kind = kind_mixed(maker);
		break;
	case CORPUS_NASTY:
		kind = maker->n % corpus_kinds();
		if (kind != KIND_ATTACHMENT)
			return kind;
		maker->size = maker->n != KIND_ATTACHMENT ?
			size_medium(&maker->rng) :
			attachment > 0 ? attachment : 20 * MEGABYTE;
		return kind;
	default:
		abort();
	}
	if (attachment > 0 && maker->n == 0) {
		maker->size = attachment;
		return KIND_ATTACHMENT;
	}
	return kind;
}

static void choose_date(struct maker *maker)
{
	static const int zones[] = {
		-720, -570, -480, -210, -60, 0, 0, 60, 120, 330, 345, 570, 765,
		840
	};
	bool any = maker->corpus->set == CORPUS_NASTY ||
		corpus_rng_below(&maker->rng, 50) == 0;

	maker->zone = zones[corpus_rng_below(&maker->rng, N_ELEMENTS(zones))];
	maker->instant = any ?
		DAY + DAY * (time_t)corpus_rng_below(&maker->rng,
						     LAST_INSTANT / DAY - 2) :
		RECENT_FROM + DAY * (time_t)corpus_rng_below(&maker->rng,
							    RECENT_DAYS);
	maker->instant += corpus_rng_below(&maker->rng, DAY);
}

static void choose_flags(struct maker *maker, char *flags, size_t size)
{
	static const struct {
		const char *name;
		unsigned int percent;
	} table[] = {
		{ "\\Seen", 60 }, { "\\Answered", 20 }, { "\\Flagged", 8 },
		{ "\\Deleted", 3 }, { "\\Draft", 2 }, { "$Forwarded", 5 },
		{ "$Label1", 5 }, { "NonJunk", 15 }
	};
	size_t i, used = 0;

	flags[0] = '\0';
	for (i = 0; i < N_ELEMENTS(table); i++) {
		if (corpus_rng_below(&maker->rng, 100) >= table[i].percent)
			continue;
		used += (size_t)snprintf(flags + used, size - used, "%s%s",
					 used == 0 ? "" : " ", table[i].name);
	}
}

void corpus_make(const struct corpus *corpus, unsigned int n,
		 struct corpus_message *msg)
{
	struct maker maker = {
		.corpus = corpus, .n = n,
		.text = { .data = msg->data, .size = msg->room }
	};
	unsigned int kind;

	corpus_rng_init(&maker.rng, corpus->seed, n + 1ULL);
	choose_flags(&maker, msg->flags, sizeof(msg->flags));
	choose_date(&maker);
	kind = choose_kind(&maker);
	msg->instant = maker.instant;
	msg->zone = maker.zone;
	msg->kind = corpus_kind_table[kind].name;
	corpus_kind_table[kind].make(&maker);
	msg->data = maker.text.data;
	msg->size = maker.text.used;
	msg->room = maker.text.size;
}

void corpus_message_free(struct corpus_message *msg)
{
	free(msg->data);
	memset(msg, 0, sizeof(*msg));
}
