/*
 * report-text-domain: a domain's arrivals and its sources
 */
#include "common/text-format.h"
#include "report-text.h"
#include "common/text-table.h"

#include <string.h>
#include <time.h>

#define BAR_CELLS 30
#define COLUMNS(array) (sizeof(array) / sizeof((array)[0]))

static void write_totals(const struct report_domain *domain, FILE *out)
{
	const uint64_t *wanted = domain->wanted_since;
	const uint64_t *spam = domain->spam_since;
	const struct {
		const char *name;
		const struct report_seen *seen;
	} others[] = {
		{ "relayed by the other one", &domain->relayed },
		{ "from our own users", &domain->submitted },
		{ "made there", &domain->local },
	};
	uint64_t all = wanted[REPORT_OLD] + wanted[REPORT_NEW];
	size_t i;

	fprintf(out, "  Wanted mail since the switch: %s at the old server "
		"(%s), %s at the new (%s)\n",
		format_count(wanted[REPORT_OLD]).text,
		format_share(wanted[REPORT_OLD], all).text,
		format_count(wanted[REPORT_NEW]).text,
		format_share(wanted[REPORT_NEW], all).text);
	fprintf(out, "  Not counted in that, old/new: spam %s/%s\n",
		format_count(spam[REPORT_OLD]).text,
		format_count(spam[REPORT_NEW]).text);
	for (i = 0; i < COLUMNS(others); i++) {
		fprintf(out, "%s%s %s/%s", i == 0 ? "      " : ", ",
			others[i].name,
			format_count(others[i].seen->count[REPORT_OLD]).text,
			format_count(others[i].seen->count[REPORT_NEW]).text);
	}
	fprintf(out, "\n");
	if (domain->deferred > 0) {
		fprintf(out, "  Told by the old server to come later: %s, last "
			"%s\n", format_count(domain->deferred).text,
			format_time(domain->last_deferred).text);
	}
}

/* What part of a slot wasn't watched, "" for none. */
static const char *show_blind(const struct report_slot *slot, char *text,
			      size_t size)
{
	char *p = text;
	unsigned int side;

	*p = '\0';
	for (side = 0; side < REPORT_SIDES; side++) {
		if (slot->blind[side] == 0)
			continue;
		p += snprintf(p, size - (size_t)(p - text), "%s%s: %s",
			      p == text ? "" : ", ", report_side_name(side),
			      format_span(slot->blind[side]).text);
	}
	return text;
}

static const char *show_bar(const struct report_slot *slot, char *bar)
{
	uint64_t old = slot->wanted[REPORT_OLD];
	uint64_t all = old + slot->wanted[REPORT_NEW];
	size_t cells;

	if (all == 0)
		return "";
	cells = (size_t)(old * BAR_CELLS / all);
	/* what isn't none is seen */
	if (cells == 0 && old > 0)
		cells = 1;
	if (cells == BAR_CELLS && old < all)
		cells--;
	memset(bar, 'o', cells);
	memset(bar + cells, '.', BAR_CELLS - cells);
	bar[BAR_CELLS] = '\0';
	return bar;
}

static void write_slots(const struct report_slot *slots, size_t count,
			bool days, FILE *out)
{
	static const struct text_column columns[] = {
		{ "", 16 }, { "old", -9 }, { "new", -9 }, { "old share", -9 },
		{ "o = old, . = new", BAR_CELLS }, { "not watched", 0 }
	};
	char bar[BAR_CELLS + 1], blind[80];
	struct text_table table;
	size_t i;

	text_table_begin(&table, out, columns, COLUMNS(columns));
	for (i = 0; i < count; i++) {
		const struct report_slot *slot = &slots[i];
		uint64_t old = slot->wanted[REPORT_OLD];
		uint64_t new = slot->wanted[REPORT_NEW];

		text_table_cell(&table, days ? format_date(slot->start).text :
				format_time(slot->start).text);
		text_table_cell(&table, format_count(old).text);
		text_table_cell(&table, format_count(new).text);
		text_table_cell(&table, format_share(old, old + new).text);
		text_table_cell(&table, show_bar(slot, bar));
		text_table_cell(&table, show_blind(slot, blind, sizeof(blind)));
	}
}

