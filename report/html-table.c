#include "html-table.h"
#include "common/text-format.h"

#include <assert.h>

void html_table_begin(struct html_table *table, struct html *html,
		      const char *class, const struct html_column *columns)
{
	const struct html_column *column;

	table->html = html;
	table->columns = columns;
	table->column = 0;
	html_open_class(html, "table", class);
	html_open(html, "thead");
	html_open(html, "tr");
	for (column = columns; column->title != NULL; column++) {
		html_open_class(html, "th", column->class);
		html_attr(html, "scope", "col");
		html_text(html, column->title);
		html_close(html, "th");
	}
	html_close(html, "tr");
	html_close(html, "thead");
	html_open(html, "tbody");
}

void html_table_end(struct html_table *table, size_t shown, size_t total)
{
	html_close(table->html, "tbody");
	html_close(table->html, "table");
	if (shown < total) {
		html_open_class(table->html, "p", "more");
		html_textf(table->html, "And %s more, which --json has.",
			   format_count(total - shown).text);
		html_close(table->html, "p");
	}
	table->html = NULL;
}

void html_table_row_begin(struct html_table *table, const char *class)
{
	table->column = 0;
	html_open_class(table->html, "tr", class);
}

void html_table_row_end(struct html_table *table)
{
	assert(table->columns[table->column].title == NULL);
	html_close(table->html, "tr");
}

static void begin_cell(struct html_table *table, const char *class)
{
	const struct html_column *column = &table->columns[table->column++];

	assert(column->title != NULL);
	html_open_class(table->html, "td", class != NULL ? class :
			column->class);
	html_attr(table->html, "data-title", column->title);
}

void html_table_cell_begin(struct html_table *table)
{
	begin_cell(table, NULL);
}

void html_table_cell_end(struct html_table *table)
{
	html_close(table->html, "td");
}

void html_table_none(struct html_table *table)
{
	const char *class = table->columns[table->column].class;

	begin_cell(table, class != NULL && *class == 'n' ? "n none" : "none");
	html_text(table->html, "-");
	html_table_cell_end(table);
}

void html_table_text(struct html_table *table, const char *text)
{
	html_table_cell_begin(table);
	html_text(table->html, text);
	html_table_cell_end(table);
}

void html_table_foreign(struct html_table *table, const char *text)
{
	if (*text == '\0') {
		html_table_none(table);
		return;
	}
	html_table_cell_begin(table);
	html_foreign(table->html, text);
	html_table_cell_end(table);
}

void html_table_count(struct html_table *table, uint64_t n)
{
	html_table_text(table, format_count(n).text);
}

void html_table_time(struct html_table *table, int64_t time)
{
	if (time == 0)
		html_table_none(table);
	else
		html_table_text(table, format_time(time).text);
}
