/*
 * html-write: writes HTML in which nothing that is shown can be anything else
 *
 * Elements are opened, given attributes and text, and closed. Names of elements
 * and attributes come from the program; texts and values may come from anybody:
 * they are escaped for where they stand, and control characters become U+FFFD.
 * They are to be UTF-8. No attribute that holds a script, a style or an address
 * may be given a value of somebody else's; none is written in this program.
 *
 * Errors of the stream are kept by it and told by html_deinit(). An element that
 * is closed in the wrong order is a bug and aborts.
 */
#ifndef HTML_WRITE_H
#define HTML_WRITE_H

#include <stdbool.h>
#include <stdio.h>

#define HTML_MAX_DEPTH 32

struct html {
	FILE *out;
	const char *open[HTML_MAX_DEPTH];
	unsigned int depth;
	/* The start tag of the innermost one still takes attributes. */
	bool in_tag;
};

/* Writes the document type. */
void html_init(struct html *html, FILE *out);
/* 0; -1 with errno when anything couldn't be written. */
int html_deinit(struct html *html);

void html_open(struct html *html, const char *name);
/* class may be NULL. */
void html_open_class(struct html *html, const char *name, const char *class);
void html_close(struct html *html, const char *name);

/* Right after html_open() only. */
void html_attr(struct html *html, const char *name, const char *value);
void html_attrf(struct html *html, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Formatted texts and values are cut after 255 bytes. */
void html_text(struct html *html, const char *text);
void html_textf(struct html *html, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* What a stranger chose: right-to-left characters in it turn nothing around
   but itself. */
void html_foreign(struct html *html, const char *text);
/* The text of a style sheet, which must not hold "</". */
void html_style(struct html *html, const char *css);

/* A whole element with a text and nothing else. class may be NULL. */
void html_line(struct html *html, const char *name, const char *class,
	       const char *text);

#endif
