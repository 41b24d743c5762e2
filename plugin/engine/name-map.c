#include "lib.h"
#include "str.h"
#include "imap-utf7.h"
#include "name-map.h"

#include <ctype.h>

#define ESCAPE_CHAR '~'

static bool is_inbox(const char *name)
{
	return strcasecmp(name, "INBOX") == 0;
}

static const char *const *split(const char *name, char sep)
{
	const char seps[] = { sep, '\0' };
	const char **single;

	if (sep != '\0')
		return t_strsplit(name, seps);
	single = t_new(const char *, 2);
	single[0] = name;
	return single;
}

static bool looks_like_escape(const char *p)
{
	return p[0] == ESCAPE_CHAR && i_isxdigit(p[1]) && i_isxdigit(p[2]);
}

static void append_part(const struct name_map *map, const char *old_part,
			string_t *vname)
{
	const char escape_chars[] = { ESCAPE_CHAR, map->sep, '\0' };
	string_t *part = t_str_new(64);

	if (imap_utf7_to_utf8(old_part, part) < 0) {
		imap_utf7_to_utf8_escaped(old_part, escape_chars, vname);
		return;
	}
	for (const char *p = str_c(part); *p != '\0'; p++) {
		if (*p == map->sep || looks_like_escape(p))
			str_printfa(vname, "%c%02x", ESCAPE_CHAR, *p);
		else
			str_append_c(vname, *p);
	}
}

const char *name_map_from_old(const struct name_map *map, const char *old_name)
{
	size_t prefix_len = strlen(map->old_prefix);
	const char *const *parts;
	string_t *vname;

	if (is_inbox(old_name))
		return "INBOX";
	if (prefix_len > 0) {
		if (strncasecmp(old_name, map->old_prefix, prefix_len) != 0 ||
		    old_name[prefix_len] != map->old_sep ||
		    old_name[prefix_len] == '\0')
			return NULL;
		old_name += prefix_len + 1;
	}
	if (*old_name == '\0')
		return NULL;

	vname = t_str_new(128);
	str_append(vname, map->prefix);
	parts = split(old_name, map->old_sep);
	for (unsigned int i = 0; parts[i] != NULL; i++) {
		if (i > 0)
			str_append_c(vname, map->sep);
		append_part(map, parts[i], vname);
	}
	return str_c(vname);
}

const char *name_map_to_old(const struct name_map *map, const char *vname)
{
	const char *const *parts, *name, *back;
	string_t *old_name;

	if (is_inbox(vname))
		return "INBOX";
	if (!str_begins(vname, map->prefix))
		return NULL;
	name = vname + strlen(map->prefix);
	if (*name == '\0')
		return NULL;

	old_name = t_str_new(128);
	if (*map->old_prefix != '\0') {
		str_append(old_name, map->old_prefix);
		str_append_c(old_name, map->old_sep);
	}
	parts = split(name, map->sep);
	for (unsigned int i = 0; parts[i] != NULL; i++) {
		if (i > 0)
			str_append_c(old_name, map->old_sep);
		if (imap_escaped_utf8_to_utf7(parts[i], ESCAPE_CHAR,
					      old_name) < 0)
			return NULL;
	}
	/* the old separator in a name, an escape that needn't be one, another
	   spelling: it would come back under another name */
	back = strlen(str_c(old_name)) != str_len(old_name) ? NULL :
		name_map_from_old(map, str_c(old_name));
	return back != NULL && strcmp(back, vname) == 0 ?
		str_c(old_name) : NULL;
}
