#ifndef SESSION_CATCHUP_H
#define SESSION_CATCHUP_H

/*
 * session-catchup: keeps the user's worker looking for late mail as long as he
 * has a session.
 *
 * Sessions of imap and pop3, of a user who has local mailboxes and isn't closed,
 * are connected to the worker: it catches up at once, and each
 * migration_catchup_interval (0: no session does this).
 *
 * An imap session is never held up by it: everything happens in the ioloop, also
 * when a worker must be started. A pop3 session has its picture of the mailbox
 * from the beginning on, and waits for the look, 2 seconds at most. Nothing that
 * fails here fails the session; why there's no worker is told once, at debug.
 */

struct migration_user;
struct session_catchup;

/* The user's namespaces are made. */
void session_catchup_init(struct migration_user *muser);
void session_catchup_deinit(struct session_catchup **catchup);

#endif
