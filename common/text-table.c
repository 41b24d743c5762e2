#include "text-table.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* The bytes of the character at text, and its cells; locale C.UTF-8. */
static size_t next_character(const char *text, int *cells_r)
{
	mbstate_t state;
	wchar_t wide;
	size_t size;

	memset(&state, 0, sizeof(state));
	size = mbrtowc(&wide, text, strlen(text), &state);
	if (size == 0 || size > strlen(text)) {
		*cells_r = 1;
		return 1;
	}
	*cells_r = wcwidth(wide);
	if (*cells_r < 0)
		*cells_r = 1;
	return size;
}

/* How many bytes have room in so many cells. */
static size_t fit(const char *text, int room, int *used_r)
{
	size_t size = 0, len;
	int cells;

	*used_r = 0;
	while (text[size] != '\0') {
		len = next_character(text + size, &cells);
		if (*used_r + cells > room)
			break;
		size += len;
		*used_r += cells;
	}
	return size;
}

void text_put(FILE *out, const char *text, int width)
{
	int room = abs(width), used;
	size_t size = fit(text, room, &used);
	const char *cut = "";

	if (text[size] != '\0') {
		size = fit(text, room - 1, &used);
		cut = "~";
		used++;
	}
	if (width < 0)
		fprintf(out, "%*s", room - used, "");
	fprintf(out, "%.*s%s", (int)size, text, cut);
	if (width > 0)
		fprintf(out, "%*s", room - used, "");
}

void text_table_cell(struct text_table *table, const char *text)
{
	const struct text_column *column = &table->columns[table->column];

	fputs(table->column == 0 ? "  " : " ", table->out);
	if (column->width == 0)
		fputs(text, table->out);
	else
		text_put(table->out, text, column->width);
	if (++table->column == table->count) {
		fputc('\n', table->out);
		table->column = 0;
	}
}

void text_table_begin(struct text_table *table, FILE *out,
		      const struct text_column *columns, unsigned int count)
{
	unsigned int i;

	table->out = out;
	table->columns = columns;
	table->count = count;
	table->column = 0;
	for (i = 0; i < count; i++)
		text_table_cell(table, columns[i].title);
}
