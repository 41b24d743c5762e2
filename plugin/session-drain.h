#ifndef SESSION_DRAIN_H
#define SESSION_DRAIN_H

/*
 * session-drain: gives a mailbox up when a cutover asks for it.
 *
 * An open redirected mailbox watches its lease. When it is recalled, no write
 * can be under way: writes wait for the old server in an ioloop of their own,
 * and this one is called from the process' main one. So the lease is given up
 * at once; what is saved or stored from then on is refused. IMAP clients that
 * have the mailbox selected are told with BYE, as soon as no command of theirs
 * is being answered, and find the local mailbox when they come again.
 */

struct migration_user;
struct redirected_mailbox;
struct session_drain;

/* The mailbox was opened. */
struct session_drain *session_drain_init(struct redirected_mailbox *rbox);
void session_drain_deinit(struct session_drain **drain);
/* Give up what is recalled of all that the user has open, without waiting for
   the ioloop: for who is about to wait for a cutover. */
void session_drain_check(struct migration_user *muser);
/* Was something given up that this session still has open? Nothing new should
   begin in it: the first half of a MOVE would be done, and not the second. */
bool session_drain_pending(struct migration_user *muser);

#endif
