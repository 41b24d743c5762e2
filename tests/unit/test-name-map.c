/* test-name-map: names of the two servers map one to one, both ways. */
#include "engine-unit.h"
#include "str.h"
#include "plugin/engine/name-map.h"

static const struct name_map maps[] = {
	{ '.', "", '/', "" },
	{ '/', "", '/', "" },
	{ '/', "", '.', "" },
	{ '.', "INBOX", '/', "" },
	{ '.', "INBOX", '.', "INBOX." },
	{ '/', "Mail", '/', "INBOX/" },
	{ '\0', "", '/', "" },
	{ '\\', "", '.', "" },
};
#define DOT_SLASH 0
#define SLASH_SLASH 1
#define SLASH_DOT 2
#define INBOX_PLAIN 3
#define INBOX_INBOX 4
#define MAIL_INBOX 5
#define FLAT 6

struct pair {
	unsigned int map;
	/* NULL: can't be said there */
	const char *old, *vname;
};

static const struct pair both[] = {
	{ DOT_SLASH, "INBOX", "INBOX" },
	{ DOT_SLASH, "a", "a" },
	{ DOT_SLASH, "a.b.c.d.e", "a/b/c/d/e" },
	{ DOT_SLASH, "a/b", "a~2fb" },
	{ DOT_SLASH, "a/b.c/d", "a~2fb/c~2fd" },
	{ DOT_SLASH, "INBOX.a", "INBOX/a" },
	{ SLASH_SLASH, "a/b", "a/b" },
	{ SLASH_SLASH, "a.b", "a.b" },
	{ SLASH_DOT, "a.b/c", "a~2eb.c" },
	{ SLASH_DOT, "~", "~" },
	{ SLASH_DOT, "~x", "~x" },
	{ SLASH_DOT, "~a", "~a" },
	{ SLASH_DOT, "~ab", "~7eab" },
	{ SLASH_DOT, "~AB", "~7eAB" },
	{ SLASH_DOT, "~~ab", "~~7eab" },
	{ SLASH_DOT, "~7eab", "~7e7eab" },
	{ SLASH_DOT, "100%", "100%" },
	{ SLASH_DOT, "%2f", "%2f" },
	{ SLASH_DOT, "*", "*" },
	{ SLASH_DOT, "Tom &- Bob", "Tom & Bob" },
	{ SLASH_DOT, "a ", "a " },
	{ SLASH_DOT, " a", " a" },
	{ SLASH_DOT, "a\"b\\c", "a\"b\\c" },
	{ SLASH_DOT, "Entw&APw-rfe", "Entw\xc3\xbcrfe" },
	{ SLASH_DOT, "&2D3egA-", "\xf0\x9f\x9a\x80" },
	{ SLASH_DOT, "&ZeVnLIqe-", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
	/* broken mUTF-7 */
	{ SLASH_DOT, "a&b", "a~26b" },
	{ SLASH_DOT, "&", "~26" },
	{ SLASH_DOT, "\xc3\xa4", "~c3~a4" },
	{ SLASH_DOT, "a&b.c", "a~26b~2ec" },
	{ SLASH_DOT, "&APw-\xc3\xa4", "\xc3\xbc~c3~a4" },
	{ SLASH_DOT, "&-\x7f" "x", "&~7fx" },
	{ SLASH_DOT, "\xab", "~ab" },
	{ SLASH_DOT, "&a2c-", "\xe6\xad\xa7" },
	{ SLASH_DOT, "&a2f-", "~26a2f-" },
	{ INBOX_PLAIN, "INBOX", "INBOX" },
	{ INBOX_PLAIN, "INBOX.Sent", "Sent" },
	{ INBOX_PLAIN, "INBOX.Sent.2020", "Sent/2020" },
	{ INBOX_PLAIN, "INBOX.INBOX", "~49NBOX" },
	{ INBOX_PLAIN, "INBOX.inbox", "~69nbox" },
	{ INBOX_PLAIN, "INBOX.INBOX.a", "~49NBOX/a" },
	{ INBOX_PLAIN, "INBOX.a.INBOX", "a/INBOX" },
	{ INBOX_INBOX, "INBOX.INBOX", "INBOX.INBOX" },
	{ MAIL_INBOX, "Mail/INBOX", "INBOX/INBOX" },
	{ INBOX_INBOX, "INBOX.Sent", "INBOX.Sent" },
	{ MAIL_INBOX, "Mail/Sent", "INBOX/Sent" },
	{ MAIL_INBOX, "INBOX", "INBOX" },
	{ FLAT, "a.b", "a.b" },
	{ FLAT, "a/b", "a~2fb" },
};

static const struct pair from_old[] = {
	{ DOT_SLASH, "inbox", "INBOX" },
	{ DOT_SLASH, "InBox", "INBOX" },
	{ DOT_SLASH, "", NULL },
	{ INBOX_PLAIN, "Sent", NULL },
	{ INBOX_PLAIN, "INBOXSent", NULL },
	{ INBOX_PLAIN, "INBOX.", NULL },
	{ INBOX_PLAIN, "inbox.Sent", "Sent" },
	{ MAIL_INBOX, "Mail", NULL },
	{ MAIL_INBOX, "Other/Sent", NULL },
	{ MAIL_INBOX, "mail/Sent", NULL },
};

static const struct pair to_old[] = {
	{ DOT_SLASH, "INBOX", "inbox" },
	{ DOT_SLASH, NULL, "" },
	{ DOT_SLASH, NULL, "a.b" },
	/* escapes that nobody needs */
	{ SLASH_DOT, NULL, "~61" },
	{ SLASH_DOT, NULL, "~00" },
	{ SLASH_DOT, NULL, "~2Fx" },
	{ SLASH_DOT, NULL, "a~2Eb" },
	{ SLASH_DOT, NULL, "a/b" },
	{ SLASH_DOT, NULL, "\xff" },
	{ SLASH_DOT, NULL, "\xc3" },
	{ MAIL_INBOX, NULL, "Sent" },
	{ MAIL_INBOX, NULL, "INBOX/" },
	{ INBOX_PLAIN, NULL, "INBOX/a" },
	{ FLAT, NULL, "a/b" },
};

static bool same(const char *s1, const char *s2)
{
	return s1 == NULL || s2 == NULL ? s1 == s2 : strcmp(s1, s2) == 0;
}

static void check_from_old(const struct pair *pair, unsigned int i)
{
	const char *got = name_map_from_old(&maps[pair->map], pair->old);

	UNIT_CHECK(same(got, pair->vname), "%u: %s became %s", i, pair->old,
		   got == NULL ? "nothing" : got);
}

static void check_to_old(const struct pair *pair, unsigned int i)
{
	const char *got = name_map_to_old(&maps[pair->map], pair->vname);

	UNIT_CHECK(same(got, pair->old), "%u: %s became %s", i, pair->vname,
		   got == NULL ? "nothing" : got);
}

static void test_tables(void)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(both); i++) {
		check_from_old(&both[i], i);
		check_to_old(&both[i], i);
	}
	for (i = 0; i < N_ELEMENTS(from_old); i++)
		check_from_old(&from_old[i], i);
	for (i = 0; i < N_ELEMENTS(to_old); i++)
		check_to_old(&to_old[i], i);
}

