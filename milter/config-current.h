/*
 * config-current: the settings in force in this process
 *
 * May be replaced at any time by any thread; whoever took the one before keeps
 * it until it lets go of it.
 */
#ifndef CONFIG_CURRENT_H
#define CONFIG_CURRENT_H

#include "milter-config.h"

/* A reference of the caller's own, to be given back by milter_config_unref(). */
struct milter_config *config_current_get(void);
/* Takes the caller's reference over. NULL at the end. */
void config_current_set(struct milter_config *config);

#endif
