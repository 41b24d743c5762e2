/*
 * html-table: tables that are read as cards where the page is narrow
 *
 * Each cell carries its column's title, which the style sheet shows in front of
 * the cell when the head is hidden. Cells are given in the order of the columns;
 * a row with another number of them is a bug and aborts.
 */
#ifndef HTML_TABLE_H
#define HTML_TABLE_H

#include "html-write.h"

#include <stddef.h>
#include <stdint.h>

/* Rows shown by one table; the JSON output has all. */
#define HTML_TABLE_MAX_ROWS 500

struct html_column {
	/* NULL ends the columns. */
	const char *title;
	/* "n" for figures, "t" for what isn't broken into lines, as times,
	   else NULL. */
	const char *class;
};

struct html_table {
	struct html *html;
	const struct html_column *columns;
	unsigned int column;
};

/* class is for the style sheet and for tests. */
void html_table_begin(struct html_table *table, struct html *html,
		      const char *class, const struct html_column *columns);
/* Says how many of total rows aren't shown, if any. */
void html_table_end(struct html_table *table, size_t shown, size_t total);

/* class may be NULL. */
void html_table_row_begin(struct html_table *table, const char *class);
void html_table_row_end(struct html_table *table);

/* For cells with more than one text. */
void html_table_cell_begin(struct html_table *table);
void html_table_cell_end(struct html_table *table);

/* "-", which cards leave out. */
void html_table_none(struct html_table *table);
void html_table_text(struct html_table *table, const char *text);
/* None for an empty one. */
void html_table_foreign(struct html_table *table, const char *text);
void html_table_count(struct html_table *table, uint64_t n);
/* None for 0. */
void html_table_time(struct html_table *table, int64_t time);

#endif
