/*
 * report-text-verdict: may the old server be cancelled, with all that a person
 * needs to decide it
 */
#include "common/text-format.h"
#include "report-text.h"

#include <string.h>

/* Sentences are folded there. */
#define COLUMNS 78

static void write_answer(const struct report_verdict *verdict, FILE *out)
{
	static const char *const sentences[] = {
		[REPORT_SAFE] = "the old server isn't needed any more",
		[REPORT_NOT_YET] = "the old server is still needed",
		[REPORT_UNKNOWN] =
			"not enough is known to do without the old server",
	};

	fprintf(out, "%s: %s for %s\n", report_answer_name(verdict->answer),
		sentences[verdict->answer], verdict->domain);
}

/* Behind what stands on the line already; the others are indented by four. */
static void write_folded(FILE *out, size_t column, const char *text)
{
	size_t size;

	for (;; text += size + 1) {
		size = strcspn(text, " ");
		if (column > 4 && column + 1 + size > COLUMNS) {
			fprintf(out, "\n    ");
			column = 4;
		} else if (column > 4) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)size, text);
		column += size;
		if (text[size] == '\0')
			break;
	}
	fputc('\n', out);
}

static void write_finding(const struct report_finding *finding, FILE *out)
{
	fprintf(out, "  %c", finding->answer == REPORT_NOT_YET ? '!' : '?');
	if (*finding->who == '\0') {
		write_folded(out, 5, finding->text);
		return;
	}
	fprintf(out, " %s:", finding->who);
	write_folded(out, 5 + strlen(finding->who), finding->text);
}

static void write_findings(const struct report_verdict *verdict, size_t rows,
			   FILE *out)
{
	size_t i, shown = report_text_rows(verdict->findings_count, rows);

	for (i = 0; i < shown; i++)
		write_finding(&verdict->findings[i], out);
	report_text_more(out, verdict->findings_count, shown);
	if (verdict->earliest != 0 && verdict->answer != REPORT_SAFE)
		fprintf(out, "  Not before %s, even if nothing else comes\n",
			format_time(verdict->earliest).text);
}

static void write_period(const struct report_verdict *verdict, FILE *out)
{
	fprintf(out, "  Quiet period: %s",
		format_span(verdict->quiet_s).text);
	if (verdict->ends != 0)
		fprintf(out, ", from %s to %s",
			format_time(verdict->begins).text,
			format_time(verdict->ends).text);
	fprintf(out, "\n    the longest of %s as asked, %s for which senders "
		"retry, twice the TTL of %s",
		format_span(verdict->quiet_asked_s).text,
		format_span(verdict->retry_s).text,
		verdict->ttl_s == 0 ? "? (not known)" :
		format_span(verdict->ttl_s).text);
	if (verdict->clocks_s > 0)
		fprintf(out, ";\n    and %s by which the old server's clock "
			"is wrong", format_span(verdict->clocks_s).text);
	fprintf(out, "\n");
}

static void write_evidence(const struct report_verdict *verdict, FILE *out)
{
	fprintf(out, "  Last wanted mail at the old server: %s%s\n",
		format_time(verdict->last_wanted).text,
		verdict->spam_counts ? " (spam counts)" : "");
	if (verdict->late_bound > 0)
		fprintf(out, "  None since %s, for %s: at most %.1f late mails "
			"in the next 30 days (95 %%)\n",
			format_time(verdict->none_since).text,
			format_span((uint64_t)(verdict->ends -
					       verdict->none_since)).text,
			verdict->late_bound);
	if (verdict->ends != 0)
		fprintf(out, "  Not watched in the quiet period: %s (by "
			"milters alone: %s)\n",
			format_span(verdict->unwatched_s).text,
			format_span(verdict->blind_s).text);
	if (verdict->missed > 0)
		fprintf(out, "    its milters never told of the sources of %s "
			"late mails, and aren't relied on\n",
			format_count(verdict->missed).text);
	fprintf(out, "  Accounts: %s, of these closed: %s%s\n",
		format_count(verdict->accounts).text,
		format_count(verdict->accounts_closed).text,
		verdict->accounts_listed ? "" :
		"; those without a line aren't known of (--accounts)");
	fprintf(out, "  Late mail: %s delivered, %s were here already\n",
		format_count(verdict->late).text,
		format_count(verdict->doubles).text);
	if (verdict->unseen_since > 0)
		fprintf(out, "  Sources seen before the switch and not since: "
			"%s\n", format_count(verdict->unseen_since).text);
}

/* What decides nothing. */
static void write_notes(const struct report_verdict *verdict, FILE *out)
{
	const struct {
		uint64_t count;
		const char *what;
	} notes[] = {
		{ verdict->given_up, "mailboxes with messages given up" },
		{ verdict->conflicts, "flags changed on both sides" },
		{ verdict->refused_expunges, "expunges not followed" },
		{ verdict->resets, "old mailboxes reset or emptied" },
		{ verdict->copy_back_failures, "failures to copy back" },
	};
	size_t i;
	bool any = false;

	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		if (notes[i].count == 0)
			continue;
		fprintf(out, "%s %s %s", any ? ";" : "  Worth a look:",
			format_count(notes[i].count).text, notes[i].what);
		any = true;
	}
	if (any)
		fprintf(out, "\n");
}

static void write_straggler(const struct report_straggler *straggler,
			    FILE *out)
{
	const struct report_source *source = straggler->source;

	fprintf(out, "    %s, by %s %s: last %s",
		*source->sender_domain == '\0' ? "<>" : source->sender_domain,
		source->client->network, source->client->name_domain,
		format_time(straggler->last).text);
	if (straggler->interval_s > 0)
		fprintf(out, ", %.2g a day", 86400.0 /
			(double)straggler->interval_s);
	fprintf(out, "%s\n", straggler->known ? " (known)" : "");
	if (*source->example_from == '\0' && *source->example_id == '\0')
		return;
	fprintf(out, "      last: %s from %s to %s, by %s (%s), id %s\n",
		format_time(source->last_old).text, source->example_from,
		source->example_to, source->example_client,
		source->example_name, source->example_id);
}

static void write_stragglers(const struct report_verdict *verdict, size_t rows,
			     FILE *out)
{
	size_t i, shown = report_text_rows(verdict->stragglers_count, rows);

	if (verdict->stragglers_count == 0)
		return;
	fprintf(out, "  Whose last mail came to the old server: %s\n",
		format_count(verdict->stragglers_count).text);
	for (i = 0; i < shown; i++)
		write_straggler(&verdict->stragglers[i], out);
	report_text_more(out, verdict->stragglers_count, shown);
}

void report_text_verdict(const struct report_verdict *verdict,
			 const struct report_text_options *options, FILE *out)
{
	write_answer(verdict, out);
	write_findings(verdict, options->rows, out);
	write_period(verdict, out);
	write_evidence(verdict, out);
	write_notes(verdict, out);
	write_stragglers(verdict, options->rows, out);
}
