/* report-html-forged: tags that didn't verify, and mail that went round. */
#include "report-html-private.h"
#include "html-table.h"
#include "common/text-format.h"

static const struct html_column forged_columns[] = {
	{ "Seen by", NULL },
	{ "Client", NULL },
	{ "Sender", NULL },
	{ "Reason", "t" },
	{ "Mails", "n" },
	{ "First", "t" },
	{ "Last", "t" },
	{ NULL, NULL }
};

static const struct html_column loop_columns[] = {
	{ "Seen by", NULL },
	{ "Sender", NULL },
	{ "Last id", NULL },
	{ "Mails", "n" },
	{ "Refused", "n" },
	{ "Rounds", "n" },
	{ "Last", "t" },
	{ NULL, NULL }
};

static void put_host(struct html_table *table, enum report_side side,
		     const char *host)
{
	html_table_cell_begin(table);
	html_foreign(table->html, host);
	html_textf(table->html, " (%s)", report_side_name(side));
	html_table_cell_end(table);
}

static void put_forgery(struct html_table *table,
			const struct report_forgery *forgery)
{
	html_table_row_begin(table, "forgery");
	put_host(table, forgery->side, forgery->host);
	html_table_foreign(table, forgery->client);
	html_table_foreign(table, forgery->from);
	html_table_foreign(table, forgery->reason);
	html_table_count(table, forgery->count);
	html_table_time(table, forgery->first);
	html_table_time(table, forgery->last);
	html_table_row_end(table);
}

static void put_loop(struct html_table *table, const struct report_loop *loop)
{
	html_table_row_begin(table, "loop");
	put_host(table, loop->side, loop->host);
	html_table_foreign(table, loop->from);
	html_table_foreign(table, loop->id);
	html_table_count(table, loop->count);
	html_table_count(table, loop->refused);
	html_table_count(table, loop->rounds_max);
	html_table_time(table, loop->last);
	html_table_row_end(table);
}

static size_t rows_of(size_t count)
{
	return count < HTML_TABLE_MAX_ROWS ? count : HTML_TABLE_MAX_ROWS;
}

static void put_forgeries(struct html *html, const struct report_model *model)
{
	size_t i, rows = rows_of(model->forgeries_count);
	struct html_table table;

	html_open_class(html, "section", "forged");
	html_line(html, "h2", NULL, "Forged tags");
	html_line(html, "p", "note", "Arrival tags that didn't verify. They "
		  "were removed, and the mail was delivered.");
	html_table_begin(&table, html, "forgeries", forged_columns);
	for (i = 0; i < rows; i++)
		put_forgery(&table, model->forgeries[i]);
	html_table_end(&table, rows, model->forgeries_count);
	html_close(html, "section");
}

static void put_loops(struct html *html, const struct report_model *model)
{
	size_t i, rows = rows_of(model->loops_count);
	struct html_table table;

	html_open_class(html, "section", "looped");
	html_line(html, "h2", NULL, "Mail that goes round");
	html_line(html, "p", "note", "Came back to the server that had tagged "
		  "it: the two servers send it to each other.");
	html_table_begin(&table, html, "loops", loop_columns);
	for (i = 0; i < rows; i++)
		put_loop(&table, model->loops[i]);
	html_table_end(&table, rows, model->loops_count);
	html_close(html, "section");
}

void report_html_forged(struct html *html, const struct report_model *model)
{
	if (model->loops_count > 0)
		put_loops(html, model);
	if (model->forgeries_count > 0)
		put_forgeries(html, model);
}
