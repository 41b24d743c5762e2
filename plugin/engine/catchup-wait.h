#ifndef CATCHUP_WAIT_H
#define CATCHUP_WAIT_H

/*
 * catchup-wait: a catch-up by command. Another one that is under way, the worker's
 * as a rule, is waited for: it may have looked before this was asked for.
 */

#include "catchup.h"

/* As catchup_run(); it is never busy. killed is asked while it waits: TRUE ends that
   with an error. */
int catchup_wait_run(struct migration_user *muser, struct old_client *client,
		     enum catchup_flags flags, bool (*killed)(void),
		     struct catchup_result *result_r,
		     enum mail_error *error_code_r, const char **error_r);

#endif
