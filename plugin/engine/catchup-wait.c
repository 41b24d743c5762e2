#include "lib.h"
#include "sleep.h"
#include "catchup-wait.h"

#define WAIT_MSECS (60 * 1000)
#define RETRY_MSECS 100

int catchup_wait_run(struct migration_user *muser, struct old_client *client,
		     enum catchup_flags flags, bool (*killed)(void),
		     struct catchup_result *result_r,
		     enum mail_error *error_code_r, const char **error_r)
{
	unsigned int msecs = 0;

	for (;;) {
		if (catchup_run(muser, client, flags, result_r, error_code_r,
				error_r) < 0)
			return -1;
		if (!result_r->busy)
			return 0;
		if (msecs >= WAIT_MSECS || killed())
			break;
		i_sleep_msecs(RETRY_MSECS);
		msecs += RETRY_MSECS;
	}
	*error_code_r = MAIL_ERROR_INUSE;
	*error_r = "Another process is catching up for this user";
	return -1;
}
