#include "arrival-tag-private.h"

#include <string.h>

struct word {
	const char *data;
	size_t size;
};

enum word_index {
	WORD_V, WORD_AT, WORD_HOST, WORD_ID, WORD_T, WORD_S,
	WORD_COUNT
};

struct cursor {
	const char *pos, *end;
};

bool arrival_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_wordchar(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		c == '.' || c == '-' || c == '_';
}

bool arrival_is_word(const char *word, size_t size, size_t max)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (!is_wordchar(word[i]))
			return false;
	}
	return size > 0 && size <= max;
}

static void skip_space(struct cursor *cursor)
{
	while (cursor->pos < cursor->end && arrival_is_space(*cursor->pos))
		cursor->pos++;
}

/* Over that text and the white space behind it. */
static bool skip_text(struct cursor *cursor, const char *text)
{
	size_t size = strlen(text);

	if ((size_t)(cursor->end - cursor->pos) < size ||
	    memcmp(cursor->pos, text, size) != 0)
		return false;
	cursor->pos += size;
	skip_space(cursor);
	return true;
}

/* Over name=word and the white space behind it. */
static bool
next_word(struct cursor *cursor, const char *name, struct word *word_r)
{
	if (!skip_text(cursor, name) || !skip_text(cursor, "="))
		return false;
	word_r->data = cursor->pos;
	while (cursor->pos < cursor->end && is_wordchar(*cursor->pos))
		cursor->pos++;
	word_r->size = (size_t)(cursor->pos - word_r->data);
	skip_space(cursor);
	return word_r->size > 0;
}

static bool is_text(const struct word *word, const char *text)
{
	return word->size == strlen(text) &&
		memcmp(word->data, text, word->size) == 0;
}

/* Without a leading zero and small enough for 63 bits. */
static bool get_number(const struct word *word, int64_t *number_r)
{
	size_t i;

	*number_r = 0;
	if (word->size > 18 || (word->data[0] == '0' && word->size > 1))
		return false;
	for (i = 0; i < word->size; i++) {
		if (!is_digit(word->data[i]))
			return false;
		*number_r = *number_r * 10 + (word->data[i] - '0');
	}
	return true;
}

static bool get_at(const struct word *word, enum arrival_at *at_r)
{
	*at_r = is_text(word, arrival_at_name(ARRIVAL_AT_OLD)) ?
		ARRIVAL_AT_OLD : ARRIVAL_AT_NEW;
	return is_text(word, arrival_at_name(*at_r));
}

/* Into a string of max bytes. */
static bool get_string(const struct word *word, size_t max, char *str_r)
{
	if (word->size > max)
		return false;
	memcpy(str_r, word->data, word->size);
	str_r[word->size] = '\0';
	return true;
}

/* NULL, or the reason. */
static const char *
get_fields(const struct word words[WORD_COUNT], struct arrival_tag *tag,
	   char signature_r[ARRIVAL_SIGNATURE_LENGTH])
{
	if (!get_at(&words[WORD_AT], &tag->at))
		return "at= is neither old nor new";
	if (!get_string(&words[WORD_HOST], ARRIVAL_HOST_MAX, tag->host))
		return "host= is too long";
	if (!get_string(&words[WORD_ID], ARRIVAL_ID_MAX, tag->id))
		return "id= is too long";
	if (!get_number(&words[WORD_T], &tag->time))
		return "t= isn't a time";
	if (words[WORD_S].size != ARRIVAL_SIGNATURE_LENGTH)
		return "s= isn't 22 characters";
	memcpy(signature_r, words[WORD_S].data, ARRIVAL_SIGNATURE_LENGTH);
	return NULL;
}

static enum arrival_result
get_version(const struct word *word, const char **error_r)
{
	int64_t number;

	if (is_text(word, ARRIVAL_VERSION))
		return ARRIVAL_VALID;
	if (!get_number(word, &number)) {
		*error_r = "v= isn't a number";
		return ARRIVAL_MALFORMED;
	}
	*error_r = "v= is a version that isn't known here";
	return ARRIVAL_UNKNOWN_VERSION;
}

static enum arrival_result
get_words(struct cursor *cursor, struct word words_r[WORD_COUNT],
	  const char **error_r)
{
	static const char *const names[WORD_COUNT] = {
		"v", "at", "host", "id", "t", "s"
	};
	enum arrival_result result;
	unsigned int i;

	skip_space(cursor);
	for (i = 0; i < WORD_COUNT; i++) {
		if ((i > 0 && !skip_text(cursor, ";")) ||
		    !next_word(cursor, names[i], &words_r[i])) {
			*error_r = "not v, at, host, id, t, s in this order";
			return ARRIVAL_MALFORMED;
		}
		if (i == WORD_V) {
			result = get_version(&words_r[i], error_r);
			if (result != ARRIVAL_VALID)
				return result;
		}
	}
	if (cursor->pos < cursor->end) {
		*error_r = "something follows s=";
		return ARRIVAL_MALFORMED;
	}
	return ARRIVAL_VALID;
}

enum arrival_result
arrival_tag_parse(const char *value, size_t size, struct arrival_tag *tag_r,
		  char signature_r[ARRIVAL_SIGNATURE_LENGTH],
		  const char **error_r)
{
	struct cursor cursor = { value, value + size };
	struct word words[WORD_COUNT];
	enum arrival_result result;

	memset(tag_r, 0, sizeof(*tag_r));
	if (size > ARRIVAL_VALUE_MAX) {
		*error_r = "too long";
		return ARRIVAL_MALFORMED;
	}
	result = get_words(&cursor, words, error_r);
	if (result != ARRIVAL_VALID)
		return result;
	*error_r = get_fields(words, tag_r, signature_r);
	if (*error_r != NULL) {
		memset(tag_r, 0, sizeof(*tag_r));
		return ARRIVAL_MALFORMED;
	}
	return ARRIVAL_VALID;
}
