#include "report-strings.h"
#include "table.h"
#include "common/report-line.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define REPLACEMENT_SIZE 3

struct string {
	UT_hash_handle hh;
	/* raw, unless it isn't fit to be shown */
	const char *shown;
	char raw[];
};

struct strings {
	pool_t pool;
	struct string *table;
};

const char strings_none[] = "";

struct strings *strings_init(void)
{
	struct strings *strings = memory_new(sizeof(*strings));

	pool_init(&strings->pool);
	return strings;
}

void strings_deinit(struct strings **_strings)
{
	struct strings *strings = *_strings;

	if (strings == NULL)
		return;
	*_strings = NULL;
	HASH_CLEAR(hh, strings->table);
	pool_deinit(&strings->pool);
	free(strings);
}

/* The length of the character at p, 0 when it isn't to be shown. */
static size_t shown_length(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char first_from, first_to, second_from, second_to;
		size_t size;
	} forms[] = {
		/* RFC 3629, without C1 */
		{ 0xc2, 0xc2, 0xa0, 0xbf, 2 }, { 0xc3, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 }
	};
	size_t i, j;

	if (p[0] < 0x80)
		return p[0] >= ' ' && p[0] != 0x7f ? 1 : 0;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] < forms[i].first_from || p[0] > forms[i].first_to)
			continue;
		if (left < forms[i].size || p[1] < forms[i].second_from ||
		    p[1] > forms[i].second_to)
			return 0;
		for (j = 2; j < forms[i].size; j++) {
			if ((p[j] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].size;
	}
	return 0;
}

static bool is_shown(const unsigned char *p, size_t size)
{
	const unsigned char *end = p + size;
	size_t len;

	for (; p < end; p += len) {
		len = shown_length(p, (size_t)(end - p));
		if (len == 0)
			return false;
	}
	return true;
}

static const char *
make_shown(pool_t *pool, const unsigned char *p, size_t size)
{
	const unsigned char *end = p + size;
	size_t len;

	for (; p < end; p += len) {
		len = shown_length(p, (size_t)(end - p));
		if (len > 0) {
			obstack_grow(pool, p, len);
		} else {
			obstack_grow(pool, REPLACEMENT, REPLACEMENT_SIZE);
			len = 1;
		}
	}
	obstack_1grow(pool, '\0');
	return obstack_finish(pool);
}

const char *strings_get(struct strings *strings, const void *data, size_t size)
{
	struct string *string;

	if (size == 0)
		return strings_none;
	HASH_FIND(hh, strings->table, data, size, string);
	if (string == NULL) {
		string = pool_new(&strings->pool, sizeof(*string) + size + 1);
		memcpy(string->raw, data, size);
		string->shown = is_shown(data, size) ? string->raw :
			make_shown(&strings->pool, data, size);
		HASH_ADD_KEYPTR(hh, strings->table, string->raw, size, string);
	}
	return string->shown;
}

const char *strings_show(pool_t *pool, struct text text)
{
	const unsigned char *data = (const unsigned char *)text.data;

	return is_shown(data, text.size) ? pool_copy(pool, data, text.size) :
		make_shown(pool, data, text.size);
}

size_t text_to_lower(struct text text, char *to, size_t room)
{
	size_t i;

	if (text.size >= room)
		text.size = room - 1;
	for (i = 0; i < text.size; i++) {
		to[i] = text.data[i];
		if (to[i] >= 'A' && to[i] <= 'Z')
			to[i] = (char)(to[i] + ('a' - 'A'));
	}
	to[text.size] = '\0';
	return text.size;
}

const char *strings_get_lower(struct strings *strings, struct text text)
{
	char lower[REPORT_VALUE_MAX + 1];
	size_t size = text_to_lower(text, lower, sizeof(lower));

	return strings_get(strings, lower, size);
}

void text_keep(struct kept_text *kept, struct text text)
{
	if (text.size > kept->room) {
		kept->data = memory_resize(kept->data, text.size, 1);
		kept->room = text.size;
	}
	memcpy(kept->data, text.data, text.size);
	kept->size = text.size;
}
