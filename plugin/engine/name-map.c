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

/* INBOX is the only name without case. */
static bool has_old_prefix(const struct name_map *map, const char *old_name)
{
	const char *prefix = map->old_prefix;
	size_t len = strlen(prefix), inbox_len = strlen("INBOX");

	if (strncasecmp(prefix, "INBOX", inbox_len) != 0 ||
	    (prefix[inbox_len] != '\0' && prefix[inbox_len] != map->old_sep))
		inbox_len = 0;
	return strncasecmp(old_name, prefix, inbox_len) == 0 &&
		strncmp(old_name + inbox_len, prefix + inbox_len,
			len - inbox_len) == 0 &&
		old_name[len] == map->old_sep && old_name[len] != '\0';
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

/* imap_utf7_to_utf8() overlooks an 8-bit byte behind a '&' */
static bool from_mutf7(const char *name, string_t *utf8)
{
	for (const char *p = name; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			return FALSE;
	}
	return imap_utf7_to_utf8(name, utf8) == 0;
}

static void append_escaped(string_t *str, char c)
{
	str_printfa(str, "%c%02x", ESCAPE_CHAR, (unsigned char)c);
}

static string_t *decode(const struct name_map *map, const char *old_part)
{
	const char escape_chars[] = { ESCAPE_CHAR, map->sep, '\0' };
	string_t *utf8 = t_str_new(64), *part = t_str_new(64);

	if (!from_mutf7(old_part, utf8)) {
		/* as Dovecot's mailbox lists do */
		imap_utf7_to_utf8_escaped(old_part, escape_chars, part);
		return part;
	}
	for (const char *p = str_c(utf8); *p != '\0'; p++) {
		if (*p == map->sep || looks_like_escape(p))
			append_escaped(part, *p);
		else
			str_append_c(part, *p);
	}
	return part;
}

/* For another spelling of what mUTF-7 writes in one way only. */
static string_t *
escape_shifts(const struct name_map *map, const char *old_part)
{
	string_t *part = t_str_new(64);

	for (const char *p = old_part; *p != '\0'; p++) {
		if (*p == '&' || *p == ESCAPE_CHAR || *p == map->sep ||
		    (unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			append_escaped(part, *p);
		else
			str_append_c(part, *p);
	}
	return part;
}

static void append_part(const struct name_map *map, const char *old_part,
			string_t *vname)
{
	string_t *part = decode(map, old_part), *back = t_str_new(64);

	if (imap_escaped_utf8_to_utf7(str_c(part), ESCAPE_CHAR, back) < 0 ||
	    strcmp(str_c(back), old_part) != 0)
		part = escape_shifts(map, old_part);
	str_append_str(vname, part);
}

const char *name_map_from_old(const struct name_map *map, const char *old_name)
{
	const char *const *parts;
	string_t *vname;
	unsigned int i = 0;

	if (is_inbox(old_name))
		return "INBOX";
	if (*map->old_prefix != '\0') {
		if (!has_old_prefix(map, old_name))
			return NULL;
		old_name += strlen(map->old_prefix) + 1;
	}
	if (*old_name == '\0')
		return NULL;

	vname = t_str_new(128);
	str_append(vname, map->prefix);
	parts = split(old_name, map->old_sep);
	if (*map->old_prefix != '\0' && *map->prefix == '\0' &&
	    is_inbox(parts[0])) {
		/* a folder below the prefix, not the INBOX */
		append_escaped(vname, parts[0][0]);
		str_append(vname, parts[0] + 1);
		i++;
	}
	for (; parts[i] != NULL; i++) {
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
