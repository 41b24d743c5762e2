/*
 * report-html: the migration as one HTML page
 *
 * The page is whole in itself: no script, nothing from the network, and a
 * Content-Security-Policy that forbids both. It fits a phone, a desktop and
 * paper, light and dark. Lists are cut after HTML_TABLE_MAX_ROWS rows and say so.
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report-model.h"

#include <stdio.h>

/* 0; -1 with errno when it couldn't be written whole. */
int report_html_write(const struct report_model *model, FILE *out);
/* Replaces a file at once, so that readers never see half a page: a regular one
   or none at that path. Anything else, as /dev/stdout, is written into. */
int report_html_write_file(const struct report_model *model, const char *path,
			   const char **error_r);

#endif
