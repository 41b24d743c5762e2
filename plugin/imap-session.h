#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

/*
 * imap-session: the IMAP clients of this process, if it is an imap process.
 *
 * The plugin is loaded into pop3, lmtp and doveadm as well, so the imap
 * process' own symbols are weak here.
 */

struct mail_user;
struct mailbox;

/* Listen to the clients' commands. Does nothing in another process. */
void imap_session_init(void);
void imap_session_deinit(void);

/* Tell the clients that have this mailbox selected to come again (BYE), but
   not in the middle of an answer. Returns TRUE when there are none left that
   must be told. Frees nothing: a client goes in the next turn of the ioloop. */
bool imap_session_bye(struct mailbox *box);
/* The same for all of the user's clients at once, from within a command that
   can't be done here any more, and of which nothing was done: the client does
   it again when it's back, where NO would be an error to its user. */
void imap_session_bye_now(struct mail_user *user);

#endif
