/*
 * report-options: what migration-report was asked for; migration-report(1)
 */
#ifndef REPORT_OPTIONS_H
#define REPORT_OPTIONS_H

#include "report-text.h"
#include "report-verdict-options.h"

struct report_file {
	const char *path;
	/* Of the options before it: NULL, 0 if none. */
	const char *zone;
	int year;
};

struct report_options {
	/* "" for all */
	const char *domain;
	/* 0 where not given */
	int64_t switched, since, until;
	bool follow, journal, json, verbose;
	/* NULL: the system's own journal */
	const char *journal_folder;
	/* NULL: no page */
	const char *html;
	/* Only that is asked, of the domain. */
	bool verdict;
	struct verdict_options verdict_options;
	struct report_text_options text;
	struct report_file *files;
	size_t files_count;
};

/* Exits by itself for -h, -V, and wrong usage. The strings stay argv's. */
void report_options_parse(struct report_options *options, int argc,
			  char *argv[]);
void report_options_deinit(struct report_options *options);

#endif
