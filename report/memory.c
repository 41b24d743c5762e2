#include "memory.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void out_of_memory(void)
{
	fprintf(stderr, "migration-report: out of memory\n");
	exit(EX_OSERR);
}

void *memory_resize(void *old, size_t count, size_t size)
{
	void *data = reallocarray(old, count == 0 ? 1 : count, size);

	if (data == NULL)
		out_of_memory();
	return data;
}

void *memory_chunk(size_t size)
{
	return memory_resize(NULL, 1, size);
}

void *memory_new(size_t size)
{
	void *data = calloc(1, size);

	if (data == NULL)
		out_of_memory();
	return data;
}

char *memory_copy(const char *str)
{
	char *copy = strdup(str);

	if (copy == NULL)
		out_of_memory();
	return copy;
}

void pool_init(pool_t *pool)
{
	obstack_init(pool);
}

void pool_clear(pool_t *pool)
{
	pool_deinit(pool);
	pool_init(pool);
}

void pool_deinit(pool_t *pool)
{
	obstack_free(pool, NULL);
}

void *pool_new(pool_t *pool, size_t size)
{
	return memset(obstack_alloc(pool, size), 0, size);
}

void *pool_array(pool_t *pool, size_t count, size_t size)
{
	/* what it's made of is in memory, so this doesn't overflow */
	return count == 0 ? NULL : pool_new(pool, count * size);
}

char *pool_copy(pool_t *pool, const void *data, size_t size)
{
	return obstack_copy0(pool, data, size);
}
