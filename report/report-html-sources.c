/*
 * report-html-sources: who still sends to the old server
 *
 * Sources that have moved, or send nothing but spam, are counted only.
 */
#include "report-html-private.h"
#include "html-table.h"
#include "common/text-format.h"

static const struct html_column columns[] = {
	{ "Sender", NULL },
	{ "Comes from", NULL },
	{ "To the old server", "n" },
	{ "Last at the old", "t" },
	{ "To the new server", "n" },
	{ "Last at the new", "t" },
	{ "Last mail to the old server", NULL },
	{ NULL, NULL }
};

static const struct {
	const char *title, *explanation;
	size_t max_rows;
} standings[REPORT_STANDINGS] = {
	[REPORT_STRAGGLER] = {
		"Stragglers",
		"Their last wanted mail came to the old server, after the "
		"switch: these are to be asked, or waited for.",
		HTML_TABLE_MAX_ROWS
	},
	[REPORT_QUIET] = {
		"Not seen since the switch",
		"Where they will deliver next isn't known.", 100
	},
	[REPORT_WAVERING] = {
		"Wavering",
		"Came to the old server since the switch, and to the new one "
		"after that.", 50
	},
};

static void put_note(struct html *html, const char *note)
{
	html_open(html, "br");
	html_close(html, "br");
	html_line(html, "small", NULL, note);
}

static void put_sender(struct html_table *table,
		       const struct report_source *source)
{
	html_table_cell_begin(table);
	if (*source->sender_domain == '\0')
		html_text(table->html, "the null sender");
	else
		html_foreign(table->html, source->sender_domain);
	/* the DNS isn't what is late here */
	if (source->standing == REPORT_STRAGGLER &&
	    source->client_last_new > source->wanted.last[REPORT_OLD])
		put_note(table->html, "its server has found the new MX since");
	if (source->deferred > 0)
		put_note(table->html, "deferred by the old server");
	html_table_cell_end(table);
}

static void put_client(struct html_table *table,
		       const struct report_client *client)
{
	bool named = *client->name_domain != '\0';
	bool placed = *client->network != '\0';

	html_table_cell_begin(table);
	if (named)
		html_foreign(table->html, client->name_domain);
	if (named && placed) {
		html_open(table->html, "br");
		html_close(table->html, "br");
	}
	if (placed)
		html_line(table->html, named ? "small" : "span", "t",
			  client->network);
	if (!named && !placed)
		html_text(table->html, "an unknown address");
	html_table_cell_end(table);
}

static void put_example(struct html_table *table,
			const struct report_source *source)
{
	struct html *html = table->html;

	if (*source->example_id == '\0' && *source->example_to == '\0') {
		html_table_none(table);
		return;
	}
	html_table_cell_begin(table);
	html_foreign(html, *source->example_from == '\0' ? "<>" :
		     source->example_from);
	html_text(html, " to ");
	html_foreign(html, source->example_to);
	html_open(html, "br");
	html_close(html, "br");
	html_open(html, "small");
	html_text(html, "id ");
	html_foreign(html, source->example_id);
	html_text(html, " on ");
	html_foreign(html, source->example_host);
	html_close(html, "small");
	html_table_cell_end(table);
}

static void put_source(struct html_table *table,
		       const struct report_source *source)
{
	int side;

	html_table_row_begin(table, "source");
	put_sender(table, source);
	put_client(table, source->client);
	for (side = 0; side < REPORT_SIDES; side++) {
		html_table_count(table, source->wanted.count[side]);
		html_table_time(table, source->wanted.last[side]);
	}
	put_example(table, source);
	html_table_row_end(table);
}

static void put_standing(struct html *html, const struct report_domain *domain,
			 enum report_standing standing)
{
	size_t i, shown = 0, total = domain->standings[standing];
	struct html_table table;
	char class[32];

	if (total == 0)
		return;
	html_open(html, "h3");
	html_textf(html, "%s: %s", standings[standing].title,
		   format_count(total).text);
	html_close(html, "h3");
	html_line(html, "p", "note", standings[standing].explanation);
	snprintf(class, sizeof(class), "sources %s",
		 report_standing_name(standing));
	html_table_begin(&table, html, class, columns);
	for (i = 0; i < domain->sources_count &&
	     shown < standings[standing].max_rows; i++) {
		if (domain->sources[i]->standing == standing) {
			put_source(&table, domain->sources[i]);
			shown++;
		}
	}
	html_table_end(&table, shown, total);
}

void report_html_sources(struct html *html, const struct report_domain *domain)
{
	if (domain->sources_count == 0) {
		html_line(html, "p", "note", "No source was seen.");
		return;
	}
	if (domain->standings[REPORT_STRAGGLER] == 0)
		html_line(html, "p", "note", "No source is known whose last "
			  "wanted mail came to the old server.");
	put_standing(html, domain, REPORT_STRAGGLER);
	put_standing(html, domain, REPORT_QUIET);
	put_standing(html, domain, REPORT_WAVERING);
	html_open_class(html, "p", "note");
	html_textf(html, "Sources that come to the new server only: %s. Those "
		   "that sent nothing but spam: %s.",
		   format_count(domain->standings[REPORT_MOVED]).text,
		   format_count(domain->standings[REPORT_ONLY_SPAM]).text);
	html_close(html, "p");
}
