#include "corpus-text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const char *const ascii_words[] = {
	"the", "meeting", "on", "Thursday", "invoice", "please", "find",
	"attached", "report", "for", "quarter", "regards", "and", "thanks",
	"delivery", "of", "your", "order", "has", "been", "shipped", "we",
	"would", "like", "to", "confirm", "room", "at", "noon", "project",
	"server", "backup", "is", "late", "again", "holiday", "photos", "from",
	"train", "ticket", "price", "list", "draft", "contract", "signed",
	"a", "in", "with", "this", "that", "call", "me", "tomorrow", "bye"
};

static const char *const utf8_words[] = {
	"Größe", "naïve", "Žluťoučký", "кůň", "почта", "сервер", "встреча",
	"会議", "請求書", "メール", "日本語", "한국어", "שלום", "مرحبا",
	"λόγος", "ψυχή", "हिन्दी", "ไทย", "🚀", "👩‍👩‍👧", "e\xcc\x81t\xcc\x84",
	"İstanbul", "ßẞ", "\xef\xac\x81n", "Ångström", "ñandú"
};

void corpus_rng_init(struct corpus_rng *rng, uint64_t seed, uint64_t n)
{
	rng->state = seed * 0x9e3779b97f4a7c15ULL ^ n * 0xd1342543de82ef95ULL;
	(void)corpus_rng_next(rng);
}

uint64_t corpus_rng_next(struct corpus_rng *rng)
{
	uint64_t x = rng->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

unsigned int corpus_rng_below(struct corpus_rng *rng, unsigned int limit)
{
	return (unsigned int)((corpus_rng_next(rng) >> 32) * limit >> 32);
}

static void text_reserve(struct text *text, size_t more)
{
	size_t size = text->size == 0 ? 8192 : text->size;

	if (text->size - text->used >= more)
		return;
	while (size - text->used < more)
		size *= 2;
	text->data = realloc(text->data, size);
	if (text->data == NULL)
		abort();
	text->size = size;
}

void text_add(struct text *text, const void *data, size_t size)
{
	text_reserve(text, size);
	memcpy(text->data + text->used, data, size);
	text->used += size;
}

void text_printf(struct text *text, const char *fmt, ...)
{
	va_list args;
	char buf[2048];
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(buf))
		abort();
	text_add(text, buf, (size_t)len);
}

const char *text_word(struct corpus_rng *rng, bool utf8)
{
	if (utf8 && corpus_rng_below(rng, 2) == 0)
		return utf8_words[corpus_rng_below(rng, N_ELEMENTS(utf8_words))];
	return ascii_words[corpus_rng_below(rng, N_ELEMENTS(ascii_words))];
}

void text_words(struct text *text, struct corpus_rng *rng, size_t size,
		size_t line, const char *eol, bool utf8)
{
	size_t end = text->used + size, line_start = text->used;
	const char *word;

	while (text->used < end) {
		word = text_word(rng, utf8);
		text_add(text, word, strlen(word));
		if (text->used - line_start >= line) {
			text_add(text, eol, strlen(eol));
			line_start = text->used;
		} else {
			text_add(text, " ", 1);
		}
	}
	text_add(text, eol, strlen(eol));
}

void text_base64(struct text *text, struct corpus_rng *rng, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	size_t end = text->used + size;
	uint64_t bits = 0;
	unsigned int i;
	char *to;

	text_reserve(text, size + 78);
	while (text->used < end) {
		to = text->data + text->used;
		for (i = 0; i < 76; i++) {
			if (i % 10 == 0)
				bits = corpus_rng_next(rng);
			to[i] = digits[bits & 0x3f];
			bits >>= 6;
		}
		memcpy(to + 76, "\r\n", 2);
		text->used += 78;
	}
}
