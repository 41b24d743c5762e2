#include "lib.h"
#include "mailbox-list.h"
#include "unichar.h"
#include "words.h"

#define MAX_TZ_OFFSET (24 * 60)

int words_expected(struct words *words, const char *what)
{
	words->error = what;
	return -1;
}

int words_next(struct words *words, const char *what,
		       const char **word_r)
{
	if (*words->words == NULL)
		return words_expected(words, what);
	*word_r = *words->words++;
	return 0;
}

bool words_is_mailbox(const char *word)
{
	size_t len = strlen(word);

	return len > 0 && len <= MAILBOX_LIST_NAME_MAX_LENGTH &&
		uni_utf8_str_is_valid(word);
}

int words_mailbox(struct words *words, const char **vname_r)
{
	const char *what = "a mailbox name";
	const char *word;

	if (words_next(words, what, &word) < 0)
		return -1;
	if (!words_is_mailbox(word))
		return words_expected(words, what);
	*vname_r = p_strdup(words->pool, word);
	return 0;
}

int words_uoff(struct words *words, const char *what,
		       uoff_t *value_r)
{
	const char *word;

	if (words_next(words, what, &word) < 0)
		return -1;
	return str_to_uoff(word, value_r) == 0 ? 0 :
		words_expected(words, what);
}

int words_date(struct words *words, time_t *date_r,
		       int *tz_offset_r)
{
	const char *what = "a date and its offset";
	const char *date, *offset;

	if (words_next(words, what, &date) < 0 ||
	    words_next(words, what, &offset) < 0)
		return -1;
	if (str_to_time(date, date_r) < 0 ||
	    str_to_int(offset, tz_offset_r) < 0 ||
	    abs(*tz_offset_r) > MAX_TZ_OFFSET)
		return words_expected(words, what);
	return 0;
}

int words_end(struct words *words)
{
	return *words->words == NULL ? 0 :
		words_expected(words, "no more words");
}
