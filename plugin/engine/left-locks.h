#ifndef LEFT_LOCKS_H
#define LEFT_LOCKS_H

/*
 * left-locks: what a killed process left locked
 *
 * Dovecot makes some files under a lock file that becomes the file, and so can't
 * say whose it is: dovecot.index.log, subscriptions, Maildir's dovecot-uidlist
 * and dovecot-keywords. When its maker was killed meanwhile, each that needs the
 * file waits minutes before it dares to remove the lock, and who lists folders
 * waits with it.
 */

struct migration_user;

/* Remove such locks from the user's local store. Only for a caller that has kept
   all who could change the store away, and who therefore knows that their makers
   are dead. One that can't be removed is left to Dovecot. */
void left_locks_remove(struct migration_user *muser);

#endif
