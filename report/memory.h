/*
 * memory: memory that is always there
 *
 * When there's none left the program says so and exits with EX_OSERR: a report
 * made of half of the facts would be a wrong one. A pool is an obstack of glibc:
 * it's freed as a whole.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <obstack.h>
#include <stddef.h>
#include <stdlib.h>

/* As realloc(3) for count objects. */
void *memory_resize(void *old, size_t count, size_t size);
/* Zeroed. */
void *memory_new(size_t size);
char *memory_copy(const char *str);

/* For obstack. */
void *memory_chunk(size_t size);
#define obstack_chunk_alloc memory_chunk
#define obstack_chunk_free free

typedef struct obstack pool_t;

void pool_init(pool_t *pool);
/* Of all that was taken from it; it can be used again. */
void pool_clear(pool_t *pool);
void pool_deinit(pool_t *pool);
/* Zeroed. */
void *pool_new(pool_t *pool, size_t size);
/* An array of count, NULL for none. */
void *pool_array(pool_t *pool, size_t count, size_t size);
/* With a NUL added. */
char *pool_copy(pool_t *pool, const void *data, size_t size);

#endif
