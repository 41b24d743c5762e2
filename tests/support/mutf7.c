#include "mutf7.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char base64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

struct bits {
	uint32_t value;
	unsigned int count;
};

/* Decodes one character; returns its length or 0 for invalid bytes. */
static size_t utf8_get(const char *str, uint32_t *chr_r)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)str;
	size_t len, i;
	uint32_t chr;

	if (p[0] < 0x80) {
		*chr_r = p[0];
		return 1;
	}
	len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	chr = p[0] & (0x7fU >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		chr = chr << 6 | (p[i] & 0x3f);
	}
	if (chr < lowest[len] || chr > 0x10ffff ||
	    (chr >= 0xd800 && chr < 0xe000))
		return 0;
	*chr_r = chr;
	return len;
}

static char *utf8_put(char *to, uint32_t chr)
{
	if (chr < 0x80) {
		*to++ = (char)chr;
	} else if (chr < 0x800) {
		*to++ = (char)(0xc0 | chr >> 6);
		*to++ = (char)(0x80 | (chr & 0x3f));
	} else if (chr < 0x10000) {
		*to++ = (char)(0xe0 | chr >> 12);
		*to++ = (char)(0x80 | (chr >> 6 & 0x3f));
		*to++ = (char)(0x80 | (chr & 0x3f));
	} else {
		*to++ = (char)(0xf0 | chr >> 18);
		*to++ = (char)(0x80 | (chr >> 12 & 0x3f));
		*to++ = (char)(0x80 | (chr >> 6 & 0x3f));
		*to++ = (char)(0x80 | (chr & 0x3f));
	}
	return to;
}

static char *put_unit(char *to, struct bits *bits, uint32_t unit)
{
	bits->value = bits->value << 16 | unit;
	bits->count += 16;
	while (bits->count >= 6) {
		bits->count -= 6;
		*to++ = base64[bits->value >> bits->count & 0x3f];
	}
	return to;
}

static char *end_shift(char *to, struct bits *bits)
{
	if (bits->count > 0)
		*to++ = base64[bits->value << (6 - bits->count) & 0x3f];
	*to++ = '-';
	return to;
}

char *mutf7_encode(const char *utf8)
{
	/* worst case: one byte becomes "&AAA-" */
	char *name = malloc(strlen(utf8) * 5 + 1), *to = name;
	struct bits bits = { 0, 0 };
	bool shifted = false;
	uint32_t chr;
	size_t len;

	for (; name != NULL && *utf8 != '\0'; utf8 += len) {
		len = utf8_get(utf8, &chr);
		if (len == 0) {
			free(name);
			return NULL;
		}
		if (chr >= 0x20 && chr < 0x7f) {
			if (shifted)
				to = end_shift(to, &bits);
			shifted = false;
			*to++ = (char)chr;
			if (chr == '&')
				*to++ = '-';
			continue;
		}
		if (!shifted) {
			*to++ = '&';
			shifted = true;
			memset(&bits, 0, sizeof(bits));
		}
		if (chr >= 0x10000) {
			chr -= 0x10000;
			to = put_unit(to, &bits, 0xd800 + (chr >> 10));
			chr = 0xdc00 + (chr & 0x3ff);
		}
		to = put_unit(to, &bits, chr);
	}
	if (name == NULL)
		return NULL;
	if (shifted)
		to = end_shift(to, &bits);
	*to = '\0';
	return name;
}

/* Decodes after "&" to the "-"; returns what follows, NULL for nonsense. */
static const char *decode_shift(const char *from, char **to)
{
	struct bits bits = { 0, 0 };
	uint32_t unit, high = 0;
	const char *digit;

	for (; *from != '-'; from++) {
		if (*from == '\0' || (digit = strchr(base64, *from)) == NULL)
			return NULL;
		bits.value = bits.value << 6 | (uint32_t)(digit - base64);
		bits.count += 6;
		if (bits.count < 16)
			continue;
		bits.count -= 16;
		unit = bits.value >> bits.count & 0xffff;
		if (high != 0) {
			if (unit < 0xdc00 || unit > 0xdfff)
				return NULL;
			*to = utf8_put(*to, 0x10000 + ((high - 0xd800) << 10) +
				       (unit - 0xdc00));
			high = 0;
		} else if (unit >= 0xd800 && unit < 0xdc00) {
			high = unit;
		} else if (unit == 0 || (unit >= 0xdc00 && unit < 0xe000)) {
			return NULL;
		} else {
			*to = utf8_put(*to, unit);
		}
	}
	return high != 0 || bits.count >= 6 ? NULL : from + 1;
}

char *mutf7_decode(const char *name)
{
	/* 8 digits carry 3 units of at most 3 bytes each */
	char *utf8 = malloc(strlen(name) * 2 + 1), *to = utf8;

	while (utf8 != NULL && name != NULL && *name != '\0') {
		if (*name != '&') {
			*to++ = *name++;
		} else if (name[1] == '-') {
			*to++ = '&';
			name += 2;
		} else {
			name = decode_shift(name + 1, &to);
		}
	}
	if (name == NULL) {
		free(utf8);
		return NULL;
	}
	if (utf8 != NULL)
		*to = '\0';
	return utf8;
}
