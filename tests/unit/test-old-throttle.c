/* test-old-throttle: what old servers say when they want less of us, and what
   sounds like it and isn't. */
#include "engine-unit.h"
#include "plugin/engine/old-throttle.h"

static void test_replies(void)
{
	static const struct {
		const char *code, *text;
		enum old_throttle expected;
	} tests[] = {
		{ "LIMIT", "", OLD_THROTTLE_LESS },
		{ "LIMIT", "Rate limit hit", OLD_THROTTLE_LESS },
		{ "THROTTLED", "Account throttled", OLD_THROTTLE_LESS },
		{ "INUSE", "Mailbox in use", OLD_THROTTLE_IN_USE },
		{ "", "Request is throttled. Suggested Backoff Time: 92415 "
			"milliseconds", OLD_THROTTLE_LESS },
		{ "ALERT", "Too many simultaneous connections. (Failure)",
			OLD_THROTTLE_LESS },
		{ "OVERQUOTA", "Account exceeded command or bandwidth limits. "
			"(Failure)", OLD_THROTTLE_ACCOUNT },
		{ "UNAVAILABLE", "Maximum number of connections from user+IP "
			"exceeded (mail_max_userip_connections=10)",
			OLD_THROTTLE_ACCOUNT },
		{ "LIMIT", "Too many connections for this user",
			OLD_THROTTLE_ACCOUNT },
		{ "", "Maximum connection limit reached for 192.0.2.1",
			OLD_THROTTLE_LESS },
		{ "", "Too many open connections", OLD_THROTTLE_LESS },
		{ "UNAVAILABLE", "Server is busy, please slow down",
			OLD_THROTTLE_LESS },

		{ "", "", OLD_THROTTLE_NO },
		{ "UNAVAILABLE", "Temporary authentication failure",
			OLD_THROTTLE_NO },
		{ "OVERQUOTA", "Quota exceeded (mailbox for user is full)",
			OLD_THROTTLE_NO },
		{ "AUTHENTICATIONFAILED", "Authentication failed.",
			OLD_THROTTLE_NO },
		{ "NONEXISTENT", "Mailbox doesn't exist: Limits",
			OLD_THROTTLE_NO },
		{ "", "Too many arguments", OLD_THROTTLE_NO },
		{ "", "Logging out", OLD_THROTTLE_NO },
		{ "", "Server shutting down.", OLD_THROTTLE_NO },
		{ "TOOBIG", "Message too large", OLD_THROTTLE_NO },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		enum old_throttle found =
			old_throttle_find(tests[i].code, tests[i].text);

		UNIT_CHECK(found == tests[i].expected,
			   "%u: [%s] %s: %d", i, tests[i].code,
			   tests[i].text, found);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "replies", test_replies },
		{ NULL, NULL }
	};

	return engine_unit_run("old-throttle", tests);
}
