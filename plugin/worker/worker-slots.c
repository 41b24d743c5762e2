#include "lib.h"
#include "array.h"
#include "md5.h"
#include "worker-slots.h"

#include <fcntl.h>
#include <unistd.h>

/* bytes of the file for one server; a limit beyond is as good as this one */
#define MAX_LIMIT (1 << 20)
#define HOST_BITS 42

struct worker_slots {
	int fd;
	/* of the server's first slot */
	off_t start;
	unsigned int limit;
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

static bool slot_lock(struct worker_slots *slots, unsigned int slot, int type)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = slots->start + slot,
		.l_len = 1,
	};

	return fcntl(slots->fd, F_SETLK, &lock) == 0;
}

struct worker_slots *
worker_slots_init(int fd, const char *host, unsigned int limit)
{
	struct worker_slots *slots = i_new(struct worker_slots, 1);

	i_assert(fd != -1 || limit == 0);
	slots->fd = fd;
	slots->start = host_start(host);
	slots->limit = I_MIN(limit, MAX_LIMIT);
	i_array_init(&slots->taken, 2);
	return slots;
}

void worker_slots_release(struct worker_slots *slots)
{
	unsigned int slot;

	array_foreach_elem(&slots->taken, slot)
		(void)slot_lock(slots, slot, F_UNLCK);
	array_clear(&slots->taken);
}

void worker_slots_deinit(struct worker_slots **_slots)
{
	struct worker_slots *slots = *_slots;

	*_slots = NULL;
	worker_slots_release(slots);
	array_free(&slots->taken);
	i_free(slots);
}

static bool slot_is_own(const struct worker_slots *slots, unsigned int slot)
{
	unsigned int own;

	array_foreach_elem(&slots->taken, own) {
		if (own == slot)
			return TRUE;
	}
	return FALSE;
}

unsigned int worker_slots_want(struct worker_slots *slots, unsigned int count)
{
	unsigned int slot;

	if (slots->limit == 0)
		return count;
	for (slot = 0; slot < slots->limit &&
	     array_count(&slots->taken) < count; slot++) {
		/* to lock one's own once more would succeed */
		if (!slot_is_own(slots, slot) &&
		    slot_lock(slots, slot, F_WRLCK))
			array_push_back(&slots->taken, &slot);
	}
	return array_count(&slots->taken);
}
