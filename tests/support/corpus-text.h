/*
 * corpus-text: a growing text, and the words that generated mail is made of
 *
 * Runs out of memory by abort(): these are test programs.
 */
#ifndef CORPUS_TEXT_H
#define CORPUS_TEXT_H

#include "corpus.h"

struct text {
	char *data;
	size_t used, size;
};

void text_add(struct text *text, const void *data, size_t size);
void text_printf(struct text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Lines of words up to about size bytes more, each ended by eol. */
void text_words(struct text *text, struct corpus_rng *rng, size_t size,
		size_t line, const char *eol, bool utf8);
/* Lines of 76 base64 digits, size bytes with their CRLFs. */
void text_base64(struct text *text, struct corpus_rng *rng, size_t size);
const char *text_word(struct corpus_rng *rng, bool utf8);

#endif
