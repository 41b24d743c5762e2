/*
 * text-screen: a text on a terminal, drawn anew in place
 */
#ifndef TEXT_SCREEN_H
#define TEXT_SCREEN_H

#include <stdio.h>

struct text_screen_size {
	unsigned int rows, columns;
};

/* Of the terminal on that descriptor; where it doesn't tell, 24 and 80. */
struct text_screen_size text_screen_size(int fd);
/* Lines over what stood there before, and nothing below. At most that many: for
   a text that leaves the last row free nothing scrolls. The terminal cuts a line
   that is too long. */
void text_screen_draw(FILE *out, const char *text, unsigned int rows);

#endif
