/*
 * report-verdict-options: --verdict's options, from the command line and from
 * files with a name on each line
 */
#ifndef REPORT_VERDICT_OPTIONS_H
#define REPORT_VERDICT_OPTIONS_H

#include "report-verdict.h"

struct verdict_options {
	struct report_verdict_settings set;
	/* Whose are the settings' lists. */
	char **known, **accounts;
	size_t known_count, accounts_count;
};

void verdict_options_init(struct verdict_options *options);
void verdict_options_deinit(struct verdict_options *options);

/* "7d", "36h", "90m", "30s"; days where there's no unit. false: it's none. */
bool verdict_options_span(const char *value, int64_t *seconds_r);
void verdict_options_add_known(struct verdict_options *options,
			       const char *name);
/* A name on each line; empty ones and those that begin with # don't count. -1
   with errno. */
int verdict_options_read_known(struct verdict_options *options,
			       const char *path);
int verdict_options_read_accounts(struct verdict_options *options,
				  const char *path);

#endif
