#ifndef NAME_MAP_H
#define NAME_MAP_H

/*
 * name-map: folder names of the old server and of this one.
 *
 * The old server's are modified UTF-7 (RFC 3501 5.1.3) with its own hierarchy
 * separator, under the prefix of its personal namespace; ours are UTF-8 with
 * the separator and the prefix of our namespace. One to one in both
 * directions: what can't be said in our names (our separator inside a name,
 * broken mUTF-7) is written as ~XX, and a ~ only where it would be taken for
 * such an escape. A folder INBOX below the old prefix, where we have none, is
 * ~49NBOX: it isn't the INBOX.
 */

struct name_map {
	/* '\0': the old server has no hierarchy */
	char old_sep;
	/* without a separator at its end, "" for none (imapc_list_prefix) */
	const char *old_prefix;
	char sep;
	/* with its separator at the end, "" for none */
	const char *prefix;
};

/* Our name for the old server's. NULL when it isn't under the old prefix (the
   prefix itself included). Allocated from the data stack. */
const char *name_map_from_old(const struct name_map *map, const char *old_name);
/* The old server's name for ours, NULL when it can't have such a name. */
const char *name_map_to_old(const struct name_map *map, const char *vname);

#endif
