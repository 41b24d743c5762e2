/* report-html-watch: who reported, and when nobody did; what was read. */
#include "report-html-private.h"
#include "html-table.h"
#include "common/text-format.h"

static const struct html_column watcher_columns[] = {
	{ "Milter", NULL },
	{ "Mode", "t" },
	{ "First line", "t" },
	{ "Last line", "t" },
	{ "Not watched for", "n" },
	{ "Arrivals lost", "n" },
	{ "Failures", NULL },
	{ NULL, NULL }
};

static const struct html_column gap_columns[] = {
	{ "Milter", NULL },
	{ "From", "t" },
	{ "To", "t" },
	{ "For", "n" },
	{ "Why", NULL },
	{ NULL, NULL }
};

static const struct html_column input_columns[] = {
	{ "Read", NULL },
	{ "Lines", "n" },
	{ "Ours", "n" },
	{ "First", "t" },
	{ "Last", "t" },
	{ "Trouble", NULL },
	{ NULL, NULL }
};

/*
 * Watchers
 */

static void put_name(struct html_table *table,
		     const struct report_watcher *watcher)
{
	html_table_cell_begin(table);
	html_foreign(table->html, watcher->host);
	html_textf(table->html, " (%s)", report_side_name(watcher->side));
	html_table_cell_end(table);
}

static void put_failure(struct html_table *table,
			const struct report_watcher *watcher)
{
	if (watcher->failures == 0) {
		html_table_none(table);
		return;
	}
	html_table_cell_begin(table);
	html_textf(table->html, "%s, the last: ",
		   format_count(watcher->failures).text);
	html_foreign(table->html, watcher->failure);
	html_table_cell_end(table);
}

static void put_watcher(struct html_table *table,
			const struct report_watcher *watcher)
{
	html_table_row_begin(table, watcher->blind_now ? "watcher problem" :
			     "watcher");
	put_name(table, watcher);
	html_table_foreign(table, watcher->mode);
	html_table_time(table, watcher->first);
	html_table_time(table, watcher->last);
	if (watcher->blind_s == 0)
		html_table_none(table);
	else
		html_table_text(table, format_span(watcher->blind_s).text);
	html_table_count(table, watcher->arrivals_lost);
	put_failure(table, watcher);
	html_table_row_end(table);
}

/*
 * Gaps
 */

static void put_reason(struct html_table *table, const struct report_gap *gap)
{
	static const char *const reasons[] = {
		[REPORT_GAP_STOPPED] = "it was stopped",
		[REPORT_GAP_KILLED] = "it ended without a word",
		[REPORT_GAP_LOST] = "its lines are missing",
		[REPORT_GAP_SILENT] = "nothing is heard from it",
	};

	html_table_cell_begin(table);
	html_text(table->html, reasons[gap->reason]);
	if (gap->missing > 0)
		html_textf(table->html, " (%s heartbeats)",
			   format_count(gap->missing).text);
	html_table_cell_end(table);
}

static void put_gap(struct html_table *table,
		    const struct report_watcher *watcher,
		    const struct report_gap *gap)
{
	html_table_row_begin(table, gap->open ? "gap problem" : "gap");
	put_name(table, watcher);
	html_table_time(table, gap->from);
	html_table_text(table, gap->open ? "the end" :
			format_time(gap->to).text);
	html_table_text(table, format_span(gap->to > gap->from ?
			(uint64_t)(gap->to - gap->from) : 0).text);
	put_reason(table, gap);
	html_table_row_end(table);
}

static void put_gaps(struct html *html, const struct report_model *model)
{
	size_t i, j, total = 0, shown = 0;
	struct html_table table;

	for (i = 0; i < model->watchers_count; i++)
		total += model->watchers[i]->gaps_total;
	if (total == 0) {
		html_line(html, "p", "good", "No gap in what they reported.");
		return;
	}
	html_line(html, "h3", NULL, "Gaps: mail may have come unseen");
	html_table_begin(&table, html, "gaps", gap_columns);
	for (i = 0; i < model->watchers_count; i++) {
		const struct report_watcher *watcher = model->watchers[i];

		for (j = 0; j < watcher->gaps_count &&
		     shown < HTML_TABLE_MAX_ROWS; j++, shown++)
			put_gap(&table, watcher, &watcher->gaps[j]);
	}
	html_table_end(&table, shown, total);
}

void report_html_watch(struct html *html, const struct report_model *model)
{
	struct html_table table;
	size_t i;

	html_open_class(html, "section", "watch");
	html_line(html, "h2", NULL, "What was watched");
	if (!model->watched[REPORT_OLD])
		html_line(html, "p", "bad", "No milter reports from the old "
			  "server: what comes there without passing the new "
			  "one isn't seen.");
	if (!model->watched[REPORT_NEW])
		html_line(html, "p", "bad", "No milter reports from the new "
			  "server.");
	if (model->watchers_count > 0) {
		html_table_begin(&table, html, "watchers", watcher_columns);
		for (i = 0; i < model->watchers_count; i++)
			put_watcher(&table, model->watchers[i]);
		html_table_end(&table, 0, 0);
		put_gaps(html, model);
	}
	html_close(html, "section");
}

/*
 * What was read
 */

static void put_input(struct html_table *table, const struct report_input *input)
{
	html_table_row_begin(table, *input->error != '\0' ? "input problem" :
			     "input");
	html_table_foreign(table, input->name);
	html_table_count(table, input->lines);
	html_table_count(table, input->report_lines);
	html_table_time(table, input->first);
	html_table_time(table, input->last);
	html_table_foreign(table, input->error);
	html_table_row_end(table);
}

static void put_oddities(struct html *html, const struct report_reading *reading)
{
	const struct {
		uint64_t count;
		const char *what;
	} oddities[] = {
		{ reading->suspicious, "hold our token where no program of "
		  "ours writes it: somebody tries to forge them" },
		{ reading->broken, "can't be read" },
		{ reading->undated, "have no time that can be believed" },
		{ reading->unknown, "tell of what this version doesn't know" },
		{ reading->doubles, "were read twice and counted once" },
	};
	size_t i;

	html_open_class(html, "p", "note");
	html_textf(html, "%s lines, %s.", format_count(reading->lines).text,
		   format_bytes(reading->bytes).text);
	for (i = 0; i < sizeof(oddities) / sizeof(oddities[0]); i++) {
		if (oddities[i].count > 0)
			html_textf(html, " %s %s.",
				   format_count(oddities[i].count).text,
				   oddities[i].what);
	}
	html_close(html, "p");
}

void report_html_reading(struct html *html, const struct report_model *model)
{
	const struct report_reading *reading = &model->reading;
	size_t i, rows = reading->inputs_count < HTML_TABLE_MAX_ROWS ?
		reading->inputs_count : HTML_TABLE_MAX_ROWS;
	struct html_table table;

	html_open_class(html, "section", "reading");
	html_line(html, "h2", NULL, "What was read");
	html_table_begin(&table, html, "inputs", input_columns);
	for (i = 0; i < rows; i++)
		put_input(&table, &reading->inputs[i]);
	html_table_end(&table, rows, reading->inputs_count);
	put_oddities(html, reading);
	html_close(html, "section");
}
