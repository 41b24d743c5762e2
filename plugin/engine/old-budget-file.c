#include "lib.h"
#include "md5.h"
#include "old-budget-file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* "migbudg1" */
#define MAGIC 0x6d69676275646731ULL

/*
 * The mapping
 */

/* Under a lock, which is lost with the process. The file never becomes shorter
   than others have it mapped, and has no holes that a full disk couldn't fill: that
   would kill them. */
static bool file_prepare(int fd, const char **error_r)
{
	struct stat st;

	if (flock(fd, LOCK_EX) < 0)
		*error_r = "flock() failed";
	else if (fstat(fd, &st) < 0)
		*error_r = "fstat() failed";
	else if (st.st_size > (off_t)sizeof(struct old_budget_map) &&
		 ftruncate(fd, sizeof(struct old_budget_map)) < 0)
		*error_r = "ftruncate() failed";
	else if ((errno = posix_fallocate(fd, 0,
				sizeof(struct old_budget_map))) != 0)
		*error_r = "posix_fallocate() failed";
	else
		return TRUE;
	return FALSE;
}

static bool map_is_empty(const struct old_budget_map *map)
{
	static const struct old_budget_map empty;

	return memcmp(map, &empty, sizeof(empty)) == 0;
}

static void map_begin(struct old_budget_map *map)
{
	if (map->magic == MAGIC)
		return;
	if (!map_is_empty(map)) {
		i_warning("migration: The file of what the old servers gave "
			  "was damaged, and is begun anew");
		memset(map, 0, sizeof(*map));
	}
	map->magic = MAGIC;
}

static struct old_budget_map *map_own(void)
{
	void *map = mmap(NULL, sizeof(struct old_budget_map),
			 PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		i_fatal_status(FATAL_OUTOFMEM, "mmap() failed: %m");
	return map;
}

struct old_budget_map *old_budget_map(int fd)
{
	struct old_budget_map *map = MAP_FAILED;
	const char *error = "mmap() failed";

	if (fd == -1)
		return map_own();
	if (file_prepare(fd, &error))
		map = mmap(NULL, sizeof(*map), PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		i_warning("migration: What the old servers give can't be "
			  "shared: %s: %m", error);
		map = map_own();
	}
	map_begin(map);
	(void)flock(fd, LOCK_UN);
	return map;
}

void old_budget_unmap(struct old_budget_map **_map)
{
	struct old_budget_map *map = *_map;

	*_map = NULL;
	if (munmap(map, sizeof(*map)) < 0)
		i_error("migration: munmap() failed: %m");
}

/*
 * Entries
 */

/* Never 0. */
static uint64_t server_key(const char *server)
{
	unsigned char digest[MD5_RESULTLEN];
	uint64_t key;

	md5_get_digest(server, strlen(server), digest);
	memcpy(&key, digest, sizeof(key));
	return key == 0 ? 1 : key;
}

/* Is it, or is it from now on, the entry of that key? */
static bool entry_has(struct old_budget_entry *entry, uint64_t key)
{
	uint64_t found = 0;

	return __atomic_compare_exchange_n(&entry->key, &found, key, FALSE,
					   __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED) || found == key;
}

struct old_budget_entry *
old_budget_find(struct old_budget_map *map, const char *server)
{
	uint64_t key = server_key(server);
	unsigned int i, start = key % OLD_BUDGET_ENTRIES;
	struct old_budget_entry *entry;

	for (i = 0; i < OLD_BUDGET_ENTRIES; i++) {
		entry = &map->entries[(start + i) % OLD_BUDGET_ENTRIES];
		if (entry_has(entry, key))
			return entry;
	}
	return &map->entries[start];
}
