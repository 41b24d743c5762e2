/*
 * spam-header: how a spam filter that ran before says that a mail is spam
 *
 *     X-Spam-Flag: YES        the value begins with that word
 *     X-Spam                  the header is there
 * Names and words are compared without regard to case. A word ends at white
 * space, ",", ";" or the end: "Yes, score=9.1" begins with "Yes".
 */
#ifndef SPAM_HEADER_H
#define SPAM_HEADER_H

#include <stdbool.h>

struct spam_header {
	struct spam_header *next;
	char *name;
	/* "" for any value */
	char *word;
};

/* Adds one to the list. NULL, or why it can't: static text. */
const char *spam_header_add(struct spam_header **list, const char *text);
void spam_header_free(struct spam_header **list);
/* Does any of the list say that this header means spam? */
bool spam_header_matches(const struct spam_header *list, const char *name,
			 const char *value);

#endif
