/*
 * report-text-watch: who watched, what shouldn't be
 */
#include "common/text-format.h"
#include "report-text.h"
#include "common/text-table.h"

#define COLUMNS(array) (sizeof(array) / sizeof((array)[0]))

static void write_watcher(struct text_table *table,
			  const struct report_watcher *watcher)
{
	text_table_cell(table, report_side_name(watcher->side));
	text_table_cell(table, watcher->host);
	text_table_cell(table, *watcher->mode == '\0' ? "-" : watcher->mode);
	text_table_cell(table, format_time(watcher->first).text);
	text_table_cell(table, format_time(watcher->last).text);
	text_table_cell(table, format_count(watcher->missing).text);
	text_table_cell(table, watcher->blind_s == 0 ? "never" :
			format_span(watcher->blind_s).text);
}

static void write_gaps(const struct report_watcher *watcher, size_t rows,
		       FILE *out)
{
	size_t shown = report_text_rows(watcher->gaps_count, rows);
	const struct report_gap *gap;
	size_t i;

	/* the last ones */
	for (i = watcher->gaps_count - shown; i < watcher->gaps_count; i++) {
		gap = &watcher->gaps[i];
		fprintf(out, "      %s: blind from %s to %s (%s)",
			report_gap_reason_name(gap->reason),
			format_time(gap->from).text,
			gap->open ? "the end" : format_time(gap->to).text,
			format_span((uint64_t)(gap->to - gap->from)).text);
		if (gap->missing > 0)
			fprintf(out, ", %s heartbeats missing",
				format_count(gap->missing).text);
		fprintf(out, "\n");
	}
	if (watcher->gaps_total > shown)
		fprintf(out, "      and %s earlier or shorter ones\n",
			format_count(watcher->gaps_total - shown).text);
}

void report_text_watching(const struct report_model *model,
			  const struct report_text_options *options, FILE *out)
{
	static const struct text_column columns[] = {
		{ "", 3 }, { "milter", 30 }, { "mode", 5 }, { "first", 16 },
		{ "last", 16 }, { "missing", -7 }, { "blind", 0 }
	};
	size_t i, shown = report_text_rows(model->watchers_count,
					   options->rows);
	struct text_table table;

	if (model->watchers_count == 0)
		return;
	report_text_title(out, "Watching");
	text_table_begin(&table, out, columns, COLUMNS(columns));
	for (i = 0; i < shown; i++) {
		write_watcher(&table, model->watchers[i]);
		write_gaps(model->watchers[i], options->rows, out);
	}
	report_text_more(out, model->watchers_count, shown);
}

static void write_forgeries(const struct report_model *model, size_t rows,
			    FILE *out)
{
	static const struct text_column columns[] = {
		{ "", 3 }, { "host", 24 }, { "client", 24 }, { "from", 24 },
		{ "times", -6 }, { "reason", 0 }
	};
	size_t i, shown = report_text_rows(model->forgeries_count, rows);
	const struct report_forgery *forgery;
	struct text_table table;

	if (model->forgeries_count == 0)
		return;
	report_text_title(out, "Forged tags, removed");
	text_table_begin(&table, out, columns, COLUMNS(columns));
	for (i = 0; i < shown; i++) {
		forgery = model->forgeries[i];
		text_table_cell(&table, report_side_name(forgery->side));
		text_table_cell(&table, forgery->host);
		text_table_cell(&table, forgery->client);
		text_table_cell(&table, forgery->from);
		text_table_cell(&table, format_count(forgery->count).text);
		text_table_cell(&table, forgery->reason);
	}
	report_text_more(out, model->forgeries_count, shown);
}

static void write_loops(const struct report_model *model, size_t rows,
			FILE *out)
{
	static const struct text_column columns[] = {
		{ "", 3 }, { "host", 26 }, { "from", 30 }, { "times", -6 },
		{ "rounds", -6 }, { "refused", -7 }, { "last", 0 }
	};
	size_t i, shown = report_text_rows(model->loops_count, rows);
	const struct report_loop *loop;
	struct text_table table;

	if (model->loops_count == 0)
		return;
	report_text_title(out, "Mail that goes round");
	text_table_begin(&table, out, columns, COLUMNS(columns));
	for (i = 0; i < shown; i++) {
		loop = model->loops[i];
		text_table_cell(&table, report_side_name(loop->side));
		text_table_cell(&table, loop->host);
		text_table_cell(&table, loop->from);
		text_table_cell(&table, format_count(loop->count).text);
		text_table_cell(&table, format_count(loop->rounds_max).text);
		text_table_cell(&table, format_count(loop->refused).text);
		text_table_cell(&table, format_time(loop->last).text);
	}
	report_text_more(out, model->loops_count, shown);
}

void report_text_incidents(const struct report_model *model,
			   const struct report_text_options *options,
			   FILE *out)
{
	write_loops(model, options->rows, out);
	write_forgeries(model, options->rows, out);
}
