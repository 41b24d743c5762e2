/*
 * text-table: a table of fixed columns on a terminal
 *
 * Widths count terminal cells, as wcwidth(3) has them. What is too wide is cut
 * and ends in "~". Numbers stand at the right (a negative width).
 */
#ifndef TEXT_TABLE_H
#define TEXT_TABLE_H

#include <stdio.h>

struct text_column {
	const char *title;
	/* 0: the last one, as wide as it gets. */
	int width;
};

struct text_table {
	FILE *out;
	const struct text_column *columns;
	unsigned int count, column;
};

/* Writes the titles, indented by two. */
void text_table_begin(struct text_table *table, FILE *out,
		      const struct text_column *columns, unsigned int count);
/* The next cell; the last one of a row ends the line. */
void text_table_cell(struct text_table *table, const char *text);

/* One text of that width, as a cell. */
void text_put(FILE *out, const char *text, int width);

#endif
