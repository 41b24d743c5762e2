#include "demo-session.h"
#include "process.h"

#include <poll.h>
#include <string.h>

/* How often a program tries to come again, and how long it waits in between. */
#define TRIES 20
#define TRY_EVERY_MS 500

/* plugin/imap-session.c; and what Dovecot says to those who were in the middle
   of a command, which counts while the user is being cut over only. */
#define MOVED_BYE "was just moved to this server"
#define RELOGIN_BYE "please relogin"

static void note_error(struct demo_session *session, const char *what,
		       const char *error)
{
	session->counts->errors++;
	demo_problem("%s: %s: %s: %s", session->user->label, session->program,
		     what, error);
}

bool demo_session_refused(struct demo_session *session, const char *what)
{
	note_error(session, what, imap_error(session->client));
	return false;
}

static int select_inbox(struct demo_session *session)
{
	bool is_mirrored = session->user->inbox_is_mirrored;
	struct imap_box box;

	if (imap_select(session->client, "INBOX", &box) != IMAP_OK) {
		note_error(session, "SELECT INBOX",
			   imap_error(session->client));
		return -1;
	}
	imap_clear(session->client);
	if (session->uidvalidity != 0 &&
	    session->uidvalidity != box.uidvalidity) {
		note_error(session, "INBOX", "has another UIDVALIDITY");
		return -1;
	}
	session->uidvalidity = box.uidvalidity;
	session->is_mirrored = is_mirrored;
	return 0;
}

static int try_open(struct demo_session *session)
{
	const struct lab *lab = session->user->lab->lab;
	const char *error;

	if (imap_open(lab_get(lab, "NEW_IMAP"), session->user->name,
		      lab_get(lab, "PASSWORD"), DEMO_TIMEOUT_MS,
		      &session->client, &error) < 0) {
		note_error(session, "login", error);
		return -1;
	}
	if (select_inbox(session) == 0)
		return 0;
	imap_free(&session->client);
	return -1;
}

int demo_session_open(struct demo_session *session)
{
	unsigned int i;

	for (i = 0; i < TRIES && !demo_is_interrupted(); i++) {
		if (try_open(session) == 0)
			return 0;
		(void)poll(NULL, 0, TRY_EVERY_MS);
	}
	return -1;
}

void demo_session_close(struct demo_session *session)
{
	imap_logout(&session->client);
}

int demo_session_again(struct demo_session *session)
{
	const char *bye = imap_error(session->client);
	bool moved = strstr(bye, MOVED_BYE) != NULL ||
		(session->user->moving && strstr(bye, RELOGIN_BYE) != NULL);

	session->counts->reconnects++;
	if (!moved)
		note_error(session, "connection lost", bye);
	imap_free(&session->client);
	if (demo_session_open(session) < 0)
		return -1;
	return moved ? 1 : 0;
}

int demo_session_reopen(struct demo_session *session)
{
	if (session->is_mirrored || !session->user->inbox_is_mirrored ||
	    select_inbox(session) == 0)
		return 0;
	if (imap_is_lost(session->client))
		return demo_session_again(session) < 0 ? -1 : 0;
	return -1;
}
