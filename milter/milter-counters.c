#include "milter-counters.h"

#include <stddef.h>
#include <sys/mman.h>

static _Atomic uint64_t *counters;

int milter_counters_init(void)
{
	void *shared = mmap(NULL, MILTER_COUNTS * sizeof(*counters),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return -1;
	counters = shared;
	return 0;
}

uint64_t milter_count_add(enum milter_count count, uint64_t more)
{
	return atomic_fetch_add(&counters[count], more) + more;
}

uint64_t milter_count_get(enum milter_count count)
{
	return atomic_load(&counters[count]);
}

int milter_count_swap(enum milter_count count, uint64_t expected,
		      uint64_t wanted)
{
	return atomic_compare_exchange_strong(&counters[count], &expected,
					      wanted);
}
