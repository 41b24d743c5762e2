/*
 * report-html-private: the sections of the page, each in a file of its own
 *
 * Each writes itself whole, or nothing where the model has nothing for it.
 */
#ifndef REPORT_HTML_PRIVATE_H
#define REPORT_HTML_PRIVATE_H

#include "html-write.h"
#include "report-model.h"
#include "svg-scale.h"

/* report-html.css as a string. */
extern const char report_html_css[];

/* The answers: what still comes to the old server, and what isn't known. */
void report_html_answers(struct html *html, const struct report_model *model);
/* May the old server be cancelled? */
void report_html_verdict(struct html *html,
			 const struct report_verdict *verdict);
/* NULL: there's none for that domain. */
const struct report_verdict *
report_html_find_verdict(const struct report_model *model, const char *domain);
/* A domain: its curves, its figures, who sends to it. */
void report_html_domain(struct html *html, const struct report_model *model,
			const struct report_domain *domain);
/* How the share of the old server went, slot by slot. */
void report_html_curve(struct html *html, const struct report_slot *slots,
		       size_t count, enum svg_slots kind);
void report_html_sources(struct html *html, const struct report_domain *domain);
void report_html_submitters(struct html *html,
			    const struct report_model *model);
void report_html_forged(struct html *html, const struct report_model *model);
void report_html_users(struct html *html, const struct report_model *model);
void report_html_watch(struct html *html, const struct report_model *model);
void report_html_reading(struct html *html, const struct report_model *model);

#endif
