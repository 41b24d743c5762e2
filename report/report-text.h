/*
 * report-text: the report for a terminal of 100 columns, or a mail
 *
 * What needs action comes first, as a list of sentences; then a section for each
 * thing, where tables are cut to the rows asked for, and say so.
 */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "report-model.h"

#include <stdio.h>

struct report_text_options {
	/* Rows of each table, 0: all. */
	size_t rows;
	/* Of the last hours; 0: all. */
	size_t hours;
};

/* -1 with the reason when it can't be written. */
int report_text_write(const struct report_model *model,
		      const struct report_text_options *options, FILE *out,
		      const char **error_r);

/* The answer comes first, on a line of its own. */
void report_text_verdict(const struct report_verdict *verdict,
			 const struct report_text_options *options, FILE *out);
/* The sections, each with its title; nothing when there's nothing to say. */
void report_text_actions(const struct report_model *model, FILE *out);
void report_text_domain(const struct report_domain *domain,
			const struct report_text_options *options, FILE *out);
void report_text_submitters(const struct report_model *model,
			    const struct report_text_options *options,
			    FILE *out);
void report_text_users(const struct report_model *model,
		       const struct report_text_options *options, FILE *out);
void report_text_watching(const struct report_model *model,
			  const struct report_text_options *options, FILE *out);
void report_text_incidents(const struct report_model *model,
			   const struct report_text_options *options,
			   FILE *out);

/* How many of so many rows are shown. */
size_t report_text_rows(size_t count, size_t rows);
/* "  and 12 more" when they aren't all. */
void report_text_more(FILE *out, size_t count, size_t shown);
void report_text_title(FILE *out, const char *title);

#endif
