#include "lib.h"
#include "old-throttle.h"

#include <string.h>

/* What says it whatever stands behind. LIMIT is RFC 5530's. */
static const char *const less_codes[] = { "LIMIT", "THROTTLED", NULL };

/* Parts of texts, with who says so. */
static const char *const less_texts[] = {
	/* Exchange: "Request is throttled. Suggested Backoff Time: ..." */
	"throttl",
	"backoff time",
	/* Gmail: "Too many simultaneous connections", Cyrus: "Too many open
	   connections", Zimbra and others: "too many concurrent connections" */
	"too many simultaneous",
	"too many concurrent",
	"too many open conn",
	"too many conn",
	"too many sessions",
	"too many logins",
	"too many login attempts",
	"too many requests",
	"too many commands",
	/* Gmail: "Account exceeded command or bandwidth limits" */
	"bandwidth limit",
	"exceeded command",
	/* Dovecot: "Maximum number of connections from user+IP exceeded" */
	"maximum number of conn",
	/* Courier: "Maximum connection limit reached" */
	"connection limit",
	"connections limit",
	"login limit",
	"session limit",
	/* Oracle, Yahoo and others */
	"rate limit",
	"rate-limit",
	"server is busy",
	"server busy",
	"server too busy",
	"system busy",
	"system is busy",
	"overloaded",
	"load is too high",
	"slow down",
	NULL
};

/* ...and that it's said of the account. */
static const char *const account_texts[] = {
	/* Dovecot: mail_max_userip_connections */
	"user+ip",
	/* Gmail */
	"account exceeded",
	"for this account",
	"for this user",
	"for your account",
	"per account",
	"per user",
	"per mailbox",
	NULL
};

static bool has_any(const char *text, const char *const *parts)
{
	for (; *parts != NULL; parts++) {
		if (strcasestr(text, *parts) != NULL)
			return TRUE;
	}
	return FALSE;
}

enum old_throttle old_throttle_find(const char *code, const char *text)
{
	if (strcmp(code, "INUSE") == 0)
		return OLD_THROTTLE_IN_USE;
	if (!str_array_find(less_codes, code) && !has_any(text, less_texts))
		return OLD_THROTTLE_NO;
	return has_any(text, account_texts) ? OLD_THROTTLE_ACCOUNT :
		OLD_THROTTLE_LESS;
}
