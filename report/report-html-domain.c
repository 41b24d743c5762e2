/* report-html-domain: a domain's curves and figures. */
#include "report-html-private.h"
#include "html-table.h"
#include "common/text-format.h"

/* Of hours, a week is shown; of days, all. */
#define HOURS_SHOWN 168

static const struct html_column columns[] = {
	{ "Mail", NULL },
	{ "Old server", "n" },
	{ "Last at the old", "t" },
	{ "New server", "n" },
	{ "Last at the new", "t" },
	{ NULL, NULL }
};

/* Nothing where there's nothing to say. */
static void put_seen(struct html_table *table, const char *what,
		     const struct report_seen *seen)
{
	int side;

	if (seen->count[REPORT_OLD] + seen->count[REPORT_NEW] == 0)
		return;
	html_table_row_begin(table, NULL);
	html_table_text(table, what);
	for (side = 0; side < REPORT_SIDES; side++) {
		html_table_count(table, seen->count[side]);
		html_table_time(table, seen->last[side]);
	}
	html_table_row_end(table);
}

static void put_deferred(struct html_table *table,
			 const struct report_domain *domain)
{
	html_table_row_begin(table, NULL);
	html_table_text(table, "Deferred by the old server");
	html_table_count(table, domain->deferred);
	html_table_time(table, domain->last_deferred);
	html_table_none(table);
	html_table_none(table);
	html_table_row_end(table);
}

static void put_figures(struct html *html, const struct report_domain *domain)
{
	const struct {
		const char *what;
		const struct report_seen *seen;
	} rows[] = {
		{ "Wanted, from outside", &domain->wanted },
		{ "Spam, from outside", &domain->spam },
		{ "Relayed by the other server", &domain->relayed },
		{ "Handed in by our users", &domain->submitted },
		{ "Made on the server", &domain->local },
	};
	struct html_table table;
	size_t i;

	html_line(html, "h3", NULL, "All mail");
	html_table_begin(&table, html, "figures", columns);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		put_seen(&table, rows[i].what, rows[i].seen);
	if (domain->deferred > 0)
		put_deferred(&table, domain);
	html_table_end(&table, 0, 0);
}

static bool has_mail(const struct report_domain *domain)
{
	const struct report_seen *const all[] = {
		&domain->wanted, &domain->spam, &domain->relayed,
		&domain->submitted, &domain->local
	};
	uint64_t count = domain->deferred;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		count += all[i]->count[REPORT_OLD] + all[i]->count[REPORT_NEW];
	return count > 0;
}

static void put_curves(struct html *html, const struct report_domain *domain)
{
	size_t skip = domain->hours_count > HOURS_SHOWN ?
		domain->hours_count - HOURS_SHOWN : 0;

	if (domain->days_count > 1)
		report_html_curve(html, domain->days, domain->days_count,
				  SVG_DAYS);
	if (domain->hours_count > 0)
		report_html_curve(html, domain->hours + skip,
				  domain->hours_count - skip, SVG_HOURS);
}

void report_html_domain(struct html *html, const struct report_model *model,
			const struct report_domain *domain)
{
	html_open_class(html, "section", "domain");
	html_open(html, "h2");
	html_text(html, "Arrivals");
	if (model->domains_count > 1) {
		html_text(html, " for ");
		html_foreign(html, domain->name);
	}
	html_close(html, "h2");
	put_curves(html, domain);
	report_html_sources(html, domain);
	if (has_mail(domain))
		put_figures(html, domain);
	html_close(html, "section");
}
