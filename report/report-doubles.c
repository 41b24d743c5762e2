#include "report-doubles.h"
#include "memory.h"

/* Half full at most. */
#define SLOTS (2 * REPORT_DOUBLES_MIN)

/* Both generations of a slot lie side by side, so that a look at both is one
   access to memory. */
struct slot {
	/* 0 for a free one */
	uint64_t hash[2];
};

struct report_doubles {
	struct slot *slots;
	unsigned int young, used;
};

struct report_doubles *report_doubles_init(void)
{
	struct report_doubles *doubles = memory_new(sizeof(*doubles));

	doubles->slots = memory_new(SLOTS * sizeof(*doubles->slots));
	return doubles;
}

void report_doubles_deinit(struct report_doubles **_doubles)
{
	struct report_doubles *doubles = *_doubles;

	if (doubles == NULL)
		return;
	*_doubles = NULL;
	free(doubles->slots);
	free(doubles);
}

/* Where it is in a generation, or the free place where it belongs. */
static uint64_t *
find(struct report_doubles *doubles, unsigned int generation, uint64_t hash)
{
	uint64_t slot = hash % SLOTS, *place;

	for (;; slot = (slot + 1) % SLOTS) {
		place = &doubles->slots[slot].hash[generation];
		if (*place == 0 || *place == hash)
			return place;
	}
}

static void forget_old(struct report_doubles *doubles)
{
	unsigned int i, old = 1 - doubles->young;

	for (i = 0; i < SLOTS; i++)
		doubles->slots[i].hash[old] = 0;
	doubles->young = old;
	doubles->used = 0;
}

void report_doubles_prefetch(const struct report_doubles *doubles,
			     uint64_t hash)
{
	__builtin_prefetch(&doubles->slots[hash % SLOTS]);
}

bool report_doubles_seen(struct report_doubles *doubles, uint64_t hash)
{
	uint64_t *place;

	if (hash == 0)
		hash = 1;
	place = find(doubles, doubles->young, hash);
	if (*place != 0 || *find(doubles, 1 - doubles->young, hash) != 0)
		return true;
	*place = hash;
	if (++doubles->used == REPORT_DOUBLES_MIN)
		forget_old(doubles);
	return false;
}
