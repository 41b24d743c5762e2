/* report-html-submitters: users whose mail programs still hand in mail to the
   old server, and who must be told. */
#include "report-html-private.h"
#include "html-table.h"
#include "common/text-format.h"

static const struct html_column columns[] = {
	{ "Login", NULL },
	{ "Sends as", NULL },
	{ "From", NULL },
	{ "By the old server", "n" },
	{ "Last at the old", "t" },
	{ "By the new server", "n" },
	{ "Last at the new", "t" },
	{ NULL, NULL }
};

static void put_submitter(struct html_table *table,
			  const struct report_submitter *submitter)
{
	int side;

	html_table_row_begin(table, "submitter");
	html_table_foreign(table, submitter->auth);
	html_table_foreign(table, submitter->from);
	html_table_foreign(table, *submitter->name != '\0' ? submitter->name :
			   submitter->client);
	for (side = 0; side < REPORT_SIDES; side++) {
		html_table_count(table, submitter->mails.count[side]);
		html_table_time(table, submitter->mails.last[side]);
	}
	html_table_row_end(table);
}

static size_t count_to_tell(const struct report_model *model)
{
	size_t i, count = 0;

	for (i = 0; i < model->submitters_count; i++) {
		if (model->submitters[i]->tell)
			count++;
	}
	return count;
}

static void put_table(struct html *html, const struct report_model *model,
		      size_t total)
{
	struct html_table table;
	size_t i, shown = 0;

	html_line(html, "p", "note", "Their mail programs still use the old "
		  "server to send: they must be told.");
	html_table_begin(&table, html, "submitters", columns);
	for (i = 0; i < model->submitters_count &&
	     shown < HTML_TABLE_MAX_ROWS; i++) {
		if (model->submitters[i]->tell) {
			put_submitter(&table, model->submitters[i]);
			shown++;
		}
	}
	html_table_end(&table, shown, total);
}

void report_html_submitters(struct html *html,
			    const struct report_model *model)
{
	size_t tell = count_to_tell(model);

	if (model->submitters_count == 0)
		return;
	html_open_class(html, "section", "submission");
	html_line(html, "h2", NULL, "Submission");
	if (tell > 0)
		put_table(html, model, tell);
	else
		html_line(html, "p", "note", model->watched[REPORT_OLD] ?
			  "Nobody is seen to send through the old server any "
			  "more." : "Who sends through the old server isn't "
			  "known: it isn't watched.");
	html_open_class(html, "p", "note");
	html_textf(html, "Logins that send through the new server only: %s.",
		   format_count(model->submitters_count - tell).text);
	html_close(html, "p");
	html_close(html, "section");
}
