#ifndef OLD_SETTINGS_H
#define OLD_SETTINGS_H

/*
 * old-settings: the connection to the old server from Dovecot's own imapc_*
 * and ssl_* settings of a user. Strings belong to the namespace's user or to
 * the data stack: old_client_init() copies them.
 */

#include "old-client.h"

struct mail_namespace;

/* Returns 0; -1 with an error that names the setting. */
int old_settings_read(struct mail_namespace *ns,
		      struct old_client_settings *set_r, const char **error_r);

#endif
