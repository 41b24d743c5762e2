#include "report-grammar.h"

#define PLAIN REPORT_ASCII_PLAIN

const unsigned char report_classes[256] = {
	['!'] = PLAIN,
	['#' ... '/'] = PLAIN,
	['0' ... '9'] = PLAIN | REPORT_DIGIT | REPORT_NAME_REST,
	[':' ... '<'] = PLAIN,
	['>' ... '['] = PLAIN,
	[']' ... '^'] = PLAIN,
	['_'] = PLAIN | REPORT_NAME_REST,
	['`'] = PLAIN,
	['a' ... 'z'] = PLAIN | REPORT_LOWER | REPORT_NAME_REST,
	['{' ... '~'] = PLAIN
};

/* The length of the name at the start, 0 for none. */
size_t report_name_length(const char *str, const char *end)
{
	const char *p = str;

	if (p == end || !report_is_lower(*p))
		return 0;
	while (p < end && report_is(*p, REPORT_NAME_REST))
		p++;
	return p - str > REPORT_NAME_MAX ? 0 : (size_t)(p - str);
}

bool report_is_name(const char *str)
{
	size_t size = strlen(str);

	return size > 0 && report_name_length(str, str + size) == size;
}

/* The length of a character of several bytes, 0 when it isn't valid UTF-8. */
static size_t multibyte_length(const unsigned char *p, size_t left)
{
	static const unsigned char second_from[] = {
		[0] = 0xa0, [0x10] = 0x90
	};
	unsigned char from = 0x80, to = 0xbf;
	size_t len, i;

	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < len)
		return 0;
	if (p[0] == 0xe0 || p[0] == 0xf0)
		from = second_from[p[0] - 0xe0];
	else if (p[0] == 0xed)
		to = 0x9f;
	else if (p[0] == 0xf4)
		to = 0x8f;
	if (p[1] < from || p[1] > to)
		return 0;
	for (i = 2; i < len; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return len;
}

/* The length of the plain character at p, 0 when it isn't one. */
size_t report_plain_length(const char *str, const char *end)
{
	const unsigned char *p = (const unsigned char *)str;
	size_t len;

	if (p[0] < 0x80)
		return report_is(*str, REPORT_ASCII_PLAIN) ? 1 : 0;
	len = multibyte_length(p, (size_t)(end - str));
	/* C1 control characters */
	if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return 0;
	return len;
}

bool report_has_key(const char *start, const char *end, const char *key,
		    size_t size)
{
	const char *p = start;

	/* "=" is escaped in values, so this can only be the key itself */
	while ((p = memchr(p, ' ', (size_t)(end - p))) != NULL) {
		p++;
		if ((size_t)(end - p) > size && memcmp(p, key, size) == 0 &&
		    p[size] == '=')
			return true;
	}
	return false;
}
