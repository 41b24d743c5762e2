#ifndef OLD_THROTTLE_H
#define OLD_THROTTLE_H

/*
 * old-throttle: does the old server want less of us? From what it says, in its
 * greeting, to a login, to a command, or before it closes.
 */

struct old_reply;

enum old_throttle {
	OLD_THROTTLE_NO,
	/* NO [LIMIT] (RFC 5530), "too many connections", "throttled" (Exchange),
	   "bandwidth limits" (Gmail), [UNAVAILABLE] with such a text... */
	OLD_THROTTLE_LESS,
	/* the same, of this account alone: "user+IP" (Dovecot), "Account exceeded
	   ..." (Gmail) */
	OLD_THROTTLE_ACCOUNT,
	/* [INUSE]: this mailbox only, just now */
	OLD_THROTTLE_IN_USE,
};

/* code in upper case, "" when there's none (old-client.h); text as sent. */
enum old_throttle old_throttle_find(const char *code, const char *text);

#endif
