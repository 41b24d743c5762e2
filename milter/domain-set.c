#include "domain-set.h"

#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct domain_set {
	/* in the order of strcmp() */
	char **names;
	size_t count, allocated;
};

struct domain_set *domain_set_init(void)
{
	return calloc(1, sizeof(struct domain_set));
}

void domain_set_deinit(struct domain_set **set)
{
	size_t i;

	if (*set == NULL)
		return;
	for (i = 0; i < (*set)->count; i++)
		free((*set)->names[i]);
	free((*set)->names);
	free(*set);
	*set = NULL;
}

static bool is_ascii(const char *name)
{
	for (; *name != '\0'; name++) {
		if ((unsigned char)*name >= 0x80)
			return false;
	}
	return true;
}

/* To its A-label; stays as it is when it has none. */
static void to_ascii(char name[DOMAIN_MAX + 1])
{
	uint8_t *label;

	if (idn2_lookup_u8((const uint8_t *)name, &label,
			   IDN2_NONTRANSITIONAL) != IDN2_OK)
		return;
	if (strlen((const char *)label) <= DOMAIN_MAX)
		strcpy(name, (const char *)label);
	idn2_free(label);
}

static bool
normalise(const char *name, size_t size, char name_r[DOMAIN_MAX + 1])
{
	char *p;

	if (size > 0 && name[size - 1] == '.')
		size--;
	if (size == 0 || size > DOMAIN_MAX ||
	    memchr(name, '\0', size) != NULL)
		return false;
	memcpy(name_r, name, size);
	name_r[size] = '\0';
	if (!is_ascii(name_r))
		to_ascii(name_r);
	for (p = name_r; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	}
	return true;
}

/* Labels of letters, digits, "-" and "_" between dots. */
static bool is_host_name(const char *name)
{
	static const char wanted[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t size;

	for (;; name += size + 1) {
		size = strspn(name, wanted);
		if (size == 0 || size > 63)
			return false;
		if (name[size] == '\0')
			return true;
		if (name[size] != '.')
			return false;
	}
}

/* Where it is, or would be. */
static size_t
find(const struct domain_set *set, const char *name, bool *found_r)
{
	size_t low = 0, high = set->count, middle;
	int order;

	*found_r = false;
	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, set->names[middle]);
		if (order == 0) {
			*found_r = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static bool make_room(struct domain_set *set)
{
	size_t wanted = set->allocated == 0 ? 16 : set->allocated * 2;
	char **names;

	if (set->count < set->allocated)
		return true;
	names = realloc(set->names, wanted * sizeof(*names));
	if (names == NULL)
		return false;
	set->names = names;
	set->allocated = wanted;
	return true;
}

const char *domain_set_add(struct domain_set *set, const char *name)
{
	char wanted[DOMAIN_MAX + 1], *copy;
	size_t place;
	bool found;

	if (!normalise(name, strlen(name), wanted) || !is_host_name(wanted))
		return "not a domain name";
	place = find(set, wanted, &found);
	if (found)
		return NULL;
	copy = strdup(wanted);
	if (copy == NULL || !make_room(set)) {
		free(copy);
		return "out of memory";
	}
	memmove(set->names + place + 1, set->names + place,
		(set->count - place) * sizeof(*set->names));
	set->names[place] = copy;
	set->count++;
	return NULL;
}

bool domain_set_has(const struct domain_set *set, const char *name,
		    size_t size)
{
	char wanted[DOMAIN_MAX + 1];
	bool found = false;

	if (normalise(name, size, wanted))
		find(set, wanted, &found);
	return found;
}

size_t domain_set_count(const struct domain_set *set)
{
	return set->count;
}
