/*
 * report-html-verdict: may the old server be cancelled, and what speaks against
 * it
 */
#include "report-html-private.h"
#include "common/text-format.h"

#include <string.h>
#include <strings.h>

/* The JSON has all. */
#define FINDINGS_SHOWN 12

static void put_sentence(struct html *html,
			 const struct report_verdict *verdict)
{
	static const char *const words[] = {
		[REPORT_SAFE] = "Safe",
		[REPORT_NOT_YET] = "Not yet",
		[REPORT_UNKNOWN] = "Unknown",
	};
	static const char *const classes[] = {
		[REPORT_SAFE] = "verdict safe",
		[REPORT_NOT_YET] = "verdict not-yet",
		[REPORT_UNKNOWN] = "verdict unknown",
	};
	static const char *const sentences[] = {
		[REPORT_SAFE] = ": the old server may be cancelled.",
		[REPORT_NOT_YET] = ": the old server is still needed.",
		[REPORT_UNKNOWN] =
			": not enough is known to cancel the old server.",
	};

	html_open_class(html, "p", classes[verdict->answer]);
	html_line(html, "strong", NULL, words[verdict->answer]);
	html_text(html, sentences[verdict->answer]);
	html_close(html, "p");
}

static void put_finding(struct html *html,
			const struct report_finding *finding)
{
	html_open_class(html, "li", finding->answer == REPORT_NOT_YET ?
			"not-yet" : "unknown");
	if (*finding->who != '\0') {
		html_open(html, "b");
		html_foreign(html, finding->who);
		html_close(html, "b");
		html_text(html, ": ");
	}
	html_foreign(html, finding->text);
	html_close(html, "li");
}

static void put_findings(struct html *html,
			 const struct report_verdict *verdict)
{
	size_t i, rows = verdict->findings_count < FINDINGS_SHOWN ?
		verdict->findings_count : FINDINGS_SHOWN;

	if (rows == 0)
		return;
	html_open_class(html, "ul", "findings");
	for (i = 0; i < rows; i++)
		put_finding(html, &verdict->findings[i]);
	html_close(html, "ul");
	if (verdict->findings_count > rows) {
		html_open_class(html, "p", "more");
		html_textf(html, "And %s more.",
			   format_count(verdict->findings_count - rows).text);
		html_close(html, "p");
	}
}

static void put_evidence(struct html *html,
			 const struct report_verdict *verdict)
{
	html_open_class(html, "p", "note");
	if (verdict->ends != 0)
		html_textf(html, "Judged by the %s from %s to %s. ",
			   format_span(verdict->quiet_s).text,
			   format_time(verdict->begins).text,
			   format_time(verdict->ends).text);
	if (verdict->late_bound > 0)
		html_textf(html, "No wanted mail came to the old server since "
			   "%s: at most %.1f in the next 30 days (95 %%). ",
			   format_time(verdict->none_since).text,
			   verdict->late_bound);
	if (verdict->earliest != 0 && verdict->answer != REPORT_SAFE)
		html_textf(html, "Not before %s, even if nothing else comes. ",
			   format_time(verdict->earliest).text);
	if (!verdict->accounts_listed)
		html_textf(html, "%s accounts; those that left no line aren't "
			   "known of.", format_count(verdict->accounts).text);
	html_close(html, "p");
}

void report_html_verdict(struct html *html, const struct report_verdict *verdict)
{
	put_sentence(html, verdict);
	put_findings(html, verdict);
	put_evidence(html, verdict);
}

const struct report_verdict *
report_html_find_verdict(const struct report_model *model, const char *domain)
{
	size_t i;

	for (i = 0; i < model->verdicts_count; i++) {
		if (strcasecmp(model->verdicts[i]->domain, domain) == 0)
			return model->verdicts[i];
	}
	return NULL;
}