static const char *random_name(void)
{
	static const char *const pieces[] = {
		".", "/", "\\", "~", "~2f", "~7e", "~2e", "&", "&-", "&AOQ-",
		"&APw-", "&2D3egA-", "\xc3\xa4", "\xff", "a", "b", "2f", " ",
		"%", "*", "INBOX", "Mail", "f", "E4", "-", "+"
	};
	string_t *name = t_str_new(32);
	unsigned int i, count = 1 + engine_unit_rand(7);

	for (i = 0; i < count; i++)
		str_append(name, pieces[engine_unit_rand(N_ELEMENTS(pieces))]);
	return str_c(name);
}

/* Whatever the old server names a folder: no two get one name here. What comes
   back is the same, but for the case of a prefix and of INBOX. */
static void test_random_old(void)
{
	unsigned int mapped = 0;
	bool ok = TRUE;

	for (unsigned int i = 0; ok && i < 200000; i++) T_BEGIN {
		const struct name_map *map = &maps[i % N_ELEMENTS(maps)];
		const char *old = random_name(), *vname, *back;

		if (*map->old_prefix != '\0')
			old = t_strdup_printf("%s%c%s", map->old_prefix,
					      map->old_sep, old);
		vname = name_map_from_old(map, old);
		back = vname == NULL ? NULL : name_map_to_old(map, vname);
		if (vname != NULL)
			mapped++;
		/* NULL: it can't be forwarded, but isn't another's either */
		ok = UNIT_CHECK(vname == NULL || back == NULL ||
				strcmp(back, old) == 0,
				"map %zu: %s became %s, back %s",
				i % N_ELEMENTS(maps), old, vname, back);
		ok = ok && UNIT_CHECK(vname == NULL || back != NULL,
				      "map %zu: %s became %s, not back",
				      i % N_ELEMENTS(maps), old, vname);
	} T_END;
	CU_ASSERT(mapped > 100000);
}

static void test_random_new(void)
{
	unsigned int mapped = 0;
	bool ok = TRUE;

	for (unsigned int i = 0; ok && i < 200000; i++) T_BEGIN {
		const struct name_map *map = &maps[i % N_ELEMENTS(maps)];
		const char *vname = t_strconcat(map->prefix, random_name(),
						NULL);
		const char *old, *back;

		old = name_map_to_old(map, vname);
		if (old != NULL) {
			mapped++;
			back = name_map_from_old(map, old);
			ok = UNIT_CHECK(same(back, vname),
					"map %zu: %s became %s, back %s",
					i % N_ELEMENTS(maps), vname, old, back);
		}
	} T_END;
	CU_ASSERT(mapped > 20000);
}

static const struct unit_test tests[] = {
	{ "tables", test_tables },
	{ "random old names", test_random_old },
	{ "random new names", test_random_new },
	{ NULL, NULL }
};

int main(void)
{
	return engine_unit_run("name-map", tests);
}
