/*
 * table: uthash with a fast hash that nobody outside can foresee
 *
 * What is looked up was chosen by strangers (senders, host names): with a known
 * hash they could put all of it into one bucket. So XXH3 takes a secret, which
 * differs in each run.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

uint64_t table_hash(const void *key, size_t size);

#define HASH_FUNCTION(key, size, hashv) \
	((hashv) = (unsigned int)table_hash(key, size))
#define uthash_fatal(msg) exit(EX_OSERR)
#include <stdlib.h>
#include <uthash.h>

#endif
