#include "table.h"

#include <sys/random.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t secret;

static void __attribute__((constructor)) table_init(void)
{
	if (getrandom(&secret, sizeof(secret), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(secret))
		secret = (uint64_t)time(NULL) ^ (uint64_t)clock() << 32;
}

uint64_t table_hash(const void *key, size_t size)
{
	return XXH3_64bits_withSeed(key, size, secret);
}
