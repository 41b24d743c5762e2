#ifndef WORDS_H
#define WORDS_H

/*
 * words: the words of a line that another process said, one after the
 * other. Each call takes what it needs and returns 0; -1 when the words aren't
 * that: then error says what was expected.
 */

struct words {
	/* those that are left, NULL-terminated */
	const char *const *words;
	/* copies of strings */
	pool_t pool;
	const char *error;
};

/* Sets the error. Returns -1. */
int words_expected(struct words *words, const char *what);

/* The word itself; it isn't copied. */
int words_next(struct words *words, const char *what,
		       const char **word_r);
/* UTF-8, not too long, not empty */
bool words_is_mailbox(const char *word);
int words_mailbox(struct words *words, const char **vname_r);
int words_uoff(struct words *words, const char *what,
		       uoff_t *value_r);
/* unix seconds, and minutes */
int words_date(struct words *words, time_t *date_r,
		       int *tz_offset_r);
/* There are no more. */
int words_end(struct words *words);

#endif
