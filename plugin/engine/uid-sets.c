#include "lib.h"
#include "str.h"
#include "uid-sets.h"

/* with room for the rest of the line, and for a range more */
#define SET_MAX_LEN 7000

static void add_set(ARRAY_TYPE(const_string) *sets, string_t *set)
{
	const char *copy = t_strdup(str_c(set));

	if (*copy != '\0')
		array_push_back(sets, &copy);
	str_truncate(set, 0);
}

void uid_sets(const ARRAY_TYPE(seq_range) *uids,
	      ARRAY_TYPE(const_string) *sets_r)
{
	string_t *set = t_str_new(256);
	const struct seq_range *range;

	t_array_init(sets_r, 4);
	array_foreach(uids, range) {
		if (str_len(set) > SET_MAX_LEN)
			add_set(sets_r, set);
		if (str_len(set) > 0)
			str_append_c(set, ',');
		str_printfa(set, "%u", range->seq1);
		if (range->seq1 != range->seq2)
			str_printfa(set, ":%u", range->seq2);
	}
	add_set(sets_r, set);
}
