#include "test-mirror-session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct imap_client *session;
struct case_pair session_watch;

uint32_t session_uid(uint32_t seq)
{
	const struct imap_response *resp;
	struct imap_fetch fetch;

	imap_clear(session);
	if (imap_run(session, "FETCH %u UID", seq) != IMAP_OK)
		return 0;
	resp = imap_find(imap_untagged(session), "FETCH");
	return resp != NULL && imap_parse_fetch(resp, &fetch) ? fetch.uid : 0;
}

uint32_t session_last_uid(void)
{
	return session_uid(imap_exists(session));
}

bool session_done(enum imap_status status, const char *what)
{
	return UNIT_CHECK(status == IMAP_OK, "%s: %s", what,
			  imap_error(session));
}

bool session_ok(const char *fmt, ...)
{
	char command[300];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	return session_done(imap_run(session, "%s", command), command);
}

unsigned int session_untagged(const char *name)
{
	const struct imap_response *resp = imap_untagged(session);
	unsigned int count = 0;

	while ((resp = imap_find(resp, name)) != NULL) {
		resp = resp->next;
		count++;
	}
	return count;
}

void
session_check(const char *mailbox, uint32_t uid, const char *flags,
	   const char *what)
{
	struct case_mail mail, old;

	case_mail_look(session_watch.old, mailbox, uid, &old);
	if (strcmp(mailbox, "INBOX") == 0) {
		case_mail_see(session, uid, &mail);
		case_mail_same(&old, &mail, what);
	}
	case_pair_same(&session_watch, mailbox, uid, flags, what);
}
