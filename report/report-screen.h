/*
 * report-screen: the text report on a terminal, drawn anew in place
 *
 * Cut to the terminal's height: what needs action comes first. Where the output
 * isn't a terminal, each report is written whole, and a form feed before the
 * next one.
 */
#ifndef REPORT_SCREEN_H
#define REPORT_SCREEN_H

#include "report-text.h"

/* -1 with the reason when it can't be written. */
int report_screen_draw(const struct report_model *model,
		       const struct report_text_options *options,
		       const char **error_r);

#endif
