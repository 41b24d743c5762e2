#ifndef OLD_BUDGET_FILE_H
#define OLD_BUDGET_FILE_H

/*
 * old-budget-file: the file of old-budget.h as it is mapped (mmap(2),
 * MAP_SHARED): a header, and an entry for each old server.
 *
 * An entry is found by the server's name. Should the table be full, or two names
 * be one to it, servers share an entry, which costs speed and nothing else. Each
 * member is changed by atomic operations of its own; none depends on another.
 */

#include <stdint.h>

#define OLD_BUDGET_ENTRIES 255
#define OLD_BUDGET_DAY_BITS 44
#define OLD_BUDGET_STEP_BITS 8

struct old_budget_entry {
	/* hash of the server's name, 0: free */
	uint64_t key;
	/* rate: unix microseconds until which what was read is enough */
	uint64_t read_until;
	/* OLD_BUDGET_DAY_BITS of bytes, above them the day */
	uint64_t day;
	/* OLD_BUDGET_STEP_BITS: how often in a row; above them the unix
	   milliseconds before which nobody connects */
	uint64_t back_off;
	/* that processes on two processors don't hinder each other */
	uint64_t unused[4];
};

struct old_budget_map {
	uint64_t magic;
	/* machines that share the limits; 0 is 1 */
	uint64_t machines;
	uint64_t unused[6];
	struct old_budget_entry entries[OLD_BUDGET_ENTRIES];
};

/* Never fails: what can't be shared is this process's own, with a warning. */
struct old_budget_map *old_budget_map(int fd);
void old_budget_unmap(struct old_budget_map **map);

struct old_budget_entry *
old_budget_find(struct old_budget_map *map, const char *server);

#endif
