#include "lib.h"
#include "array.h"
#include "md5.h"
#include "old-budget.h"
#include "old-slots.h"

#include <fcntl.h>
#include <unistd.h>

/* bytes of the file for one server; a limit beyond is as good as this one */
#define MAX_LIMIT (1 << 20)
#define HOST_BITS 42

struct old_slots {
	int fd;
	/* of the server's first slot */
	off_t start;
	unsigned int limit;
	const struct old_budget *budget;
	ARRAY(unsigned int) taken;
};

/* Two servers may have the same place, which costs slots and nothing else. */
static off_t host_start(const char *host)
{
	unsigned char digest[MD5_RESULTLEN];
	uint64_t place = 0;
	const char *name = t_str_lcase(host);

	md5_get_digest(name, strlen(name), digest);
	for (unsigned int i = 0; i < sizeof(place); i++)
		place = place << 8 | digest[i];
	return (off_t)(place >> (64 - HOST_BITS)) * MAX_LIMIT;
}

static bool slot_lock(struct old_slots *slots, unsigned int slot, int type)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = slots->start + slot,
		.l_len = 1,
	};

	return fcntl(slots->fd, F_SETLK, &lock) == 0;
}

struct old_slots *
old_slots_init(int fd, const char *host, unsigned int limit,
	       const struct old_budget *budget)
{
	struct old_slots *slots = i_new(struct old_slots, 1);

	i_assert(fd != -1 || limit == 0);
	slots->fd = fd;
	slots->start = host_start(host);
	slots->limit = I_MIN(limit, MAX_LIMIT);
	slots->budget = budget;
	i_array_init(&slots->taken, 2);
	return slots;
}

void old_slots_keep(struct old_slots *slots, unsigned int count)
{
	unsigned int slot;

	while (array_count(&slots->taken) > count) {
		slot = *array_back(&slots->taken);
		(void)slot_lock(slots, slot, F_UNLCK);
		array_pop_back(&slots->taken);
	}
}

void old_slots_release(struct old_slots *slots)
{
	old_slots_keep(slots, 0);
}

void old_slots_deinit(struct old_slots **_slots)
{
	struct old_slots *slots = *_slots;

	*_slots = NULL;
	old_slots_release(slots);
	array_free(&slots->taken);
	i_free(slots);
}

static bool slot_is_own(const struct old_slots *slots, unsigned int slot)
{
	unsigned int own;

	array_foreach_elem(&slots->taken, own) {
		if (own == slot)
			return TRUE;
	}
	return FALSE;
}

static unsigned int share_of_limit(const struct old_slots *slots)
{
	unsigned int machines = slots->budget == NULL ? 1 :
		old_budget_share(slots->budget);

	return I_MAX(slots->limit / machines, 1);
}

static bool has_enough(const struct old_slots *slots, unsigned int count)
{
	return array_count(&slots->taken) >= count;
}

static void take_slot(struct old_slots *slots, unsigned int slot)
{
	/* to lock one's own once more would succeed */
	if (!slot_is_own(slots, slot) && slot_lock(slots, slot, F_WRLCK))
		array_push_back(&slots->taken, &slot);
}

/* From the end, where the others have none. */
unsigned int old_slots_want(struct old_slots *slots, unsigned int count)
{
	unsigned int slot = share_of_limit(slots);

	if (slots->limit == 0)
		return count;
	while (slot > 0 && !has_enough(slots, count))
		take_slot(slots, --slot);
	return array_count(&slots->taken);
}

static unsigned int reserved(unsigned int limit)
{
	return limit < 2 ? 0 : I_MAX(limit / 4, 1);
}

unsigned int old_slots_want_bulk(struct old_slots *slots, unsigned int count)
{
	unsigned int slot, limit = share_of_limit(slots);

	if (slots->limit == 0)
		return count;
	limit -= reserved(limit);
	for (slot = 0; slot < limit && !has_enough(slots, count); slot++)
		take_slot(slots, slot);
	return array_count(&slots->taken);
}
