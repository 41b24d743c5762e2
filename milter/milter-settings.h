/*
 * milter-settings: the table of settings, and what each does to a config
 *
 * For milter-config.c only.
 */
#ifndef MILTER_SETTINGS_H
#define MILTER_SETTINGS_H

#include "milter-config.h"

struct milter_setting {
	const char *key;
	/* NULL, or what is wrong with the value: static. */
	const char *(*set)(struct milter_config *config, const char *value);
	const char *expected;
	/* May be given more than once. */
	bool repeatable;
};

#define MILTER_SETTINGS_COUNT 17
extern const struct milter_setting milter_settings[MILTER_SETTINGS_COUNT];

/* Without regard to case; NULL when there's none. */
const struct milter_setting *milter_setting_find(const char *key);
/* Sets one outside of a file: NULL, or what is wrong. */
const char *milter_setting_set(struct milter_config *config, const char *key,
			       const char *value);

#endif