/* The last ones. */
static void write_curve(const char *title, const struct report_slot *slots,
			size_t count, size_t rows, bool days, FILE *out)
{
	size_t shown = report_text_rows(count, rows);

	if (count == 0)
		return;
	fprintf(out, "\n  %s", title);
	if (shown < count)
		fprintf(out, " (the last %zu of %zu)", shown, count);
	fprintf(out, "\n");
	write_slots(slots + count - shown, shown, days, out);
}

static void write_example(const struct report_source *source, FILE *out)
{
	if (*source->example_id == '\0' && *source->example_from == '\0')
		return;
	fprintf(out, "      last: %s from %s to %s%s%s%s%s\n",
		format_time(source->last_old).text,
		source->example_from, source->example_to,
		*source->example_id == '\0' ? "" : ", id ", source->example_id,
		*source->example_host == '\0' ? "" : " at ",
		source->example_host);
	if (source->client_last_new > source->last_old) {
		fprintf(out, "      its client has delivered others' mail to "
			"the new server since (%s)\n",
			format_time(source->client_last_new).text);
	}
}

/* "11-02..11-22" */
static const char *show_days(int64_t first, int64_t last, char *text,
			     size_t size)
{
	time_t times[] = { (time_t)first, (time_t)last };
	struct tm tm;
	size_t i, used = 0;

	if (first == 0)
		return "-";
	for (i = 0; i < 2; i++) {
		if (localtime_r(&times[i], &tm) == NULL)
			return "-";
		used += strftime(text + used, size - used,
				 i == 0 ? "%m-%d.." : "%m-%d", &tm);
	}
	return text;
}

static void write_source(struct text_table *table,
			 const struct report_source *source)
{
	unsigned int side;
	char days[32];

	text_table_cell(table, *source->client->network == '\0' ? "-" :
			source->client->network);
	text_table_cell(table, *source->client->name_domain == '\0' ? "-" :
			source->client->name_domain);
	text_table_cell(table, *source->sender_domain == '\0' ? "<>" :
			source->sender_domain);
	for (side = 0; side < REPORT_SIDES; side++) {
		text_table_cell(table, format_count(
			source->wanted.count[side]).text);
		text_table_cell(table, show_days(
			source->wanted.first[side],
			source->wanted.last[side], days, sizeof(days)));
	}
}

/* The sources of that standing are next to each other. */
static void write_standing(const struct report_domain *domain,
			   enum report_standing standing, const char *title,
			   bool examples, size_t rows, FILE *out)
{
	static const struct text_column columns[] = {
		{ "network", 18 }, { "client", 19 }, { "sender", 19 },
		{ "old", -6 }, { "first..last", 12 },
		{ "new", -6 }, { "first..last", 0 }
	};
	size_t i, first = 0, count = domain->standings[standing], shown;
	struct text_table table;

	if (count == 0)
		return;
	for (i = 0; i < (size_t)standing; i++)
		first += domain->standings[i];
	fprintf(out, "\n  %s: %s\n", title, format_count(count).text);
	text_table_begin(&table, out, columns, COLUMNS(columns));
	shown = report_text_rows(count, rows);
	for (i = first; i < first + shown; i++) {
		write_source(&table, domain->sources[i]);
		if (examples)
			write_example(domain->sources[i], out);
	}
	report_text_more(out, count, shown);
}

static void write_rest(const struct report_domain *domain, FILE *out)
{
	fprintf(out, "\n  Other sources: %s moved to the new server, %s quiet "
		"since the switch, %s only sent spam\n",
		format_count(domain->standings[REPORT_MOVED]).text,
		format_count(domain->standings[REPORT_QUIET]).text,
		format_count(domain->standings[REPORT_ONLY_SPAM]).text);
}

void report_text_domain(const struct report_domain *domain,
			const struct report_text_options *options, FILE *out)
{
	fprintf(out, "\nDomain %s\n", domain->name);
	write_totals(domain, out);
	write_standing(domain, REPORT_STRAGGLER,
		       "Still come to the old server", true, options->rows,
		       out);
	write_standing(domain, REPORT_WAVERING,
		       "Came to the old server since the switch, then to the "
		       "new one", false, options->rows, out);
	write_rest(domain, out);
	write_curve("By day", domain->days, domain->days_count, options->rows,
		    true, out);
	write_curve("By hour", domain->hours, domain->hours_count,
		    options->hours, false, out);
}
